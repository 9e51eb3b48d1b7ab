// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

#include "CPJRT.h"

#include <dlfcn.h>

typedef const pj_api *(*pj_get_api_function)(void);

// A plugin registers platforms and threads that outlive every handle, so it is never closed. Its symbols stay its own:
// two plugins carry two copies of the same library.
void *pj_open(const char *path) {
  dlerror();
  return dlopen(path, RTLD_NOW | RTLD_LOCAL);
}

const char *pj_open_failure(void) { return dlerror(); }

bool pj_has_api(void *library) { return dlsym(library, "GetPjrtApi") != NULL; }

const pj_api *pj_get_api(void *library) {
  void *symbol = dlsym(library, "GetPjrtApi");
  return symbol == NULL ? NULL : ((pj_get_api_function)symbol)();
}

bool pj_has(const pj_api *api, pj_slot slot) {
  size_t end = offsetof(pj_api, functions) + ((size_t)slot + 1) * sizeof(pj_function);
  return end <= api->struct_size && api->functions[slot] != NULL;
}

pj_error *pj_call(const pj_api *api, pj_slot slot, void *arguments) {
  return ((pj_failing_function)api->functions[slot])(arguments);
}

void pj_call_plain(const pj_api *api, pj_slot slot, void *arguments) {
  ((pj_plain_function)api->functions[slot])(arguments);
}

pj_error *pj_make_error(pj_callback_error *make, int code, const char *message, size_t message_size) {
  return (*make)(code, message, message_size);
}
