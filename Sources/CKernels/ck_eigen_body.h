// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0
//
// Symmetric eigenvectors: panels of a reduction to tridiagonal form whose rank-2 updates the caller applies with matrix
// products (Dongarra, Sorensen and Hammarling, 1989), then the implicit QL iteration, whose rotations are gathered and
// applied to strips that stay in the caches.

/// out[i] = a[i, 0 ... columns) . x for `rows` rows.
static void rows_times_vector(size_t rows, size_t columns, const float *restrict a, size_t stride,
                              const float *restrict x, float *restrict out) {
  const size_t whole = columns / CK_LANES * CK_LANES;
  size_t i = 0;
  for (; i + 4 <= rows; i += 4) {
    vector_f32 sum[4] = {splat(0), splat(0), splat(0), splat(0)};
    for (size_t j = 0; j < whole; j += CK_LANES) {
      const vector_f32 right = load_f32(x + j);
      for (size_t r = 0; r < 4; r++) sum[r] += load_f32(a + (i + r) * stride + j) * right;
    }
    for (size_t r = 0; r < 4; r++) {
      float total = sum_lanes(sum[r]);
      for (size_t j = whole; j < columns; j++) total += a[(i + r) * stride + j] * x[j];
      out[i + r] = total;
    }
  }
  for (; i < rows; i++) {
    vector_f32 sum = splat(0);
    for (size_t j = 0; j < whole; j += CK_LANES) sum += load_f32(a + i * stride + j) * load_f32(x + j);
    float total = sum_lanes(sum);
    for (size_t j = whole; j < columns; j++) total += a[i * stride + j] * x[j];
    out[i] = total;
  }
}

/// sum[i] += left[i, :] . x + right[i, :] . y for `rows` rows of two panels.
static void add_panel_products(size_t rows, const float *restrict left, panel_row x, const float *restrict right,
                               panel_row y, float *restrict sum) {
  for (size_t i = 0; i < rows; i++)
    sum[i] += dot_rows(load_panel_row(left + i * CK_PANEL), x) + dot_rows(load_panel_row(right + i * CK_PANEL), y);
}

// With n rows left, `a` is their square, not yet changed by this panel; v and w have n rows. Column k of the panel takes
// row k of the square: x = a_k + V W_k' + W V_k' starts with the diagonal, and its rest is reflected to (off, 0, ..., 0).
// Then w = -tau (p - tau/2 (p'v) v) with p = (A + V W' + W V') v, and A + V W' + W V' is what remains.
static void tridiagonal_panel(size_t n, const float *restrict a, size_t stride, float *restrict v, float *restrict w,
                              float *restrict tau, double *restrict diagonal, double *restrict off,
                              float *restrict scratch) {
  float *const x = scratch, *const p = scratch + n;
  memset(v, 0, n * CK_PANEL * sizeof(float));
  memset(w, 0, n * CK_PANEL * sizeof(float));
  for (size_t k = 0; k < CK_PANEL; k++) tau[k] = 0;
  for (size_t k = 0; k < CK_PANEL && k < n; k++) {
    memcpy(x, a + k * stride + k, (n - k) * sizeof(float));
    add_panel_products(n - k, v + k * CK_PANEL, load_panel_row(w + k * CK_PANEL), w + k * CK_PANEL,
                            load_panel_row(v + k * CK_PANEL), x);
    diagonal[k] = x[0];
    if (k + 1 == n) break;
    const size_t rest = n - k - 1;
    float *const reflected = x + 1;
    float *const v_rest = v + (k + 1) * CK_PANEL, *const w_rest = w + (k + 1) * CK_PANEL;
    tau[k] = make_reflection(rest, reflected, &off[k]);
    const float *const square = a + (k + 1) * stride + k + 1;
    if (tau[k] != 0) {
      rows_times_vector(rest, rest, square, stride, reflected, p);
      add_panel_products(rest, v_rest, combine_rows(rest, reflected, w_rest), w_rest,
                              combine_rows(rest, reflected, v_rest), p);
      double both = 0;
      for (size_t i = 0; i < rest; i++) both += (double)p[i] * reflected[i];
      const float half = (float)(0.5 * tau[k] * both);
      for (size_t i = 0; i < rest; i++) w_rest[i * CK_PANEL + k] = tau[k] * (half * reflected[i] - p[i]);
    }
    for (size_t i = 0; i < rest; i++) v_rest[i * CK_PANEL + k] = reflected[i];
  }
}

/// One sweep of rotations, of rows (last, last + 1) first and (first, first + 1) at the end, over one strip.
CK_INLINE void rotate_strip(float *restrict strip, size_t first, size_t last, const float *restrict rotations) {
  vector_f32 carried[CK_STRIP / CK_LANES];
  for (int p = 0; p < CK_STRIP / CK_LANES; p++) carried[p] = load_f32(strip + (last + 1) * CK_STRIP + p * CK_LANES);
  for (size_t i = last + 1; i-- > first; rotations += 2) {
    const vector_f32 cosine = splat(rotations[0]), sine = splat(rotations[1]);
    for (int p = 0; p < CK_STRIP / CK_LANES; p++) {
      float *const row = strip + i * CK_STRIP + p * CK_LANES;
      const vector_f32 upper = load_f32(row);
      store_f32(row + CK_STRIP, sine * upper + cosine * carried[p]);
      carried[p] = cosine * upper - sine * carried[p];
    }
  }
  for (int p = 0; p < CK_STRIP / CK_LANES; p++) store_f32(strip + first * CK_STRIP + p * CK_LANES, carried[p]);
}

/// Sweeps that wait to be applied.
typedef struct {
  size_t count, used;
  size_t first[CK_SWEEPS], last[CK_SWEEPS], start[CK_SWEEPS];
} sweep_list;

static void apply_sweeps(size_t n, size_t strips, float *restrict z, sweep_list *sweeps,
                         const float *restrict rotations) {
  for (size_t s = 0; s < strips; s++)
    for (size_t k = 0; k < sweeps->count; k++)
      rotate_strip(z + s * n * CK_STRIP, sweeps->first[k], sweeps->last[k], rotations + sweeps->start[k]);
  sweeps->count = sweeps->used = 0;
}

// An off-diagonal element counts as zero below half a unit of fp32 of the matrix's size: the reduction's own rounding is
// larger, and eigenvectors of eigenvalues so close are any basis of their space.
static void tridiagonal_eigenvectors(size_t n, double *restrict d, double *restrict e, size_t strips, float *restrict z,
                                     float *restrict rotations) {
  double size = 0;
  for (size_t i = 0; i < n; i++) {
    const double row = fabs(d[i]) + (i + 1 < n ? fabs(e[i]) : 0);
    if (row > size || row != row) size = row;
  }
  if (!(size < INFINITY)) {
    for (size_t i = 0; i < strips * n * CK_STRIP; i++) z[i] = NAN;
    return;
  }
  const double zero = size * 0x1p-25;
  sweep_list sweeps = {0};
  for (size_t l = 0; l + 1 < n; l++) {
    // Two iterations an eigenvalue are usual; the bound is for what nobody has seen.
    for (int iteration = 0; iteration < 60; iteration++) {
      size_t m = l;
      while (m + 1 < n && !(fabs(e[m]) <= zero)) m++;
      if (m == l) break;
      // The shift is the eigenvalue of the leading 2 x 2 block that is closer to d_l.
      const double g0 = (d[l + 1] - d[l]) / (2 * e[l]);
      const double r0 = sqrt(g0 * g0 + 1);
      double g = d[m] - d[l] + e[l] / (g0 + (g0 < 0 ? -r0 : r0));
      double sine = 1, cosine = 1, change = 0;
      size_t lowest = l;
      if (sweeps.count == CK_SWEEPS || sweeps.used + 2 * (m - l) > n * CK_SWEEPS)
        apply_sweeps(n, strips, z, &sweeps, rotations);
      float *const sweep = rotations + sweeps.used;
      for (size_t i = m; i-- > l;) {
        const double f = sine * e[i], b = cosine * e[i];
        const double r = sqrt(f * f + g * g);
        if (i + 1 < m) e[i + 1] = r;
        if (r == 0) {
          // The matrix fell apart here: what was rotated so far stands, and the search starts again.
          d[i + 1] -= change;
          lowest = i + 1;
          break;
        }
        sine = f / r;
        cosine = g / r;
        g = d[i + 1] - change;
        const double step = (d[i] - g) * sine + 2 * cosine * b;
        change = sine * step;
        d[i + 1] = g + change;
        g = cosine * step - b;
        sweep[2 * (m - 1 - i)] = (float)cosine;
        sweep[2 * (m - 1 - i) + 1] = (float)sine;
      }
      if (lowest == m) continue;
      if (lowest == l) {
        d[l] -= change;
        e[l] = g;
      }
      sweeps.first[sweeps.count] = lowest;
      sweeps.last[sweeps.count] = m - 1;
      sweeps.start[sweeps.count++] = sweeps.used;
      sweeps.used += 2 * (m - l);
    }
  }
  apply_sweeps(n, strips, z, &sweeps, rotations);
}

/// out = (in + in') / 2, by tiles that fit the first cache.
static void symmetric_part(size_t n, const float *restrict in, float *restrict out) {
  for (size_t row = 0; row < n; row += CK_PANEL)
    for (size_t column = 0; column < n; column += CK_PANEL)
      for (size_t i = row; i < row + CK_PANEL && i < n; i++)
        for (size_t j = column; j < column + CK_PANEL && j < n; j++)
          out[i * n + j] = 0.5f * (in[i * n + j] + in[j * n + i]);
}

static void eigenvector_columns(size_t n, const float *restrict z, const int32_t *restrict order, float *restrict sign,
                                float *restrict out) {
  for (size_t i = 0; i < n; i++) {
    float largest = 0, size = -1;
    for (size_t k = 0; k < n; k++) {
      const float value = z[(k / CK_STRIP * n + i) * CK_STRIP + k % CK_STRIP];
      if (fabsf(value) > size) {
        size = fabsf(value);
        largest = value;
      }
    }
    sign[i] = largest < 0 ? -1 : 1;
  }
  for (size_t start = 0; start < n; start += CK_STRIP) {
    const float *const strip = z + start * n;
    const size_t height = n - start < CK_STRIP ? n - start : CK_STRIP;
    for (size_t column = 0; column < n; column += CK_LANES)
      for (size_t k = 0; k < height; k++)
        for (size_t c = column; c < column + CK_LANES && c < n; c++)
          out[(start + k) * n + c] = sign[order[c]] * strip[(size_t)order[c] * CK_STRIP + k];
  }
}
