// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0
//
// Layer and root-mean-square normalisation of rows. A row stays in cache between its passes.

/// Four vectors of partial sums hide the latency of the additions; their order is part of the result.
typedef struct {
  vector_f32 part[4];
} row_sum;

CK_INLINE row_sum row_sum_start(void) { return (row_sum){{splat(0), splat(0), splat(0), splat(0)}}; }

CK_INLINE float row_sum_finish(const row_sum *sum) {
  return sum_lanes((sum->part[0] + sum->part[1]) + (sum->part[2] + sum->part[3]));
}

/// Runs `statement` for every vector of a row: `c` the column, `p` the partial sum (0...3), `whole` a constant.
#define CK_FOR_ROW(columns, statement)                                                    \
  do {                                                                                    \
    size_t c = 0;                                                                         \
    for (; c + 4 * CK_LANES <= (columns); c += 4 * CK_LANES) {                            \
      const size_t group = c;                                                             \
      _Pragma("clang loop unroll(full)") for (int p = 0; p < 4; p++) {                    \
        const size_t c = group + (size_t)p * CK_LANES;                                    \
        const int whole = 1;                                                              \
        statement                                                                         \
      }                                                                                   \
    }                                                                                     \
    for (int p = 0; c < (columns); p++, c += CK_LANES) {                                  \
      const int whole = c + CK_LANES <= (columns);                                        \
      statement                                                                           \
    }                                                                                     \
  } while (0)

#define CK_LOAD(pointer, type) \
  (whole ? load_typed(pointer, type, c) : load_typed_part(pointer, type, c, columns - c, 0))
#define CK_STORE_TO(pointer, type, value)                               \
  do {                                                                  \
    if (whole)                                                          \
      store_typed(pointer, type, c, value);                             \
    else                                                                \
      store_typed_part(pointer, type, c, value, columns - c);           \
  } while (0)

CK_INLINE const void *typed_offset(const void *data, ck_type type, size_t elements) {
  return (const char *)data + elements * (type == CK_BF16 ? 2 : 4);
}

// Short rows (heads) go four at a time: the latency of their reductions is shared, the sums are the same.

#define CK_EACH_ROW _Pragma("clang loop unroll(full)") for (int k = 0; k < 4; k++)
#define CK_EACH_COLUMN _Pragma("clang loop unroll(full)") for (int j = 0; j < vectors; j++)

/// The sum of the vectors of a row, in the order of row_sum.
CK_INLINE vector_f32 sum_vectors(const vector_f32 *values, const int vectors) {
  row_sum sum = row_sum_start();
  CK_EACH_COLUMN sum.part[j % 4] += values[j];
  return (sum.part[0] + sum.part[1]) + (sum.part[2] + sum.part[3]);
}

/// Four rows of 16 * vectors columns; `vectors` and the types are constants.
CK_INLINE void norm_forward_four(ck_norm_kind kind, const int vectors, float epsilon, const void *restrict x,
                                 ck_type x_type, size_t x_stride, const float *restrict gain, void *restrict y,
                                 ck_type y_type, size_t y_stride, float *restrict mean, float *restrict rstd) {
  const float inverse_columns = 1.0f / (float)(vectors * CK_LANES);
  vector_f32 values[4][8], sums[4];
  CK_EACH_ROW CK_EACH_COLUMN values[k][j] = load_typed(x, x_type, (size_t)k * x_stride + (size_t)j * CK_LANES);
  vector_f32 centers = splat(0);
  if (kind == CK_LAYER_NORM) {
    CK_EACH_ROW sums[k] = sum_vectors(values[k], vectors);
    centers = sum_lanes_of_four(sums[0], sums[1], sums[2], sums[3]) * inverse_columns;
  }
  CK_EACH_ROW {
    const vector_f32 center = spread_quarter(centers, k);
    vector_f32 squares[8];
    CK_EACH_COLUMN {
      values[k][j] = values[k][j] - center;
      squares[j] = values[k][j] * values[k][j];
    }
    sums[k] = sum_vectors(squares, vectors);
  }
  const vector_f32 total = sum_lanes_of_four(sums[0], sums[1], sums[2], sums[3]);
  const vector_f32 scales = 1.0f / __builtin_elementwise_sqrt(total * inverse_columns + epsilon);
  CK_EACH_ROW {
    const vector_f32 scale = spread_quarter(scales, k);
    CK_EACH_COLUMN {
      vector_f32 value = values[k][j] * scale;
      if (gain) value = value * load_f32(gain + j * CK_LANES);
      store_typed(y, y_type, (size_t)k * y_stride + (size_t)j * CK_LANES, value);
    }
    if (mean) mean[k] = centers[4 * k];
    rstd[k] = scales[4 * k];
  }
}

CK_INLINE void norm_backward_four(ck_norm_kind kind, const int vectors, const void *restrict dy, ck_type dy_type,
                                  size_t dy_stride, const void *restrict x, ck_type x_type, size_t x_stride,
                                  const float *restrict gain, const float *restrict mean,
                                  const float *restrict rstd, const float *addend, void *dx, ck_type dx_type,
                                  size_t dx_stride, float *restrict gain_gradient) {
  const float inverse_columns = 1.0f / (float)(vectors * CK_LANES);
  vector_f32 plain[4], projected[4];
  CK_EACH_ROW {
    const float center = kind == CK_LAYER_NORM ? mean[k] : 0, scale = rstd[k];
    vector_f32 d[8], products[8];
    CK_EACH_COLUMN {
      const size_t c = (size_t)j * CK_LANES;
      const vector_f32 normal = (load_typed(x, x_type, (size_t)k * x_stride + c) - center) * scale;
      d[j] = load_typed(dy, dy_type, (size_t)k * dy_stride + c);
      if (gain_gradient) store_f32(gain_gradient + c, load_f32(gain_gradient + c) + d[j] * normal);
      if (gain) d[j] = d[j] * load_f32(gain + c);
      products[j] = d[j] * normal;
    }
    plain[k] = sum_vectors(d, vectors);
    projected[k] = sum_vectors(products, vectors);
  }
  vector_f32 plain_means = splat(0);
  if (kind == CK_LAYER_NORM)
    plain_means = sum_lanes_of_four(plain[0], plain[1], plain[2], plain[3]) * inverse_columns;
  const vector_f32 projected_means =
      sum_lanes_of_four(projected[0], projected[1], projected[2], projected[3]) * inverse_columns;
  CK_EACH_ROW {
    const float center = kind == CK_LAYER_NORM ? mean[k] : 0, scale = rstd[k];
    const vector_f32 plain_mean = spread_quarter(plain_means, k);
    const vector_f32 projected_mean = spread_quarter(projected_means, k);
    CK_EACH_COLUMN {
      const size_t c = (size_t)j * CK_LANES;
      const vector_f32 normal = (load_typed(x, x_type, (size_t)k * x_stride + c) - center) * scale;
      vector_f32 d = load_typed(dy, dy_type, (size_t)k * dy_stride + c);
      if (gain) d = d * load_f32(gain + c);
      vector_f32 value = ((d - plain_mean) - normal * projected_mean) * scale;
      if (addend) value = value + load_f32(addend + (size_t)(k * vectors) * CK_LANES + c);
      store_typed(dx, dx_type, (size_t)k * dx_stride + c, value);
    }
  }
}

CK_INLINE void norm_forward_typed(ck_norm_kind kind, size_t rows, size_t columns, float epsilon,
                                  const void *restrict x, ck_type x_type, size_t x_stride,
                                  const float *restrict gain, void *restrict y, ck_type y_type, size_t y_stride,
                                  float *restrict mean, float *restrict rstd) {
  const float inverse_columns = 1.0f / (float)columns;
  size_t r = 0;
  if (columns == 32) {
    for (; r + 4 <= rows; r += 4)
      norm_forward_four(kind, 2, epsilon, typed_offset(x, x_type, r * x_stride), x_type, x_stride, gain,
                        (void *)(uintptr_t)typed_offset(y, y_type, r * y_stride), y_type, y_stride,
                        mean ? mean + r : NULL, rstd + r);
  } else if (columns == 64) {
    for (; r + 4 <= rows; r += 4)
      norm_forward_four(kind, 4, epsilon, typed_offset(x, x_type, r * x_stride), x_type, x_stride, gain,
                        (void *)(uintptr_t)typed_offset(y, y_type, r * y_stride), y_type, y_stride,
                        mean ? mean + r : NULL, rstd + r);
  } else if (columns == 128) {
    for (; r + 4 <= rows; r += 4)
      norm_forward_four(kind, 8, epsilon, typed_offset(x, x_type, r * x_stride), x_type, x_stride, gain,
                        (void *)(uintptr_t)typed_offset(y, y_type, r * y_stride), y_type, y_stride,
                        mean ? mean + r : NULL, rstd + r);
  }
  for (; r < rows; r++) {
    const void *row = typed_offset(x, x_type, r * x_stride);
    void *out = (void *)(uintptr_t)typed_offset(y, y_type, r * y_stride);
    float center = 0;
    if (kind == CK_LAYER_NORM) {
      row_sum total = row_sum_start();
      CK_FOR_ROW(columns, total.part[p] += CK_LOAD(row, x_type););
      center = row_sum_finish(&total) * inverse_columns;
    }
    row_sum squares = row_sum_start();
    CK_FOR_ROW(columns, {
      vector_f32 d = CK_LOAD(row, x_type) - center;
      if (!whole) d = keep_lanes(d, columns - c, 0);
      squares.part[p] += d * d;
    });
    const float scale = 1.0f / __builtin_sqrtf(row_sum_finish(&squares) * inverse_columns + epsilon);
    if (gain) {
      CK_FOR_ROW(columns, {
        vector_f32 g = CK_LOAD(gain, CK_F32);
        vector_f32 value = ((CK_LOAD(row, x_type) - center) * scale) * g;
        (void)p;
        CK_STORE_TO(out, y_type, value);
      });
    } else {
      CK_FOR_ROW(columns, {
        vector_f32 value = (CK_LOAD(row, x_type) - center) * scale;
        (void)p;
        CK_STORE_TO(out, y_type, value);
      });
    }
    if (mean) mean[r] = center;
    rstd[r] = scale;
  }
}

static void norm_forward(ck_norm_kind kind, size_t rows, size_t columns, float epsilon, const void *restrict x,
                         ck_type x_type, size_t x_stride, const float *restrict gain, void *restrict y,
                         ck_type y_type, size_t y_stride, float *restrict mean, float *restrict rstd) {
#define CK_CASE(from, to)                                                                                   \
  if (x_type == from && y_type == to) {                                                                     \
    norm_forward_typed(kind, rows, columns, epsilon, x, from, x_stride, gain, y, to, y_stride, mean, rstd); \
    return;                                                                                                 \
  }
  CK_CASE(CK_F32, CK_F32)
  CK_CASE(CK_F32, CK_BF16)
  CK_CASE(CK_BF16, CK_F32)
  CK_CASE(CK_BF16, CK_BF16)
#undef CK_CASE
}

CK_INLINE void norm_backward_typed(ck_norm_kind kind, size_t rows, size_t columns, const void *restrict dy,
                                   ck_type dy_type, size_t dy_stride, const void *restrict x, ck_type x_type,
                                   size_t x_stride, const float *restrict gain, const float *restrict mean,
                                   const float *restrict rstd, const float *addend, void *dx, ck_type dx_type,
                                   size_t dx_stride, float *restrict gain_gradient) {
  const float inverse_columns = 1.0f / (float)columns;
  if (gain_gradient) memset(gain_gradient, 0, columns * sizeof(float));
  size_t r = 0;
  if (columns == 32) {
    for (; r + 4 <= rows; r += 4)
      norm_backward_four(kind, 2, typed_offset(dy, dy_type, r * dy_stride), dy_type, dy_stride,
                         typed_offset(x, x_type, r * x_stride), x_type, x_stride, gain, mean ? mean + r : NULL,
                         rstd + r, addend ? addend + r * columns : NULL,
                         (void *)(uintptr_t)typed_offset(dx, dx_type, r * dx_stride), dx_type, dx_stride,
                         gain_gradient);
  } else if (columns == 64) {
    for (; r + 4 <= rows; r += 4)
      norm_backward_four(kind, 4, typed_offset(dy, dy_type, r * dy_stride), dy_type, dy_stride,
                         typed_offset(x, x_type, r * x_stride), x_type, x_stride, gain, mean ? mean + r : NULL,
                         rstd + r, addend ? addend + r * columns : NULL,
                         (void *)(uintptr_t)typed_offset(dx, dx_type, r * dx_stride), dx_type, dx_stride,
                         gain_gradient);
  }
  for (; r < rows; r++) {
    const void *dy_row = typed_offset(dy, dy_type, r * dy_stride);
    const void *x_row = typed_offset(x, x_type, r * x_stride);
    const float *add_row = addend ? addend + r * columns : NULL;
    void *dx_row = (void *)(uintptr_t)typed_offset(dx, dx_type, r * dx_stride);
    const float center = kind == CK_LAYER_NORM ? mean[r] : 0, scale = rstd[r];
    row_sum plain = row_sum_start(), projected = row_sum_start();
    CK_FOR_ROW(columns, {
      vector_f32 normal = (CK_LOAD(x_row, x_type) - center) * scale;
      vector_f32 d = CK_LOAD(dy_row, dy_type);
      if (gain_gradient) {
        vector_f32 sum = CK_LOAD(gain_gradient, CK_F32) + d * normal;
        CK_STORE_TO(gain_gradient, CK_F32, sum);
      }
      if (gain) d = d * CK_LOAD(gain, CK_F32);
      plain.part[p] += d;
      projected.part[p] += d * normal;
    });
    const float plain_mean = kind == CK_LAYER_NORM ? row_sum_finish(&plain) * inverse_columns : 0;
    const float projected_mean = row_sum_finish(&projected) * inverse_columns;
    CK_FOR_ROW(columns, {
      vector_f32 normal = (CK_LOAD(x_row, x_type) - center) * scale;
      vector_f32 d = CK_LOAD(dy_row, dy_type);
      if (gain) d = d * CK_LOAD(gain, CK_F32);
      vector_f32 value = ((d - plain_mean) - normal * projected_mean) * scale;
      if (add_row) value = value + CK_LOAD(add_row, CK_F32);
      (void)p;
      CK_STORE_TO(dx_row, dx_type, value);
    });
  }
}

static void norm_backward(ck_norm_kind kind, size_t rows, size_t columns, const void *restrict dy, ck_type dy_type,
                          size_t dy_stride, const void *restrict x, ck_type x_type, size_t x_stride,
                          const float *restrict gain, const float *restrict mean, const float *restrict rstd,
                          const float *addend, void *dx, ck_type dx_type, size_t dx_stride,
                          float *restrict gain_gradient) {
#define CK_CASE(from, with, to)                                                                               \
  if (dy_type == from && x_type == with && dx_type == to) {                                                   \
    norm_backward_typed(kind, rows, columns, dy, from, dy_stride, x, with, x_stride, gain, mean, rstd, addend, \
                        dx, to, dx_stride, gain_gradient);                                                    \
    return;                                                                                                   \
  }
  CK_CASE(CK_F32, CK_F32, CK_F32)
  CK_CASE(CK_F32, CK_F32, CK_BF16)
  CK_CASE(CK_F32, CK_BF16, CK_F32)
  CK_CASE(CK_F32, CK_BF16, CK_BF16)
  CK_CASE(CK_BF16, CK_F32, CK_F32)
  CK_CASE(CK_BF16, CK_F32, CK_BF16)
  CK_CASE(CK_BF16, CK_BF16, CK_F32)
  CK_CASE(CK_BF16, CK_BF16, CK_BF16)
#undef CK_CASE
}

CK_INLINE void row_dot_typed(size_t rows, size_t columns, const void *restrict a, ck_type a_type, size_t a_stride,
                             const void *restrict b, ck_type b_type, size_t b_stride, float *restrict out) {
  for (size_t r = 0; r < rows; r++) {
    const void *a_row = typed_offset(a, a_type, r * a_stride);
    const void *b_row = typed_offset(b, b_type, r * b_stride);
    row_sum sum = row_sum_start();
    CK_FOR_ROW(columns, sum.part[p] += CK_LOAD(a_row, a_type) * CK_LOAD(b_row, b_type););
    out[r] = row_sum_finish(&sum);
  }
}

static void row_dot(size_t rows, size_t columns, const void *restrict a, ck_type a_type, size_t a_stride,
                    const void *restrict b, ck_type b_type, size_t b_stride, float *restrict out) {
#define CK_CASE(first, second)                                                        \
  if (a_type == first && b_type == second) {                                          \
    row_dot_typed(rows, columns, a, first, a_stride, b, second, b_stride, out);       \
    return;                                                                           \
  }
  CK_CASE(CK_F32, CK_F32)
  CK_CASE(CK_F32, CK_BF16)
  CK_CASE(CK_BF16, CK_F32)
  CK_CASE(CK_BF16, CK_BF16)
#undef CK_CASE
}
