// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0
//
// Rotary position embedding; embedding lookup and its gradient.

CK_INLINE void rotary_typed(size_t rows, size_t first_row, size_t context_length, size_t heads, size_t head_width,
                            const void *x, ck_type x_type, void *y, ck_type y_type, const float *restrict cosine,
                            const float *restrict sine, float direction) {
  const size_t half = head_width / 2;
  for (size_t r = 0; r < rows; r++) {
    const size_t position = (first_row + r) % context_length;
    const float *row_cosine = cosine + position * half, *row_sine = sine + position * half;
    for (size_t h = 0; h < heads; h++) {
      const size_t first = (r * heads + h) * head_width, second = first + half;
      for (size_t j = 0; j < half; j += CK_LANES) {
        vector_f32 c = load_until(row_cosine, CK_F32, j, half);
        vector_f32 s = load_until(row_sine, CK_F32, j, half) * direction;
        vector_f32 x1 = load_until(x, x_type, first + j, first + half);
        vector_f32 x2 = load_until(x, x_type, second + j, second + half);
        store_until(y, y_type, first + j, first + half, x1 * c - x2 * s);
        store_until(y, y_type, second + j, second + half, x2 * c + x1 * s);
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
    for (size_t c = 0; c < columns; c += CK_LANES) {
      vector_f32 sum = splat(0);
      for (size_t i = begin; i < end; i++) {
        const size_t start = (size_t)order[i] * columns;
        sum += load_until(dy, dy_type, start + c, start + columns);
      }
      if (accumulate) sum += load_until(row, CK_F32, c, columns);
      store_until(row, CK_F32, c, columns, sum);
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
