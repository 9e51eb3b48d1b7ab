// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CKernels
import Testing

/// Normalisation of one row in double arithmetic.
enum NormReference {
  static func forward(
    _ kind: ck_norm_kind, _ x: [Double], gain: [Double], epsilon: Double
  ) -> (y: [Double], mean: Double, rstd: Double) {
    let count = Double(x.count)
    let mean = kind == CK_LAYER_NORM ? x.reduce(0, +) / count : 0
    let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
    let rstd = 1 / (variance + epsilon).squareRoot()
    return (zip(x, gain).map { ($0 - mean) * rstd * $1 }, mean, rstd)
  }

  /// Gradients of sum(dy * y) with respect to x and to the gain.
  static func backward(
    _ kind: ck_norm_kind, _ x: [Double], gain: [Double], dy: [Double], epsilon: Double
  ) -> (dx: [Double], gain: [Double]) {
    let count = Double(x.count)
    let (normal, _, rstd) = forward(
      kind, x, gain: [Double](repeating: 1, count: x.count), epsilon: epsilon)
    let scaled = zip(dy, gain).map { $0 * $1 }
    let plain = kind == CK_LAYER_NORM ? scaled.reduce(0, +) / count : 0
    let projected = zip(scaled, normal).reduce(0) { $0 + $1.0 * $1.1 } / count
    let dx = zip(scaled, normal).map { rstd * ($0 - plain - $1 * projected) }
    return (dx, zip(dy, normal).map { $0 * $1 })
  }
}

extension KernelTests {
  @Suite struct Norms {
    static let epsilon: Float = 1e-5
    static let columnCounts = [
      1, 2, 7, 15, 16, 17, 31, 32, 63, 64, 65, 80, 127, 128, 129, 200, 333,
    ]

    @Test("the reference's gradient is the derivative of its forward", arguments: [1, 2, 5, 9])
    func referenceGradient(columns: Int) {
      var random = TestRandom(10)
      for kind in [CK_LAYER_NORM, CK_RMS_NORM] {
        let x = random.floats(columns).map(Double.init),
          dy = random.floats(columns).map(Double.init)
        let gain = random.floats(columns).map(Double.init)
        func loss(_ x: [Double], _ gain: [Double]) -> Double {
          zip(NormReference.forward(kind, x, gain: gain, epsilon: 1e-5).y, dy)
            .reduce(0) { $0 + $1.0 * $1.1 }
        }
        let gradient = NormReference.backward(kind, x, gain: gain, dy: dy, epsilon: 1e-5)
        let byX = centralDifferences(x) { loss($0, gain) }
        let byGain = centralDifferences(gain) { loss(x, $0) }
        for (got, want) in zip(gradient.dx + gradient.gain, byX + byGain) {
          #expect(abs(got - want) < 1e-6 * (1 + abs(want)))
        }
      }
    }

    @Test("forward: both kinds, types, strides, with and without gain", arguments: columnCounts)
    func forward(columns: Int) {
      var random = TestRandom(columns)
      for kind in [CK_LAYER_NORM, CK_RMS_NORM] {
        for (rows, xType, yType) in [
          (0, CK_F32, CK_F32), (1, CK_F32, CK_BF16), (5, CK_BF16, CK_F32), (7, CK_BF16, CK_BF16),
          (4, CK_F32, CK_F32),
        ] {
          let xStride = columns + 3, yStride = columns + 1
          let x = random.shortFloats(rows * xStride, in: -1...3)
          for gain in [nil, random.floats(columns)] {
            var want: (y: [Double], mean: [Double], rstd: [Double]) = ([], [], [])
            for r in 0..<rows {
              let row = x[r * xStride..<r * xStride + columns].map(Double.init)
              let gains = (gain ?? [Float](repeating: 1, count: columns)).map(Double.init)
              let result = NormReference.forward(
                kind, row, gain: gains, epsilon: Double(Self.epsilon))
              want.y += result.y
              want.mean.append(result.mean)
              want.rstd.append(result.rstd)
            }
            var bits: [Float]?
            for set in InstructionSet.available {
              let input = Elements(x, xType), output = Elements(count: rows * yStride, yType)
              let mean = Elements(count: rows), rstd = Elements(count: rows)
              let gains = gain.map { Elements($0) }
              set.run {
                ck_norm_forward(
                  kind, rows, columns, Self.epsilon, input.data, xType, xStride,
                  gains?.floatPointer, output.data, yType, yStride,
                  kind == CK_RMS_NORM ? nil : mean.floatPointer, rstd.floatPointer)
              }
              let all = output.floats
              let y = (0..<rows).flatMap { all[$0 * yStride..<$0 * yStride + columns] }
              // Rows of nearly equal values lose digits in x - mean: errors scale with rstd.
              let scale = (want.rstd.max() ?? 1) * 4
              let agreement = Agreement(
                y, want.y, absolute: 2e-6 * scale, relative: 4e-6 + storageError(yType))
              #expect(agreement.holds, "\(set) \(kind) \(rows) x \(columns): \(agreement)")
              let deviations = Agreement(rstd.floats, want.rstd, relative: 4e-6 * scale)
              #expect(deviations.holds, "\(set) rstd: \(deviations)")
              if kind == CK_LAYER_NORM {
                let means = Agreement(mean.floats, want.mean, absolute: 1e-6, relative: 1e-6)
                #expect(means.holds, "\(set) mean: \(means)")
              }
              #expect(output.isIntact && mean.isIntact && rstd.isIntact)
              #expect(
                (0..<rows).allSatisfy {
                  all[$0 * yStride + columns] == Elements([-77], yType).floats[0]
                })
              let difference = firstDifference(bits ?? all, all)
              #expect(difference == nil, "\(set) against portable: \(difference ?? "")")
              bits = bits ?? all
            }
          }
        }
      }
    }

    @Test("a row's result does not depend on the rows around it", arguments: [32, 64, 128, 100])
    func rowIndependence(columns: Int) {
      var random = TestRandom(77)
      let x = Elements(random.floats(9 * columns)), gain = Elements(random.floats(columns))
      let dy = Elements(random.floats(9 * columns))
      for kind in [CK_LAYER_NORM, CK_RMS_NORM] {
        func run(_ split: [Int]) -> [Float] {
          let y = Elements(count: 9 * columns), dx = Elements(count: 9 * columns)
          let mean = Elements(count: 9), rstd = Elements(count: 9)
          var row = 0
          for count in split {
            let start = row * columns
            ck_norm_forward(
              kind, count, columns, 1e-5, x.floatPointer + start, CK_F32, columns,
              gain.floatPointer, y.floatPointer + start, CK_F32, columns, mean.floatPointer + row,
              rstd.floatPointer + row)
            ck_norm_backward(
              kind, count, columns, dy.floatPointer + start, CK_F32, columns,
              x.floatPointer + start, CK_F32, columns, gain.floatPointer, mean.floatPointer + row,
              rstd.floatPointer + row, nil, dx.floatPointer + start, CK_F32, columns, nil)
            row += count
          }
          return y.floats + dx.floats
        }
        #expect(firstDifference(run([9]), run([1, 3, 5])) == nil)
      }
    }

    @Test("backward: gradients, addend in place, gain gradient", arguments: columnCounts)
    func backward(columns: Int) {
      var random = TestRandom(1000 + columns)
      for kind in [CK_LAYER_NORM, CK_RMS_NORM] {
        for (rows, dyType, xType, dxType, added) in [
          (1, CK_F32, CK_F32, CK_F32, false), (6, CK_BF16, CK_F32, CK_F32, true),
          (9, CK_F32, CK_BF16, CK_BF16, false), (4, CK_BF16, CK_BF16, CK_BF16, true),
          (3, CK_F32, CK_F32, CK_BF16, false), (5, CK_BF16, CK_F32, CK_BF16, false),
          (0, CK_F32, CK_F32, CK_F32, false), (7, CK_F32, CK_BF16, CK_F32, true),
          (8, CK_BF16, CK_BF16, CK_F32, false),
        ] {
          let dyStride = columns + 2, xStride = columns + 5
          let dxStride = added && dxType == CK_F32 ? columns : columns + 1
          let x = random.shortFloats(rows * xStride), dy = random.shortFloats(rows * dyStride)
          let addend = random.floats(rows * columns)
          for gain in [nil, random.floats(columns)] {
            let gains = (gain ?? [Float](repeating: 1, count: columns)).map(Double.init)
            var want: (dx: [Double], mean: [Float], rstd: [Float]) = ([], [], [])
            var wantGain = [Double](repeating: 0, count: columns)
            var scale = 1.0
            for r in 0..<rows {
              let row = x[r * xStride..<r * xStride + columns].map(Double.init)
              let gradient = dy[r * dyStride..<r * dyStride + columns].map(Double.init)
              let statistics = NormReference.forward(
                kind, row, gain: gains, epsilon: Double(Self.epsilon))
              let result = NormReference.backward(
                kind, row, gain: gains, dy: gradient, epsilon: Double(Self.epsilon))
              want.dx += result.dx.enumerated().map {
                $0.element + (added ? Double(addend[r * columns + $0.offset]) : 0)
              }
              want.mean.append(Float(statistics.mean))
              want.rstd.append(Float(statistics.rstd))
              for c in 0..<columns { wantGain[c] += result.gain[c] }
              scale = max(scale, statistics.rstd * statistics.rstd)
            }
            var bits: [Float]?
            for set in InstructionSet.available {
              let memory = (x: Elements(x, xType), dy: Elements(dy, dyType))
              let mean = Elements(want.mean), rstd = Elements(want.rstd)
              let sum = Elements(addend), gainMemory = gain.map { Elements($0) }
              let inPlace = added && dxType == CK_F32
              let dx = inPlace ? sum : Elements(count: rows * dxStride, dxType)
              let gainGradient = Elements(count: columns)
              set.run {
                ck_norm_backward(
                  kind, rows, columns, memory.dy.data, dyType, dyStride, memory.x.data, xType,
                  xStride, gainMemory?.floatPointer,
                  kind == CK_RMS_NORM ? nil : mean.floatPointer, rstd.floatPointer,
                  added ? sum.floatPointer : nil, dx.data, dxType, dxStride,
                  gainGradient.floatPointer)
              }
              let all = dx.floats
              let got = (0..<rows).flatMap { all[$0 * dxStride..<$0 * dxStride + columns] }
              let agreement = Agreement(
                got, want.dx, absolute: 1e-5 * scale, relative: 1e-5 + storageError(dxType))
              #expect(agreement.holds, "\(set) \(kind) \(rows) x \(columns): \(agreement)")
              let gainAgreement = Agreement(
                gainGradient.floats, wantGain, absolute: 1e-5 * scale, relative: 1e-5)
              #expect(gainAgreement.holds, "\(set) gain \(rows) x \(columns): \(gainAgreement)")
              #expect(dx.isIntact && gainGradient.isIntact)
              let together = all + gainGradient.floats
              let difference = firstDifference(bits ?? together, together)
              #expect(difference == nil, "\(set) against portable: \(difference ?? "")")
              bits = bits ?? together
            }
          }
        }
      }
    }

    @Test("row products", arguments: [0, 1, 13, 64, 100])
    func rowDot(columns: Int) {
      var random = TestRandom(5)
      let rows = 5, aStride = columns + 1, bStride = columns + 2
      let a = random.shortFloats(rows * aStride), b = random.shortFloats(rows * bStride)
      let want = (0..<rows).map { r in
        (0..<columns).reduce(0.0) { $0 + Double(a[r * aStride + $1]) * Double(b[r * bStride + $1]) }
      }
      for aType in [CK_F32, CK_BF16] {
        for bType in [CK_F32, CK_BF16] {
          for set in InstructionSet.available {
            let output = Elements(count: rows)
            let first = Elements(a, aType), second = Elements(b, bType)
            set.run {
              ck_row_dot(
                rows, columns, first.data, aType, aStride, second.data, bType, bStride,
                output.floatPointer)
            }
            let agreement = Agreement(output.floats, want, absolute: 1e-5, relative: 1e-6)
            #expect(agreement.holds && output.isIntact, "\(set): \(agreement)")
          }
        }
      }
    }
  }
}
