// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0
//
// What is done to a rectangle of a product while it is in the cache: scaled, added to, mirrored.

/// One row; the types are constants in every caller.
CK_INLINE void scale_and_add_row(size_t columns, const float *product, float factor, const void *addend,
                                 ck_type addend_type, float addend_factor, void *out, ck_type out_type) {
  for (size_t c = 0; c < columns; c += CK_LANES) {
    vector_f32 value = load_until(product, CK_F32, c, columns) * factor;
    if (addend) value += load_until(addend, addend_type, c, columns) * addend_factor;
    store_until(out, out_type, c, columns, value);
  }
}

static void scale_and_add(size_t rows, size_t columns, const float *product, size_t product_stride, float factor,
                          const void *addend, ck_type addend_type, size_t addend_stride, float addend_factor,
                          void *out, ck_type out_type, size_t out_stride) {
  for (size_t r = 0; r < rows; r++) {
    const float *from = product + r * product_stride;
    if (out_type == CK_BF16) {
      uint16_t *to = (uint16_t *)out + r * out_stride;
      if (!addend) {
        scale_and_add_row(columns, from, factor, NULL, CK_F32, 0, to, CK_BF16);
      } else if (addend_type == CK_BF16) {
        const uint16_t *other = (const uint16_t *)addend + r * addend_stride;
        scale_and_add_row(columns, from, factor, other, CK_BF16, addend_factor, to, CK_BF16);
      } else {
        const float *other = (const float *)addend + r * addend_stride;
        scale_and_add_row(columns, from, factor, other, CK_F32, addend_factor, to, CK_BF16);
      }
    } else {
      float *to = (float *)out + r * out_stride;
      if (!addend) {
        scale_and_add_row(columns, from, factor, NULL, CK_F32, 0, to, CK_F32);
      } else if (addend_type == CK_BF16) {
        const uint16_t *other = (const uint16_t *)addend + r * addend_stride;
        scale_and_add_row(columns, from, factor, other, CK_BF16, addend_factor, to, CK_F32);
      } else {
        const float *other = (const float *)addend + r * addend_stride;
        scale_and_add_row(columns, from, factor, other, CK_F32, addend_factor, to, CK_F32);
      }
    }
  }
}

static void mirror_lower(size_t n, void *matrix, size_t stride, size_t element_bytes) {
  enum { SIDE = 16 };
  char *base = matrix;
  for (size_t r = 0; r < n; r += SIDE) {
    const size_t height = n - r < SIDE ? n - r : SIDE;
    if (r > 0)
      transpose(base + r * stride * element_bytes, base + r * element_bytes, height, r, stride, stride, element_bytes);
    for (size_t i = r; i < r + height; i++) {
      for (size_t j = r; j < i; j++) {
        memcpy(base + (j * stride + i) * element_bytes, base + (i * stride + j) * element_bytes, element_bytes);
      }
    }
  }
}
