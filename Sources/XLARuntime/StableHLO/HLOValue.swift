// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

/// How one element of a StableHLO tensor is stored.
enum HLOElement: String, Hashable {
  case f32, f64, bf16, i32, i1

  init(_ elementType: ElementType) {
    switch elementType {
    case .float32: self = .f32
    case .bfloat16: self = .bf16
    case .int32: self = .i32
    }
  }
}

/// A value of a StableHLO program that is being written.
///
/// Its shape leaves out the axis of runs: where many runs share a program, a batched value holds one tensor of that shape for each run,
/// outermost, and an unbatched one is the same for all.
struct HLOValue {
  let builder: HLOBuilder
  let name: String
  let shape: [Int]
  let element: HLOElement
  /// One tensor for each run.
  let isBatched: Bool
  /// How many loops it was made inside of.
  let level: Int

  var rank: Int { shape.count }
  var count: Int { shape.reduce(1, *) }

  /// The type as StableHLO writes it, for example `tensor<4x256xf32>`.
  var type: String { builder.type(shape, element, isBatched) }
}

/// Equations over values: shapes broadcast from the innermost axis, and numbers mix freely.
extension HLOValue {
  static func + (a: HLOValue, b: HLOValue) -> HLOValue { a.builder.binary("add", a, b) }
  static func - (a: HLOValue, b: HLOValue) -> HLOValue { a.builder.binary("subtract", a, b) }
  static func * (a: HLOValue, b: HLOValue) -> HLOValue { a.builder.binary("multiply", a, b) }
  static func / (a: HLOValue, b: HLOValue) -> HLOValue { a.builder.binary("divide", a, b) }
  static prefix func - (a: HLOValue) -> HLOValue { a.builder.unary("negate", a) }

  static func + (a: HLOValue, b: Double) -> HLOValue { a + a.number(b) }
  static func - (a: HLOValue, b: Double) -> HLOValue { a - a.number(b) }
  static func * (a: HLOValue, b: Double) -> HLOValue { a * a.number(b) }
  static func / (a: HLOValue, b: Double) -> HLOValue { a / a.number(b) }
  static func + (a: Double, b: HLOValue) -> HLOValue { b.number(a) + b }
  static func - (a: Double, b: HLOValue) -> HLOValue { b.number(a) - b }
  static func * (a: Double, b: HLOValue) -> HLOValue { b.number(a) * b }
  static func / (a: Double, b: HLOValue) -> HLOValue { b.number(a) / b }

  /// A number of this value's element type, as a scalar.
  func number(_ number: Double) -> HLOValue { builder.constant(number, element) }

  func compared(_ direction: HLOComparison, _ other: HLOValue) -> HLOValue {
    builder.compare(direction, self, other)
  }

  func compared(_ direction: HLOComparison, _ other: Double) -> HLOValue {
    builder.compare(direction, self, number(other))
  }

  func exponential() -> HLOValue { builder.unary("exponential", self) }
  func logarithm() -> HLOValue { builder.unary("log", self) }
  func tanh() -> HLOValue { builder.unary("tanh", self) }
  func logistic() -> HLOValue { builder.unary("logistic", self) }
  func squareRoot() -> HLOValue { builder.unary("sqrt", self) }
  func absolute() -> HLOValue { builder.unary("abs", self) }
  func maximum(_ other: HLOValue) -> HLOValue { builder.binary("maximum", self, other) }
  func minimum(_ other: HLOValue) -> HLOValue { builder.binary("minimum", self, other) }
  func and(_ other: HLOValue) -> HLOValue { builder.binary("and", self, other) }

  /// The same numbers as another element type.
  func converted(to element: HLOElement) -> HLOValue { builder.convert(self, element) }

  func reshaped(_ shape: [Int]) -> HLOValue { builder.reshape(self, shape) }
  func transposed(_ permutation: [Int]) -> HLOValue { builder.transpose(self, permutation) }
  func slice(_ axis: Int, _ range: Range<Int>) -> HLOValue { builder.slice(self, axis, range) }

  /// Stretched to a larger shape; axis k of this value becomes `axes[k]`.
  func broadcast(to shape: [Int], axes: [Int]) -> HLOValue {
    builder.broadcast(self, to: shape, axes: axes)
  }

  /// Stretched to a larger shape, axes counted from the innermost.
  func stretched(to shape: [Int]) -> HLOValue { builder.stretch(self, to: shape) }

  func sum(_ axes: [Int]) -> HLOValue { builder.reduce(self, .sum, axes) }
  /// Sums along the last axis.
  var rowSums: HLOValue { sum([rank - 1]) }
  func largest(_ axes: [Int]) -> HLOValue { builder.reduce(self, .maximum, axes) }
}

/// How two values compare; an unordered pair is only `notEqual`.
enum HLOComparison: String {
  case equal = "EQ"
  case notEqual = "NE"
  case less = "LT"
  case lessOrEqual = "LE"
  case greater = "GT"
  case greaterOrEqual = "GE"
}

/// How elements combine.
enum HLOReduction: String {
  case sum = "add"
  case maximum = "maximum"
}
