// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0
//
// What stands between the products of attention: masks, online softmax, its gradient.

/// Columns [low, high) of the block that row `r` may see by position.
typedef struct {
  size_t low, high;
} key_range;

CK_INLINE key_range visible_keys(const ck_attention_block *block, size_t r) {
  key_range range = {0, block->keys};
  const size_t query = block->first_query + r;
  if (block->causal) {
    const size_t end = query + 1;
    range.high = end <= block->first_key ? 0 : end - block->first_key;
    if (range.high > block->keys) range.high = block->keys;
  }
  if (block->window != 0 && query + 1 > block->window) {
    const size_t start = query + 1 - block->window;
    if (start > block->first_key) range.low = start - block->first_key;
  }
  if (range.low > range.high) range.low = range.high;
  return range;
}

/// The document numbers to compare, or NULL when every row and key of the block carries the same one.
static const int32_t *distinct_documents(const ck_attention_block *block) {
  const int32_t *documents = block->documents;
  if (documents == NULL || block->queries == 0) return NULL;
  const int32_t number = documents[block->first_query];
  int32_t differs = 0;
  for (size_t r = 0; r < block->queries; r++) differs |= documents[block->first_query + r] ^ number;
  for (size_t c = 0; c < block->keys; c++) differs |= documents[block->first_key + c] ^ number;
  return differs ? documents : NULL;
}

/// All bits set in the lanes of columns c ... c + 15 that the row may see.
CK_INLINE vector_i32 visible_lanes(key_range range, size_t c, const int32_t *keys, int32_t own, size_t end) {
  vector_i32 column = lane_numbers() + (int32_t)c;
  vector_i32 visible = (column >= (int32_t)range.low) & (column < (int32_t)range.high);
  if (keys) {
    vector_i32 numbers;
    if (c + CK_LANES <= end) {
      __builtin_memcpy(&numbers, keys + c, sizeof numbers);
    } else {
      int32_t lanes[CK_LANES] = {0};
      memcpy(lanes, keys + c, (end - c) * sizeof(int32_t));
      __builtin_memcpy(&numbers, lanes, sizeof numbers);
    }
    visible &= numbers == own;
  }
  return visible;
}

CK_INLINE void store_zeros(void *out, ck_type type, size_t begin, size_t end) {
  const size_t width = type == CK_BF16 ? 2 : 4;
  if (end > begin) memset((char *)out + begin * width, 0, (end - begin) * width);
}

/// Runs `statement` for every vector of a row that holds a visible key: `c` the column; `masked`, a constant, whether
/// `visible` must be asked; `whole`, a constant, whether the vector ends before the block does.
#define CK_FOR_VISIBLE(statement)                                                                  \
  for (size_t c = first; c < range.high; c += CK_LANES) {                                          \
    if (!row_documents && c >= range.low) {                                                        \
      for (; c + CK_LANES <= range.high; c += CK_LANES) {                                          \
        const vector_i32 visible = (vector_i32)-1;                                                 \
        const int masked = 0, whole = 1;                                                           \
        (void)visible;                                                                             \
        statement                                                                                  \
      }                                                                                            \
      if (c >= range.high) break;                                                                  \
    }                                                                                              \
    const vector_i32 visible = visible_lanes(range, c, row_documents, own, keys);                  \
    const int masked = 1;                                                                          \
    if (c + CK_LANES <= keys) {                                                                    \
      const int whole = 1;                                                                         \
      statement                                                                                    \
    } else {                                                                                       \
      const int whole = 0;                                                                         \
      statement                                                                                    \
    }                                                                                              \
  }

// A vector of the row at column c; part of one when not `whole`.
#define CK_LOAD_KEYS(data) \
  (whole ? load_f32((data) + row + c) : load_typed_part(data, CK_F32, row + c, keys - c, 0))
#define CK_STORE_KEYS(data, value)                                 \
  do {                                                             \
    if (whole)                                                     \
      store_typed(data, type, row + c, value);                     \
    else                                                           \
      store_typed_part(data, type, row + c, value, keys - c);      \
  } while (0)

/// The names CK_FOR_VISIBLE uses, for row r.
#define CK_VISIBLE_ROW(r)                                                                          \
  const key_range range = visible_keys(block, r);                                                  \
  const size_t first = range.low & ~(size_t)(CK_LANES - 1);                                        \
  const size_t covered = range.high <= first ? first : first + ((range.high - first + 15) & ~(size_t)15); \
  const int32_t *row_documents = documents ? documents + block->first_key : NULL;                  \
  const int32_t own = documents ? documents[block->first_query + (r)] : 0

CK_INLINE void attention_softmax_typed(const ck_attention_block *block, const float *scores, void *probabilities,
                                       ck_type type, float *restrict maximum, float *restrict sum,
                                       float *restrict factor) {
  const int32_t *documents = distinct_documents(block);
  const size_t keys = block->keys;
  const float scale = block->scale;
  for (size_t r = 0; r < block->queries; r++) {
    CK_VISIBLE_ROW(r);
    const size_t row = r * block->score_stride;
    vector_f32 best = splat(-CK_INFINITY);
    CK_FOR_VISIBLE({
      vector_f32 s = CK_LOAD_KEYS(scores) * scale;
      if (masked) s = visible ? s : splat(-CK_INFINITY);
      best = larger(s, best);
    })
    const float old_maximum = maximum[r], tile_maximum = larger_lane(best);
    const float new_maximum = tile_maximum > old_maximum ? tile_maximum : old_maximum;
    // With nothing visible yet the reference is 0, and no infinity is subtracted from itself.
    const float reference = new_maximum == -CK_INFINITY ? 0 : new_maximum;
    vector_f32 total = splat(0);
    store_zeros(probabilities, type, row, row + (first < keys ? first : keys));
    CK_FOR_VISIBLE({
      vector_f32 p = exp_of(CK_LOAD_KEYS(scores) * scale - reference);
      if (masked) p = visible ? p : splat(0);
      total += p;
      CK_STORE_KEYS(probabilities, p);
    })
    store_zeros(probabilities, type, row + covered, row + keys);
    const float change = old_maximum == -CK_INFINITY ? 0 : exp_one(old_maximum - reference);
    maximum[r] = new_maximum;
    sum[r] = sum[r] * change + sum_lanes(total);
    factor[r] = change;
  }
}

static void attention_softmax(const ck_attention_block *block, const float *scores, void *probabilities, ck_type type,
                              float *restrict maximum, float *restrict sum, float *restrict factor) {
  if (type == CK_BF16) {
    attention_softmax_typed(block, scores, probabilities, CK_BF16, maximum, sum, factor);
  } else {
    attention_softmax_typed(block, scores, probabilities, CK_F32, maximum, sum, factor);
  }
}

static void scale_rows(size_t rows, size_t columns, float *output, size_t stride, const float *restrict factor) {
  for (size_t r = 0; r < rows; r++) {
    float *row = output + r * stride;
    const float f = factor[r];
    if (f == 1.0f) continue;
    size_t c = 0;
    for (; c + CK_LANES <= columns; c += CK_LANES) store_f32(row + c, load_f32(row + c) * f);
    for (; c < columns; c++) row[c] *= f;
  }
}

static void attention_finish(size_t rows, size_t head_width, const float *restrict accumulated,
                             size_t accumulated_stride, const float *restrict maximum, const float *restrict sum,
                             void *restrict out, ck_type type, size_t out_stride, float *restrict log_sum_exp) {
  for (size_t r = 0; r < rows; r++) {
    const float *row = accumulated + r * accumulated_stride;
    const size_t start = r * out_stride;
    const float inverse = 1.0f / sum[r];
    size_t c = 0;
    for (; c + CK_LANES <= head_width; c += CK_LANES) store_typed(out, type, start + c, load_f32(row + c) * inverse);
    for (; c < head_width; c++) store_one(out, type, start + c, row[c] * inverse);
    log_sum_exp[r] = maximum[r] + log_one(sum[r]);
  }
}

CK_INLINE void attention_recompute_typed(const ck_attention_block *block, const float *scores,
                                         const float *restrict log_sum_exp, void *probabilities, ck_type type) {
  const int32_t *documents = distinct_documents(block);
  const size_t keys = block->keys;
  const float scale = block->scale;
  for (size_t r = 0; r < block->queries; r++) {
    CK_VISIBLE_ROW(r);
    const size_t row = r * block->score_stride;
    const float reference = log_sum_exp[r];
    store_zeros(probabilities, type, row, row + (first < keys ? first : keys));
    CK_FOR_VISIBLE({
      vector_f32 p = exp_of(CK_LOAD_KEYS(scores) * scale - reference);
      if (masked) p = visible ? p : splat(0);
      CK_STORE_KEYS(probabilities, p);
    })
    store_zeros(probabilities, type, row + covered, row + keys);
  }
}

static void attention_recompute(const ck_attention_block *block, const float *scores,
                                const float *restrict log_sum_exp, void *probabilities, ck_type type) {
  if (type == CK_BF16) {
    attention_recompute_typed(block, scores, log_sum_exp, probabilities, CK_BF16);
  } else {
    attention_recompute_typed(block, scores, log_sum_exp, probabilities, CK_F32);
  }
}

CK_INLINE void attention_backward_typed(const ck_attention_block *block, const float *scores,
                                        const float *probability_gradient, const float *restrict log_sum_exp,
                                        const float *restrict delta, void *probabilities, void *score_gradient,
                                        ck_type type) {
  const int32_t *documents = distinct_documents(block);
  const size_t keys = block->keys;
  const float scale = block->scale;
  for (size_t r = 0; r < block->queries; r++) {
    CK_VISIBLE_ROW(r);
    const size_t row = r * block->score_stride;
    const float reference = log_sum_exp[r], shift = delta[r];
    store_zeros(probabilities, type, row, row + (first < keys ? first : keys));
    store_zeros(score_gradient, type, row, row + (first < keys ? first : keys));
    CK_FOR_VISIBLE({
      vector_f32 p = exp_of(CK_LOAD_KEYS(scores) * scale - reference);
      vector_f32 g = (CK_LOAD_KEYS(probability_gradient) - shift) * scale;
      g = p * g;
      if (masked) {
        p = visible ? p : splat(0);
        g = visible ? g : splat(0);
      }
      CK_STORE_KEYS(probabilities, p);
      CK_STORE_KEYS(score_gradient, g);
    })
    store_zeros(probabilities, type, row + covered, row + keys);
    store_zeros(score_gradient, type, row + covered, row + keys);
  }
}

static void attention_backward(const ck_attention_block *block, const float *scores, const float *probability_gradient,
                               const float *restrict log_sum_exp, const float *restrict delta, void *probabilities,
                               void *score_gradient, ck_type type) {
  if (type == CK_BF16) {
    attention_backward_typed(block, scores, probability_gradient, log_sum_exp, delta, probabilities, score_gradient,
                             CK_BF16);
  } else {
    attention_backward_typed(block, scores, probability_gradient, log_sum_exp, delta, probabilities, score_gradient,
                             CK_F32);
  }
}
