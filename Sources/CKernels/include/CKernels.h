// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0
//
// Kernels around the matrix products. Every family has one body, compiled for each instruction set (portable,
// AVX2 + FMA, AVX-512 + BF16) and chosen at run time. Kernels never allocate, print, lock or exit.
// Legend: N rows (tokens), C columns (model width), T context length, V vocabulary, H heads, D head width.

#ifndef CKERNELS_H
#define CKERNELS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// ---------------------------------------------------------------------------------------------------------
// Instruction sets

typedef enum { CK_PORTABLE = 0, CK_AVX2 = 1, CK_AVX512 = 2 } ck_instruction_set;

/// The widest set this CPU (and operating system) offers.
ck_instruction_set ck_detected_instruction_set(void);
/// True when the CPU multiplies bf16 in hardware (AVX512-BF16 or AMX-BF16).
int ck_has_fast_bf16(void);
int ck_has_amx_bf16(void);
/// Selects the set used by every later call (clamped to what the CPU offers); returns what was selected.
/// The default, chosen at first use, is the detected one. Not to be called while kernels run.
ck_instruction_set ck_select_instruction_set(ck_instruction_set set);
ck_instruction_set ck_selected_instruction_set(void);

// ---------------------------------------------------------------------------------------------------------
// Element types

typedef enum { CK_F32 = 0, CK_BF16 = 1, CK_I32 = 2 } ck_type;

/// Round to nearest even; NaN stays NaN (quiet).
void ck_convert_f32_to_bf16(const float *restrict in, uint16_t *restrict out, size_t count);
void ck_convert_bf16_to_f32(const uint16_t *restrict in, float *restrict out, size_t count);
/// out[c, r] = in[r, c]; element width 2 or 4 bytes; strides in elements.
void ck_transpose(const void *restrict in, void *restrict out, size_t rows, size_t columns,
                  size_t in_stride, size_t out_stride, size_t element_bytes);

// ---------------------------------------------------------------------------------------------------------
// Elementwise regions: a straight-line program run tile by tile in L1 over an iteration space [rows, columns]

// exp, log, tanh, sigmoid, erf, gelu and silu are right to a few units in the last place (the derivatives near their
// zeros: to a few units of 2^-24). NaN gives NaN, infinities give the limits. Where exp(x) is below the smallest
// normal number it counts as 0, and so does what is built on it: absolute errors of up to 2e-36 in the far tails.
// Without a fused operation anywhere, every instruction set gives the same bits.

/// Registers hold one tile of fp32 values.
#define CK_TILE 512
#define CK_REGION_MAX_REGISTERS 32
#define CK_REGION_MAX_INPUTS 32
#define CK_REGION_MAX_OUTPUTS 32

typedef enum {
  CK_FULL = 0,    // one value per element, row-major [rows, columns], contiguous
  CK_SCALAR = 1,  // one value
  CK_ROW = 2,     // one value per column, the same for every row: [columns]
  CK_COLUMN = 3   // one value per row: [rows]
} ck_access;

typedef enum {
  // unary: a
  CK_COPY, CK_NEGATE, CK_ABSOLUTE, CK_SIGN /* sign(0) = 0, NaN stays NaN */, CK_SQUARE, CK_SQUARE_ROOT,
  CK_RECIPROCAL, CK_RECIPROCAL_SQUARE_ROOT /* 1/sqrt(x), full precision */, CK_EXP, CK_LOG, CK_TANH, CK_SIGMOID, CK_ERF,
  CK_RELU, CK_GELU /* exact, erf form */, CK_GELU_DERIVATIVE, CK_SILU, CK_SILU_DERIVATIVE,
  CK_FLOOR, CK_IS_FINITE /* 1 or 0 */, CK_ROUND_TO_BF16 /* fp32 value rounded to bf16 and back */,
  CK_ROUND_TO_E4M3, CK_ROUND_TO_E5M2 /* to float8 and back; beyond the largest number, the largest */,
  CK_SINE, CK_COSINE,
  // binary: a, b
  CK_ADD, CK_SUBTRACT, CK_MULTIPLY, CK_DIVIDE, CK_MAXIMUM /* NaN in either gives NaN */, CK_MINIMUM, CK_POWER,
  CK_LESS /* 1 or 0 */, CK_LESS_OR_EQUAL, CK_EQUAL,
  // ternary: a, b, c
  CK_MULTIPLY_ADD /* a * b + c, rounded twice (no contraction) */, CK_SELECT /* a != 0 ? b : c */
} ck_opcode;

typedef enum { CK_FROM_REGISTER = 0, CK_FROM_INPUT = 1 } ck_source_kind;

typedef struct { uint8_t kind; uint8_t index; } ck_source;

/// One operation: register[destination] = opcode(a, b, c).
typedef struct { uint8_t opcode; uint8_t destination; ck_source a, b, c; } ck_step;

typedef struct { const void *data; uint8_t type; uint8_t access; } ck_input;

typedef enum {
  CK_STORE = 0,        // data[row, column] = value (f32 or bf16)
  CK_STORE_ADD = 1,    // data[row, column] += value (f32)
  CK_SUM_ALL = 2,      // data[unit] = sum over the elements of this call (f32 storage, accumulated in double)
  CK_MAX_ALL = 3,      // data[unit] = max over the elements of this call
  CK_SUM_COLUMNS = 4,  // data[row] = sum over the columns of the row (the call must cover whole rows)
  CK_MAX_COLUMNS = 5,  // data[row] = max over the columns
  CK_SUM_ROWS = 6      // data[unit * columns + column] = sum over the rows of this call
} ck_output_kind;

typedef struct { void *data; uint8_t type; uint8_t kind; ck_source source; } ck_output;

typedef struct {
  uint32_t input_count, step_count, output_count, register_count;
  const ck_input *inputs;
  const ck_step *steps;
  const ck_output *outputs;
  size_t rows, columns;
} ck_region;

/// Bytes of scratch one thread needs for any region (registers, one fp32 tile for each bf16 input and for column sums).
size_t ck_region_scratch_bytes(void);
/// Runs rows [row_begin, row_end) and columns [column_begin, column_end). `unit` numbers the call for reductions.
/// When rows are whole and nothing is CK_ROW/CK_COLUMN/per-row, callers pass rows = 1 and columns = the element count.
/// An output may share memory with a CK_FULL input of the same element position (in-place update).
void ck_region_run(const ck_region *region, size_t row_begin, size_t row_end, size_t column_begin,
                   size_t column_end, size_t unit, void *scratch);
/// out[column] (+)= sum over units, in unit order, of partial[unit * columns + column]; double accumulation.
void ck_sum_partials(const float *restrict partial, size_t units, size_t columns, float *restrict out, int accumulate);
void ck_max_partials(const float *restrict partial, size_t units, size_t columns, float *restrict out);

// ---------------------------------------------------------------------------------------------------------
// Row normalisation

typedef enum { CK_LAYER_NORM = 0, CK_RMS_NORM = 1 } ck_norm_kind;

/// y = (x - mean) * rstd * gain (layer) or x * rstd * gain (rms, rstd = 1/sqrt(mean(x^2) + epsilon)). gain may be NULL (ones).
/// mean may be NULL for rms. Types f32 or bf16; strides in elements. Statistics in fp32 or better, two passes over a row in cache.
void ck_norm_forward(ck_norm_kind kind, size_t rows, size_t columns, float epsilon,
                     const void *restrict x, ck_type x_type, size_t x_stride, const float *restrict gain,
                     void *restrict y, ck_type y_type, size_t y_stride, float *restrict mean, float *restrict rstd);
/// dx = rstd * (dy*gain - mean(dy*gain) - xhat * mean(dy*gain*xhat)) (layer; rms without the middle term), plus `addend` when not NULL
/// (fp32, contiguous [rows, columns]; dx may be the same memory as addend). gain_gradient (may be NULL): gain_gradient[c] = sum over these rows of
/// dy * xhat (overwritten, not accumulated).
void ck_norm_backward(ck_norm_kind kind, size_t rows, size_t columns,
                      const void *restrict dy, ck_type dy_type, size_t dy_stride,
                      const void *restrict x, ck_type x_type, size_t x_stride, const float *restrict gain,
                      const float *restrict mean, const float *restrict rstd, const float *addend,
                      void *dx, ck_type dx_type, size_t dx_stride, float *restrict gain_gradient);

// ---------------------------------------------------------------------------------------------------------
// Rotary position embedding: pair (j, j + D/2); position of row r is (first_row + r) % T; tables cosine, sine [T, D/2].
// y1 = x1 cos - x2 sin, y2 = x2 cos + x1 sin; inverse != 0 uses -sin. x and y may be the same memory. Rows hold H heads of D.
void ck_rotary(size_t rows, size_t first_row, size_t context_length, size_t heads, size_t head_width,
               const void *x, ck_type x_type, void *y, ck_type y_type,
               const float *restrict cosine, const float *restrict sine, int inverse);

/// Columns c of every `period` that take another row's value: begin <= c < end.
typedef struct {
  size_t begin, end;
} ck_column_range;

/// y[r, :] = x[r, :], and in the given columns of every period the row before it in its sequence of context_length rows; the first row of a
/// sequence keeps its own there, or gets 0. x is that of row 0, of which rows `first_row ..< first_row + rows` are made.
/// adjoint != 0: the transposed map (the row after; the first row also what it kept).
void ck_token_shift(size_t first_row, size_t rows, size_t columns, size_t context_length, size_t period,
                    const ck_column_range *ranges, size_t range_count, int keeps_first, int adjoint, const void *x,
                    void *y, ck_type type);

// ---------------------------------------------------------------------------------------------------------
// Embedding

/// out[r, :] = table[tokens[r], :]; table f32, out f32 or bf16.
void ck_embedding_forward(size_t rows, size_t columns, const int32_t *restrict tokens, const float *restrict table,
                          void *restrict out, ck_type out_type);
/// Groups rows by token (stable counting sort): offsets[V + 1], order[rows]. Tokens outside [0, V) are a caller's error.
void ck_embedding_sort(size_t rows, size_t vocabulary, const int32_t *restrict tokens, int32_t *restrict offsets,
                       int32_t *restrict order);
/// gradient[v, :] (+)= sum over rows with token v of dy[row, :], for v in [v_begin, v_end); rows without tokens become 0 (or stay when accumulating).
void ck_embedding_backward(size_t v_begin, size_t v_end, size_t columns, const void *restrict dy, ck_type dy_type,
                           const int32_t *restrict offsets, const int32_t *restrict order,
                           float *restrict gradient, int accumulate);

// ---------------------------------------------------------------------------------------------------------
// Attention around its products. One call handles a block of query rows x key columns of one head of one sequence.

typedef struct {
  size_t queries, keys;            // size of the block
  size_t first_query, first_key;   // positions inside the sequence
  size_t score_stride;             // elements between rows of the score / probability blocks
  float scale;                     // multiplies raw scores
  int causal;                      // key position <= query position
  size_t window;                   // 0: none; else key position > query position - window
  const int32_t *documents;        // [T] of this sequence, or NULL: key and query must carry the same number
} ck_attention_block;

/// Online softmax step. scores [queries, keys] fp32 raw products. Updates running maximum and sum [queries] (start: -inf, 0), writes
/// probabilities exp(s*scale - new maximum) (masked: 0) in `type`, and factor[queries] = exp(old maximum - new maximum) (1 for the first block; 0 when old is -inf).
/// probabilities may be the same memory as scores only when type is f32.
void ck_attention_softmax(const ck_attention_block *block, const float *scores, void *probabilities, ck_type type,
                          float *restrict maximum, float *restrict sum, float *restrict factor);
/// output[r, :] *= factor[r] (fp32, stride in elements).
void ck_scale_rows(size_t rows, size_t columns, float *output, size_t stride, const float *restrict factor);
/// out = accumulated / sum; log_sum_exp[r] = maximum + log(sum).
void ck_attention_finish(size_t rows, size_t head_width, const float *restrict accumulated, size_t accumulated_stride,
                         const float *restrict maximum, const float *restrict sum,
                         void *restrict out, ck_type type, size_t out_stride, float *restrict log_sum_exp);
/// probabilities = exp(s*scale - log_sum_exp[r]), masked: 0.
void ck_attention_recompute(const ck_attention_block *block, const float *scores, const float *restrict log_sum_exp,
                            void *probabilities, ck_type type);
/// score_gradient = p * (dp - delta[r]) * scale in `type` (p fp32 recomputed here from scores: also writes probabilities in `type`).
void ck_attention_backward(const ck_attention_block *block, const float *scores, const float *probability_gradient,
                           const float *restrict log_sum_exp, const float *restrict delta,
                           void *probabilities, void *score_gradient, ck_type type);
/// delta[r] = sum over columns of dout * out.
void ck_row_dot(size_t rows, size_t columns, const void *restrict a, ck_type a_type, size_t a_stride,
                const void *restrict b, ck_type b_type, size_t b_stride, float *restrict out);

// ---------------------------------------------------------------------------------------------------------
// Cross entropy around the head's product: logits come in column tiles, never all at once in fp32

/// The most tokens ahead that one row predicts.
#define CK_PREDICTIONS 8

/// What a head makes of its products x w': logits l = scale x w', capped as cap tanh(l / cap), and which targets a row has.
typedef struct {
  float logit_scale;      // 1: none
  float softcap;          // 0: none
  size_t depth;           // a row's targets are its own and those of the next depth - 1 rows, from 1 to CK_PREDICTIONS ...
  size_t context_length;  // ... of its sequence of so many rows; read where depth > 1
  float weights[CK_PREDICTIONS];  // of the targets; the first has 1
  float gradient_scale;   // > 0: gradients are divided by it and rounded to float8 e5m2; the caller multiplies again
} ck_head;

/// One tile of products [rows, columns] starting at vocabulary index `first`; targets are those of its first row, number first_row of all,
/// and go on after the last. Writes exp(l - tile maximum) in `type`, tile_maximum[row * tile_count], updates running maximum and sum
/// (start: -inf, 0) and target_logit[row * depth + place] for targets in this tile.
void ck_cross_entropy_tile(const ck_head *head, size_t rows, size_t columns, const float *restrict products,
                           size_t stride, size_t first_row, int32_t first, const int32_t *restrict targets,
                           void *restrict exponentials, ck_type type, size_t exponentials_stride,
                           float *restrict tile_maximum, size_t tile_count,
                           float *restrict maximum, float *restrict sum, float *restrict target_logit);
/// log_sum_exp = maximum + log(sum); cross_entropy = log_sum_exp - target_logit of the first target, objective the weighted sum over all
/// of them; both 0 where the first target is negative. A later target that is negative does not count.
void ck_cross_entropy_finish(const ck_head *head, size_t rows, size_t first_row, const int32_t *restrict targets,
                             const float *restrict maximum, const float *restrict sum,
                             const float *restrict target_logit, float *restrict log_sum_exp,
                             float *restrict cross_entropy, float *restrict objective);
/// In place: exponentials -> the loss by l before its cap,
/// scale * slope * (p * (weights + 2 * z_loss * lse) - weight at targets), with p = e * exp(tile_maximum - lse); rows whose first target is
/// negative become 0.
void ck_cross_entropy_gradient(const ck_head *head, size_t rows, size_t columns, size_t first_row, int32_t first,
                               const int32_t *restrict targets, const float *restrict tile_maximum, size_t tile_count,
                               const float *restrict log_sum_exp, float scale, float z_loss,
                               void *exponentials, ck_type type, size_t stride);
/// In place: l = softcap tanh(scale l / softcap) of logits [rows, columns]; softcap 0: none.
void ck_cap_logits(const ck_head *head, size_t rows, size_t columns, float *logits, size_t stride);

// ---------------------------------------------------------------------------------------------------------
// Drawing a label from the softmax of a row of logits: the inverse of its distribution function at a uniform number in
// [0, 1). Logits are divided by a temperature, given as its inverse, finite and above 0; anything that is not a number
// gives any label.

/// Columns that one partial sum stands for.
#define CK_SAMPLE_GROUP 64

/// One tile of logits [rows, columns], cut into groups of 64 columns (the last may be shorter): maximum[row * group_stride + group],
/// and in sum the sum of exp((l - maximum) * inverse_temperature). Tiles start at a multiple of 64 columns.
void ck_sample_groups(size_t rows, size_t columns, const float *restrict logits, size_t logits_stride,
                      float inverse_temperature, float *restrict maximum, float *restrict sum, size_t group_stride);
/// The group of one row that the uniform falls into; rest: the share, in [0, 1), of that group's own mass that the label lies
/// beyond (1: beyond all, when the uniform is 1 or more). sum becomes the groups' masses against the largest logit of the row.
size_t ck_sample_group(size_t groups, const float *restrict maximum, float *restrict sum, float inverse_temperature,
                       float uniform, double *restrict rest);
/// The column of one group (at most 64 logits) at which the running sum exceeds that share of the group's mass.
size_t ck_sample_column(size_t columns, const float *restrict logits, float inverse_temperature, double share);

// ---------------------------------------------------------------------------------------------------------
// The slow twin of the matrix product: plain loops, fp32 accumulation in order of k.

/// C[m, n] (+)= sum_k op(A)[m, k] * op(B)[k, n]; leading dimensions in elements; transpose_x != 0 means the stored matrix is [k, m] or [n, k].
void ck_matrix_product(size_t m, size_t n, size_t k, const void *a, ck_type a_type, size_t a_stride, int transpose_a,
                       const void *b, ck_type b_type, size_t b_stride, int transpose_b,
                       void *c, ck_type c_type, size_t c_stride, int accumulate);

/// out = factor product + addend_factor addend, rounded after each operation; addend may be NULL, out may be product or addend.
void ck_scale_and_add(size_t rows, size_t columns, const float *product, size_t product_stride, float factor,
                      const void *addend, ck_type addend_type, size_t addend_stride, float addend_factor,
                      void *out, ck_type out_type, size_t out_stride);
/// Writes what is below the diagonal of a square matrix above it; element width 2 or 4 bytes, stride in elements.
void ck_mirror_lower(size_t n, void *matrix, size_t stride, size_t element_bytes);

// ---------------------------------------------------------------------------------------------------------
// Orthogonal bases by reflections H = I - tau v v', CK_PANEL columns at a time; the caller multiplies. A panel is
// [rows, CK_PANEL], row-major; a product of its reflections is I - V T V'.

/// Columns of a panel.
#define CK_PANEL 32
/// Rows of the matrix (columns of its transpose) that rotations go through together.
#define CK_STRIP 64
/// Sweeps of rotations that are gathered before they are applied.
#define CK_SWEEPS 32

/// In place: a panel [rows, CK_PANEL] -> its reflections V (zero above the diagonal, 1 on it), tau[CK_PANEL], and the sign of R's
/// diagonal in sign[CK_PANEL]. Columns beyond the rows get tau 0. Scratch: column[rows].
void ck_householder_panel(size_t rows, float *restrict panel, float *restrict tau, float *restrict sign,
                          float *restrict column);
/// factor = -T [CK_PANEL, CK_PANEL] from gram = V'V and tau.
void ck_block_reflection(const float *restrict gram, const float *restrict tau, float *restrict factor);
/// out = (in + in') / 2 for [n, n].
void ck_symmetric_part(size_t n, const float *restrict in, float *restrict out);
/// One panel of the reduction of a symmetric matrix to tridiagonal form. `a` [n, n] is what is left of it, and becomes
/// a[CK_PANEL.., CK_PANEL..] + V W' + W V' by the caller. Writes v and w [n, CK_PANEL] (v_k is zero up to row k, 1 in row k + 1), tau[CK_PANEL], and
/// the first min(CK_PANEL, n) elements of the diagonal and of what stands beside it. Scratch: 2 n.
void ck_tridiagonal_panel(size_t n, const float *restrict a, size_t stride, float *restrict v, float *restrict w,
                          float *restrict tau, double *restrict diagonal, double *restrict off,
                          float *restrict scratch);
/// Turns row i of Z' into the eigenvector of the tridiagonal matrix's eigenvalue d[i], where it was the i-th basis vector. Z' [n, n] lies in
/// strips of its columns, [strips][n][CK_STRIP]. `off` is destroyed. Scratch: rotations[n * CK_SWEEPS].
void ck_tridiagonal_eigenvectors(size_t n, double *restrict diagonal, double *restrict off, size_t strips,
                                 float *restrict z, float *restrict rotations);
/// out[:, c] = row order[c] of Z' in strips, its largest element (the first of equals) made positive. Scratch: sign[n].
void ck_eigenvector_columns(size_t n, const float *restrict z, const int32_t *restrict order, float *restrict sign,
                            float *restrict out);

// ---------------------------------------------------------------------------------------------------------
// Order

/// order[k] = position of the k-th largest of `count` values; equals keep their order, NaN comes last. Places the elements begin ..< end only.
void ck_order_descending(size_t count, size_t begin, size_t end, const float *restrict values,
                         int32_t *restrict order);
/// out[r, c] = in[r, positions[c]].
void ck_gather_columns(size_t rows, size_t columns, size_t in_stride, const float *restrict in,
                       const int32_t *restrict positions, float *restrict out);

// ---------------------------------------------------------------------------------------------------------
// Measuring the machine

/// out = in, the plain copy that the machine's bandwidth is measured with.
void ck_copy(const float *restrict in, float *restrict out, size_t count);

#ifdef __cplusplus
}
#endif

#endif
