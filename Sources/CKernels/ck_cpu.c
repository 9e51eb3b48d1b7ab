// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0
//
// What the CPU and the operating system offer.

#include "CKernels.h"

#if defined(__x86_64__)
#include <cpuid.h>

typedef struct {
  unsigned a, b, c, d;
} cpu_leaf;

static cpu_leaf read_leaf(unsigned leaf, unsigned subleaf) {
  cpu_leaf out = {0, 0, 0, 0};
  if (!__get_cpuid_count(leaf, subleaf, &out.a, &out.b, &out.c, &out.d)) return (cpu_leaf){0, 0, 0, 0};
  return out;
}

/// The register states that the operating system saves (XCR0), or 0.
static unsigned saved_states(void) {
  if ((read_leaf(1, 0).c >> 27 & 1) == 0) return 0;
  unsigned low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

static int has_bits(unsigned word, unsigned bits) { return (word & bits) == bits; }

ck_instruction_set ck_detected_instruction_set(void) {
  const unsigned states = saved_states();
  const cpu_leaf basic = read_leaf(1, 0), extended = read_leaf(7, 0);
  const unsigned fma = 1u << 12, avx = 1u << 28, f16c = 1u << 29;
  const unsigned avx2 = 1u << 5, bmi1 = 1u << 3, bmi2 = 1u << 8;
  if (!has_bits(states, 0x6) || !has_bits(basic.c, fma | avx | f16c) || !has_bits(extended.b, avx2 | bmi1 | bmi2))
    return CK_PORTABLE;
  const unsigned f = 1u << 16, dq = 1u << 17, bw = 1u << 30, vl = 1u << 31;
  return has_bits(states, 0xe6) && has_bits(extended.b, f | dq | bw | vl) ? CK_AVX512 : CK_AVX2;
}

int ck_has_amx_bf16(void) {
  const unsigned amx_bf16 = 1u << 22, amx_tile = 1u << 24;
  return has_bits(read_leaf(7, 0).d, amx_bf16 | amx_tile) && has_bits(saved_states(), 0x60000);
}

int ck_has_fast_bf16(void) {
  const int avx512_bf16 = ck_detected_instruction_set() == CK_AVX512 && has_bits(read_leaf(7, 1).a, 1u << 5);
  return avx512_bf16 || ck_has_amx_bf16();
}

#else

ck_instruction_set ck_detected_instruction_set(void) { return CK_PORTABLE; }
int ck_has_amx_bf16(void) { return 0; }
int ck_has_fast_bf16(void) { return 0; }

#endif
