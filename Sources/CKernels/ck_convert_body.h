// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0
//
// Conversions between fp32 and bf16, transposes, copies.

static void convert_f32_to_bf16(const float *restrict in, uint16_t *restrict out, size_t count) {
  size_t i = 0;
  for (; i + CK_LANES <= count; i += CK_LANES) store_bf16(out + i, load_f32(in + i));
  for (; i < count; i++) store_one(out, CK_BF16, i, in[i]);
}

static void convert_bf16_to_f32(const uint16_t *restrict in, float *restrict out, size_t count) {
  size_t i = 0;
  for (; i + CK_LANES <= count; i += CK_LANES) store_f32(out + i, load_bf16(in + i));
  for (; i < count; i++) out[i] = load_one(in, CK_BF16, i);
}

// A 16 x 16 block is transposed by exchanging off-diagonal squares of side 8, 4, 2, 1.

#define CK_EXCHANGE_8(a, b)                                                                         \
  __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23),            \
      __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31)
#define CK_EXCHANGE_4(a, b)                                                                         \
  __builtin_shufflevector(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27),          \
      __builtin_shufflevector(a, b, 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31)
#define CK_EXCHANGE_2(a, b)                                                                         \
  __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29),          \
      __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31)
#define CK_EXCHANGE_1(a, b)                                                                         \
  __builtin_shufflevector(a, b, 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30),         \
      __builtin_shufflevector(a, b, 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31)

#define CK_EXCHANGE(vector, side)                          \
  for (int i = 0; i < 16; i++)                             \
    if ((i & side) == 0) {                                 \
      vector pair[2] = {CK_EXCHANGE_##side(r[i], r[i + side])}; \
      r[i] = pair[0];                                      \
      r[i + side] = pair[1];                               \
    }

#define CK_DEFINE_TRANSPOSE(name, element, vector)                                                        \
  CK_INLINE void name##_block(const element *restrict in, element *restrict out, size_t in_stride,        \
                              size_t out_stride) {                                                        \
    vector r[16];                                                                                         \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < 16; i++)                                       \
        __builtin_memcpy(&r[i], in + (size_t)i * in_stride, sizeof r[i]);                                 \
    _Pragma("clang loop unroll(full)") CK_EXCHANGE(vector, 8);                                            \
    _Pragma("clang loop unroll(full)") CK_EXCHANGE(vector, 4);                                            \
    _Pragma("clang loop unroll(full)") CK_EXCHANGE(vector, 2);                                            \
    _Pragma("clang loop unroll(full)") CK_EXCHANGE(vector, 1);                                            \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < 16; i++)                                       \
        __builtin_memcpy(out + (size_t)i * out_stride, &r[i], sizeof r[i]);                               \
  }                                                                                                       \
  static void name(const element *restrict in, element *restrict out, size_t rows, size_t columns,        \
                   size_t in_stride, size_t out_stride) {                                                 \
    const size_t whole_rows = rows & ~(size_t)15, whole_columns = columns & ~(size_t)15;                  \
    for (size_t c = 0; c < whole_columns; c += 32) {                                                      \
      for (size_t r = 0; r < whole_rows; r += 16) {                                                       \
        for (size_t b = c; b < c + 32 && b < whole_columns; b += 16)                                      \
          name##_block(in + r * in_stride + b, out + b * out_stride + r, in_stride, out_stride);          \
      }                                                                                                   \
    }                                                                                                     \
    for (size_t r = 0; r < rows; r++)                                                                     \
      for (size_t c = r < whole_rows ? whole_columns : 0; c < columns; c++)                               \
        out[c * out_stride + r] = in[r * in_stride + c];                                                  \
  }

CK_DEFINE_TRANSPOSE(transpose_u32, uint32_t, vector_u32)
CK_DEFINE_TRANSPOSE(transpose_u16, uint16_t, vector_u16)

static void transpose(const void *restrict in, void *restrict out, size_t rows, size_t columns, size_t in_stride,
                      size_t out_stride, size_t element_bytes) {
  if (element_bytes == 2) {
    transpose_u16(in, out, rows, columns, in_stride, out_stride);
  } else {
    transpose_u32(in, out, rows, columns, in_stride, out_stride);
  }
}
