// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A value in a graph: what equations are written with.
///
/// Copying it copies a name, not numbers.
public struct Tensor {
  /// The graph it belongs to.
  public let graph: Graph
  /// Which result of which node it is.
  public let value: Graph.Value

  /// Its shape and storage.
  public var type: TensorType { graph.type(of: value) }

  /// Its shape.
  public var shape: Shape { type.shape }

  /// The number it is known to be when the graph is built, if it is a constant.
  var constant: Float? { (graph.nodes[value.node].operation as? Constant)?.number }
}

/// Elementwise equations; shapes broadcast from the innermost axis, and numbers mix freely.
extension Tensor {
  /// Sum.
  ///
  /// Adding 0 is removed.
  public static func + (a: Tensor, b: Tensor) -> Tensor {
    if b.constant == 0 { return a }
    if a.constant == 0 { return b }
    return a.binary(.add, b)
  }

  /// Difference.
  public static func - (a: Tensor, b: Tensor) -> Tensor {
    b.constant == 0 ? a : a.binary(.subtract, b)
  }

  /// Product.
  ///
  /// Multiplying by 1 is removed.
  public static func * (a: Tensor, b: Tensor) -> Tensor {
    if b.constant == 1 { return a }
    if a.constant == 1 { return b }
    return a.binary(.multiply, b)
  }

  /// Quotient.
  ///
  /// Dividing by 1 is removed.
  public static func / (a: Tensor, b: Tensor) -> Tensor {
    b.constant == 1 ? a : a.binary(.divide, b)
  }

  /// Negation.
  public static prefix func - (a: Tensor) -> Tensor { a.unary(.negate) }

  /// Sum with a number.
  public static func + (a: Tensor, b: Float) -> Tensor { a + a.graph.constant(b) }
  /// Sum with a number.
  public static func + (a: Float, b: Tensor) -> Tensor { b.graph.constant(a) + b }
  /// Difference with a number.
  public static func - (a: Tensor, b: Float) -> Tensor { a - a.graph.constant(b) }
  /// Difference with a number.
  public static func - (a: Float, b: Tensor) -> Tensor { b.graph.constant(a) - b }
  /// Product with a number.
  public static func * (a: Tensor, b: Float) -> Tensor { a * a.graph.constant(b) }
  /// Product with a number.
  public static func * (a: Float, b: Tensor) -> Tensor { b.graph.constant(a) * b }
  /// Quotient with a number.
  public static func / (a: Tensor, b: Float) -> Tensor { a / a.graph.constant(b) }
  /// Quotient with a number.
  public static func / (a: Float, b: Tensor) -> Tensor { b.graph.constant(a) / b }

  func unary(_ function: Elementwise.Function) -> Tensor {
    graph.apply(Elementwise(function: function), self)
  }

  func binary(_ function: Elementwise.Function, _ other: Tensor) -> Tensor {
    graph.apply(Elementwise(function: function), self, other)
  }
}

/// 1 where a < b, else 0.
public func less(_ a: Tensor, _ b: Tensor) -> Tensor { a.binary(.less, b) }
/// 1 where a <= b, else 0.
public func lessOrEqual(_ a: Tensor, _ b: Tensor) -> Tensor { a.binary(.lessOrEqual, b) }
/// 1 where a = b, else 0.
public func equal(_ a: Tensor, _ b: Tensor) -> Tensor { a.binary(.equal, b) }
/// The larger of two; NaN if either is NaN.
public func maximum(_ a: Tensor, _ b: Tensor) -> Tensor { a.binary(.maximum, b) }
/// The smaller of two; NaN if either is NaN.
public func minimum(_ a: Tensor, _ b: Tensor) -> Tensor { a.binary(.minimum, b) }
/// a to the power b.
public func power(_ a: Tensor, _ b: Tensor) -> Tensor { a.binary(.power, b) }
/// b where condition is not 0, else c.
public func select(_ condition: Tensor, _ b: Tensor, _ c: Tensor) -> Tensor {
  condition.graph.apply(Elementwise(function: .select), condition, b, c)
}
/// |a|.
public func absolute(_ a: Tensor) -> Tensor { a.unary(.absolute) }
/// -1, 0 or 1; sign(0) = 0.
public func sign(_ a: Tensor) -> Tensor { a.unary(.sign) }
/// a squared.
public func square(_ a: Tensor) -> Tensor { a.unary(.square) }
/// The square root.
public func squareRoot(_ a: Tensor) -> Tensor { a.unary(.squareRoot) }
/// 1 / sqrt(a).
public func reciprocalSquareRoot(_ a: Tensor) -> Tensor { a.unary(.reciprocalSquareRoot) }
/// e to the power a.
public func exp(_ a: Tensor) -> Tensor { a.unary(.exp) }
/// The natural logarithm.
public func log(_ a: Tensor) -> Tensor { a.unary(.log) }
/// The hyperbolic tangent.
public func tanh(_ a: Tensor) -> Tensor { a.unary(.tanh) }
/// 1 / (1 + exp(-a)).
public func sigmoid(_ a: Tensor) -> Tensor { a.unary(.sigmoid) }
/// The error function.
public func erf(_ a: Tensor) -> Tensor { a.unary(.erf) }
/// max(a, 0).
public func relu(_ a: Tensor) -> Tensor { a.unary(.relu) }
/// The exact Gaussian error linear unit, a/2 (1 + erf(a/sqrt 2)) (Hendrycks and Gimpel, 2016).
public func gelu(_ a: Tensor) -> Tensor { a.unary(.gelu) }
/// a sigmoid(a) (Elfwing et al., 2017).
public func silu(_ a: Tensor) -> Tensor { a.unary(.silu) }
/// Rounded to float8 e4m3, at most 448 in size; gradients pass as if nothing were rounded.
public func roundedToE4M3(_ a: Tensor) -> Tensor { a.unary(.roundToE4M3) }
/// 1 where a is neither infinite nor NaN, else 0.
public func isFinite(_ a: Tensor) -> Tensor { a.unary(.isFinite) }
