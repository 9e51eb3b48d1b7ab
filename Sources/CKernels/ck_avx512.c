// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0
//
// AVX-512 (F, BW, DQ, VL).

#if defined(__x86_64__)
#include <math.h>
#include <string.h>

#include "ck_table.h"

// Every function that passes a vector is inlined, so no calling convention is at stake.
#pragma clang diagnostic ignored "-Wpsabi"
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c,bmi,bmi2,lzcnt,popcnt"))), apply_to = function)
#define CK_TABLE ck_table_avx512
#define CK_CHUNK_VECTORS 8
#include "ck_bodies.h"
#pragma clang attribute pop
#endif
