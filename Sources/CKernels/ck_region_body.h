// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0
//
// The interpreter of elementwise regions. A tile of at most CK_TILE elements goes through every step in L1. A tile is
// part of one row, or a group of whole rows when they are short. fp32 inputs are read in place; everything else is
// widened, spread or padded into a tile of its own. A register whose value ends in an fp32 CK_STORE is computed
// straight into that memory when no later reader can see the difference.

// ---------------------------------------------------------------------------------------------------------
// Inputs of a tile

typedef struct {
  size_t row, column, rows, columns;  // part of one row when rows = 1, else whole rows
} region_tile;

/// Widens or copies `count` elements into a tile and pads it with zeros to whole vectors.
static void region_fill(float *tile, const void *data, uint8_t type, size_t start, size_t count) {
  size_t i = count;
  if (type == CK_BF16) {
    convert_bf16_to_f32((const uint16_t *)data + start, tile, count);
  } else if (type == CK_I32) {
    for (i = 0; i < count; i++) tile[i] = (float)((const int32_t *)data)[start + i];
  } else {
    memcpy(tile, (const float *)data + start, count * sizeof(float));
  }
  for (; i % CK_LANES != 0; i++) tile[i] = 0;
}

CK_INLINE float region_element(const ck_input *input, size_t index) {
  return input->type == CK_I32 ? (float)((const int32_t *)input->data)[index]
                               : load_one(input->data, (ck_type)input->type, index);
}

/// What does not change between tiles: scalars, and rows repeated over a group.
static void region_prepare(region_state *state) {
  const ck_region *region = state->region;
  for (size_t r = 0; r < CK_REGION_MAX_REGISTERS; r++) {
    state->register_location[r] = (uint8_t)r;
    state->locations[r] = state->register_tiles[r];
  }
  memset(state->is_scalar, 0, sizeof state->is_scalar);
  state->early_vary = 0;
  for (uint32_t i = 0; i < region->input_count; i++) {
    const ck_input *input = &region->inputs[i];
    float *tile = state->input_tiles[i];
    state->locations[LOCATION_INPUTS + i] = tile;
    if (input->access == CK_SCALAR) {
      store_f32(tile, splat(region_element(input, 0)));
      state->is_scalar[LOCATION_INPUTS + i] = 1;
    } else if (input->access == CK_COLUMN && !state->group) {
      state->is_scalar[LOCATION_INPUTS + i] = 1;
      state->early_vary = 1;
    } else if (input->access == CK_ROW && state->group) {
      const size_t count = state->group * region->columns;
      for (size_t j = 0; j < count; j++) tile[j] = region_element(input, j % region->columns);
      for (size_t j = count; j % CK_LANES != 0; j++) tile[j] = 0;
    }
  }
}

static void region_resolve(region_state *state, region_tile tile, size_t count) {
  const ck_region *region = state->region;
  const size_t start = tile.row * region->columns + tile.column;
  const int whole = count % CK_LANES == 0;
  state->stream_count = 0;
  for (uint32_t i = 0; i < region->input_count; i++) {
    const ck_input *input = &region->inputs[i];
    float *own = state->input_tiles[i], **place = &state->locations[LOCATION_INPUTS + i];
    if (input->access == CK_FULL) {
      const size_t width = typed_width(input->type);
      state->streams[state->stream_count++] = (region_stream){(const char *)input->data + start * width, width};
      if (input->type == CK_F32 && whole && (state->copied >> i & 1) == 0) {
        *place = (float *)(uintptr_t)input->data + start;
      } else {
        region_fill(own, input->data, input->type, start, count);
        *place = own;
      }
    } else if (input->access == CK_ROW && !state->group) {
      if (input->type == CK_F32 && whole) {
        *place = (float *)(uintptr_t)input->data + tile.column;
      } else {
        region_fill(own, input->data, input->type, tile.column, count);
        *place = own;
      }
    } else if (input->access == CK_COLUMN && !state->group) {
      store_f32(own, splat(region_element(input, tile.row)));
    } else if (input->access == CK_COLUMN) {
      for (size_t r = 0; r < tile.rows; r++) {
        const float value = region_element(input, tile.row + r);
        for (size_t c = 0; c < tile.columns; c++) own[r * tile.columns + c] = value;
      }
      for (size_t j = count; j % CK_LANES != 0; j++) own[j] = 0;
    }
  }
  // A value on its way to memory stays in its register's tile when the tile is not made of whole vectors.
  for (uint32_t o = 0; o < region->output_count; o++) {
    if (state->direct[o] < 0) continue;
    float *own = state->register_tiles[region->outputs[o].source.index];
    state->locations[LOCATION_OUTPUTS + o] = whole ? (float *)region->outputs[o].data + start : own;
  }
}

// ---------------------------------------------------------------------------------------------------------
// Outputs of a tile

/// Values to read: vector after vector, or one vector again and again.
typedef struct {
  const float *data;
  size_t stride;
} region_value;

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
static void region_output(region_state *state, uint32_t o, region_tile tile, size_t first_row) {
  const ck_region *region = state->region;
  const ck_output *output = &region->outputs[o];
  const uint8_t place = source_location(state, output->source);
  const region_value value = {state->locations[place], state->is_scalar[place] ? 0 : CK_LANES};
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

static void region_run_early(const region_state *state) {
  for (size_t i = 0; i < state->early_count; i++)
    region_run_alone(&state->early[i], state->locations, CK_LANES);
}

static void region_run_operations(region_state *state, size_t padded) {
  const region_operation *operations = state->operations;
  for (size_t i = 0; i < state->operation_count;) {
    const region_operation *operation = &operations[i];
    if (operation->heavy) {
      region_run_alone(operation, state->locations, padded);
      i++;
      continue;
    }
    size_t end = i;
    while (end < state->operation_count && !operations[end].heavy) end++;
    region_run_together(operation, end - i, state->locations, padded, state->streams, state->stream_count);
    state->stream_count = 0;
    i = end;
  }
}

/// `planned`: the operations at hand are the whole program, and early steps that never change have run.
static void region_run_tile(region_state *state, region_tile tile, size_t first_row, int planned) {
  const ck_region *region = state->region;
  const size_t count = tile.rows * tile.columns, padded = (count + CK_LANES - 1) & ~(size_t)(CK_LANES - 1);
  region_resolve(state, tile, count);
  if (planned) {
    if (state->early_vary) region_run_early(state);
    region_run_operations(state, padded);
  } else {
    state->early_registers = 0;
    for (size_t s = 0; s < region->step_count;) {
      s += region_plan_steps(state, s);
      region_run_early(state);
      region_run_operations(state, padded);
    }
  }
  for (uint32_t o = 0; o < region->output_count; o++)
    if (state->direct[o] < 0 || count != padded) region_output(state, o, tile, first_row);
}

/// Adds the column sums of a block of rows to memory.
static void region_flush(region_state *state, size_t column, size_t columns, int first) {
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
  region_state state;
  state.region = region;
  state.unit = unit;
  float *tiles = (float *)(((uintptr_t)scratch + 63) & ~(uintptr_t)63);
  state.register_tiles = (float (*)[CK_TILE])tiles;
  state.input_tiles = state.register_tiles + CK_REGION_MAX_REGISTERS;
  state.sum_tiles = state.input_tiles + CK_REGION_MAX_INPUTS;
  state.row_values = (double (*)[CK_REGION_MAX_OUTPUTS])(void *)(state.sum_tiles + CK_REGION_MAX_OUTPUTS);
  region_plan(&state, column_begin == 0 && column_end == region->columns);
  region_prepare(&state);
  const int planned = region_plan_steps(&state, 0) == region->step_count;
  if (planned && !state.early_vary) region_run_early(&state);
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
        region_run_tile(&state, (region_tile){r, column, end - r < step ? end - r : step, columns}, row,
                        planned);
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
