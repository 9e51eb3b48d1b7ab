// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0
//
// Drawing a label from a softmax whose logits come in column tiles. A row is cut into groups of columns; what is kept of
// a group is its maximum and the sum of its exponentials. They tell the group that the uniform falls into, and only that
// group's logits are needed again.

CK_INLINE float anchor_of(float maximum) { return maximum == -CK_INFINITY ? 0 : maximum; }

static void sample_groups(size_t rows, size_t columns, const float *restrict logits, size_t logits_stride,
                          float inverse_temperature, float *restrict maximum, float *restrict sum,
                          size_t group_stride) {
  for (size_t r = 0; r < rows; r++) {
    const float *row = logits + r * logits_stride;
    size_t group = r * group_stride;
    for (size_t first = 0; first < columns; first += CK_SAMPLE_GROUP, group++) {
      vector_f32 values[CK_SAMPLE_GROUP / CK_LANES];
      vector_f32 best = splat(-CK_INFINITY);
      for (size_t part = 0; part < CK_SAMPLE_GROUP / CK_LANES; part++) {
        const size_t c = first + part * CK_LANES;
        vector_f32 l = splat(-CK_INFINITY);
        if (c + CK_LANES <= columns) {
          l = load_f32(row + c);
        } else if (c < columns) {
          l = load_f32_part(row + c, columns - c, -CK_INFINITY);
        }
        values[part] = l;
        best = larger(l, best);
      }
      const float largest = larger_lane(best);
      const float anchor = anchor_of(largest);
      vector_f32 total = splat(0);
      for (size_t part = 0; part < CK_SAMPLE_GROUP / CK_LANES; part++) {
        total += exp_of((values[part] - anchor) * inverse_temperature);
      }
      maximum[group] = largest;
      sum[group] = sum_lanes(total);
    }
  }
}

/// The first place where the running sum of `mass` exceeds `share` of the total; the last place with any mass when
/// rounding, or a share of 1, leaves none. `rest` is the share of that place's own mass that remains.
CK_INLINE size_t place_of_share(const float *mass, size_t count, double share, double *rest) {
  double total = 0;
  for (size_t i = 0; i < count; i++) total += (double)mass[i];
  const double wanted = share * total;
  double before = 0;
  size_t last = 0;
  for (size_t i = 0; i < count; i++) {
    const double after = before + (double)mass[i];
    if (after > wanted) {
      *rest = (wanted - before) / (double)mass[i];
      return i;
    }
    if (mass[i] > 0) last = i;
    before = after;
  }
  *rest = 1;
  return last;
}

static size_t sample_group(size_t groups, const float *restrict maximum, float *restrict sum,
                           float inverse_temperature, float uniform, double *restrict rest) {
  float largest = -CK_INFINITY;
  for (size_t g = 0; g < groups; g++) largest = maximum[g] > largest ? maximum[g] : largest;
  const float anchor = anchor_of(largest);
  for (size_t g = 0; g < groups; g += CK_LANES) {
    const size_t count = groups - g < CK_LANES ? groups - g : CK_LANES;
    if (count == CK_LANES) {
      vector_f32 factor = exp_of((load_f32(maximum + g) - anchor) * inverse_temperature);
      store_f32(sum + g, load_f32(sum + g) * factor);
    } else {
      vector_f32 factor = exp_of((load_f32_part(maximum + g, count, anchor) - anchor) * inverse_temperature);
      store_f32_part(sum + g, load_f32_part(sum + g, count, 0) * factor, count);
    }
  }
  return place_of_share(sum, groups, (double)uniform, rest);
}

static size_t sample_column(size_t columns, const float *restrict logits, float inverse_temperature, double share) {
  float largest = -CK_INFINITY;
  for (size_t c = 0; c < columns; c++) largest = logits[c] > largest ? logits[c] : largest;
  const float anchor = anchor_of(largest);
  float mass[CK_SAMPLE_GROUP];
  for (size_t c = 0; c < columns; c += CK_LANES) {
    const size_t count = columns - c < CK_LANES ? columns - c : CK_LANES;
    vector_f32 l = count == CK_LANES ? load_f32(logits + c) : load_f32_part(logits + c, count, anchor);
    store_f32(mass + c, exp_of((l - anchor) * inverse_temperature));
  }
  double rest;
  return place_of_share(mass, columns, share, &rest);
}
