// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CKernels

/// How far results are from their reference, in units of what is allowed.
struct Agreement: CustomStringConvertible {
  private(set) var worst = 0.0
  private(set) var index = 0
  private(set) var got: Float = 0
  private(set) var wanted = 0.0
  private(set) var count = 0

  var holds: Bool { worst <= 1 }

  var description: String {
    "worst error \(worst) of the allowed at \(index) of \(count): got \(got), want \(wanted)"
  }

  /// Compares with |error| <= absolute + relative * |wanted|; NaN and infinities must match.
  init(_ values: [Float], _ reference: [Double], absolute: Double = 0, relative: Double) {
    precondition(values.count == reference.count, "\(values.count) against \(reference.count)")
    count = values.count
    for (position, (value, want)) in zip(values, reference).enumerated() {
      let error: Double
      if want.isNaN || value.isNaN {
        error = want.isNaN && value.isNaN ? 0 : .infinity
      } else if want.isInfinite || value.isInfinite {
        error = Double(value) == Double(Float(want)) ? 0 : .infinity
      } else {
        let difference = abs(Double(value) - want), allowed = absolute + relative * abs(want)
        error = difference == 0 ? 0 : difference / allowed
      }
      if error > worst {
        (worst, index, got, wanted) = (error, position, value, want)
      }
    }
  }
}

/// The first place where two results have different bits (any NaN equals any NaN), or nil.
func firstDifference(_ a: [Float], _ b: [Float]) -> String? {
  if a.count != b.count { return "counts \(a.count) and \(b.count)" }
  for (index, (x, y)) in zip(a, b).enumerated()
  where x.bitPattern != y.bitPattern && !(x.isNaN && y.isNaN) {
    return "at \(index) of \(a.count): \(x) and \(y)"
  }
  return nil
}

/// Relative error that storing in a type may add to an exact result, on top of fp32 arithmetic.
func storageError(_ type: ck_type) -> Double { type == CK_BF16 ? 0x1p-8 : 0 }

/// The central difference of a scalar function with respect to every element of its argument.
func centralDifferences(_ point: [Double], _ function: ([Double]) -> Double) -> [Double] {
  point.indices.map { index in
    let step = 1e-5 * max(1, abs(point[index]))
    var above = point, below = point
    above[index] += step
    below[index] -= step
    return (function(above) - function(below)) / (2 * step)
  }
}
