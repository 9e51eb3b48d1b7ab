// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0
//
// Counts heap allocations of the calling thread, by standing in for malloc in a test executable (glibc only).

#ifndef CALLOCATION_COUNTER_H
#define CALLOCATION_COUNTER_H

/// 1 where counting works.
int ac_is_available(void);
/// Starts counting on the calling thread.
void ac_start(void);
/// Stops; returns the allocations since the start.
long ac_stop(void);

#endif
