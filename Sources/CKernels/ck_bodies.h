// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0
//
// All bodies, compiled once for each instruction set: the including file defines CK_TABLE, the name of its table,
// and sets the target attribute around this file. Headers of the system are included before that.

#include "ck_vector.h"
#include "ck_math.h"
#include "ck_convert_body.h"
#include "ck_norm_body.h"
#include "ck_region_steps.h"
#include "ck_region_plan.h"
#include "ck_region_body.h"
#include "ck_embedding_body.h"
#include "ck_attention_body.h"
#include "ck_cross_entropy_body.h"
#include "ck_sample_body.h"
#include "ck_product_body.h"
#include "ck_basis_body.h"
#include "ck_eigen_body.h"
#include "ck_order_body.h"
#include "ck_matrix_body.h"

#define CK_ENTRY(name) .name = name,
const ck_table CK_TABLE = {CK_MEMBERS(CK_ENTRY)};
#undef CK_ENTRY
