// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CKernels
import Testing

extension KernelTests {
  @Suite struct Bases {
    private static let width = Int(CK_PANEL)

    @Test("a panel's reflections make it upper triangular and say the signs of its diagonal")
    func panel() {
      var random = TestRandom(61)
      for rows in [1, 2, 31, 32, 33, 100, 257] {
        let start = random.floats(rows * Self.width)
        var v = start, tau = zeros(Self.width), sign = zeros(Self.width), column = zeros(rows)
        ck_householder_panel(rows, &v, &tau, &sign, &column)
        var a = start.map(Double.init)
        for j in 0..<min(rows, Self.width) {
          // A = (I - tau v v') A
          for k in 0..<Self.width {
            let sum = (0..<rows).reduce(0.0) {
              $0 + Double(v[$1 * Self.width + j]) * a[$1 * Self.width + k]
            }
            for row in 0..<rows {
              a[row * Self.width + k] -= Double(tau[j]) * Double(v[row * Self.width + j]) * sum
            }
          }
          #expect(v[j * Self.width + j] == 1)
          #expect((a[j * Self.width + j] < 0) == (sign[j] < 0), "\(rows) rows, column \(j)")
          for row in 0..<rows where row != j {
            let size = Double(rows).squareRoot()
            if row < j { #expect(v[row * Self.width + j] == 0) }
            if row > j { #expect(abs(a[row * Self.width + j]) < 1e-6 * size, "\(rows) rows") }
          }
        }
      }
    }

    @Test("every instruction set gives the same bits")
    func bits() {
      for n in [1, 5, 33, 70] {
        var random = TestRandom(62 + n)
        let square = random.floats(n * n)
        let panel = random.floats(n * Self.width)
        let results = InstructionSet.available.map { set in
          set.run { everything(n, square, panel) }
        }
        for (set, result) in zip(InstructionSet.available, results) {
          let difference = firstDifference(result, results[0])
          #expect(difference == nil, "\(set), size \(n): \(difference ?? "")")
        }
      }
    }

    /// All kernels one after the other on numbers that the one before made.
    private func everything(_ n: Int, _ square: [Float], _ start: [Float]) -> [Float] {
      let strips = (n + Int(CK_STRIP) - 1) / Int(CK_STRIP)
      var panel = start, tau = zeros(Self.width), sign = zeros(Self.width), scratch = zeros(2 * n)
      ck_householder_panel(n, &panel, &tau, &sign, &scratch)
      var gram = zeros(Self.width * Self.width), factor = gram
      for index in gram.indices { gram[index] = start[index % start.count] }
      ck_block_reflection(gram, tau, &factor)
      var symmetric = zeros(n * n), v = zeros(n * Self.width), w = v
      ck_symmetric_part(n, square, &symmetric)
      var diagonal = [Double](repeating: 0, count: n), off = diagonal
      ck_tridiagonal_panel(n, symmetric, n, &v, &w, &tau, &diagonal, &off, &scratch)
      // Beyond the panel the matrix is not reduced: any numbers make a tridiagonal matrix.
      for index in Self.width..<max(n, Self.width) {
        (diagonal[index], off[index]) = (Double(square[index]), 1)
      }
      var z = zeros(strips * n * Int(CK_STRIP)), rotations = zeros(n * Int(CK_SWEEPS))
      for index in z.indices { z[index] = square[index % square.count] }
      ck_tridiagonal_eigenvectors(n, &diagonal, &off, strips, &z, &rotations)
      var order = [Int32](repeating: 0, count: n), signs = zeros(n), vectors = zeros(n * n)
      let values = diagonal.map(Float.init)
      ck_order_descending(n, 0, n, values, &order)
      ck_eigenvector_columns(n, z, order, &signs, &vectors)
      var gathered = vectors
      ck_gather_columns(n, n, n, vectors, order, &gathered)
      return panel + tau + sign + factor + symmetric + v + w + values + order.map(Float.init)
        + gathered
    }

    private func zeros(_ count: Int) -> [Float] { [Float](repeating: 0, count: count) }
  }
}
