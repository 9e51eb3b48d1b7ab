// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0
//
// The public functions: each calls the selected table.

#include <stdatomic.h>
#include <string.h>

#include "ck_table.h"

static _Atomic(const ck_table *) selected_table = NULL;
static _Atomic int selected_set = CK_PORTABLE;

ck_instruction_set ck_select_instruction_set(ck_instruction_set set) {
  const ck_instruction_set detected = ck_detected_instruction_set();
  if (set > detected) set = detected;
  const ck_table *table = &ck_table_portable;
#if defined(__x86_64__)
  if (set == CK_AVX2) table = &ck_table_avx2;
  if (set == CK_AVX512) table = &ck_table_avx512;
#endif
  atomic_store(&selected_set, (int)set);
  atomic_store(&selected_table, table);
  return set;
}

static inline const ck_table *kernels(void) {
  const ck_table *chosen = atomic_load_explicit(&selected_table, memory_order_acquire);
  if (__builtin_expect(chosen != NULL, 1)) return chosen;
  ck_select_instruction_set(ck_detected_instruction_set());
  return atomic_load_explicit(&selected_table, memory_order_acquire);
}

ck_instruction_set ck_selected_instruction_set(void) {
  (void)kernels();
  return (ck_instruction_set)atomic_load(&selected_set);
}

void ck_convert_f32_to_bf16(const float *restrict in, uint16_t *restrict out, size_t count) {
  kernels()->convert_f32_to_bf16(in, out, count);
}

void ck_convert_bf16_to_f32(const uint16_t *restrict in, float *restrict out, size_t count) {
  kernels()->convert_bf16_to_f32(in, out, count);
}

void ck_transpose(const void *restrict in, void *restrict out, size_t rows, size_t columns, size_t
                  in_stride, size_t out_stride, size_t element_bytes) {
  kernels()->transpose(in, out, rows, columns, in_stride, out_stride, element_bytes);
}

void ck_region_run(const ck_region *region, size_t row_begin, size_t row_end, size_t column_begin,
                   size_t column_end, size_t unit, void *scratch) {
  kernels()->region_run(region, row_begin, row_end, column_begin, column_end, unit, scratch);
}

void ck_sum_partials(const float *restrict partial, size_t units, size_t columns, float *restrict
                     out, int accumulate) {
  kernels()->sum_partials(partial, units, columns, out, accumulate);
}

void ck_max_partials(const float *restrict partial, size_t units, size_t columns, float *restrict
                     out) {
  kernels()->max_partials(partial, units, columns, out);
}

void ck_norm_forward(ck_norm_kind kind, size_t rows, size_t columns, float epsilon, const void
                     *restrict x, ck_type x_type, size_t x_stride, const float *restrict gain, void
                     *restrict y, ck_type y_type, size_t y_stride, float *restrict mean, float
                     *restrict rstd) {
  kernels()->norm_forward(kind, rows, columns, epsilon, x, x_type, x_stride, gain, y, y_type,
                        y_stride, mean, rstd);
}

void ck_norm_backward(ck_norm_kind kind, size_t rows, size_t columns, const void *restrict dy,
                      ck_type dy_type, size_t dy_stride, const void *restrict x, ck_type x_type,
                      size_t x_stride, const float *restrict gain, const float *restrict mean, const
                      float *restrict rstd, const float *addend, void *dx, ck_type dx_type, size_t
                      dx_stride, float *restrict gain_gradient) {
  kernels()->norm_backward(kind, rows, columns, dy, dy_type, dy_stride, x, x_type, x_stride, gain,
                         mean, rstd, addend, dx, dx_type, dx_stride, gain_gradient);
}

void ck_rotary(size_t rows, size_t first_row, size_t context_length, size_t heads, size_t
               head_width, const void *x, ck_type x_type, void *y, ck_type y_type, const float
               *restrict cosine, const float *restrict sine, int inverse) {
  kernels()->rotary(rows, first_row, context_length, heads, head_width, x, x_type, y, y_type,
                  cosine, sine, inverse);
}

void ck_token_shift(size_t first_row, size_t rows, size_t columns, size_t context_length, size_t
                    period, const ck_column_range *ranges, size_t range_count, int keeps_first, int
                    adjoint, const void *x, void *y, ck_type type) {
  kernels()->token_shift(first_row, rows, columns, context_length, period, ranges, range_count,
                       keeps_first, adjoint, x, y, type);
}

void ck_embedding_forward(size_t rows, size_t columns, const int32_t *restrict tokens, const float
                          *restrict table, void *restrict out, ck_type out_type) {
  kernels()->embedding_forward(rows, columns, tokens, table, out, out_type);
}

void ck_embedding_sort(size_t rows, size_t vocabulary, const int32_t *restrict tokens, int32_t
                       *restrict offsets, int32_t *restrict order) {
  kernels()->embedding_sort(rows, vocabulary, tokens, offsets, order);
}

void ck_embedding_backward(size_t v_begin, size_t v_end, size_t columns, const void *restrict dy,
                           ck_type dy_type, const int32_t *restrict offsets, const int32_t *restrict
                           order, float *restrict gradient, int accumulate) {
  kernels()->embedding_backward(v_begin, v_end, columns, dy, dy_type, offsets, order, gradient,
                              accumulate);
}

void ck_attention_softmax(const ck_attention_block *block, const float *scores, void *probabilities,
                          ck_type type, float *restrict maximum, float *restrict sum, float
                          *restrict factor) {
  kernels()->attention_softmax(block, scores, probabilities, type, maximum, sum, factor);
}

void ck_scale_rows(size_t rows, size_t columns, float *output, size_t stride, const float *restrict
                   factor) {
  kernels()->scale_rows(rows, columns, output, stride, factor);
}

void ck_attention_finish(size_t rows, size_t head_width, const float *restrict accumulated, size_t
                         accumulated_stride, const float *restrict maximum, const float *restrict
                         sum, void *restrict out, ck_type type, size_t out_stride, float *restrict
                         log_sum_exp) {
  kernels()->attention_finish(rows, head_width, accumulated, accumulated_stride, maximum, sum, out,
                            type, out_stride, log_sum_exp);
}

void ck_attention_recompute(const ck_attention_block *block, const float *scores, const float
                            *restrict log_sum_exp, void *probabilities, ck_type type) {
  kernels()->attention_recompute(block, scores, log_sum_exp, probabilities, type);
}

void ck_attention_backward(const ck_attention_block *block, const float *scores, const float
                           *probability_gradient, const float *restrict log_sum_exp, const float
                           *restrict delta, void *probabilities, void *score_gradient, ck_type type)
                           {
  kernels()->attention_backward(block, scores, probability_gradient, log_sum_exp, delta,
                              probabilities, score_gradient, type);
}

void ck_row_dot(size_t rows, size_t columns, const void *restrict a, ck_type a_type, size_t
                a_stride, const void *restrict b, ck_type b_type, size_t b_stride, float *restrict
                out) {
  kernels()->row_dot(rows, columns, a, a_type, a_stride, b, b_type, b_stride, out);
}

void ck_cross_entropy_tile(const ck_head *head, size_t rows, size_t columns, const float *restrict
                           products, size_t stride, size_t first_row, int32_t first, const int32_t
                           *restrict targets, void *restrict exponentials, ck_type type, size_t
                           exponentials_stride, float *restrict tile_maximum, size_t tile_count,
                           float *restrict maximum, float *restrict sum, float *restrict
                           target_logit) {
  kernels()->cross_entropy_tile(head, rows, columns, products, stride, first_row, first, targets,
                              exponentials, type, exponentials_stride, tile_maximum, tile_count,
                              maximum, sum, target_logit);
}

void ck_cross_entropy_finish(const ck_head *head, size_t rows, size_t first_row, const int32_t
                             *restrict targets, const float *restrict maximum, const float *restrict
                             sum, const float *restrict target_logit, float *restrict log_sum_exp,
                             float *restrict cross_entropy, float *restrict objective) {
  kernels()->cross_entropy_finish(head, rows, first_row, targets, maximum, sum, target_logit,
                                log_sum_exp, cross_entropy, objective);
}

void ck_cross_entropy_gradient(const ck_head *head, size_t rows, size_t columns, size_t first_row,
                               int32_t first, const int32_t *restrict targets, const float *restrict
                               tile_maximum, size_t tile_count, const float *restrict log_sum_exp,
                               float scale, float z_loss, void *exponentials, ck_type type, size_t
                               stride) {
  kernels()->cross_entropy_gradient(head, rows, columns, first_row, first, targets, tile_maximum,
                                  tile_count, log_sum_exp, scale, z_loss, exponentials, type,
                                  stride);
}

void ck_cap_logits(const ck_head *head, size_t rows, size_t columns, float *logits, size_t stride) {
  kernels()->cap_logits(head, rows, columns, logits, stride);
}

void ck_sample_groups(size_t rows, size_t columns, const float *restrict logits, size_t
                      logits_stride, float inverse_temperature, float *restrict maximum, float
                      *restrict sum, size_t group_stride) {
  kernels()->sample_groups(rows, columns, logits, logits_stride, inverse_temperature, maximum, sum,
                           group_stride);
}

size_t ck_sample_group(size_t groups, const float *restrict maximum, float *restrict sum, float
                       inverse_temperature, float uniform, double *restrict rest) {
  return kernels()->sample_group(groups, maximum, sum, inverse_temperature, uniform, rest);
}

size_t ck_sample_column(size_t columns, const float *restrict logits, float inverse_temperature,
                        double share) {
  return kernels()->sample_column(columns, logits, inverse_temperature, share);
}

void ck_matrix_product(size_t m, size_t n, size_t k, const void *a, ck_type a_type, size_t a_stride,
                       int transpose_a, const void *b, ck_type b_type, size_t b_stride, int
                       transpose_b, void *c, ck_type c_type, size_t c_stride, int accumulate) {
  kernels()->matrix_product(m, n, k, a, a_type, a_stride, transpose_a, b, b_type, b_stride,
                          transpose_b, c, c_type, c_stride, accumulate);
}

void ck_householder_panel(size_t rows, float *restrict panel, float *restrict tau, float *restrict sign,
                          float *restrict column) {
  kernels()->householder_panel(rows, panel, tau, sign, column);
}

void ck_block_reflection(const float *restrict gram, const float *restrict tau, float *restrict factor) {
  kernels()->block_reflection(gram, tau, factor);
}

void ck_symmetric_part(size_t n, const float *restrict in, float *restrict out) {
  kernels()->symmetric_part(n, in, out);
}

void ck_tridiagonal_panel(size_t n, const float *restrict a, size_t stride, float *restrict v, float
                          *restrict w, float *restrict tau, double *restrict diagonal, double
                          *restrict off, float *restrict scratch) {
  kernels()->tridiagonal_panel(n, a, stride, v, w, tau, diagonal, off, scratch);
}

void ck_tridiagonal_eigenvectors(size_t n, double *restrict diagonal, double *restrict off, size_t
                                 strips, float *restrict z, float *restrict rotations) {
  kernels()->tridiagonal_eigenvectors(n, diagonal, off, strips, z, rotations);
}

void ck_eigenvector_columns(size_t n, const float *restrict z, const int32_t *restrict order, float
                            *restrict sign, float *restrict out) {
  kernels()->eigenvector_columns(n, z, order, sign, out);
}

void ck_order_descending(size_t count, size_t begin, size_t end, const float *restrict values,
                         int32_t *restrict order) {
  kernels()->order_descending(count, begin, end, values, order);
}

void ck_gather_columns(size_t rows, size_t columns, size_t in_stride, const float *restrict in, const
                       int32_t *restrict positions, float *restrict out) {
  kernels()->gather_columns(rows, columns, in_stride, in, positions, out);
}

void ck_scale_and_add(size_t rows, size_t columns, const float *product, size_t product_stride,
                      float factor, const void *addend, ck_type addend_type, size_t addend_stride,
                      float addend_factor, void *out, ck_type out_type, size_t out_stride) {
  kernels()->scale_and_add(rows, columns, product, product_stride, factor, addend, addend_type,
                           addend_stride, addend_factor, out, out_type, out_stride);
}

void ck_mirror_lower(size_t n, void *matrix, size_t stride, size_t element_bytes) {
  kernels()->mirror_lower(n, matrix, stride, element_bytes);
}

void ck_copy(const float *restrict in, float *restrict out, size_t count) {
  memcpy(out, in, count * sizeof(float));
}

// The tiles of registers, inputs and column sums, the per-row values, and room to align them.
size_t ck_region_scratch_bytes(void) {
  return sizeof(float) * CK_TILE *
             (CK_REGION_MAX_REGISTERS + CK_REGION_MAX_INPUTS + CK_REGION_MAX_OUTPUTS) +
         sizeof(double) * CK_TILE * CK_REGION_MAX_OUTPUTS + 64;
}
