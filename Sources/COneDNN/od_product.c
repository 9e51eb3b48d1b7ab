// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "COneDNN.h"

#include <dlfcn.h>
#include <dnnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A lane owns its memory objects, so that runs on different threads never touch the same handle.
typedef struct {
  dnnl_stream_t stream;
  dnnl_memory_t a, b, c, scratch;
} od_lane;

struct od_product {
  dnnl_engine_t engine;
  dnnl_primitive_t primitive;
  size_t scratch_bytes, lanes;
  char kernel[64];
  od_lane lane[];
};

int od_limit_instruction_set(int level) {
#if defined(__x86_64__)
  if (level >= 2) return 0;
  return dnnl_set_max_cpu_isa(level == 1 ? dnnl_cpu_isa_avx2 : dnnl_cpu_isa_sse41) != dnnl_success;
#else
  (void)level;
  return 0;
#endif
}

void od_prepare_thread(void) {
  // oneDNN may be built on OpenMP, whose thread count is a setting of the calling thread.
  static void (*set_threads)(int);
  if (!set_threads) {
    *(void **)&set_threads = dlsym(RTLD_DEFAULT, "omp_set_num_threads");
  }
  if (set_threads) set_threads(1);
}

const char *od_version(void) {
  static char text[32];
  const dnnl_version_t *version = dnnl_version();
  snprintf(text, sizeof text, "%d.%d.%d", version->major, version->minor, version->patch);
  return text;
}

static dnnl_data_type_t od_data_type(od_type type) { return type == OD_BF16 ? dnnl_bf16 : dnnl_f32; }

// rows x columns as the product sees them; a transposed operand steps the other way through memory.
static void od_layout(dnnl_dims_t dims, dnnl_dims_t strides, size_t rows, size_t columns, size_t stride, int transposed) {
  dims[0] = (dnnl_dim_t)rows;
  dims[1] = (dnnl_dim_t)columns;
  strides[0] = transposed ? 1 : (dnnl_dim_t)stride;
  strides[1] = transposed ? (dnnl_dim_t)stride : 1;
}

static dnnl_status_t od_attributes(dnnl_primitive_attr_t *attributes, int accumulate) {
  dnnl_status_t status = dnnl_primitive_attr_create(attributes);
  if (status) return status;
  status = dnnl_primitive_attr_set_scratchpad_mode(*attributes, dnnl_scratchpad_mode_user);
  if (status || !accumulate) return status;
  dnnl_post_ops_t operations;
  if ((status = dnnl_post_ops_create(&operations))) return status;
#if DNNL_VERSION_MAJOR >= 3
  status = dnnl_post_ops_append_sum(operations, 1.0f, 0, dnnl_data_type_undef);
#else
  status = dnnl_post_ops_append_sum(operations, 1.0f);
#endif
  if (!status) status = dnnl_primitive_attr_set_post_ops(*attributes, operations);
  dnnl_post_ops_destroy(operations);
  return status;
}

#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t od_description;
#define OD_POINTER(x) (x)
#else
typedef const dnnl_memory_desc_t *od_description;
#define OD_POINTER(x) (&(x))
#endif

od_product *od_product_create(const od_shape *shape, size_t lanes) {
  od_product *product = calloc(1, sizeof *product + lanes * sizeof(od_lane));
  if (!product) return NULL;
  product->lanes = lanes;
  dnnl_primitive_attr_t attributes = NULL;
  dnnl_primitive_desc_t description = NULL;
  dnnl_dims_t dims[3], strides[3];
  od_layout(dims[0], strides[0], shape->m, shape->k, shape->a_stride, shape->transpose_a);
  od_layout(dims[1], strides[1], shape->k, shape->n, shape->b_stride, shape->transpose_b);
  od_layout(dims[2], strides[2], shape->m, shape->n, shape->c_stride, 0);
  const od_type types[3] = {shape->a_type, shape->b_type, shape->c_type};

  if (dnnl_engine_create(&product->engine, dnnl_cpu, 0)) goto failed;
  if (od_attributes(&attributes, shape->accumulate)) goto failed;

  dnnl_memory_desc_t memory[3];
  memset(memory, 0, sizeof memory);
  for (int i = 0; i < 3; i++) {
#if DNNL_VERSION_MAJOR >= 3
    if (dnnl_memory_desc_create_with_strides(&memory[i], 2, dims[i], od_data_type(types[i]), strides[i])) goto failed;
#else
    if (dnnl_memory_desc_init_by_strides(&memory[i], 2, dims[i], od_data_type(types[i]), strides[i])) goto failed;
#endif
  }
#if DNNL_VERSION_MAJOR >= 3
  if (dnnl_matmul_primitive_desc_create(&description, product->engine, memory[0], memory[1], NULL, memory[2], attributes))
    goto failed;
#else
  dnnl_matmul_desc_t matmul;
  if (dnnl_matmul_desc_init(&matmul, &memory[0], &memory[1], NULL, &memory[2])) goto failed;
  if (dnnl_primitive_desc_create(&description, &matmul, attributes, product->engine, NULL)) goto failed;
#endif
  const char *kernel = "";
  dnnl_primitive_desc_query(description, dnnl_query_impl_info_str, 0, (void *)&kernel);
  snprintf(product->kernel, sizeof product->kernel, "%s", kernel);
  if (dnnl_primitive_create(&product->primitive, description)) goto failed;

#if DNNL_VERSION_MAJOR >= 3
  const_dnnl_memory_desc_t scratch = dnnl_primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0);
#else
  const dnnl_memory_desc_t *scratch = dnnl_primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0);
#endif
  product->scratch_bytes = dnnl_memory_desc_get_size(scratch);
  for (size_t i = 0; i < lanes; i++) {
    od_lane *lane = &product->lane[i];
    if (dnnl_stream_create(&lane->stream, product->engine, dnnl_stream_default_flags)) goto failed;
    if (dnnl_memory_create(&lane->a, OD_POINTER(memory[0]), product->engine, DNNL_MEMORY_NONE)) goto failed;
    if (dnnl_memory_create(&lane->b, OD_POINTER(memory[1]), product->engine, DNNL_MEMORY_NONE)) goto failed;
    if (dnnl_memory_create(&lane->c, OD_POINTER(memory[2]), product->engine, DNNL_MEMORY_NONE)) goto failed;
    if (dnnl_memory_create(&lane->scratch, scratch, product->engine, DNNL_MEMORY_NONE)) goto failed;
  }
#if DNNL_VERSION_MAJOR >= 3
  for (int i = 0; i < 3; i++) dnnl_memory_desc_destroy(memory[i]);
#endif
  dnnl_primitive_desc_destroy(description);
  dnnl_primitive_attr_destroy(attributes);
  return product;

failed:
  if (description) dnnl_primitive_desc_destroy(description);
  if (attributes) dnnl_primitive_attr_destroy(attributes);
  od_product_destroy(product);
  return NULL;
}

void od_product_destroy(od_product *product) {
  if (!product) return;
  for (size_t i = 0; i < product->lanes; i++) {
    od_lane *lane = &product->lane[i];
    if (lane->a) dnnl_memory_destroy(lane->a);
    if (lane->b) dnnl_memory_destroy(lane->b);
    if (lane->c) dnnl_memory_destroy(lane->c);
    if (lane->scratch) dnnl_memory_destroy(lane->scratch);
    if (lane->stream) dnnl_stream_destroy(lane->stream);
  }
  if (product->primitive) dnnl_primitive_destroy(product->primitive);
  if (product->engine) dnnl_engine_destroy(product->engine);
  free(product);
}

size_t od_product_scratch_bytes(const od_product *product) { return product->scratch_bytes; }

const char *od_product_kernel(const od_product *product) { return product->kernel; }

int od_product_run(const od_product *product, size_t index, const void *a, const void *b, void *c, void *scratch) {
  const od_lane *lane = &product->lane[index];
#if DNNL_VERSION_MAJOR >= 3
  dnnl_memory_set_data_handle(lane->a, (void *)a);
  dnnl_memory_set_data_handle(lane->b, (void *)b);
  dnnl_memory_set_data_handle(lane->c, c);
  dnnl_memory_set_data_handle(lane->scratch, scratch);
#else
  // The stream variant skips a needless engine-wide wait.
  dnnl_memory_set_data_handle_v2(lane->a, (void *)a, lane->stream);
  dnnl_memory_set_data_handle_v2(lane->b, (void *)b, lane->stream);
  dnnl_memory_set_data_handle_v2(lane->c, c, lane->stream);
  dnnl_memory_set_data_handle_v2(lane->scratch, scratch, lane->stream);
#endif
  const dnnl_exec_arg_t arguments[4] = {
      {DNNL_ARG_SRC, lane->a},
      {DNNL_ARG_WEIGHTS, lane->b},
      {DNNL_ARG_DST, lane->c},
      {DNNL_ARG_SCRATCHPAD, lane->scratch},
  };
  return dnnl_primitive_execute(product->primitive, lane->stream, 4, arguments) != dnnl_success;
}
