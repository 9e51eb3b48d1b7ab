// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0
//
// Elementary functions on sixteen lanes. Coefficients are minimax fits (relative error below 2^-25 before rounding).
// Rules: NaN in, NaN out; infinities give the limits (silu(-inf) = gelu(-inf) = -0); exp, and what is built on it,
// gives 0 where the exact result is below the smallest normal number; inputs may be denormal.

#ifndef CK_MATH_H
#define CK_MATH_H

#define CK_INFINITY __builtin_inff()

/// exp(x), or exp(x + *low) with |low| far below one, for x not above 88.7; NaN gives anything.
CK_INLINE vector_f32 exp_bounded(vector_f32 x, const vector_f32 *low) {
  const float shift = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer, which lands in the low bits
  vector_f32 shifted = x * 1.44269504f + shift;
  vector_f32 n = shifted - shift;
  vector_f32 r = x - n * 0.693359375f;  // ln 2 = 0.693359375 - 0.000212194440; the first product is exact
  r = r + n * 2.12194440e-4f;
  if (low) r = r + *low;
  vector_f32 square = r * r;
  vector_f32 even = (square * 0.00138204684f + 0.0416682847f) * square + 0.49999994f;
  vector_f32 odd = square * 0.00836925022f + 0.166665167f;
  vector_f32 value = ((odd * r + even) * square + r) + 1.0f;
  value = from_bits(bits_of(value) + (bits_of(shifted) << 23));
  return x < -87.3365402f ? splat(0) : value;
}

CK_INLINE vector_f32 exp_of(vector_f32 x) {
  vector_f32 value = exp_bounded(x, NULL);
  return x <= 88.7228317f ? value : x + CK_INFINITY;
}

CK_INLINE vector_f32 log_of(vector_f32 x) {
  vector_f32 scaled = x < 1.17549435e-38f ? x * 8388608.0f : x;
  vector_f32 offset = x < 1.17549435e-38f ? splat(-23) : splat(0);
  // The mantissa in [sqrt(1/2), sqrt(2)): subtract the bits of sqrt(1/2) before taking the exponent.
  vector_i32 bits = bits_of(scaled);
  vector_i32 exponent = (bits - 0x3f3504f3) >> 23;
  vector_f32 f = from_bits(bits - (exponent << 23)) - 1.0f;
  vector_f32 n = __builtin_convertvector(exponent, vector_f32) + offset;
  vector_f32 square = f * f;
  vector_f32 even = square * 0.0674920827f + 0.11883536f;
  vector_f32 odd = square * -0.116700329f - 0.124062389f;
  even = even * square + 0.142203599f;
  odd = odd * square - 0.166679889f;
  even = even * square + 0.200020716f;
  odd = odd * square - 0.250000089f;
  even = even * square + 0.333333135f;
  vector_f32 p = odd * f + even;
  vector_f32 low = p * (f * square) - n * 2.12194440e-4f;
  low = low - 0.5f * square;
  vector_f32 value = (f + low) + n * 0.693359375f;
  value = x == 0.0f ? splat(-CK_INFINITY) : value;
  value = x == CK_INFINITY ? x : value;
  return x >= 0.0f ? value : splat(__builtin_nanf(""));
}

CK_INLINE vector_f32 absolute(vector_f32 x) { return from_bits(bits_of(x) & 0x7fffffff); }

/// The magnitude of the first with the sign of the second.
CK_INLINE vector_f32 with_sign(vector_f32 magnitude, vector_f32 sign) {
  return from_bits((bits_of(magnitude) & 0x7fffffff) | (bits_of(sign) & (int32_t)0x80000000));
}

CK_INLINE vector_f32 tanh_of(vector_f32 x) {
  vector_f32 s = x * x;
  vector_f32 p = splat(-0.00551483687f);
  p = p * s + 0.0204690993f;
  p = p * s - 0.0536879189f;
  p = p * s + 0.133308291f;
  p = p * s - 0.333332598f;
  vector_f32 near = x + x * (p * s);
  vector_f32 z = absolute(x);
  vector_f32 far = 1.0f - 2.0f / (exp_of(z + z) + 1.0f);
  return z < 0.65f ? near : with_sign(far, x);
}

CK_INLINE vector_f32 sigmoid_of(vector_f32 x) {
  vector_f32 e = exp_bounded(-absolute(x), NULL);
  e = x != x ? x : e;
  return (x < 0.0f ? e : splat(1)) / (1.0f + e);
}

/// Phi(-z) / exp(-z^2 / 2) for z in [0, 40], Phi the normal distribution function.
CK_INLINE vector_f32 normal_tail_ratio(vector_f32 z) {
  vector_f32 inverse = 1.0f / (z + 2.0f);
  vector_f32 u = (z + z) * inverse;
  vector_f32 square = u * u;
  vector_f32 even = square * -0.000362974475f + 0.000802694005f;
  vector_f32 odd = square * 0.000108715962f - 0.00022907769f;
  even = even * square + 0.00760594849f;
  odd = odd * square - 8.32568549e-05f;
  even = even * square - 0.0478277095f;
  odd = odd * square + 0.0102813719f;
  even = even * square + 1.0f;
  odd = odd * square - 0.297887743f;
  return (odd * u + even) * inverse;
}

/// exp(-z^2 / 2) without the error of squaring: z = head + rest, where the square of the head is exact.
CK_INLINE vector_f32 normal_bell(vector_f32 z) {
  vector_f32 head = from_bits(bits_of(z) & (int32_t)0xfffff000);
  vector_f32 rest = (z - head) * (z + head) * -0.5f;
  return exp_bounded(head * head * -0.5f, &rest);
}

CK_INLINE vector_f32 erf_of(vector_f32 x) {
  vector_f32 s = x * x;
  vector_f32 p = splat(7.80690316e-05f);
  p = p * s - 0.00079978531f;
  p = p * s + 0.0051871622f;
  p = p * s - 0.0268533472f;
  p = p * s + 0.112835787f;
  p = p * s - 0.37612626f;
  p = p * s + 0.128379166f;
  vector_f32 near = x + x * p;
  vector_f32 z = absolute(x) * 1.41421356f;
  z = z > 10.0f ? splat(10) : z;
  vector_f32 far = 1.0f - 2.0f * (normal_tail_ratio(z) * exp_bounded(z * z * -0.5f, NULL));
  far = x != x ? x : far;
  return absolute(x) < 1.0f ? near : with_sign(far, x);
}

/// x clamped from below, NaN kept.
CK_INLINE vector_f32 at_least(vector_f32 x, float low) { return x < low ? splat(low) : x; }
CK_INLINE vector_f32 at_most(vector_f32 x, float high) { return x > high ? splat(high) : x; }

CK_INLINE vector_f32 gelu_of(vector_f32 x) {
  vector_f32 z = at_most(absolute(x), 40.0f);
  vector_f32 tail = normal_tail_ratio(z) * normal_bell(z);
  return at_least(x, -40.0f) * (x < 0.0f ? tail : 1.0f - tail);
}

CK_INLINE vector_f32 gelu_derivative_of(vector_f32 x) {
  vector_f32 z = at_most(absolute(x), 40.0f);
  vector_f32 bell = normal_bell(z);
  vector_f32 tail = normal_tail_ratio(z) * bell;
  vector_f32 slope = (bell * 0.398942280f) * z;
  return x < 0.0f ? tail - slope : 1.0f - (tail - slope);
}

CK_INLINE vector_f32 silu_of(vector_f32 x) { return at_least(x, -200.0f) * sigmoid_of(x); }

CK_INLINE vector_f32 silu_derivative_of(vector_f32 x) {
  vector_f32 clamped = at_most(at_least(x, -200.0f), 200.0f);
  vector_f32 s = sigmoid_of(clamped);
  return s * (1.0f + clamped * sigmoid_of(-clamped));
}

CK_INLINE vector_f32 square_root(vector_f32 x) { return __builtin_elementwise_sqrt(x); }

CK_INLINE float exp_one(float x) { return exp_of(splat(x)).x; }
CK_INLINE float log_one(float x) { return log_of(splat(x)).x; }
CK_INLINE float tanh_one(float x) { return tanh_of(splat(x)).x; }

#endif
