// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0
//
// The interpreter of elementwise regions. A tile of at most CK_TILE elements goes through every step in L1. Operands
// are pointers with a stride of one vector or, for scalars (a vector of equal lanes), of zero. fp32 inputs are read
// in place; everything else is widened, spread or padded into a tile of its own once per tile. A register whose
// value ends in an fp32 CK_STORE is computed straight into that memory when no later reader can see the difference.
//
// A tile is part of one row, or a group of whole rows when they are short.

enum { REGION_ROW_BLOCK = 64 };  // rows whose column sums are added up in a tile before they go to memory

typedef struct {
  const float *data;
  size_t stride;  // CK_LANES, or 0 for a scalar
} region_value;

typedef struct {
  const ck_region *region;
  size_t row_begin, row_end, column_begin, column_end, unit;
  size_t group;       // whole rows in a tile; 0 when a tile is part of one row
  uint64_t constant;  // bit s: step s depends on scalars only, and its register is written once: run once per call
  uint32_t copied;    // bit i: input i is stored from and overwritten by another output: always read a copy
  int64_t direct[CK_REGION_MAX_OUTPUTS];  // the step that writes output o straight to memory, or -1
  int has_row_sums;   // any CK_SUM_ROWS
  region_value inputs[CK_REGION_MAX_INPUTS], registers[CK_REGION_MAX_REGISTERS];
  float (*register_tiles)[CK_TILE], (*input_tiles)[CK_TILE], (*sum_tiles)[CK_TILE];
  double (*row_values)[CK_REGION_MAX_OUTPUTS];  // per-row reductions of the rows in work
  double totals[CK_REGION_MAX_OUTPUTS];
} region_run_state;

CK_INLINE int step_operands(uint8_t opcode) { return opcode >= CK_MULTIPLY_ADD ? 3 : opcode >= CK_ADD ? 2 : 1; }

CK_INLINE int reads(const ck_step *step, uint8_t kind, uint8_t index) {
  const int count = step_operands(step->opcode);
  return (step->a.kind == kind && step->a.index == index) ||
         (count > 1 && step->b.kind == kind && step->b.index == index) ||
         (count > 2 && step->c.kind == kind && step->c.index == index);
}

CK_INLINE size_t typed_width(uint8_t type) { return type == CK_BF16 ? 2 : 4; }

/// True when full input and stored output share memory.
static int region_overlap(const ck_region *region, const ck_input *input, const ck_output *output) {
  if (input->access != CK_FULL || output->kind > CK_STORE_ADD) return 0;
  const size_t count = region->rows * region->columns;
  const uintptr_t a = (uintptr_t)input->data, b = (uintptr_t)output->data;
  return a < b + count * typed_width(output->type) && b < a + count * typed_width(input->type);
}

// ---------------------------------------------------------------------------------------------------------
// Steps

#define CK_UNARY(name, expression)                                        \
  case name:                                                              \
    for (size_t i = 0; i < count; i += CK_LANES, x += a.stride) {         \
      const vector_f32 v = load_f32(x);                                   \
      store_f32(out + i, expression);                                     \
    }                                                                     \
    break;
#define CK_UNARY_EACH(name, function)                                     \
  case name:                                                              \
    for (size_t i = 0; i < count; i += CK_LANES, x += a.stride)           \
      for (size_t j = 0; j < CK_LANES; j++) out[i + j] = function(x[j]);  \
    break;
#define CK_BINARY(name, expression)                                       \
  case name:                                                              \
    for (size_t i = 0; i < count; i += CK_LANES, x += a.stride, y += b.stride) { \
      const vector_f32 v = load_f32(x), w = load_f32(y);                  \
      store_f32(out + i, expression);                                     \
    }                                                                     \
    break;
#define CK_TERNARY(name, expression)                                      \
  case name:                                                              \
    for (size_t i = 0; i < count; i += CK_LANES, x += a.stride, y += b.stride, z += c.stride) { \
      const vector_f32 v = load_f32(x), w = load_f32(y), u = load_f32(z); \
      store_f32(out + i, expression);                                     \
    }                                                                     \
    break;

CK_INLINE vector_f32 one_where(vector_i32 truth) { return from_bits(truth & 0x3f800000); }

CK_INLINE vector_f32 sign_of(vector_f32 v) {
  vector_f32 value = v > 0.0f ? splat(1) : (v < 0.0f ? splat(-1) : splat(0));
  return v != v ? v : value;
}

/// out[0 ..< count] = opcode(a, b, c); count is a multiple of the lanes. out may be an operand.
static void region_step(uint8_t opcode, float *out, region_value a, region_value b, region_value c, size_t count) {
  const float *x = a.data, *y = b.data, *z = c.data;
  switch (opcode) {
    CK_UNARY(CK_COPY, v)
    CK_UNARY(CK_NEGATE, -v)
    CK_UNARY(CK_ABSOLUTE, absolute(v))
    CK_UNARY(CK_SIGN, sign_of(v))
    CK_UNARY(CK_SQUARE, v *v)
    CK_UNARY(CK_SQUARE_ROOT, square_root(v))
    CK_UNARY(CK_RECIPROCAL, 1.0f / v)
    CK_UNARY(CK_RECIPROCAL_SQUARE_ROOT, 1.0f / square_root(v))
    CK_UNARY(CK_EXP, exp_of(v))
    CK_UNARY(CK_LOG, log_of(v))
    CK_UNARY(CK_TANH, tanh_of(v))
    CK_UNARY(CK_SIGMOID, sigmoid_of(v))
    CK_UNARY(CK_ERF, erf_of(v))
    CK_UNARY(CK_RELU, v < 0.0f ? splat(0) : v)
    CK_UNARY(CK_GELU, gelu_of(v))
    CK_UNARY(CK_GELU_DERIVATIVE, gelu_derivative_of(v))
    CK_UNARY(CK_SILU, silu_of(v))
    CK_UNARY(CK_SILU_DERIVATIVE, silu_derivative_of(v))
    CK_UNARY(CK_FLOOR, __builtin_elementwise_floor(v))
    CK_UNARY(CK_IS_FINITE, one_where(absolute(v) < CK_INFINITY))
    CK_UNARY(CK_ROUND_TO_BF16, round_to_bf16(v))
    CK_UNARY_EACH(CK_SINE, sinf)
    CK_UNARY_EACH(CK_COSINE, cosf)
    CK_BINARY(CK_ADD, v + w)
    CK_BINARY(CK_SUBTRACT, v - w)
    CK_BINARY(CK_MULTIPLY, v *w)
    CK_BINARY(CK_DIVIDE, v / w)
    CK_BINARY(CK_MAXIMUM, maximum_of(v, w))
    CK_BINARY(CK_MINIMUM, minimum_of(v, w))
    case CK_POWER:
      for (size_t i = 0; i < count; i += CK_LANES, x += a.stride, y += b.stride)
        for (size_t j = 0; j < CK_LANES; j++) out[i + j] = powf(x[j], y[j]);
      break;
    CK_BINARY(CK_LESS, one_where(v < w))
    CK_BINARY(CK_LESS_OR_EQUAL, one_where(v <= w))
    CK_BINARY(CK_EQUAL, one_where(v == w))
    CK_TERNARY(CK_MULTIPLY_ADD, v *w + u)
    CK_TERNARY(CK_SELECT, v != 0.0f ? w : u)
  }
}

// ---------------------------------------------------------------------------------------------------------
// Plan

static void region_find_constants(region_run_state *state) {
  const ck_region *region = state->region;
  uint32_t once = 0, more = 0, constant = 0;
  for (uint32_t s = 0; s < region->step_count; s++) {
    const uint32_t bit = 1u << region->steps[s].destination;
    more |= once & bit;
    once |= bit;
  }
  for (uint32_t s = 0; s < region->step_count && s < 64; s++) {
    const ck_step *step = &region->steps[s];
    const ck_source sources[3] = {step->a, step->b, step->c};
    int scalar = (more >> step->destination & 1) == 0;
    for (int k = 0; k < step_operands(step->opcode); k++)
      scalar &= sources[k].kind == CK_FROM_INPUT ? region->inputs[sources[k].index].access == CK_SCALAR
                                                 : (int)(constant >> sources[k].index & 1);
    if (scalar) {
      state->constant |= (uint64_t)1 << s;
      constant |= 1u << step->destination;
    }
  }
}

/// The step that may write output o straight to memory, or -1.
static int64_t region_direct_step(const region_run_state *state, uint32_t o) {
  const ck_region *region = state->region;
  const ck_output *output = &region->outputs[o];
  if (output->kind != CK_STORE || output->type != CK_F32 || output->source.kind != CK_FROM_REGISTER) return -1;
  int64_t step = (int64_t)region->step_count - 1;
  while (step >= 0 && region->steps[step].destination != output->source.index) step--;
  if (step < 0 || (step < 64 && (state->constant >> step & 1))) return -1;
  for (uint32_t p = 0; p < o; p++)
    if (state->direct[p] == step) return -1;
  // Nobody may read the old contents after that step.
  for (uint32_t i = 0; i < region->input_count; i++) {
    if (!region_overlap(region, &region->inputs[i], output)) continue;
    if (region->inputs[i].type != CK_F32 || region->inputs[i].data != output->data) return -1;
    for (uint32_t t = (uint32_t)step + 1; t < region->step_count; t++)
      if (reads(&region->steps[t], CK_FROM_INPUT, (uint8_t)i)) return -1;
    for (uint32_t p = 0; p < region->output_count; p++)
      if (region->outputs[p].source.kind == CK_FROM_INPUT && region->outputs[p].source.index == i) return -1;
  }
  return step;
}

static void region_plan(region_run_state *state) {
  const ck_region *region = state->region;
  state->constant = 0;
  state->copied = 0;
  state->has_row_sums = 0;
  region_find_constants(state);
  int whole = state->column_begin == 0 && state->column_end == region->columns;
  for (uint32_t o = 0; o < region->output_count; o++) {
    const ck_output *output = &region->outputs[o];
    state->direct[o] = region_direct_step(state, o);
    state->totals[o] = output->kind == CK_MAX_ALL ? -(double)CK_INFINITY : 0;
    if (output->kind == CK_SUM_ROWS) state->has_row_sums = 1;
    if (output->source.kind == CK_FROM_INPUT) {
      for (uint32_t p = 0; p < region->output_count; p++)
        if (p != o && region_overlap(region, &region->inputs[output->source.index], &region->outputs[p]))
          state->copied |= 1u << output->source.index;
    }
  }
  // Short rows share a tile; a group of a whole number of vectors is preferred, so that nothing needs padding.
  state->group = 0;
  if (whole && region->columns > 0 && region->columns * 2 <= CK_TILE) {
    state->group = CK_TILE / region->columns;
    for (size_t g = state->group; g > state->group / 2; g--) {
      if (g * region->columns % CK_LANES == 0) {
        state->group = g;
        break;
      }
    }
  }
}

// ---------------------------------------------------------------------------------------------------------
// Operands of a tile

/// Widens or copies `count` elements into a tile and pads it with zeros to whole vectors.
static void region_fill(float *tile, const void *data, uint8_t type, size_t start, size_t count) {
  size_t i = 0;
  if (type == CK_BF16) {
    convert_bf16_to_f32((const uint16_t *)data + start, tile, count);
    i = count;
  } else if (type == CK_I32) {
    for (; i < count; i++) tile[i] = (float)((const int32_t *)data)[start + i];
  } else {
    memcpy(tile, (const float *)data + start, count * sizeof(float));
    i = count;
  }
  for (; i % CK_LANES != 0; i++) tile[i] = 0;
}

CK_INLINE float region_element(const ck_input *input, size_t index) {
  return input->type == CK_I32 ? (float)((const int32_t *)input->data)[index]
                               : load_one(input->data, (ck_type)input->type, index);
}

static region_value region_scalar(float *tile, float value) {
  store_f32(tile, splat(value));
  return (region_value){tile, 0};
}

/// What does not change between tiles: scalars, rows repeated over a group, steps on scalars alone.
static void region_prepare(region_run_state *state) {
  const ck_region *region = state->region;
  for (uint32_t i = 0; i < region->input_count; i++) {
    const ck_input *input = &region->inputs[i];
    float *tile = state->input_tiles[i];
    if (input->access == CK_SCALAR) {
      state->inputs[i] = region_scalar(tile, region_element(input, 0));
    } else if (input->access == CK_ROW && state->group) {
      const size_t count = state->group * region->columns;
      for (size_t j = 0; j < count; j++) tile[j] = region_element(input, j % region->columns);
      for (size_t j = count; j % CK_LANES != 0; j++) tile[j] = 0;
      state->inputs[i] = (region_value){tile, CK_LANES};
    }
  }
  for (uint32_t s = 0; s < region->step_count && s < 64; s++) {
    if ((state->constant >> s & 1) == 0) continue;
    const ck_step *step = &region->steps[s];
    const ck_source sources[3] = {step->a, step->b, step->c};
    region_value operands[3] = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
    for (int k = 0; k < step_operands(step->opcode); k++)
      operands[k] = sources[k].kind == CK_FROM_INPUT ? state->inputs[sources[k].index]
                                                     : state->registers[sources[k].index];
    float *out = state->register_tiles[step->destination];
    region_step(step->opcode, out, operands[0], operands[1], operands[2], CK_LANES);
    state->registers[step->destination] = (region_value){out, 0};
  }
}

typedef struct {
  size_t row, column, rows, columns;  // columns of one row when rows = 1, else whole rows
} region_tile;

static void region_resolve(region_run_state *state, region_tile tile) {
  const ck_region *region = state->region;
  const size_t count = tile.rows * tile.columns, start = tile.row * region->columns + tile.column;
  for (uint32_t i = 0; i < region->input_count; i++) {
    const ck_input *input = &region->inputs[i];
    float *own = state->input_tiles[i];
    switch (input->access) {
      case CK_FULL:
        if (input->type == CK_F32 && count % CK_LANES == 0 && (state->copied >> i & 1) == 0) {
          state->inputs[i] = (region_value){(const float *)input->data + start, CK_LANES};
        } else {
          region_fill(own, input->data, input->type, start, count);
          state->inputs[i] = (region_value){own, CK_LANES};
        }
        break;
      case CK_ROW:
        if (state->group) break;
        if (input->type == CK_F32 && count % CK_LANES == 0) {
          state->inputs[i] = (region_value){(const float *)input->data + tile.column, CK_LANES};
        } else {
          region_fill(own, input->data, input->type, tile.column, count);
          state->inputs[i] = (region_value){own, CK_LANES};
        }
        break;
      case CK_COLUMN:
        if (state->group) {
          for (size_t r = 0; r < tile.rows; r++) {
            const float value = region_element(input, tile.row + r);
            for (size_t c = 0; c < tile.columns; c++) own[r * tile.columns + c] = value;
          }
          for (size_t j = count; j % CK_LANES != 0; j++) own[j] = 0;
          state->inputs[i] = (region_value){own, CK_LANES};
        } else {
          state->inputs[i] = region_scalar(own, region_element(input, tile.row));
        }
        break;
    }
  }
}

CK_INLINE region_value region_source(const region_run_state *state, ck_source source) {
  return source.kind == CK_FROM_INPUT ? state->inputs[source.index] : state->registers[source.index];
}

// ---------------------------------------------------------------------------------------------------------
// Outputs of a tile

/// Sum of `count` values: sixteen lanes, then the tree.
static float region_sum(region_value value, size_t count) {
  vector_f32 total = splat(0);
  const float *data = value.data;
  size_t i = 0;
  for (; i + CK_LANES <= count; i += CK_LANES, data += value.stride) total += load_f32(data);
  if (i < count) total += load_f32_part(data, count - i, 0);
  return sum_lanes(total);
}

static float region_maximum(region_value value, size_t count) {
  vector_f32 best = splat(-CK_INFINITY);
  const float *data = value.data;
  size_t i = 0;
  for (; i + CK_LANES <= count; i += CK_LANES, data += value.stride) best = maximum_of(load_f32(data), best);
  if (i < count) best = maximum_of(load_f32_part(data, count - i, -CK_INFINITY), best);
  return maximum_lane(best);
}

CK_INLINE double maximum_double(double a, double b) { return a != a || a > b ? a : b; }

static void region_store(const ck_output *output, region_value value, size_t start, size_t count) {
  const float *data = value.data;
  const int add = output->kind == CK_STORE_ADD;
  size_t i = 0;
  if (output->type == CK_BF16) {
    uint16_t *out = (uint16_t *)output->data + start;
    for (; i + CK_LANES <= count; i += CK_LANES, data += value.stride) store_bf16(out + i, load_f32(data));
    if (i < count) store_typed_part(out, CK_BF16, i, load_f32(data), count - i);
  } else if (add) {
    float *out = (float *)output->data + start;
    for (; i + CK_LANES <= count; i += CK_LANES, data += value.stride)
      store_f32(out + i, load_f32(out + i) + load_f32(data));
    if (i < count) store_f32_part(out + i, load_f32_part(out + i, count - i, 0) + load_f32(data), count - i);
  } else {
    float *out = (float *)output->data + start;
    for (; i + CK_LANES <= count; i += CK_LANES, data += value.stride) store_f32(out + i, load_f32(data));
    if (i < count) store_f32_part(out + i, load_f32(data), count - i);
  }
}

/// `first_row` is the first row in work, `first_column` the first column of the tile of column sums.
static void region_output(region_run_state *state, uint32_t o, region_tile tile, size_t first_row) {
  const ck_region *region = state->region;
  const ck_output *output = &region->outputs[o];
  const region_value value = region_source(state, output->source);
  const size_t count = tile.rows * tile.columns;
  switch (output->kind) {
    case CK_STORE:
    case CK_STORE_ADD:
      region_store(output, value, tile.row * region->columns + tile.column, count);
      break;
    case CK_SUM_ALL:
      state->totals[o] += (double)region_sum(value, count);
      break;
    case CK_MAX_ALL:
      state->totals[o] = maximum_double((double)region_maximum(value, count), state->totals[o]);
      break;
    case CK_SUM_COLUMNS:
    case CK_MAX_COLUMNS:
      for (size_t r = 0; r < tile.rows; r++) {
        double *kept = &state->row_values[tile.row - first_row + r][o];
        const region_value row = {value.data + (value.stride ? r * tile.columns : 0), value.stride};
        if (output->kind == CK_SUM_COLUMNS) {
          const double sum = (double)region_sum(row, tile.columns);
          *kept = tile.column == 0 ? sum : *kept + sum;
        } else {
          const double best = (double)region_maximum(row, tile.columns);
          *kept = tile.column == 0 ? best : maximum_double(best, *kept);
        }
        if (tile.column + tile.columns == region->columns) ((float *)output->data)[tile.row + r] = (float)*kept;
      }
      break;
    case CK_SUM_ROWS: {
      float *sums = state->sum_tiles[o];
      for (size_t r = 0; r < tile.rows; r++) {
        const float *row = value.data + (value.stride ? r * tile.columns : 0);
        for (size_t c = 0; c < tile.columns; c += CK_LANES, row += value.stride) {
          vector_f32 add = value.stride ? load_until(row, CK_F32, 0, tile.columns - c) : load_f32(row);
          store_f32(sums + c, load_f32(sums + c) + add);
        }
      }
      break;
    }
  }
}

static void region_run_tile(region_run_state *state, region_tile tile, size_t first_row) {
  const ck_region *region = state->region;
  const size_t count = tile.rows * tile.columns, padded = (count + CK_LANES - 1) & ~(size_t)(CK_LANES - 1);
  const int whole = count == padded;
  region_resolve(state, tile);
  for (uint32_t s = 0; s < region->step_count; s++) {
    if (s < 64 && (state->constant >> s & 1)) continue;
    const ck_step *step = &region->steps[s];
    const int operands = step_operands(step->opcode);
    const region_value a = region_source(state, step->a);
    const region_value b = operands > 1 ? region_source(state, step->b) : a;
    const region_value c = operands > 2 ? region_source(state, step->c) : a;
    float *out = state->register_tiles[step->destination];
    if ((a.stride | b.stride | c.stride) == 0) {
      region_step(step->opcode, out, a, b, c, CK_LANES);
      state->registers[step->destination] = (region_value){out, 0};
      continue;
    }
    if (whole) {
      for (uint32_t o = 0; o < region->output_count; o++)
        if (state->direct[o] == s)
          out = (float *)region->outputs[o].data + tile.row * region->columns + tile.column;
    }
    region_step(step->opcode, out, a, b, c, padded);
    state->registers[step->destination] = (region_value){out, CK_LANES};
  }
  for (uint32_t o = 0; o < region->output_count; o++) {
    const ck_output *output = &region->outputs[o];
    if (whole && state->direct[o] >= 0 && state->registers[output->source.index].stride) continue;
    region_output(state, o, tile, first_row);
  }
}

/// Adds the column sums of a block of rows to memory.
static void region_flush(region_run_state *state, size_t column, size_t columns, int first) {
  const ck_region *region = state->region;
  for (uint32_t o = 0; o < region->output_count; o++) {
    if (region->outputs[o].kind != CK_SUM_ROWS) continue;
    float *out = (float *)region->outputs[o].data + state->unit * region->columns + column;
    float *sums = state->sum_tiles[o];
    for (size_t c = 0; c < columns; c++) out[c] = first ? sums[c] : out[c] + sums[c];
    memset(sums, 0, CK_TILE * sizeof(float));
  }
}

static void region_run(const ck_region *region, size_t row_begin, size_t row_end, size_t column_begin,
                       size_t column_end, size_t unit, void *scratch) {
  region_run_state state;
  state.region = region;
  state.row_begin = row_begin;
  state.row_end = row_end;
  state.column_begin = column_begin;
  state.column_end = column_end;
  state.unit = unit;
  float *tiles = (float *)(((uintptr_t)scratch + 63) & ~(uintptr_t)63);
  state.register_tiles = (float (*)[CK_TILE])tiles;
  state.input_tiles = state.register_tiles + CK_REGION_MAX_REGISTERS;
  state.sum_tiles = state.input_tiles + CK_REGION_MAX_INPUTS;
  state.row_values = (double (*)[CK_REGION_MAX_OUTPUTS])(void *)(state.sum_tiles + CK_REGION_MAX_OUTPUTS);
  region_plan(&state);
  region_prepare(&state);
  const size_t step = state.group ? state.group : 1;
  size_t block = step;
  if (state.has_row_sums) {
    block = (REGION_ROW_BLOCK + step - 1) / step * step;
    for (uint32_t o = 0; o < region->output_count; o++)
      if (region->outputs[o].kind == CK_SUM_ROWS) memset(state.sum_tiles[o], 0, CK_TILE * sizeof(float));
    if (row_begin >= row_end) {
      for (size_t c = column_begin; c < column_end; c += CK_TILE)
        region_flush(&state, c, column_end - c < CK_TILE ? column_end - c : CK_TILE, 1);
    }
  }
  for (size_t row = row_begin; row < row_end; row += block) {
    const size_t end = row_end - row < block ? row_end : row + block;
    for (size_t column = column_begin; column < column_end; column += CK_TILE) {
      const size_t columns = column_end - column < CK_TILE ? column_end - column : CK_TILE;
      for (size_t r = row; r < end; r += step)
        region_run_tile(&state, (region_tile){r, column, end - r < step ? end - r : step, columns}, row);
      if (state.has_row_sums) region_flush(&state, column, columns, row == row_begin);
    }
  }
  for (uint32_t o = 0; o < region->output_count; o++) {
    const uint8_t kind = region->outputs[o].kind;
    if (kind == CK_SUM_ALL || kind == CK_MAX_ALL) ((float *)region->outputs[o].data)[unit] = (float)state.totals[o];
  }
}

static void sum_partials(const float *restrict partial, size_t units, size_t columns, float *restrict out,
                         int accumulate) {
  for (size_t first = 0; first < columns; first += CK_LANES) {
    const size_t count = columns - first < CK_LANES ? columns - first : CK_LANES;
    double sums[CK_LANES] = {0};
    for (size_t u = 0; u < units; u++)
      for (size_t j = 0; j < count; j++) sums[j] += (double)partial[u * columns + first + j];
    for (size_t j = 0; j < count; j++)
      out[first + j] = (float)(accumulate ? (double)out[first + j] + sums[j] : sums[j]);
  }
}

static void max_partials(const float *restrict partial, size_t units, size_t columns, float *restrict out) {
  for (size_t c = 0; c < columns; c++) {
    float best = -CK_INFINITY;
    for (size_t u = 0; u < units; u++) {
      const float value = partial[u * columns + c];
      best = best != best || best > value ? best : value;
    }
    out[c] = best;
  }
}
