// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0
//
// Softmax and cross entropy over logits that come in column tiles.

/// Targets of a row: its own and, where several tokens ahead are predicted, those of the next rows of its sequence.
CK_INLINE size_t targets_of_row(const ck_head *head, size_t row) {
  if (head->depth == 1) return 1;
  const size_t left = head->context_length - row % head->context_length;
  return left < head->depth ? left : head->depth;
}

CK_INLINE vector_f32 capped(const ck_head *head, vector_f32 product) {
  const vector_f32 l = product * head->logit_scale;
  return head->softcap > 0 ? tanh_of(l * (1.0f / head->softcap)) * head->softcap : l;
}

CK_INLINE void cross_entropy_tile_typed(const ck_head *head, size_t rows, size_t columns,
                                        const float *restrict products, size_t stride, size_t first_row,
                                        int32_t first, const int32_t *restrict targets, void *restrict exponentials,
                                        ck_type type, size_t exponentials_stride, float *restrict tile_maximum,
                                        size_t tile_count, float *restrict maximum, float *restrict sum,
                                        float *restrict target_logit) {
  for (size_t r = 0; r < rows; r++) {
    const float *row = products + r * stride;
    const size_t out = r * exponentials_stride;
    vector_f32 parts[4] = {splat(-CK_INFINITY), splat(-CK_INFINITY), splat(-CK_INFINITY), splat(-CK_INFINITY)};
    CK_FOR_ROW(columns, {
      vector_f32 l = whole ? load_f32(row + c) : load_f32_part(row + c, columns - c, -CK_INFINITY);
      parts[p] = larger(l, parts[p]);
    });
    // Scale and cap rise with their argument, so the capped maximum is the cap of the maximum.
    const float best = capped(head, splat(larger_lane(larger(larger(parts[0], parts[1]), larger(parts[2], parts[3]))))).x;
    const float reference = best == -CK_INFINITY ? 0 : best;
    vector_f32 total = splat(0);
    size_t c = 0;
    for (; c + CK_LANES <= columns; c += CK_LANES) {
      const vector_f32 e = exp_of(capped(head, load_f32(row + c)) - reference);
      total += e;
      store_typed(exponentials, type, out + c, e);
    }
    if (c < columns) {
      const vector_f32 l = capped(head, load_f32_part(row + c, columns - c, 0));
      const vector_f32 e = keep_lanes(exp_of(l - reference), columns - c, 0);
      total += e;
      store_typed_part(exponentials, type, out + c, e, columns - c);
    }
    const float old_maximum = maximum[r];
    const float new_maximum = best > old_maximum ? best : old_maximum;
    const float anchor = new_maximum == -CK_INFINITY ? 0 : new_maximum;
    tile_maximum[r * tile_count] = best;
    maximum[r] = new_maximum;
    const float kept = old_maximum == -CK_INFINITY ? 0 : sum[r] * exp_one(old_maximum - anchor);
    sum[r] = kept + sum_lanes(total) * exp_one(reference - anchor);
    const size_t places = targets_of_row(head, first_row + r);
    for (size_t k = 0; k < places; k++) {
      const int64_t target = (int64_t)targets[r + k] - first;
      if (target >= 0 && target < (int64_t)columns)
        target_logit[r * head->depth + k] = capped(head, splat(row[target])).x;
    }
  }
}

static void cross_entropy_tile(const ck_head *head, size_t rows, size_t columns, const float *restrict products,
                               size_t stride, size_t first_row, int32_t first, const int32_t *restrict targets,
                               void *restrict exponentials, ck_type type, size_t exponentials_stride,
                               float *restrict tile_maximum, size_t tile_count, float *restrict maximum,
                               float *restrict sum, float *restrict target_logit) {
  // Without scale and cap, the loop that most heads need has neither.
  ck_head plain = *head;
  plain.logit_scale = 1;
  plain.softcap = 0;
  const int is_plain = head->logit_scale == 1 && !(head->softcap > 0);
#define CK_CASE(form, element)                                                                                  \
  cross_entropy_tile_typed(form, rows, columns, products, stride, first_row, first, targets, exponentials,      \
                           element, exponentials_stride, tile_maximum, tile_count, maximum, sum, target_logit)
  if (type == CK_BF16) {
    if (is_plain) CK_CASE(&plain, CK_BF16);
    else CK_CASE(head, CK_BF16);
  } else {
    if (is_plain) CK_CASE(&plain, CK_F32);
    else CK_CASE(head, CK_F32);
  }
#undef CK_CASE
}

static void cross_entropy_finish(const ck_head *head, size_t rows, size_t first_row, const int32_t *restrict targets,
                                 const float *restrict maximum, const float *restrict sum,
                                 const float *restrict target_logit, float *restrict log_sum_exp,
                                 float *restrict cross_entropy, float *restrict objective) {
  for (size_t r = 0; r < rows; r++) {
    log_sum_exp[r] = maximum[r] + log_one(sum[r]);
    cross_entropy[r] = targets[r] < 0 ? 0 : log_sum_exp[r] - target_logit[r * head->depth];
    objective[r] = cross_entropy[r];
    if (targets[r] < 0) continue;
    const size_t places = targets_of_row(head, first_row + r);
    for (size_t k = 1; k < places; k++) {
      if (targets[r + k] < 0) continue;
      objective[r] += head->weights[k] * (log_sum_exp[r] - target_logit[r * head->depth + k]);
    }
  }
}

CK_INLINE void cross_entropy_gradient_typed(const ck_head *head, size_t rows, size_t columns, size_t first_row,
                                            int32_t first, const int32_t *restrict targets,
                                            const float *restrict tile_maximum, size_t tile_count,
                                            const float *restrict log_sum_exp, float scale, float z_loss,
                                            void *exponentials, ck_type type, size_t stride) {
  const int rounds = head->gradient_scale > 0;
  const float inverse_scale = rounds ? 1.0f / head->gradient_scale : 1.0f;
  const float cap = head->softcap, inverse_cap = cap > 0 ? 1.0f / cap : 0;
  for (size_t r = 0; r < rows; r++) {
    void *row = (void *)(uintptr_t)typed_offset(exponentials, type, r * stride);
    if (targets[r] < 0) {
      store_zeros(row, type, 0, columns);
      continue;
    }
    const float lse = log_sum_exp[r];
    const float best = tile_maximum[r * tile_count];
    const size_t places = targets_of_row(head, first_row + r);
    float all_weights = head->weights[0];
    for (size_t k = 1; k < places; k++) all_weights += targets[r + k] < 0 ? 0 : head->weights[k];
    const float share = exp_one(best - lse) * (all_weights + 2.0f * z_loss * lse);
    const float outer = scale * inverse_scale;
    // The exponential is exp(capped logit - tile maximum), so the cap's slope 1 - (l / cap)^2 follows from its logarithm.
    // Where it has run out of range the logit is at the lower end, and the slope nothing.
#define CK_LOGIT_GRADIENT(e, subtracted)                                                      \
  ({                                                                                          \
    const vector_f32 exponential = (e);                                                       \
    vector_f32 gradient = (exponential * share - (subtracted)) * outer;                       \
    if (cap > 0) {                                                                            \
      const vector_f32 relative = at_least((log_of(exponential) + best) * inverse_cap, -1.0f); \
      gradient *= 1.0f - relative * relative;                                                 \
    }                                                                                         \
    rounds ? round_to_e5m2(gradient) : gradient;                                              \
  })
    // What stands at the targets is taken before the row is overwritten; a token may be the target of several places.
    float at_target[CK_PREDICTIONS];
    for (size_t k = 0; k < places; k++) {
      const int64_t target = (int64_t)targets[r + k] - first;
      if (target < 0 || target >= (int64_t)columns) continue;
      float subtracted = 0;
      for (size_t j = 0; j < places; j++)
        if (targets[r + j] == targets[r + k]) subtracted += head->weights[j];
      at_target[k] = CK_LOGIT_GRADIENT(splat(load_one(row, type, (size_t)target)), subtracted).x;
    }
    CK_FOR_ROW(columns, {
      vector_f32 value = CK_LOGIT_GRADIENT(CK_LOAD(row, type), 0.0f);
      (void)p;
      CK_STORE_TO(row, type, value);
    });
    for (size_t k = 0; k < places; k++) {
      const int64_t target = (int64_t)targets[r + k] - first;
      if (target >= 0 && target < (int64_t)columns) store_one(row, type, (size_t)target, at_target[k]);
    }
#undef CK_LOGIT_GRADIENT
  }
}

static void cross_entropy_gradient(const ck_head *head, size_t rows, size_t columns, size_t first_row, int32_t first,
                                   const int32_t *restrict targets, const float *restrict tile_maximum,
                                   size_t tile_count, const float *restrict log_sum_exp, float scale, float z_loss,
                                   void *exponentials, ck_type type, size_t stride) {
  ck_head plain = *head;
  plain.logit_scale = 1;
  plain.softcap = plain.gradient_scale = 0;
  const int is_plain = !(head->softcap > 0) && !(head->gradient_scale > 0);
#define CK_CASE(form, element)                                                                              \
  cross_entropy_gradient_typed(form, rows, columns, first_row, first, targets, tile_maximum, tile_count,    \
                               log_sum_exp, scale, z_loss, exponentials, element, stride)
  if (type == CK_BF16) {
    if (is_plain) CK_CASE(&plain, CK_BF16);
    else CK_CASE(head, CK_BF16);
  } else {
    if (is_plain) CK_CASE(&plain, CK_F32);
    else CK_CASE(head, CK_F32);
  }
#undef CK_CASE
}

static void cap_logits(const ck_head *head, size_t rows, size_t columns, float *logits, size_t stride) {
  if (head->logit_scale == 1 && !(head->softcap > 0)) return;
  for (size_t r = 0; r < rows; r++) {
    for (size_t c = 0; c < columns; c += CK_LANES) {
      const size_t end = r * stride + columns;
      store_until(logits, CK_F32, r * stride + c, end, capped(head, load_until(logits, CK_F32, r * stride + c, end)));
    }
  }
}
