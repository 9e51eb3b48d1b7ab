// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0
//
// Softmax and cross entropy over logits that come in column tiles.

CK_INLINE void cross_entropy_tile_typed(size_t rows, size_t columns, const float *restrict logits,
                                        size_t logits_stride, float softcap, int32_t first,
                                        const int32_t *restrict targets, void *restrict exponentials, ck_type type,
                                        size_t exponentials_stride, float *restrict tile_maximum, size_t tile_count,
                                        float *restrict maximum, float *restrict sum, float *restrict target_logit) {
  const float inverse_cap = softcap > 0 ? 1.0f / softcap : 0;
  for (size_t r = 0; r < rows; r++) {
    const float *row = logits + r * logits_stride;
    const size_t out = r * exponentials_stride;
    vector_f32 parts[4] = {splat(-CK_INFINITY), splat(-CK_INFINITY), splat(-CK_INFINITY), splat(-CK_INFINITY)};
    CK_FOR_ROW(columns, {
      vector_f32 l = whole ? load_f32(row + c) : load_f32_part(row + c, columns - c, -CK_INFINITY);
      parts[p] = larger(l, parts[p]);
    });
    // The cap rises with its argument, so the capped maximum is the cap of the maximum.
    float best = larger_lane(larger(larger(parts[0], parts[1]), larger(parts[2], parts[3])));
    if (softcap > 0) best = tanh_one(best * inverse_cap) * softcap;
    const float reference = best == -CK_INFINITY ? 0 : best;
    vector_f32 total = splat(0);
    size_t c = 0;
    for (; c + CK_LANES <= columns; c += CK_LANES) {
      vector_f32 l = load_f32(row + c);
      if (softcap > 0) l = tanh_of(l * inverse_cap) * softcap;
      const vector_f32 e = exp_of(l - reference);
      total += e;
      store_typed(exponentials, type, out + c, e);
    }
    if (c < columns) {
      vector_f32 l = load_f32_part(row + c, columns - c, 0);
      if (softcap > 0) l = tanh_of(l * inverse_cap) * softcap;
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
    const int64_t target = (int64_t)targets[r] - first;
    if (target >= 0 && target < (int64_t)columns) {
      const float l = row[target];
      target_logit[r] = softcap > 0 ? tanh_one(l * inverse_cap) * softcap : l;
    }
  }
}

static void cross_entropy_tile(size_t rows, size_t columns, const float *restrict logits, size_t logits_stride,
                               float softcap, int32_t first, const int32_t *restrict targets,
                               void *restrict exponentials, ck_type type, size_t exponentials_stride,
                               float *restrict tile_maximum, size_t tile_count, float *restrict maximum,
                               float *restrict sum, float *restrict target_logit) {
  if (type == CK_BF16) {
    cross_entropy_tile_typed(rows, columns, logits, logits_stride, softcap, first, targets, exponentials, CK_BF16,
                             exponentials_stride, tile_maximum, tile_count, maximum, sum, target_logit);
  } else {
    cross_entropy_tile_typed(rows, columns, logits, logits_stride, softcap, first, targets, exponentials, CK_F32,
                             exponentials_stride, tile_maximum, tile_count, maximum, sum, target_logit);
  }
}

static void cross_entropy_finish(size_t rows, const int32_t *restrict targets, const float *restrict maximum,
                                 const float *restrict sum, const float *restrict target_logit,
                                 float *restrict log_sum_exp, float *restrict cross_entropy) {
  for (size_t r = 0; r < rows; r++) {
    log_sum_exp[r] = maximum[r] + log_one(sum[r]);
    cross_entropy[r] = targets[r] < 0 ? 0 : log_sum_exp[r] - target_logit[r];
  }
}

CK_INLINE void cross_entropy_gradient_typed(size_t rows, size_t columns, int32_t first,
                                            const int32_t *restrict targets, const float *restrict tile_maximum,
                                            size_t tile_count, const float *restrict log_sum_exp, float scale,
                                            float z_loss, const float *restrict row_scale, void *exponentials,
                                            ck_type type, size_t stride) {
  for (size_t r = 0; r < rows; r++) {
    void *row = (void *)(uintptr_t)typed_offset(exponentials, type, r * stride);
    if (targets[r] < 0) {
      store_zeros(row, type, 0, columns);
      continue;
    }
    const float lse = log_sum_exp[r];
    const float weight = row_scale ? scale * row_scale[r] : scale;
    const float share = exp_one(tile_maximum[r * tile_count] - lse) * (1.0f + 2.0f * z_loss * lse);
    const int64_t target = (int64_t)targets[r] - first;
    const int here = target >= 0 && target < (int64_t)columns;
    const float at_target = here ? (load_one(row, type, (size_t)target) * share - 1.0f) * weight : 0;
    const float factor = share * weight;
    CK_FOR_ROW(columns, {
      vector_f32 value = CK_LOAD(row, type) * factor;
      (void)p;
      CK_STORE_TO(row, type, value);
    });
    if (here) store_one(row, type, (size_t)target, at_target);
  }
}

static void cross_entropy_gradient(size_t rows, size_t columns, int32_t first, const int32_t *restrict targets,
                                   const float *restrict tile_maximum, size_t tile_count,
                                   const float *restrict log_sum_exp, float scale, float z_loss,
                                   const float *restrict row_scale, void *exponentials, ck_type type, size_t stride) {
  if (type == CK_BF16) {
    cross_entropy_gradient_typed(rows, columns, first, targets, tile_maximum, tile_count, log_sum_exp, scale, z_loss,
                                 row_scale, exponentials, CK_BF16, stride);
  } else {
    cross_entropy_gradient_typed(rows, columns, first, targets, tile_maximum, tile_count, log_sum_exp, scale, z_loss,
                                 row_scale, exponentials, CK_F32, stride);
  }
}
