// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0
//
// The part of the PJRT C interface that Assay uses, declared anew. PJRT is how XLA's plugins (CPU, CUDA, TPU, others) are
// spoken to: a shared library exports `GetPjrtApi`, which returns a table of functions; each takes one struct of arguments
// and returns an error or NULL. Layout and slots are those of interface 0.81, and are the same in 0.116; a test compares
// them with the official header where that is present.
//
// Every struct begins with its own size (written by the caller) and a pointer to extensions (NULL). Later interfaces only
// append: fields to structs, functions to the table.

#ifndef CPJRT_H
#define CPJRT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// ---------------------------------------------------------------------------------------------------------
// Objects of the plugin

typedef struct pj_error pj_error;
typedef struct pj_event pj_event;
typedef struct pj_client pj_client;
typedef struct pj_device pj_device;
typedef struct pj_device_description pj_device_description;
typedef struct pj_memory pj_memory;
typedef struct pj_executable pj_executable;
typedef struct pj_loaded_executable pj_loaded_executable;
typedef struct pj_buffer pj_buffer;
typedef struct pj_serialized_executable pj_serialized_executable;

/// The first two words of every struct.
#define PJ_HEAD        \
  size_t struct_size;  \
  void *extension_start

// ---------------------------------------------------------------------------------------------------------
// The table

/// The place of a function in the table.
typedef enum pj_slot {
  PJ_ERROR_DESTROY = 0,
  PJ_ERROR_MESSAGE = 1,
  PJ_ERROR_GET_CODE = 2,
  PJ_PLUGIN_INITIALIZE = 3,
  PJ_PLUGIN_ATTRIBUTES = 4,
  PJ_EVENT_DESTROY = 5,
  PJ_EVENT_AWAIT = 8,
  PJ_CLIENT_CREATE = 10,
  PJ_CLIENT_DESTROY = 11,
  PJ_CLIENT_PLATFORM_NAME = 12,
  PJ_CLIENT_PROCESS_INDEX = 13,
  PJ_CLIENT_PLATFORM_VERSION = 14,
  PJ_CLIENT_DEVICES = 15,
  PJ_CLIENT_ADDRESSABLE_DEVICES = 16,
  PJ_CLIENT_COMPILE = 20,
  PJ_CLIENT_BUFFER_FROM_HOST_BUFFER = 22,
  PJ_DEVICE_DESCRIPTION_ID = 23,
  PJ_DEVICE_DESCRIPTION_PROCESS_INDEX = 24,
  PJ_DEVICE_DESCRIPTION_KIND = 26,
  PJ_DEVICE_DESCRIPTION_TO_STRING = 28,
  PJ_DEVICE_GET_DESCRIPTION = 29,
  PJ_DEVICE_MEMORY_STATS = 34,
  PJ_EXECUTABLE_DESTROY = 40,
  PJ_EXECUTABLE_NUM_OUTPUTS = 44,
  PJ_EXECUTABLE_GET_COST_ANALYSIS = 46,
  PJ_EXECUTABLE_OPTIMIZED_PROGRAM = 48,
  PJ_EXECUTABLE_SERIALIZE = 49,
  PJ_LOADED_EXECUTABLE_DESTROY = 50,
  PJ_LOADED_EXECUTABLE_GET_EXECUTABLE = 51,
  PJ_LOADED_EXECUTABLE_ADDRESSABLE_DEVICES = 52,
  PJ_LOADED_EXECUTABLE_EXECUTE = 55,
  PJ_EXECUTABLE_DESERIALIZE_AND_LOAD = 56,
  PJ_BUFFER_DESTROY = 58,
  PJ_BUFFER_TO_HOST_BUFFER = 70,
  PJ_EXECUTABLE_GET_COMPILED_MEMORY_STATS = 96,
} pj_slot;

/// One more than the last slot in use.
#define PJ_SLOT_COUNT 97

/// A function of the table, of either of the next two types.
typedef void (*pj_function)(void);
/// Takes a struct of arguments; returns NULL, or an error that the caller destroys.
typedef pj_error *(*pj_failing_function)(void *arguments);
/// Takes a struct of arguments; returns nothing.
typedef void (*pj_plain_function)(void *arguments);

/// What `GetPjrtApi` returns: sizes, the interface's version, functions.
typedef struct pj_api {
  PJ_HEAD;
  size_t version_struct_size;
  void *version_extension_start;
  int major_version;
  int minor_version;
  pj_function functions[PJ_SLOT_COUNT];
} pj_api;

/// Opens a shared library for the rest of the process's life. NULL: `pj_open_failure` tells why.
void *pj_open(const char *path);
/// The loader's words about the last failure in this thread, or NULL.
const char *pj_open_failure(void);
/// True when the library exports `GetPjrtApi`.
bool pj_has_api(void *library);
/// Calls the library's `GetPjrtApi`; NULL when it has none, or that returned NULL.
const pj_api *pj_get_api(void *library);

/// True when the table is long enough for the slot and there is a function in it.
bool pj_has(const pj_api *api, pj_slot slot);
/// Calls a function that returns an error or NULL.
pj_error *pj_call(const pj_api *api, pj_slot slot, void *arguments);
/// Calls `PJ_ERROR_DESTROY` or `PJ_ERROR_MESSAGE`, which return nothing.
void pj_call_plain(const pj_api *api, pj_slot slot, void *arguments);

// ---------------------------------------------------------------------------------------------------------
// Errors and events

typedef struct { PJ_HEAD; pj_error *error; } pj_error_destroy_args;
typedef struct { PJ_HEAD; const pj_error *error; const char *message; size_t message_size; } pj_error_message_args;
typedef struct { PJ_HEAD; const pj_error *error; int code; } pj_error_get_code_args;

/// Codes of errors: those of absl::StatusCode.
enum {
  PJ_DEADLINE_EXCEEDED = 4,
  PJ_NOT_FOUND = 5,
  PJ_RESOURCE_EXHAUSTED = 8,
  PJ_ABORTED = 10,
  PJ_INTERNAL = 13,
  PJ_UNAVAILABLE = 14,
  PJ_DATA_LOSS = 15,
};

/// What a callback of ours calls to make an error for the plugin.
typedef pj_error *(*pj_callback_error)(int code, const char *message, size_t message_size);

/// Arguments of destroy and await.
typedef struct { PJ_HEAD; pj_event *event; } pj_event_args;

// ---------------------------------------------------------------------------------------------------------
// Named values

enum { PJ_STRING = 0, PJ_INT64 = 1, PJ_INT64_LIST = 2, PJ_FLOAT = 3, PJ_BOOL = 4 };

typedef struct pj_named_value {
  PJ_HEAD;
  const char *name;
  size_t name_size;
  int type;
  union {
    const char *string_value;
    int64_t int64_value;
    const int64_t *int64_array_value;
    float float_value;
    bool bool_value;
  } value;
  /// Bytes of a string, elements of a list, 1 for scalars.
  size_t value_size;
} pj_named_value;

typedef struct { PJ_HEAD; } pj_plugin_initialize_args;
typedef struct { PJ_HEAD; const pj_named_value *attributes; size_t num_attributes; } pj_plugin_attributes_args;

// ---------------------------------------------------------------------------------------------------------
// Exchange of keys and values between processes

typedef struct {
  PJ_HEAD;
  const char *key;
  size_t key_size;
  int timeout_in_ms;
  pj_callback_error *callback_error;
  void *user_arg;
  char *value;
  size_t value_size;
  void (*value_deleter)(char *value);
} pj_key_value_get_args;

typedef struct {
  PJ_HEAD;
  const char *key;
  size_t key_size;
  pj_callback_error *callback_error;
  void *user_arg;
  char *value;
  size_t value_size;
  void (*value_deleter)(char *value);
} pj_key_value_try_get_args;

typedef struct {
  PJ_HEAD;
  const char *key;
  size_t key_size;
  const char *value;
  size_t value_size;
  pj_callback_error *callback_error;
  void *user_arg;
} pj_key_value_put_args;

typedef pj_error *(*pj_key_value_get)(pj_key_value_get_args *arguments);
typedef pj_error *(*pj_key_value_try_get)(pj_key_value_try_get_args *arguments);
typedef pj_error *(*pj_key_value_put)(pj_key_value_put_args *arguments);

/// Makes the plugin's error out of one of ours.
pj_error *pj_make_error(pj_callback_error *make, int code, const char *message, size_t message_size);

// ---------------------------------------------------------------------------------------------------------
// Client and devices

typedef struct {
  PJ_HEAD;
  const pj_named_value *create_options;
  size_t num_options;
  pj_key_value_get kv_get_callback;
  void *kv_get_user_arg;
  pj_key_value_put kv_put_callback;
  void *kv_put_user_arg;
  pj_client *client;
  pj_key_value_try_get kv_try_get_callback;
  void *kv_try_get_user_arg;
} pj_client_create_args;

typedef struct { PJ_HEAD; pj_client *client; } pj_client_destroy_args;
/// Platform name and version.
typedef struct { PJ_HEAD; pj_client *client; const char *text; size_t text_size; } pj_client_text_args;
typedef struct { PJ_HEAD; pj_client *client; int process_index; } pj_client_process_index_args;
/// All devices, or the addressable ones.
typedef struct { PJ_HEAD; pj_client *client; pj_device *const *devices; size_t num_devices; } pj_client_devices_args;

typedef struct { PJ_HEAD; pj_device *device; pj_device_description *description; } pj_device_get_description_args;
/// Id and process index.
typedef struct { PJ_HEAD; pj_device_description *description; int number; } pj_device_number_args;
/// Kind and description.
typedef struct { PJ_HEAD; pj_device_description *description; const char *text; size_t text_size; } pj_device_text_args;

typedef struct {
  PJ_HEAD;
  pj_device *device;
  int64_t bytes_in_use;
  int64_t peak_bytes_in_use;
  bool peak_bytes_in_use_is_set;
  int64_t num_allocs;
  bool num_allocs_is_set;
  int64_t largest_alloc_size;
  bool largest_alloc_size_is_set;
  int64_t bytes_limit;
  bool bytes_limit_is_set;
  int64_t bytes_reserved;
  bool bytes_reserved_is_set;
  int64_t peak_bytes_reserved;
  bool peak_bytes_reserved_is_set;
  int64_t bytes_reservable_limit;
  bool bytes_reservable_limit_is_set;
  int64_t largest_free_block_bytes;
  bool largest_free_block_bytes_is_set;
  int64_t pool_bytes;
  bool pool_bytes_is_set;
  int64_t peak_pool_bytes;
  bool peak_pool_bytes_is_set;
} pj_device_memory_stats_args;

// ---------------------------------------------------------------------------------------------------------
// Buffers

/// The element types that Assay uses.
enum { PJ_S32 = 4, PJ_F32 = 11, PJ_BF16 = 13 };

/// The plugin copies (or keeps its own copy) before the call returns.
enum { PJ_IMMUTABLE_ONLY_DURING_CALL = 0 };

typedef struct {
  PJ_HEAD;
  pj_client *client;
  const void *data;
  int type;
  const int64_t *dims;
  size_t num_dims;
  const int64_t *byte_strides;
  size_t num_byte_strides;
  int host_buffer_semantics;
  pj_device *device;
  pj_memory *memory;
  void *device_layout;
  pj_event *done_with_host_buffer;
  pj_buffer *buffer;
} pj_buffer_from_host_args;

typedef struct { PJ_HEAD; pj_buffer *buffer; } pj_buffer_destroy_args;
typedef struct {
  PJ_HEAD;
  pj_buffer *source;
  void *host_layout;
  void *destination;
  size_t destination_size;
  pj_event *event;
} pj_buffer_to_host_args;

// ---------------------------------------------------------------------------------------------------------
// Programs

typedef struct {
  PJ_HEAD;
  char *code;
  size_t code_size;
  const char *format;
  size_t format_size;
} pj_program;

typedef struct {
  PJ_HEAD;
  pj_client *client;
  const pj_program *program;
  const char *compile_options;
  size_t compile_options_size;
  pj_loaded_executable *executable;
} pj_client_compile_args;

typedef struct { PJ_HEAD; pj_loaded_executable *executable; } pj_loaded_executable_destroy_args;
typedef struct { PJ_HEAD; pj_loaded_executable *loaded; pj_executable *executable; } pj_get_executable_args;
typedef struct {
  PJ_HEAD;
  pj_loaded_executable *executable;
  pj_device *const *devices;
  size_t num_devices;
} pj_loaded_executable_devices_args;

typedef struct { PJ_HEAD; pj_executable *executable; } pj_executable_destroy_args;
typedef struct { PJ_HEAD; pj_executable *executable; size_t num_outputs; } pj_executable_num_outputs_args;
typedef struct {
  PJ_HEAD;
  pj_executable *executable;
  size_t num_properties;
  const pj_named_value *properties;
} pj_executable_cost_args;
typedef struct { PJ_HEAD; pj_executable *executable; pj_program *program; } pj_optimized_program_args;

typedef struct {
  PJ_HEAD;
  pj_executable *executable;
  int64_t generated_code_bytes;
  int64_t argument_bytes;
  int64_t output_bytes;
  int64_t alias_bytes;
  int64_t temporary_bytes;
  int64_t host_generated_code_bytes;
  int64_t host_argument_bytes;
  int64_t host_output_bytes;
  int64_t host_alias_bytes;
  int64_t host_temporary_bytes;
  int64_t peak_bytes;
} pj_executable_memory_args;

typedef struct {
  PJ_HEAD;
  const pj_executable *executable;
  const char *bytes;
  size_t bytes_size;
  pj_serialized_executable *serialized;
  void (*deleter)(pj_serialized_executable *serialized);
} pj_executable_serialize_args;

typedef struct {
  PJ_HEAD;
  pj_client *client;
  const char *bytes;
  size_t bytes_size;
  pj_loaded_executable *loaded;
  const char *compile_options;
  size_t compile_options_size;
} pj_deserialize_and_load_args;

typedef struct {
  PJ_HEAD;
  void *send_callbacks;
  void *recv_callbacks;
  size_t num_send_ops;
  size_t num_recv_ops;
  int launch_id;
  const int64_t *non_donatable_input_indices;
  size_t num_non_donatable_input_indices;
  void *context;
  const char *call_location;
  size_t num_tasks;
  int *task_ids;
  int64_t *incarnation_ids;
} pj_execute_options;

typedef struct {
  PJ_HEAD;
  pj_loaded_executable *executable;
  pj_execute_options *options;
  pj_buffer *const *const *argument_lists;
  size_t num_devices;
  size_t num_args;
  pj_buffer **const *output_lists;
  pj_event **device_complete_events;
  pj_device *execute_device;
} pj_execute_args;

#undef PJ_HEAD

#ifdef __cplusplus
}
#endif

#endif
