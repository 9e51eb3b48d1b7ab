// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0
//
// The vector every kernel body is written in: sixteen fp32 lanes, whatever the hardware has (one register of AVX-512,
// two of AVX2, four of SSE2 or NEON). Lanes, reduction trees and roundings are fixed, nothing is contracted into
// fused multiply-adds, and so the same input gives the same bits under every instruction set.

#ifndef CK_VECTOR_H
#define CK_VECTOR_H

#define CK_LANES 16
#define CK_INLINE static inline __attribute__((always_inline, unused))

typedef float vector_f32 __attribute__((ext_vector_type(16)));
typedef int32_t vector_i32 __attribute__((ext_vector_type(16)));
typedef uint32_t vector_u32 __attribute__((ext_vector_type(16)));
typedef uint16_t vector_u16 __attribute__((ext_vector_type(16)));
typedef float vector_f32x8 __attribute__((ext_vector_type(8)));
typedef float vector_f32x4 __attribute__((ext_vector_type(4)));

CK_INLINE vector_f32 splat(float value) { return (vector_f32)value; }

CK_INLINE vector_i32 lane_numbers(void) {
  return (vector_i32){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
}

CK_INLINE vector_i32 bits_of(vector_f32 value) { return (vector_i32)value; }
CK_INLINE vector_f32 from_bits(vector_i32 bits) { return (vector_f32)bits; }

CK_INLINE vector_f32 load_f32(const float *in) {
  vector_f32 value;
  __builtin_memcpy(&value, in, sizeof value);
  return value;
}

CK_INLINE void store_f32(float *out, vector_f32 value) { __builtin_memcpy(out, &value, sizeof value); }

CK_INLINE vector_f32 widen_bf16(vector_u16 value) {
  return (vector_f32)(__builtin_convertvector(value, vector_u32) << 16);
}

/// Round to nearest even in integer arithmetic (the hardware instruction flushes denormals); NaN stays a quiet NaN.
CK_INLINE vector_u32 rounded_bf16_bits(vector_f32 value) {
  vector_u32 bits = (vector_u32)value;
  vector_u32 rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  vector_u32 quiet = (bits >> 16) | 0x40u;
  return (value != value) ? quiet : rounded;
}

CK_INLINE vector_u16 narrow_bf16(vector_f32 value) {
  return __builtin_convertvector(rounded_bf16_bits(value), vector_u16);
}

CK_INLINE vector_f32 round_to_bf16(vector_f32 value) {
  return (vector_f32)(rounded_bf16_bits(value) << 16);
}

/// Nearest number of a float8 format, ties to even; beyond the largest, the largest. `dropped`: bits of a float32's fraction that
/// the format has not; below `normal` its numbers are as far apart as float32's around `anchor`.
CK_INLINE vector_f32 round_to_float8(vector_f32 value, int dropped, float normal, float anchor, float largest) {
  const vector_i32 magnitude = bits_of(value) & 0x7fffffff, sign = bits_of(value) & (int32_t)0x80000000;
  vector_f32 size = from_bits(magnitude);
  size = size > largest ? splat(largest) : size;
  const vector_i32 bits = bits_of(size);
  const vector_i32 half = (vector_i32)((1 << (dropped - 1)) - 1) + ((bits >> dropped) & 1);
  const vector_f32 coarse = from_bits((bits + half) & ~((1 << dropped) - 1));
  const vector_f32 fine = (size + anchor) - anchor;
  const vector_f32 rounded = from_bits(bits_of(size < normal ? fine : coarse) | sign);
  return value != value ? value : rounded;
}

/// float8 e4m3 without infinities: 3 bits of fraction, from 2^-9 to 448.
CK_INLINE vector_f32 round_to_e4m3(vector_f32 value) { return round_to_float8(value, 20, 0x1p-6f, 0x1.8p14f, 448.0f); }
/// float8 e5m2: 2 bits of fraction, from 2^-16 to 57,344.
CK_INLINE vector_f32 round_to_e5m2(vector_f32 value) { return round_to_float8(value, 21, 0x1p-14f, 0x1.8p7f, 57344.0f); }

CK_INLINE vector_f32 load_bf16(const uint16_t *in) {
  vector_u16 value;
  __builtin_memcpy(&value, in, sizeof value);
  return widen_bf16(value);
}

CK_INLINE void store_bf16(uint16_t *out, vector_f32 value) {
  vector_u16 narrow = narrow_bf16(value);
  __builtin_memcpy(out, &narrow, sizeof narrow);
}

// Typed access: `type` is a constant in every caller, so that the test vanishes.

CK_INLINE vector_f32 load_typed(const void *in, ck_type type, size_t index) {
  return type == CK_BF16 ? load_bf16((const uint16_t *)in + index) : load_f32((const float *)in + index);
}

CK_INLINE void store_typed(void *out, ck_type type, size_t index, vector_f32 value) {
  if (type == CK_BF16) {
    store_bf16((uint16_t *)out + index, value);
  } else {
    store_f32((float *)out + index, value);
  }
}

CK_INLINE float load_one(const void *in, ck_type type, size_t index) {
  if (type != CK_BF16) return ((const float *)in)[index];
  uint32_t bits = (uint32_t)((const uint16_t *)in)[index] << 16;
  float value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

CK_INLINE void store_one(void *out, ck_type type, size_t index, float value) {
  if (type != CK_BF16) {
    ((float *)out)[index] = value;
    return;
  }
  uint32_t bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  ((uint16_t *)out)[index] = (uint16_t)(value != value ? ((bits >> 16) | 0x40u) : rounded);
}

// The ends of rows: functions of their own, so that hot loops stay small.

/// The first `count` lanes from memory (count < 16), the others `fill`.
static __attribute__((noinline, unused)) vector_f32 load_typed_part(const void *in, ck_type type, size_t index,
                                                                    size_t count, float fill) {
  float lanes[CK_LANES];
  store_f32(lanes, splat(fill));
  if (type == CK_BF16) {
    for (size_t i = 0; i < count; i++) lanes[i] = load_one(in, CK_BF16, index + i);
  } else {
    memcpy(lanes, (const float *)in + index, count * sizeof(float));
  }
  return load_f32(lanes);
}

static __attribute__((noinline, unused)) void store_typed_part(void *out, ck_type type, size_t index,
                                                               vector_f32 value, size_t count) {
  if (type == CK_BF16) {
    uint16_t lanes[CK_LANES];
    store_bf16(lanes, value);
    memcpy((uint16_t *)out + index, lanes, count * sizeof(uint16_t));
  } else {
    float lanes[CK_LANES];
    store_f32(lanes, value);
    memcpy((float *)out + index, lanes, count * sizeof(float));
  }
}

CK_INLINE vector_f32 load_f32_part(const float *in, size_t count, float fill) {
  return load_typed_part(in, CK_F32, 0, count, fill);
}

CK_INLINE void store_f32_part(float *out, vector_f32 value, size_t count) {
  store_typed_part(out, CK_F32, 0, value, count);
}

/// A whole vector when it fits before `end`, else its first lanes and zeros.
CK_INLINE vector_f32 load_until(const void *in, ck_type type, size_t index, size_t end) {
  return index + CK_LANES <= end ? load_typed(in, type, index) : load_typed_part(in, type, index, end - index, 0);
}

CK_INLINE void store_until(void *out, ck_type type, size_t index, size_t end, vector_f32 value) {
  if (index + CK_LANES <= end) {
    store_typed(out, type, index, value);
  } else {
    store_typed_part(out, type, index, value, end - index);
  }
}

/// Lanes below `count` keep their value, the others become `fill`.
CK_INLINE vector_f32 keep_lanes(vector_f32 value, size_t count, float fill) {
  return lane_numbers() < (vector_i32)(int32_t)count ? value : splat(fill);
}

// Reductions: the same tree of halves everywhere.

CK_INLINE float sum_lanes(vector_f32 v) {
  vector_f32x8 eight = v.lo + v.hi;
  vector_f32x4 four = eight.lo + eight.hi;
  return (four.x + four.z) + (four.y + four.w);
}

CK_INLINE vector_f32 larger(vector_f32 a, vector_f32 b) { return a > b ? a : b; }

/// NaN in either operand gives NaN.
CK_INLINE vector_f32 maximum_of(vector_f32 a, vector_f32 b) {
  vector_f32 value = a > b ? a : b;
  return a != a ? a : value;
}

CK_INLINE vector_f32 minimum_of(vector_f32 a, vector_f32 b) {
  vector_f32 value = a < b ? a : b;
  return a != a ? a : value;
}

/// Lanes 4 k ... 4 k + 3 are sum_lanes(vk), by the same tree.
CK_INLINE vector_f32 sum_lanes_of_four(vector_f32 v0, vector_f32 v1, vector_f32 v2, vector_f32 v3) {
  vector_f32 a = __builtin_shufflevector(v0, v1, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
                 __builtin_shufflevector(v0, v1, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
  vector_f32 b = __builtin_shufflevector(v2, v3, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
                 __builtin_shufflevector(v2, v3, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
  vector_f32 four = __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27) +
                    __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
  vector_f32 two = four + __builtin_shufflevector(four, four, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
  return two + __builtin_shufflevector(two, two, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
}

/// All lanes become the value of lanes 4 k ... 4 k + 3; k is a constant.
CK_INLINE vector_f32 spread_quarter(vector_f32 v, int k) { return splat(v[4 * k]); }

CK_INLINE float larger_lane(vector_f32 v) {
  vector_f32x8 eight = v.lo > v.hi ? v.lo : v.hi;
  vector_f32x4 four = eight.lo > eight.hi ? eight.lo : eight.hi;
  float a = four.x > four.z ? four.x : four.z;
  float b = four.y > four.w ? four.y : four.w;
  return a > b ? a : b;
}

CK_INLINE float maximum_lane(vector_f32 v) {
  float lanes[CK_LANES];
  store_f32(lanes, v);
  float best = lanes[0];
  for (int i = 1; i < CK_LANES; i++) best = best != best || best > lanes[i] ? best : lanes[i];
  return best;
}

#endif
