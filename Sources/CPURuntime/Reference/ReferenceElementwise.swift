// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TensorGraph

extension Elementwise: ReferenceOperation {
  func evaluate(_ inputs: [ReferenceTensor]) -> [[Double]] {
    let shape = inputs.dropFirst().reduce(inputs[0].shape) {
      $0.broadcast(with: $1.shape) ?? $0
    }
    let a = inputs[0].stretched(to: shape)
    switch function.arity {
    case 1: return [a.map(unary)]
    case 2:
      let b = inputs[1].stretched(to: shape)
      return [a.indices.map { binary(a[$0], b[$0]) }]
    default:
      let b = inputs[1].stretched(to: shape)
      let c = inputs[2].stretched(to: shape)
      return [a.indices.map { a[$0] != 0 ? b[$0] : c[$0] }]
    }
  }

  private func unary(_ a: Double) -> Double {
    switch function {
    case .negate: -a
    case .absolute: abs(a)
    case .sign: a > 0 ? 1 : a < 0 ? -1 : a
    case .square: a * a
    case .squareRoot: a.squareRoot()
    case .reciprocal: 1 / a
    case .reciprocalSquareRoot: 1 / a.squareRoot()
    case .exp: Foundation.exp(a)
    case .log: Foundation.log(a)
    case .tanh: Foundation.tanh(a)
    case .sigmoid: logistic(a)
    case .erf: Foundation.erf(a)
    case .relu: a <= 0 ? 0 : a
    case .gelu: a * normalDistribution(a)
    case .geluDerivative: normalDistribution(a) + a * normalDensity(a)
    case .silu: a * logistic(a)
    case .siluDerivative: logistic(a) * (1 + a * (1 - logistic(a)))
    case .floor: a.rounded(.down)
    case .isFinite: a.isFinite ? 1 : 0
    // Rounded by the executable, like a result stored as bfloat16.
    case .roundToBFloat16: a
    case .roundToE4M3: roundedToFloat8(a, fractionBits: 3, smallestExponent: -6, largest: 448)
    case .roundToE5M2: roundedToFloat8(a, fractionBits: 2, smallestExponent: -14, largest: 57_344)
    case .sine: sin(a)
    case .cosine: cos(a)
    default: preconditionFailure("\(name) does not take one operand")
    }
  }

  private func binary(_ a: Double, _ b: Double) -> Double {
    switch function {
    case .add: a + b
    case .subtract: a - b
    case .multiply: a * b
    case .divide: a / b
    case .maximum: a.isNaN || b.isNaN ? .nan : max(a, b)
    case .minimum: a.isNaN || b.isNaN ? .nan : min(a, b)
    case .power: pow(a, b)
    case .less: a < b ? 1 : 0
    case .lessOrEqual: a <= b ? 1 : 0
    case .equal: a == b ? 1 : 0
    default: preconditionFailure("\(name) does not take two operands")
    }
  }

  private func logistic(_ a: Double) -> Double { 1 / (1 + Foundation.exp(-a)) }

  /// The standard normal distribution function, (1 + erf(a / sqrt 2)) / 2.
  private func normalDistribution(_ a: Double) -> Double { erfc(-a / 2.0.squareRoot()) / 2 }

  private func normalDensity(_ a: Double) -> Double {
    Foundation.exp(-a * a / 2) / (2 * Double.pi).squareRoot()
  }
}

/// The nearest number of a float8 format, ties to even; beyond the largest, the largest.
///
/// Numbers below 2^smallestExponent are as far apart as those above it.
func roundedToFloat8(
  _ number: Double, fractionBits: Int, smallestExponent: Int, largest: Double
) -> Double {
  if number.isNaN { return number }
  let size = min(number.magnitude, largest)
  let exponent = max(smallestExponent, size > 0 ? Int(size.exponent) : smallestExponent)
  let spacing = pow(2, Double(exponent - fractionBits))
  let rounded = min(largest, (size / spacing).rounded(.toNearestOrEven) * spacing)
  return number.sign == .minus ? -rounded : rounded
}
