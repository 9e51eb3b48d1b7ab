// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0
