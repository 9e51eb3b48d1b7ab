// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0
//
// Sorting by rank, and columns in another order.

/// Integers in the order of the numbers: -0 equals 0, NaN is below everything.
CK_INLINE vector_i32 order_keys(vector_f32 value) {
  const vector_i32 bits = bits_of(value + 0.0f);
  const vector_i32 key = bits ^ ((bits >> 31) & 0x7fffffff);
  return value == value ? key : (vector_i32)INT32_MIN;
}

static void order_descending(size_t count, size_t begin, size_t end, const float *restrict values,
                             int32_t *restrict order) {
  for (size_t i = begin; i < end; i++) {
    const vector_i32 own = order_keys(splat(values[i]));
    vector_i32 before = {0};
    for (size_t j = 0; j < count; j += CK_LANES) {
      const vector_i32 key = order_keys(load_until(values, CK_F32, j, count));
      const vector_i32 position = lane_numbers() + (vector_i32)(int32_t)j;
      const vector_i32 earlier = position < (vector_i32)(int32_t)i;
      const vector_i32 comes_first = (key > own) | ((key == own) & earlier);
      before -= comes_first & (position < (vector_i32)(int32_t)count);
    }
    int32_t rank = 0;
    for (int lane = 0; lane < CK_LANES; lane++) rank += before[lane];
    order[rank] = (int32_t)i;
  }
}

static void gather_columns(size_t rows, size_t columns, size_t in_stride, const float *restrict in,
                           const int32_t *restrict positions, float *restrict out) {
  for (size_t row = 0; row < rows; row++)
    for (size_t column = 0; column < columns; column++)
      out[row * columns + column] = in[row * in_stride + (size_t)positions[column]];
}
