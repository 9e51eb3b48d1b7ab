// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0
//
// The slow twin of the matrix product: packed tiles of op(B), sums of products in the order of k.

enum { PRODUCT_ROWS = 32, PRODUCT_COLUMNS = 32, PRODUCT_DEPTH = 128 };

/// sums[rows][32] += a * b over `depth` terms; b packed [depth][32].
CK_INLINE void product_block(size_t rows, size_t depth, const void *a, ck_type a_type, size_t a_row, size_t a_column,
                             size_t a_start, const float *restrict b, float *restrict sums) {
  for (size_t i = 0; i < rows; i++) {
    vector_f32 left = load_f32(sums + i * PRODUCT_COLUMNS), right = load_f32(sums + i * PRODUCT_COLUMNS + CK_LANES);
    for (size_t k = 0; k < depth; k++) {
      const float value = load_one(a, a_type, a_start + i * a_row + k * a_column);
      left += load_f32(b + k * PRODUCT_COLUMNS) * value;
      right += load_f32(b + k * PRODUCT_COLUMNS + CK_LANES) * value;
    }
    store_f32(sums + i * PRODUCT_COLUMNS, left);
    store_f32(sums + i * PRODUCT_COLUMNS + CK_LANES, right);
  }
}

static void matrix_product(size_t m, size_t n, size_t k, const void *a, ck_type a_type, size_t a_stride,
                           int transpose_a, const void *b, ck_type b_type, size_t b_stride, int transpose_b, void *c,
                           ck_type c_type, size_t c_stride, int accumulate) {
  const size_t a_row = transpose_a ? 1 : a_stride, a_column = transpose_a ? a_stride : 1;
  const size_t b_row = transpose_b ? 1 : b_stride, b_column = transpose_b ? b_stride : 1;
  float packed[PRODUCT_DEPTH * PRODUCT_COLUMNS], sums[PRODUCT_ROWS * PRODUCT_COLUMNS];
  for (size_t column = 0; column < n; column += PRODUCT_COLUMNS) {
    const size_t width = n - column < PRODUCT_COLUMNS ? n - column : PRODUCT_COLUMNS;
    for (size_t row = 0; row < m; row += PRODUCT_ROWS) {
      const size_t height = m - row < PRODUCT_ROWS ? m - row : PRODUCT_ROWS;
      memset(sums, 0, sizeof sums);
      for (size_t start = 0; start < k; start += PRODUCT_DEPTH) {
        const size_t depth = k - start < PRODUCT_DEPTH ? k - start : PRODUCT_DEPTH;
        for (size_t p = 0; p < depth; p++)
          for (size_t j = 0; j < PRODUCT_COLUMNS; j++)
            packed[p * PRODUCT_COLUMNS + j] =
                j < width ? load_one(b, b_type, (start + p) * b_row + (column + j) * b_column) : 0;
        const size_t a_start = row * a_row + start * a_column;
        if (a_type == CK_BF16) {
          product_block(height, depth, a, CK_BF16, a_row, a_column, a_start, packed, sums);
        } else {
          product_block(height, depth, a, CK_F32, a_row, a_column, a_start, packed, sums);
        }
      }
      for (size_t i = 0; i < height; i++) {
        for (size_t j = 0; j < width; j++) {
          const size_t index = (row + i) * c_stride + column + j;
          const float value = sums[i * PRODUCT_COLUMNS + j];
          store_one(c, c_type, index, accumulate ? load_one(c, c_type, index) + value : value);
        }
      }
    }
  }
}
