// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0
//
// Householder reflections in panels of CK_PANEL columns: H_j = I - tau_j v_j v_j' with v_j = (0, 1, x) and
// tau_j = 2 / v_j' v_j; a panel's product is H_0 H_1 ... = I - V T V' (Schreiber and Van Loan, 1989). Whoever calls
// applies it with matrix products.

enum { PANEL_VECTORS = CK_PANEL / CK_LANES, PANEL_SUM_ROWS = 64 };

/// One row of a panel.
typedef struct {
  vector_f32 part[PANEL_VECTORS];
} panel_row;

CK_INLINE panel_row load_panel_row(const float *in) {
  panel_row row;
  for (int p = 0; p < PANEL_VECTORS; p++) row.part[p] = load_f32(in + p * CK_LANES);
  return row;
}

CK_INLINE void store_panel_row(float *out, panel_row row) {
  for (int p = 0; p < PANEL_VECTORS; p++) store_f32(out + p * CK_LANES, row.part[p]);
}

CK_INLINE panel_row zero_panel_row(void) {
  panel_row row;
  for (int p = 0; p < PANEL_VECTORS; p++) row.part[p] = splat(0);
  return row;
}

/// sum + a * row
CK_INLINE panel_row add_scaled_row(panel_row sum, float a, panel_row row) {
  for (int p = 0; p < PANEL_VECTORS; p++) sum.part[p] += row.part[p] * a;
  return sum;
}

CK_INLINE panel_row add_rows(panel_row a, panel_row b) {
  for (int p = 0; p < PANEL_VECTORS; p++) a.part[p] += b.part[p];
  return a;
}

/// Keeps the columns from `first` on and makes the others zero.
CK_INLINE panel_row columns_from(panel_row row, size_t first) {
  for (int p = 0; p < PANEL_VECTORS; p++) {
    const vector_i32 column = lane_numbers() + (vector_i32)(int32_t)(p * CK_LANES);
    row.part[p] = column >= (vector_i32)(int32_t)first ? row.part[p] : splat(0);
  }
  return row;
}

CK_INLINE float dot_rows(panel_row a, panel_row b) {
  vector_f32 sum = a.part[0] * b.part[0];
  for (int p = 1; p < PANEL_VECTORS; p++) sum += a.part[p] * b.part[p];
  return sum_lanes(sum);
}

/// x' panel over `rows` rows: short sums of rows, then the sum of those, so that errors grow with the short sums.
static panel_row combine_rows(size_t rows, const float *restrict x, const float *restrict panel) {
  panel_row total = zero_panel_row();
  for (size_t start = 0; start < rows; start += PANEL_SUM_ROWS) {
    const size_t end = rows - start < PANEL_SUM_ROWS ? rows : start + PANEL_SUM_ROWS;
    panel_row even = zero_panel_row(), odd = zero_panel_row();
    size_t i = start;
    for (; i + 1 < end; i += 2) {
      even = add_scaled_row(even, x[i], load_panel_row(panel + i * CK_PANEL));
      odd = add_scaled_row(odd, x[i + 1], load_panel_row(panel + (i + 1) * CK_PANEL));
    }
    if (i < end) even = add_scaled_row(even, x[i], load_panel_row(panel + i * CK_PANEL));
    total = add_rows(total, add_rows(even, odd));
  }
  return total;
}

/// Makes x[0 ... count) the v of the reflection that takes it to (result, 0, ..., 0); returns tau.
///
/// Sums in double neither overflow nor vanish, and tau belongs to v as it was rounded, so that even a tiny x gives an
/// orthogonal reflection. Nothing below the first element gives tau = 0; a NaN or infinity anywhere gives NaN.
static float make_reflection(size_t count, float *restrict x, double *restrict result) {
  double below = 0;
  for (size_t i = 1; i < count; i++) below += (double)x[i] * x[i];
  const double first = x[0];
  x[0] = 1;
  const double norm = sqrt(first * first + below);
  if (!(norm < INFINITY)) {
    *result = norm;
    return NAN;
  }
  if (below == 0) {
    *result = first;
    return 0;
  }
  *result = first > 0 ? -norm : norm;
  const double scale = 1 / (first - *result);
  double square = 1;
  for (size_t i = 1; i < count; i++) {
    x[i] = (float)(x[i] * scale);
    square += (double)x[i] * x[i];
  }
  return (float)(2 / square);
}

static void householder_panel(size_t rows, float *restrict panel, float *restrict tau, float *restrict sign,
                              float *restrict column) {
  for (size_t j = 0; j < CK_PANEL; j++) {
    tau[j] = 0;
    sign[j] = 1;
  }
  for (size_t j = 0; j < CK_PANEL && j < rows; j++) {
    float *const below = panel + j * CK_PANEL;
    const size_t height = rows - j;
    for (size_t i = 0; i < height; i++) column[i] = below[i * CK_PANEL + j];
    double diagonal;
    tau[j] = make_reflection(height, column, &diagonal);
    sign[j] = diagonal < 0 ? -1 : 1;
    for (size_t i = 0; i < height; i++) below[i * CK_PANEL + j] = column[i];
    if (tau[j] == 0) continue;
    panel_row change = columns_from(combine_rows(height, column, below), j + 1);
    for (int p = 0; p < PANEL_VECTORS; p++) change.part[p] *= -tau[j];
    for (size_t i = 0; i < height; i++) {
      float *const row = below + i * CK_PANEL;
      store_panel_row(row, add_scaled_row(load_panel_row(row), column[i], change));
    }
  }
  for (size_t i = 0; i < CK_PANEL && i < rows; i++)
    for (size_t j = i + 1; j < CK_PANEL; j++) panel[i * CK_PANEL + j] = 0;
}

/// T is upper triangular: T_jj = tau_j, and column j above it is -tau_j T (V' v_j); written with its sign turned.
static void block_reflection(const float *restrict gram, const float *restrict tau, float *restrict factor) {
  for (size_t j = 0; j < CK_PANEL; j++) {
    for (size_t i = 0; i < CK_PANEL; i++) {
      double sum = 0;
      for (size_t k = i; k < j; k++) sum += (double)factor[i * CK_PANEL + k] * gram[k * CK_PANEL + j];
      factor[i * CK_PANEL + j] = i < j ? (float)(-tau[j] * sum) : i == j ? -tau[j] : 0;
    }
  }
}
