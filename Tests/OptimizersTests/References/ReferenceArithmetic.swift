// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What the papers take for granted.
func zeros(_ parameters: [ReferenceParameter]) -> [[Double]] {
  parameters.map { [Double](repeating: 0, count: $0.count) }
}

/// -1, 0 or 1.
func sign(_ x: Double) -> Double { x > 0 ? 1 : x < 0 ? -1 : 0 }

/// The Euclidean norm.
func norm(_ x: [Double]) -> Double { squares(x).squareRoot() }

/// The sum of squares.
func squares(_ x: [Double]) -> Double {
  var sum = 0.0
  for value in x { sum += value * value }
  return sum
}

/// The root of the mean of squares.
func rootMeanSquare(_ x: [Double]) -> Double { (squares(x) / Double(x.count)).squareRoot() }

extension [Double] {
  /// a = decay a + (1 - decay) b, elementwise.
  mutating func average(_ decay: Double, _ b: [Double]) {
    for i in indices { self[i] = decay * self[i] + (1 - decay) * b[i] }
  }

  /// a = decay a + (1 - decay) b^2, elementwise.
  mutating func averageSquares(_ decay: Double, _ b: [Double]) {
    for i in indices { self[i] = decay * self[i] + (1 - decay) * b[i] * b[i] }
  }
}

/// The bias correction 1 - (product of all factors so far) of an average that starts at zero.
struct BiasCorrection {
  private var product = 1.0

  mutating func advance(_ decay: Double) -> Double {
    product *= decay
    return 1 - product
  }
}
