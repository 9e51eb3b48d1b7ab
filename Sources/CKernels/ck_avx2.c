// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0
//
// AVX2, with FMA and F16C as every CPU with AVX2 has them.

#if defined(__x86_64__)
#include <math.h>
#include <string.h>

#include "ck_table.h"

// Every function that passes a vector is inlined, so no calling convention is at stake.
#pragma clang diagnostic ignored "-Wpsabi"
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,bmi,bmi2,lzcnt,popcnt"))), apply_to = function)
#define CK_TABLE ck_table_avx2
#define CK_CHUNK_VECTORS 4
#include "ck_bodies.h"
#pragma clang attribute pop
#endif
