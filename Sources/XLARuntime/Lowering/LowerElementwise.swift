// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

extension Elementwise: StableHLOOperation {
  func lower(_ inputs: [HLOValue], results: [TensorType], _ context: LoweringContext) -> [HLOValue]
  {
    let operands = inputs.map(\.wide)
    let value =
      switch function.arity {
      case 1: unary(operands[0])
      case 2: binary(operands[0], operands[1])
      default:
        context.builder.select(operands[0].compared(.notEqual, 0), operands[1], operands[2])
      }
    return [value.stretched(to: results[0].shape.dimensions)]
  }

  private func unary(_ a: HLOValue) -> HLOValue {
    let builder = a.builder
    switch function {
    case .negate: return -a
    case .absolute: return a.absolute()
    case .sign: return builder.unary("sign", a)
    case .square: return a * a
    case .squareRoot: return a.squareRoot()
    case .reciprocal: return 1 / a
    case .reciprocalSquareRoot: return 1 / a.squareRoot()
    case .exp: return a.exponential()
    case .log: return a.logarithm()
    case .tanh: return a.tanh()
    case .sigmoid: return a.logistic()
    case .erf: return builder.errorFunction(a)
    // Not a maximum, in which NaN may get lost.
    case .relu: return builder.select(a.compared(.lessOrEqual, 0), a.number(0), a)
    case .gelu: return a * normalDistribution(a)
    case .geluDerivative: return normalDistribution(a) + a * normalDensity(a)
    case .silu: return a * a.logistic()
    case .siluDerivative:
      let s = a.logistic()
      return s * (1 + a * (1 - s))
    case .floor: return builder.unary("floor", a)
    case .isFinite: return builder.isFinite(a).wide
    case .roundToBFloat16: return builder.rounded(a, exponentBits: 8, fractionBits: 7)
    case .roundToE4M3: return roundedToFloat8(a, .e4m3)
    case .roundToE5M2: return roundedToFloat8(a, .e5m2)
    case .sine: return builder.unary("sine", a)
    case .cosine: return builder.unary("cosine", a)
    default: preconditionFailure("\(name) does not take one operand")
    }
  }

  private func binary(_ a: HLOValue, _ b: HLOValue) -> HLOValue {
    switch function {
    case .add: a + b
    case .subtract: a - b
    case .multiply: a * b
    case .divide: a / b
    case .maximum: a.maximum(b)
    case .minimum: a.minimum(b)
    case .power: a.builder.binary("power", a, b)
    case .less: a.compared(.less, b).wide
    case .lessOrEqual: a.compared(.lessOrEqual, b).wide
    case .equal: a.compared(.equal, b).wide
    default: preconditionFailure("\(name) does not take two operands")
    }
  }

  /// (1 + erf(a / sqrt 2)) / 2.
  private func normalDistribution(_ a: HLOValue) -> HLOValue {
    0.5 * (1 + a.builder.errorFunction(a * 0.5.squareRoot()))
  }

  /// exp(-a^2 / 2) / sqrt(2 pi).
  private func normalDensity(_ a: HLOValue) -> HLOValue {
    (a * a * -0.5).exponential() * (1 / (2 * Double.pi).squareRoot())
  }
}

/// A float8 format: bits of fraction, exponent of the smallest normal number, largest number.
struct Float8Format {
  let fractionBits: Int
  let smallestExponent: Int
  let largest: Double

  static let e4m3 = Float8Format(fractionBits: 3, smallestExponent: -6, largest: 448)
  static let e5m2 = Float8Format(fractionBits: 2, smallestExponent: -14, largest: 57_344)
}

/// The nearest number of a float8 format, ties to even; beyond the largest, the largest; NaN stays.
///
/// Done in float32, exactly: neighbours are a power of two apart, which the exponent's bits give.
func roundedToFloat8(_ a: HLOValue, _ format: Float8Format) -> HLOValue {
  let builder = a.builder
  let size = a.absolute().minimum(a.number(format.largest))
  let exponentMask = builder.constant(0x7F80_0000, .i32)
  let binade = builder.bitcast(
    builder.binary("and", builder.bitcast(size, .i32), exponentMask), .f32)
  let smallest = Double(sign: .plus, exponent: format.smallestExponent, significand: 1)
  let spacing =
    binade.maximum(a.number(smallest))
    * Double(sign: .plus, exponent: -format.fractionBits, significand: 1)
  let rounded = builder.unary("round_nearest_even", size / spacing) * spacing
  let signed = builder.select(
    a.compared(.less, 0), -rounded.minimum(a.number(format.largest)),
    rounded.minimum(a.number(format.largest)))
  return builder.select(a.compared(.notEqual, a), a, signed)
}
