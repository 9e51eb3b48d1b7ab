// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0
//
// Rotary position embedding, shifts by one token; embedding lookup and its gradient.

CK_INLINE void rotary_typed(size_t rows, size_t first_row, size_t context_length, size_t heads, size_t head_width,
                            const void *x, ck_type x_type, void *y, ck_type y_type, const float *restrict cosine,
                            const float *restrict sine, float direction) {
  const size_t half = head_width / 2;
  for (size_t r = 0; r < rows; r++) {
    const size_t position = (first_row + r) % context_length;
    const float *row_cosine = cosine + position * half, *row_sine = sine + position * half;
    for (size_t h = 0; h < heads; h++) {
      const size_t first = (r * heads + h) * head_width, second = first + half;
      size_t j = 0;
      for (; j + CK_LANES <= half; j += CK_LANES) {
        const vector_f32 c = load_f32(row_cosine + j), s = load_f32(row_sine + j) * direction;
        const vector_f32 x1 = load_typed(x, x_type, first + j), x2 = load_typed(x, x_type, second + j);
        store_typed(y, y_type, first + j, x1 * c - x2 * s);
        store_typed(y, y_type, second + j, x2 * c + x1 * s);
      }
      for (; j < half; j++) {
        const float c = row_cosine[j], s = row_sine[j] * direction;
        const float x1 = load_one(x, x_type, first + j), x2 = load_one(x, x_type, second + j);
        store_one(y, y_type, first + j, x1 * c - x2 * s);
        store_one(y, y_type, second + j, x2 * c + x1 * s);
      }
    }
  }
}

static void rotary(size_t rows, size_t first_row, size_t context_length, size_t heads, size_t head_width,
                   const void *x, ck_type x_type, void *y, ck_type y_type, const float *restrict cosine,
                   const float *restrict sine, int inverse) {
  const float direction = inverse ? -1.0f : 1.0f;
#define CK_CASE(from, to)                                                                                   \
  if (x_type == from && y_type == to) {                                                                     \
    rotary_typed(rows, first_row, context_length, heads, head_width, x, from, y, to, cosine, sine, direction); \
    return;                                                                                                 \
  }
  CK_CASE(CK_F32, CK_F32)
  CK_CASE(CK_F32, CK_BF16)
  CK_CASE(CK_BF16, CK_F32)
  CK_CASE(CK_BF16, CK_BF16)
#undef CK_CASE
}

static void token_shift(size_t first_row, size_t rows, size_t columns, size_t context_length, size_t period,
                        const ck_column_range *ranges, size_t range_count, int keeps_first, int adjoint,
                        const void *x, void *y, ck_type type) {
  const size_t width = type == CK_BF16 ? 2 : 4;
  for (size_t r = first_row; r < first_row + rows; r++) {
    const size_t position = r % context_length;
    const int is_first = position == 0, is_last = position + 1 == context_length;
    const char *own = (const char *)x + r * columns * width;
    char *out = (char *)y + r * columns * width;
    memcpy(out, own, columns * width);
    const int stays = !adjoint && is_first && keeps_first;
    for (size_t start = 0; start < columns && !stays; start += period) {
      for (size_t range = 0; range < range_count; range++) {
        const size_t begin = start + ranges[range].begin, count = ranges[range].end - ranges[range].begin;
        if (adjoint ? is_last : is_first) {
          memset(out + begin * width, 0, count * width);
        } else {
          const char *other = adjoint ? own + columns * width : own - columns * width;
          memcpy(out + begin * width, other + begin * width, count * width);
        }
        if (!(adjoint && is_first && keeps_first)) continue;
        for (size_t c = begin; c < begin + count; c++) {
          store_one(out, type, c, load_one(out, type, c) + load_one(own, type, c));
        }
      }
    }
  }
}

static void embedding_forward(size_t rows, size_t columns, const int32_t *restrict tokens,
                              const float *restrict table, void *restrict out, ck_type out_type) {
  for (size_t r = 0; r < rows; r++) {
    const float *from = table + (size_t)tokens[r] * columns;
    if (out_type == CK_BF16) {
      convert_f32_to_bf16(from, (uint16_t *)out + r * columns, columns);
    } else {
      memcpy((float *)out + r * columns, from, columns * sizeof(float));
    }
  }
}

static void embedding_sort(size_t rows, size_t vocabulary, const int32_t *restrict tokens, int32_t *restrict offsets,
                           int32_t *restrict order) {
  memset(offsets, 0, (vocabulary + 1) * sizeof(int32_t));
  for (size_t r = 0; r < rows; r++) offsets[tokens[r] + 1]++;
  for (size_t v = 0; v < vocabulary; v++) offsets[v + 1] += offsets[v];
  // offsets[v] runs through the group of v while it is filled and ends at its end; shift it back afterwards.
  for (size_t r = 0; r < rows; r++) order[offsets[tokens[r]]++] = (int32_t)r;
  for (size_t v = vocabulary; v > 0; v--) offsets[v] = offsets[v - 1];
  offsets[0] = 0;
}

CK_INLINE void embedding_backward_typed(size_t v_begin, size_t v_end, size_t columns, const void *restrict dy,
                                        ck_type dy_type, const int32_t *restrict offsets,
                                        const int32_t *restrict order, float *restrict gradient, int accumulate) {
  for (size_t v = v_begin; v < v_end; v++) {
    float *row = gradient + v * columns;
    const size_t begin = (size_t)offsets[v], end = (size_t)offsets[v + 1];
    if (begin == end) {
      if (!accumulate) memset(row, 0, columns * sizeof(float));
      continue;
    }
    size_t c = 0;
    for (; c + 4 * CK_LANES <= columns; c += 4 * CK_LANES) {
      vector_f32 sums[4] = {splat(0), splat(0), splat(0), splat(0)};
      for (size_t i = begin; i < end; i++) {
        const size_t start = (size_t)order[i] * columns + c;
        _Pragma("clang loop unroll(full)") for (size_t j = 0; j < 4; j++)
          sums[j] += load_typed(dy, dy_type, start + j * CK_LANES);
      }
      _Pragma("clang loop unroll(full)") for (size_t j = 0; j < 4; j++) {
        float *out = row + c + j * CK_LANES;
        store_f32(out, accumulate ? load_f32(out) + sums[j] : sums[j]);
      }
    }
    for (; c < columns; c++) {
      float sum = 0;
      for (size_t i = begin; i < end; i++) sum += load_one(dy, dy_type, (size_t)order[i] * columns + c);
      row[c] = accumulate ? row[c] + sum : sum;
    }
  }
}

static void embedding_backward(size_t v_begin, size_t v_end, size_t columns, const void *restrict dy, ck_type dy_type,
                               const int32_t *restrict offsets, const int32_t *restrict order,
                               float *restrict gradient, int accumulate) {
  if (dy_type == CK_BF16) {
    embedding_backward_typed(v_begin, v_end, columns, dy, CK_BF16, offsets, order, gradient, accumulate);
  } else {
    embedding_backward_typed(v_begin, v_end, columns, dy, CK_F32, offsets, order, gradient, accumulate);
  }
}
