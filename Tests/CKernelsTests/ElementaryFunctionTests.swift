// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CKernels
import Testing

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// An elementary function with its reference and what error is allowed.
struct ElementaryFunction: Sendable, CustomStringConvertible {
  var name: String
  var opcode: ck_opcode
  /// Units in the last place of the result.
  var units: Double
  /// Added to that: results below it may be flushed, or cross zero.
  var absolute: Double = 0
  var reference: @Sendable (Double) -> Double
  var atNegativeInfinity: Float
  var atInfinity: Float

  var description: String { name }

  private static func normal(_ x: Double) -> Double { 0.5 * erfc(-x / 2.0.squareRoot()) }
  private static func logistic(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

  static let all = [
    ElementaryFunction(
      name: "exp", opcode: CK_EXP, units: 1.1, absolute: 0x1p-126, reference: { exp($0) },
      atNegativeInfinity: 0, atInfinity: .infinity),
    ElementaryFunction(
      name: "log", opcode: CK_LOG, units: 1, reference: { log($0) },
      atNegativeInfinity: .nan, atInfinity: .infinity),
    ElementaryFunction(
      name: "tanh", opcode: CK_TANH, units: 1.5, reference: { tanh($0) },
      atNegativeInfinity: -1, atInfinity: 1),
    ElementaryFunction(
      name: "sigmoid", opcode: CK_SIGMOID, units: 2.5, absolute: 0x1p-126, reference: logistic,
      atNegativeInfinity: 0, atInfinity: 1),
    ElementaryFunction(
      name: "erf", opcode: CK_ERF, units: 1.5, absolute: 0x1p-149, reference: { erf($0) },
      atNegativeInfinity: -1, atInfinity: 1),
    ElementaryFunction(
      name: "gelu", opcode: CK_GELU, units: 6.5, absolute: 2e-36,
      reference: { $0 * normal($0) }, atNegativeInfinity: 0, atInfinity: .infinity),
    ElementaryFunction(
      name: "gelu derivative", opcode: CK_GELU_DERIVATIVE, units: 4, absolute: 3 * 0x1p-24,
      reference: { normal($0) + $0 * exp(-$0 * $0 / 2) / (2 * Double.pi).squareRoot() },
      atNegativeInfinity: 0, atInfinity: 1),
    ElementaryFunction(
      name: "silu", opcode: CK_SILU, units: 3.2, absolute: 2e-36,
      reference: { $0 * logistic($0) }, atNegativeInfinity: 0, atInfinity: .infinity),
    ElementaryFunction(
      name: "silu derivative", opcode: CK_SILU_DERIVATIVE, units: 4, absolute: 3 * 0x1p-24,
      reference: { logistic($0) * (1 + $0 * logistic(-$0)) }, atNegativeInfinity: 0, atInfinity: 1),
    ElementaryFunction(
      name: "1/sqrt", opcode: CK_RECIPROCAL_SQUARE_ROOT, units: 1.5,
      reference: { 1 / $0.squareRoot() },
      atNegativeInfinity: .nan, atInfinity: 0),
    ElementaryFunction(
      name: "sine", opcode: CK_SINE, units: 1, absolute: 0x1p-149, reference: { sin($0) },
      atNegativeInfinity: .nan, atInfinity: .nan),
    ElementaryFunction(
      name: "cosine", opcode: CK_COSINE, units: 1, reference: { cos($0) }, atNegativeInfinity: .nan,
      atInfinity: .nan),
  ]

  /// Every exponent and sign, and densely where the function bends.
  static let points: [Float] = {
    var points = stride(from: UInt32(0), through: UInt32.max - 59_999, by: 59_999)
      .map { Float(bitPattern: $0) }
    points += stride(from: Float(-20), through: 20, by: 0.001)
    points += stride(from: Float(-104), through: 89, by: 0.01)
    points += [0, -0.0, .nan, .infinity, -.infinity, .leastNonzeroMagnitude, 88.7228, 88.72284]
    return points
  }()
}

extension KernelTests {
  @Suite struct ElementaryFunctions {
    @Test(
      "elementary functions are right to a few units in the last place, the same bits everywhere",
      arguments: ElementaryFunction.all)
    func accuracy(function: ElementaryFunction) throws {
      let points = ElementaryFunction.points
      let portable = InstructionSet.portable.run { applied(function.opcode, points) }
      var worst = (units: 0.0, point: Float(0), got: Float(0), want: 0.0)
      for (x, y) in zip(points, portable) {
        if x.isInfinite {
          let limit = x > 0 ? function.atInfinity : function.atNegativeInfinity
          #expect(y == limit || (y.isNaN && limit.isNaN), "\(function)(\(x)) = \(y)")
          continue
        }
        let want = function.reference(Double(x))
        if want.isNaN || want.isInfinite || abs(want) > Double(Float.greatestFiniteMagnitude) {
          #expect(want.isNaN ? y.isNaN : y == Float(want), "\(function)(\(x)) = \(y), want \(want)")
          continue
        }
        let error = max(0, abs(Double(y) - want) - function.absolute)
        let units = error / Double(max(Float(want.magnitude), .leastNormalMagnitude).ulp)
        if !(units <= worst.units) { worst = (units, x, y, want) }
      }
      #expect(
        worst.units <= function.units,
        "\(function): \(worst.units) units at \(worst.point): got \(worst.got), want \(worst.want)")
      for set in InstructionSet.available {
        let bits = set.run { applied(function.opcode, points) }
        let difference = firstDifference(portable, bits)
        #expect(difference == nil, "\(set): \(difference ?? "")")
      }
    }

    @Test("power agrees with libm, the same bits everywhere")
    func power() {
      var random = TestRandom(3)
      let x = random.floats(1001, in: 0...20) + [0, 1, -1, .infinity, .nan, -2]
      let y = random.floats(1001, in: -5...5) + [0, .nan, 3, -1, 0, 0.5]
      let want = zip(x, y).map { pow(Double($0), Double($1)) }
      for set in InstructionSet.available {
        let output = Elements(count: x.count)
        let region = Region(
          rows: 1, columns: x.count, inputs: [(Elements(x), CK_FULL), (Elements(y), CK_FULL)],
          steps: [step(CK_POWER, 0, fromInput(0), fromInput(1))],
          outputs: [(output, CK_STORE, fromRegister(0))])
        set.run { region.run() }
        let agreement = Agreement(output.floats, want, relative: 0x1p-23)
        #expect(agreement.holds, "\(set): \(agreement)")
      }
    }
  }
}
