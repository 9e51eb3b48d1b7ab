// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0
//
// How the steps of a region are run. Light steps (a few instructions an element) run together on a chunk of vectors
// that stays in registers: a step reads the result of the step before it from there, and writes it to its tile only
// when something else needs it. Heavy steps run alone over the whole tile.

/// Where values lie, as addresses that change from tile to tile: registers, then inputs, then outputs that are
/// computed in place.
enum {
  LOCATION_INPUTS = CK_REGION_MAX_REGISTERS,
  LOCATION_OUTPUTS = LOCATION_INPUTS + CK_REGION_MAX_INPUTS,
  LOCATION_COUNT = LOCATION_OUTPUTS + CK_REGION_MAX_OUTPUTS,
  LOCATION_NONE = 255
};

/// Which operand of the step is the result of the step before (the chunk in registers).
enum { FORM_FIRST = 0, FORM_SECOND = 1, FORM_THIRD = 2, FORM_NONE = 3 };

/// A step, ready to run. Heavy: operands x, y, z. Light: x and y are the operands that are not in registers, in order.
typedef struct {
  uint8_t opcode, form, heavy;
  uint8_t scalars;  // bits 0, 1, 2: x, y, z is a scalar, stored as a vector of equal lanes
  uint8_t x, y, z;
  uint8_t result;  // where the result is written, or LOCATION_NONE
} region_operation;

/// A full input, for fetching ahead: its address at the start of the tile and the width of an element.
typedef struct {
  const char *data;
  size_t width;
} region_stream;

// Vectors in a chunk: half of the registers of the instruction set.
#if defined(CK_CHUNK_VECTORS)
enum { CHUNK_VECTORS = CK_CHUNK_VECTORS };
#else
enum { CHUNK_VECTORS = 2 };
#endif

/// Elements fetched ahead of the chunk in work. Measured on Zen 4 with an AdamW update in memory: 128 to 512 are within
/// noise; 1024 is 20 % slower, as addresses 4 KiB apart compete for the same lines of L1.
enum { FETCH_DISTANCE = 256 };

CK_INLINE vector_f32 one_where(vector_i32 truth) { return from_bits(truth & 0x3f800000); }

CK_INLINE vector_f32 sign_of(vector_f32 v) {
  vector_f32 value = v > 0.0f ? splat(1) : (v < 0.0f ? splat(-1) : splat(0));
  return v != v ? v : value;
}

CK_INLINE int step_operands(uint8_t opcode) { return opcode >= CK_MULTIPLY_ADD ? 3 : opcode >= CK_ADD ? 2 : 1; }

static int step_is_heavy(uint8_t opcode) {
  switch (opcode) {
    case CK_EXP:
    case CK_LOG:
    case CK_TANH:
    case CK_SIGMOID:
    case CK_ERF:
    case CK_GELU:
    case CK_GELU_DERIVATIVE:
    case CK_SILU:
    case CK_SILU_DERIVATIVE:
    case CK_FLOOR:
    case CK_SINE:
    case CK_COSINE:
    case CK_POWER:
      return 1;
    default:
      return 0;
  }
}

// The light steps: macro(opcode, expression) with v, w, u the operands.
#define CK_LIGHT_UNARY(step)                                     \
  step(CK_COPY, v) step(CK_NEGATE, -v)                           \
  step(CK_ABSOLUTE, absolute(v)) step(CK_SIGN, sign_of(v))       \
  step(CK_SQUARE, v * v) step(CK_SQUARE_ROOT, square_root(v))    \
  step(CK_RECIPROCAL, 1.0f / v)                                  \
  step(CK_RECIPROCAL_SQUARE_ROOT, 1.0f / square_root(v))         \
  step(CK_RELU, v < 0.0f ? splat(0) : v)                         \
  step(CK_IS_FINITE, one_where(absolute(v) < CK_INFINITY))       \
  step(CK_ROUND_TO_BF16, round_to_bf16(v))                       \
  step(CK_ROUND_TO_E4M3, round_to_e4m3(v))                       \
  step(CK_ROUND_TO_E5M2, round_to_e5m2(v))
#define CK_LIGHT_BINARY(step)                                    \
  step(CK_ADD, v + w) step(CK_SUBTRACT, v - w)                   \
  step(CK_MULTIPLY, v * w) step(CK_DIVIDE, v / w)                \
  step(CK_MAXIMUM, maximum_of(v, w))                             \
  step(CK_MINIMUM, minimum_of(v, w))                             \
  step(CK_LESS, one_where(v < w))                                \
  step(CK_LESS_OR_EQUAL, one_where(v <= w))                      \
  step(CK_EQUAL, one_where(v == w))
#define CK_LIGHT_TERNARY(step)                                   \
  step(CK_MULTIPLY_ADD, v * w + u)                               \
  step(CK_SELECT, v != 0.0f ? w : u)
#define CK_HEAVY_UNARY(step)                                     \
  step(CK_EXP, exp_of(v)) step(CK_LOG, log_of(v))                \
  step(CK_TANH, tanh_of(v)) step(CK_SIGMOID, sigmoid_of(v))      \
  step(CK_ERF, erf_of(v)) step(CK_GELU, gelu_of(v))              \
  step(CK_GELU_DERIVATIVE, gelu_derivative_of(v))                \
  step(CK_SILU, silu_of(v))                                      \
  step(CK_SILU_DERIVATIVE, silu_derivative_of(v))                \
  step(CK_FLOOR, __builtin_elementwise_floor(v))

// ---------------------------------------------------------------------------------------------------------
// One step over a whole tile

/// result[0 ..< count] = operation(x, y, z); count is a multiple of the lanes; the result may be an operand.
static void region_run_alone(const region_operation *operation, float *const *locations, size_t count) {
  const float *x = locations[operation->x], *y = locations[operation->y], *z = locations[operation->z];
  const size_t x_stride = operation->scalars & 1 ? 0 : CK_LANES, y_stride = operation->scalars & 2 ? 0 : CK_LANES;
  const size_t z_stride = operation->scalars & 4 ? 0 : CK_LANES;
  float *result = locations[operation->result];
#define CK_STEP_UNARY(name, expression)                                       \
  case name:                                                                  \
    for (size_t i = 0; i < count; i += CK_LANES, x += x_stride) {             \
      const vector_f32 v = load_f32(x);                                       \
      store_f32(result + i, expression);                                      \
    }                                                                         \
    break;
#define CK_STEP_BINARY(name, expression)                                      \
  case name:                                                                  \
    for (size_t i = 0; i < count; i += CK_LANES, x += x_stride, y += y_stride) { \
      const vector_f32 v = load_f32(x), w = load_f32(y);                      \
      store_f32(result + i, expression);                                      \
    }                                                                         \
    break;
#define CK_STEP_TERNARY(name, expression)                                     \
  case name:                                                                  \
    for (size_t i = 0; i < count; i += CK_LANES, x += x_stride, y += y_stride, z += z_stride) { \
      const vector_f32 v = load_f32(x), w = load_f32(y), u = load_f32(z);     \
      store_f32(result + i, expression);                                      \
    }                                                                         \
    break;
  switch (operation->opcode) {
    CK_LIGHT_UNARY(CK_STEP_UNARY)
    CK_HEAVY_UNARY(CK_STEP_UNARY)
    CK_LIGHT_BINARY(CK_STEP_BINARY)
    CK_LIGHT_TERNARY(CK_STEP_TERNARY)
    case CK_SINE:
      for (size_t i = 0; i < count; i++) result[i] = sinf(x[i / CK_LANES * x_stride + i % CK_LANES]);
      break;
    case CK_COSINE:
      for (size_t i = 0; i < count; i++) result[i] = cosf(x[i / CK_LANES * x_stride + i % CK_LANES]);
      break;
    case CK_POWER:
      for (size_t i = 0; i < count; i++) {
        const size_t vector = i / CK_LANES, lane = i % CK_LANES;
        result[i] = powf(x[vector * x_stride + lane], y[vector * y_stride + lane]);
      }
      break;
  }
#undef CK_STEP_UNARY
#undef CK_STEP_BINARY
#undef CK_STEP_TERNARY
}

// ---------------------------------------------------------------------------------------------------------
// Light steps together

#define CK_EACH_VECTOR _Pragma("clang loop unroll(full)") for (int j = 0; j < vectors; j++)

/// Runs light operations on elements [start, start + 16 * vectors) of the tile; `vectors` is a constant.
CK_INLINE void region_run_chunk(const region_operation *operations, size_t count, float *const *locations,
                                size_t start, const int vectors) {
  vector_f32 chunk[CHUNK_VECTORS];
  CK_EACH_VECTOR chunk[j] = splat(0);
  for (const region_operation *operation = operations; operation < operations + count; operation++) {
    const int x_scalar = operation->scalars & 1, y_scalar = operation->scalars & 2;
    const float *x = locations[operation->x] + (x_scalar ? 0 : start);
    const float *y = locations[operation->y] + (y_scalar ? 0 : start);
#define CK_X load_f32(x + j * CK_LANES)
#define CK_Y load_f32(y + j * CK_LANES)
#define CK_CASE_UNARY(name, expression)     \
  case name * 4 + FORM_FIRST:               \
    CK_EACH_VECTOR {                        \
      const vector_f32 v = chunk[j];        \
      chunk[j] = expression;                \
    }                                       \
    break;                                  \
  case name * 4 + FORM_NONE:                \
    CK_WITH_X(unused, v, ((void)unused, expression)) \
    break;
// Operand A is the chunk; B comes from x, once when it is a scalar.
#define CK_WITH_X(A, B, expression)         \
  if (x_scalar) {                       \
    const vector_f32 B = load_f32(x);       \
    CK_EACH_VECTOR {                        \
      const vector_f32 A = chunk[j];        \
      chunk[j] = expression;                \
    }                                       \
  } else {                                  \
    CK_EACH_VECTOR {                        \
      const vector_f32 A = chunk[j];        \
      const vector_f32 B = CK_X;            \
      chunk[j] = expression;                \
    }                                       \
  }
// Operand A is the chunk; B comes from x and C from y.
#define CK_WITH_X_Y(A, B, C, expression)    \
  if (y_scalar) {                      \
    const vector_f32 C = load_f32(y);       \
    CK_WITH_X(A, B, expression)             \
  } else if (x_scalar) {                \
    const vector_f32 B = load_f32(x);       \
    CK_EACH_VECTOR {                        \
      const vector_f32 A = chunk[j];        \
      const vector_f32 C = CK_Y;            \
      chunk[j] = expression;                \
    }                                       \
  } else {                                  \
    CK_EACH_VECTOR {                        \
      const vector_f32 A = chunk[j];        \
      const vector_f32 B = CK_X;            \
      const vector_f32 C = CK_Y;            \
      chunk[j] = expression;                \
    }                                       \
  }
#define CK_CASE_BINARY(name, expression)    \
  case name * 4 + FORM_FIRST:               \
    CK_WITH_X(v, w, expression)             \
    break;                                  \
  case name * 4 + FORM_SECOND:              \
    CK_WITH_X(w, v, expression)             \
    break;                                  \
  case name * 4 + FORM_NONE:                \
    CK_WITH_X_Y(unused, v, w, ((void)unused, expression)) \
    break;
#define CK_CASE_TERNARY(name, expression)   \
  case name * 4 + FORM_FIRST:               \
    CK_WITH_X_Y(v, w, u, expression)        \
    break;                                  \
  case name * 4 + FORM_SECOND:              \
    CK_WITH_X_Y(w, v, u, expression)        \
    break;                                  \
  case name * 4 + FORM_THIRD:               \
    CK_WITH_X_Y(u, v, w, expression)        \
    break;
    switch (operation->opcode * 4 + operation->form) {
      CK_LIGHT_UNARY(CK_CASE_UNARY)
      CK_LIGHT_BINARY(CK_CASE_BINARY)
      CK_LIGHT_TERNARY(CK_CASE_TERNARY)
      default:
        __builtin_unreachable();
    }
    if (operation->result != LOCATION_NONE) {
      float *result = locations[operation->result] + start;
      CK_EACH_VECTOR store_f32(result + j * CK_LANES, chunk[j]);
    }
  }
#undef CK_X
#undef CK_Y
#undef CK_CASE_UNARY
#undef CK_WITH_X
#undef CK_WITH_X_Y
#undef CK_CASE_BINARY
#undef CK_CASE_TERNARY
}

/// Runs light operations over `count` elements (whole vectors), fetching the streams ahead.
static void region_run_together(const region_operation *operations, size_t operation_count,
                                float *const *locations, size_t count, const region_stream *streams,
                                size_t stream_count) {
  size_t i = 0;
  for (; i + CHUNK_VECTORS * CK_LANES <= count; i += CHUNK_VECTORS * CK_LANES) {
    for (size_t s = 0; s < stream_count; s++) {
      const char *ahead = streams[s].data + (i + FETCH_DISTANCE) * streams[s].width;
      for (size_t byte = 0; byte < CHUNK_VECTORS * CK_LANES * streams[s].width; byte += 64)
        __builtin_prefetch(ahead + byte, 0, 3);
    }
    region_run_chunk(operations, operation_count, locations, i, CHUNK_VECTORS);
  }
  for (; i < count; i += CK_LANES) region_run_chunk(operations, operation_count, locations, i, 1);
}
