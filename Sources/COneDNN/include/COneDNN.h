// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0
//
// Matrix products by oneDNN, as one small interface over its versions 2 and 3. Every call runs on the caller's thread alone.

#ifndef CONEDNN_H
#define CONEDNN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { OD_F32 = 0, OD_BF16 = 1 } od_type;

/// C[m, n] (+)= op(A)[m, k] op(B)[k, n]. Strides are elements between stored rows; a transposed operand is stored [k, m] or [n, k].
typedef struct {
  size_t m, n, k;
  od_type a_type, b_type, c_type;
  size_t a_stride, b_stride, c_stride;
  int transpose_a, transpose_b;
  int accumulate;
} od_shape;

typedef struct od_product od_product;

/// Limits oneDNN to an instruction set (0: SSE4.1 or none, 1: AVX2, 2: all). Only before the first product; returns 0 on success.
int od_limit_instruction_set(int level);
/// Makes the calling thread run its products alone. Each thread calls it once before its first product.
void od_prepare_thread(void);
/// Prepares a product for `lanes` threads that may run it at the same time; NULL when oneDNN cannot do it on this CPU.
od_product *od_product_create(const od_shape *shape, size_t lanes);
void od_product_destroy(od_product *product);
/// Bytes of scratch a lane must bring to a run (may be 0).
size_t od_product_scratch_bytes(const od_product *product);
/// Runs on one lane. Returns 0 on success.
int od_product_run(const od_product *product, size_t lane, const void *a, const void *b, void *c, void *scratch);
/// The name of the kernel oneDNN chose.
const char *od_product_kernel(const od_product *product);
/// For example "2.6.3".
const char *od_version(void);

#ifdef __cplusplus
}
#endif

#endif
