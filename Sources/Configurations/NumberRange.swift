// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// The numbers that a key accepts; NaN is in none, infinities only where a bound is infinite.
public struct NumberRange: Equatable, Sendable, CustomStringConvertible {
  /// The lower bound.
  public let lower: Double
  /// The upper bound.
  public let upper: Double
  /// Whether the lower bound itself is accepted.
  public let includesLower: Bool
  /// Whether the upper bound itself is accepted.
  public let includesUpper: Bool

  private init(_ lower: Double, _ upper: Double, includesLower: Bool, includesUpper: Bool) {
    self.lower = lower
    self.upper = upper
    self.includesLower = includesLower
    self.includesUpper = includesUpper
  }

  /// Every finite number.
  public static let finite = NumberRange(
    -.infinity, .infinity, includesLower: false, includesUpper: false)

  /// Finite numbers above 0.
  public static let positive = above(0)

  /// Finite numbers from 0.
  public static let nonNegative = NumberRange(
    0, .infinity, includesLower: true, includesUpper: false)

  /// From the lower to the upper bound, both included.
  public static func within(_ range: ClosedRange<Double>) -> NumberRange {
    NumberRange(range.lowerBound, range.upperBound, includesLower: true, includesUpper: true)
  }

  /// From the lower bound to below the upper one, as for decay factors in [0, 1).
  public static func within(_ range: Range<Double>) -> NumberRange {
    NumberRange(range.lowerBound, range.upperBound, includesLower: true, includesUpper: false)
  }

  /// Finite numbers greater than a bound.
  public static func above(_ bound: Double) -> NumberRange {
    NumberRange(bound, .infinity, includesLower: false, includesUpper: false)
  }

  /// Between two bounds, neither of which is included.
  public static func above(_ bound: Double, below upper: Double) -> NumberRange {
    NumberRange(bound, upper, includesLower: false, includesUpper: false)
  }

  /// Greater than a bound, up to another one that is included.
  public static func above(_ bound: Double, through upper: Double) -> NumberRange {
    NumberRange(bound, upper, includesLower: false, includesUpper: true)
  }

  /// Whether a number is accepted.
  public func contains(_ value: Double) -> Bool {
    (includesLower ? value >= lower : value > lower)
      && (includesUpper ? value <= upper : value < upper)
  }

  /// The range in words, for example `the numbers in (0, 1]`.
  public var description: String {
    if lower == -.infinity, upper == .infinity { return "the finite numbers" }
    if upper == .infinity, !includesUpper {
      return includesLower
        ? "the numbers from \(compact(lower))" : "the numbers above \(compact(lower))"
    }
    return "the numbers in " + (includesLower ? "[" : "(") + compact(lower) + ", " + compact(upper)
      + (includesUpper ? "]" : ")")
  }

  private func compact(_ value: Double) -> String {
    Int(exactly: value).map(String.init) ?? String(value)
  }

  /// An accepted number, where one has to stand in for a value that is refused.
  var placeholder: Double {
    if contains(lower) { return lower }
    if contains(upper) { return upper }
    if upper.isFinite, lower.isFinite { return lower + (upper - lower) / 2 }
    if lower.isFinite { return lower + 1 }
    return 0
  }
}
