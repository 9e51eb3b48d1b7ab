// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0
#include "CAllocationCounter.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

static _Thread_local long count;
static _Thread_local int counting;

void ac_start(void) {
  count = 0;
  counting = 1;
}

long ac_stop(void) {
  counting = 0;
  return count;
}

#if defined(__linux__) && defined(__GLIBC__)

int ac_is_available(void) { return 1; }

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

void *malloc(size_t size) {
  count += counting;
  return __libc_malloc(size);
}

void *calloc(size_t items, size_t size) {
  count += counting;
  return __libc_calloc(items, size);
}

void *realloc(void *old, size_t size) {
  count += counting;
  return __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  count += counting;
  return __libc_memalign(alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size) {
  count += counting;
  *result = __libc_memalign(alignment, size);
  return *result ? 0 : ENOMEM;
}

#else

int ac_is_available(void) { return 0; }

#endif
