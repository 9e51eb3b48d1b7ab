// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0
//
// The instruction set every compiler for this machine may assume: SSE2, NEON, or plain C.

#include <math.h>
#include <string.h>

#include "ck_table.h"

// Every function that passes a vector is inlined, so no calling convention is at stake.
#pragma clang diagnostic ignored "-Wpsabi"
#define CK_TABLE ck_table_portable
#include "ck_bodies.h"
