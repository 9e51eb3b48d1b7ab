// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0
//
// The plan of an elementwise region: see ck_region_body.h.

enum {
  REGION_ROW_BLOCK = 64,   // rows whose column sums are added up in a tile before they go to memory
  REGION_STEPS = 128       // steps planned at a time: longer programs are planned again for every tile
};

typedef struct {
  const ck_region *region;
  size_t unit;
  size_t group;       // whole rows in a tile; 0 when a tile is part of one row
  uint32_t copied;    // bit i: input i is stored from while another output overwrites it: always read a copy
  int has_row_sums;   // any CK_SUM_ROWS
  int64_t direct[CK_REGION_MAX_OUTPUTS];             // the step that writes output o straight to memory, or -1
  uint8_t register_location[CK_REGION_MAX_REGISTERS];  // where a register's value lies
  float *locations[LOCATION_COUNT];
  uint8_t is_scalar[LOCATION_COUNT];  // while planning; then, of the values at the end of the program
  region_stream streams[CK_REGION_MAX_INPUTS];
  size_t stream_count;
  uint32_t written_once, early_registers;  // bit r: of register r
  region_operation early[REGION_STEPS], operations[2 * REGION_STEPS];
  size_t early_count, operation_count;
  int early_vary;  // early steps must run for every tile
  float (*register_tiles)[CK_TILE], (*input_tiles)[CK_TILE], (*sum_tiles)[CK_TILE];
  double (*row_values)[CK_REGION_MAX_OUTPUTS];  // per-row reductions of the rows in work
  double totals[CK_REGION_MAX_OUTPUTS];
} region_state;

CK_INLINE size_t typed_width(uint8_t type) { return type == CK_BF16 ? 2 : 4; }

CK_INLINE int step_reads(const ck_step *step, uint8_t kind, uint8_t index) {
  const ck_source sources[3] = {step->a, step->b, step->c};
  for (int k = 0; k < step_operands(step->opcode); k++)
    if (sources[k].kind == kind && sources[k].index == index) return 1;
  return 0;
}

/// True when a full input and a stored output share memory.
static int region_overlap(const ck_region *region, const ck_input *input, const ck_output *output) {
  if (input->access != CK_FULL || output->kind > CK_STORE_ADD) return 0;
  const size_t count = region->rows * region->columns;
  const uintptr_t a = (uintptr_t)input->data, b = (uintptr_t)output->data;
  return a < b + count * typed_width(output->type) && b < a + count * typed_width(input->type);
}

// ---------------------------------------------------------------------------------------------------------
// Plan

/// The step that may write output o straight to memory, or -1.
static int64_t region_direct_step(const region_state *state, uint32_t o) {
  const ck_region *region = state->region;
  const ck_output *output = &region->outputs[o];
  if (output->kind != CK_STORE || output->type != CK_F32 || output->source.kind != CK_FROM_REGISTER) return -1;
  int64_t step = (int64_t)region->step_count - 1;
  while (step >= 0 && region->steps[step].destination != output->source.index) step--;
  if (step < 0) return -1;
  for (uint32_t p = 0; p < o; p++)
    if (state->direct[p] == step) return -1;
  // Nobody may read the old contents after that step.
  for (uint32_t i = 0; i < region->input_count; i++) {
    if (!region_overlap(region, &region->inputs[i], output)) continue;
    if (region->inputs[i].type != CK_F32 || region->inputs[i].data != output->data) return -1;
    for (uint32_t t = (uint32_t)step + 1; t < region->step_count; t++)
      if (step_reads(&region->steps[t], CK_FROM_INPUT, (uint8_t)i)) return -1;
    for (uint32_t p = 0; p < region->output_count; p++)
      if (region->outputs[p].source.kind == CK_FROM_INPUT && region->outputs[p].source.index == i) return -1;
  }
  return step;
}

CK_INLINE uint8_t source_location(const region_state *state, ck_source source) {
  return source.kind == CK_FROM_INPUT ? (uint8_t)(LOCATION_INPUTS + source.index)
                                      : state->register_location[source.index];
}

/// How many operands of a step are the value of a register.
static int step_uses(const ck_step *step, uint8_t index) {
  const ck_source sources[3] = {step->a, step->b, step->c};
  int uses = 0;
  for (int k = 0; k < step_operands(step->opcode); k++)
    uses += sources[k].kind == CK_FROM_REGISTER && sources[k].index == index;
  return uses;
}

/// True when the value of step s is read by any step but `taker`, or by an output.
static int value_is_needed(const ck_region *region, size_t s, size_t taker) {
  const uint8_t index = region->steps[s].destination;
  for (size_t t = s + 1; t < region->step_count; t++) {
    if (t != taker && step_uses(&region->steps[t], index)) return 1;
    if (region->steps[t].destination == index) return 0;
  }
  for (uint32_t o = 0; o < region->output_count; o++)
    if (region->outputs[o].source.kind == CK_FROM_REGISTER && region->outputs[o].source.index == index) return 1;
  return 0;
}

/// True for a step on scalars alone whose register is written once: it runs before all others and gives a scalar.
/// (Other steps give whole tiles: a scalar in the first lanes of a tile that is written again could be overwritten in
/// the first chunk while the second still needs it.)
static int step_is_early(region_state *state, const ck_step *step) {
  const ck_source sources[3] = {step->a, step->b, step->c};
  int early = state->written_once >> step->destination & 1;
  for (int k = 0; k < step_operands(step->opcode); k++)
    early &= sources[k].kind == CK_FROM_INPUT ? state->is_scalar[LOCATION_INPUTS + sources[k].index]
                                              : (int)(state->early_registers >> sources[k].index & 1);
  if (early) state->early_registers |= 1u << step->destination;
  return early;
}

/// The operation of one step with all operands in memory.
static region_operation operation_in_memory(const region_state *state, const ck_step *step) {
  const ck_source sources[3] = {step->a, step->b, step->c};
  const int operands = step_operands(step->opcode);
  uint8_t places[3];
  for (int k = 0; k < 3; k++) places[k] = source_location(state, k < operands ? sources[k] : step->a);
  region_operation operation = {.opcode = step->opcode, .form = FORM_NONE, .heavy = step_is_heavy(step->opcode)};
  operation.x = places[0];
  operation.y = places[1];
  operation.z = places[2];
  operation.result = step->destination;
  for (int k = 0; k < 3; k++) operation.scalars |= (uint8_t)(state->is_scalar[places[k]] << k);
  return operation;
}

/// Takes operand `form` of a light operation from registers.
static void take_from_chunk(region_operation *operation, uint8_t form) {
  operation->form = form;
  if (form == FORM_FIRST) {
    operation->x = operation->y;
    operation->y = operation->z;
    operation->scalars >>= 1;
  } else if (form == FORM_SECOND) {
    operation->y = operation->z;
    operation->scalars = (uint8_t)((operation->scalars & 1) | (operation->scalars >> 1 & 2));
  }
}

/// Makes operations of the steps from `first`; returns the number of steps covered.
static size_t region_plan_steps(region_state *state, size_t first) {
  const ck_region *region = state->region;
  const size_t left = region->step_count - first, count = left < REGION_STEPS ? left : REGION_STEPS;
  // The order of the steps that are not early: at most one chunk of the value of the last one is in registers.
  size_t order[REGION_STEPS], ordered = 0;
  state->early_count = state->operation_count = 0;
  for (size_t s = first; s < first + count; s++) {
    const ck_step *step = &region->steps[s];
    if (step_is_early(state, step)) {
      state->early[state->early_count++] = operation_in_memory(state, step);
      for (uint32_t o = 0; o < region->output_count; o++)
        if (state->direct[o] == (int64_t)s) state->direct[o] = -1;  // one value, spread when it is stored
      state->register_location[step->destination] = step->destination;
      state->is_scalar[step->destination] = 1;
    } else {
      order[ordered++] = s;
    }
  }
  int in_chunk = 0;
  for (size_t i = 0; i < ordered; i++) {
    const size_t s = order[i], following = i + 1 < ordered ? order[i + 1] : region->step_count;
    const ck_step *step = &region->steps[s];
    const ck_source sources[3] = {step->a, step->b, step->c};
    region_operation operation = operation_in_memory(state, step);
    for (uint32_t o = 0; o < region->output_count; o++)
      if (state->direct[o] == (int64_t)s) operation.result = (uint8_t)(LOCATION_OUTPUTS + o);
    state->register_location[step->destination] = operation.result;
    if (operation.heavy) {
      in_chunk = 0;
      state->operations[state->operation_count++] = operation;
      continue;
    }
    if (in_chunk) {
      const uint8_t chunk = region->steps[order[i - 1]].destination;
      for (uint8_t k = 0; k < step_operands(step->opcode) && operation.form == FORM_NONE; k++)
        if (sources[k].kind == CK_FROM_REGISTER && sources[k].index == chunk) take_from_chunk(&operation, k);
    }
    if (operation.form == FORM_NONE && step_operands(step->opcode) == 3) {
      state->operations[state->operation_count++] =
          (region_operation){.opcode = CK_COPY, .form = FORM_NONE, .x = operation.x, .y = operation.x,
                             .scalars = operation.scalars & 1, .result = LOCATION_NONE};
      take_from_chunk(&operation, FORM_FIRST);
    }
    // The following step takes the value from registers when it is light and reads it once.
    const int taken = following < region->step_count && !step_is_heavy(region->steps[following].opcode) &&
                      step_uses(&region->steps[following], step->destination) == 1;
    if (operation.result < LOCATION_OUTPUTS && !value_is_needed(region, s, taken ? following : s))
      operation.result = LOCATION_NONE;
    in_chunk = 1;
    state->operations[state->operation_count++] = operation;
  }
  return count;
}

static void region_plan(region_state *state, int whole_rows) {
  const ck_region *region = state->region;
  state->copied = 0;
  state->has_row_sums = 0;
  uint32_t written = 0, again = 0;
  for (uint32_t s = 0; s < region->step_count; s++) {
    const uint32_t bit = 1u << region->steps[s].destination;
    again |= written & bit;
    written |= bit;
  }
  state->written_once = written & ~again;
  state->early_registers = 0;
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
  if (whole_rows && region->columns > 0 && region->columns * 2 <= CK_TILE) {
    state->group = CK_TILE / region->columns;
    for (size_t g = state->group; g > state->group / 2; g--) {
      if (g * region->columns % CK_LANES == 0) {
        state->group = g;
        break;
      }
    }
  }
}

