// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0
//
// One table of functions for each instruction set. Scratch and detection are the same for all.

#ifndef CK_TABLE_H
#define CK_TABLE_H

#include "CKernels.h"

// The members, in the order of CKernels.h.
#define CK_MEMBERS(member)                                                                     \
  member(convert_f32_to_bf16) member(convert_bf16_to_f32) member(transpose) member(region_run) \
  member(sum_partials) member(max_partials) member(norm_forward) member(norm_backward)         \
  member(rotary) member(token_shift) member(embedding_forward) member(embedding_sort) member(embedding_backward)   \
  member(attention_softmax) member(scale_rows) member(attention_finish)                        \
  member(attention_recompute) member(attention_backward) member(row_dot)                       \
  member(cross_entropy_tile) member(cross_entropy_finish) member(cross_entropy_gradient) member(cap_logits) \
  member(sample_groups) member(sample_group) member(sample_column) member(matrix_product)      \
  member(householder_panel) member(block_reflection) member(symmetric_part)                    \
  member(tridiagonal_panel) member(tridiagonal_eigenvectors) member(eigenvector_columns)       \
  member(order_descending) member(gather_columns) member(scale_and_add) member(mirror_lower)

typedef struct {
#define CK_DECLARE(name) __typeof__(ck_##name) *name;
  CK_MEMBERS(CK_DECLARE)
#undef CK_DECLARE
} ck_table;

extern const ck_table ck_table_portable;
#if defined(__x86_64__)
extern const ck_table ck_table_avx2;
extern const ck_table ck_table_avx512;
#endif

#endif
