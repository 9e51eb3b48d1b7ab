// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The shape of one stage: a factor as a function of the step inside the stage.
///
/// `i` is the zero-based step inside the stage and `n` the number of steps of the stage.
/// A new kind of stage is one case, one line in ``factor(at:of:)`` and one in ``validate(stage:)``.
public enum ScheduleCurve: Codable, Equatable, Sendable {
  /// `factor(i) = value`.
  case constant(Double)

  /// `factor(i) = value * (i + 1) / n`: from `value / n` at the first step, never zero, to `value`.
  case warmUp(to: Double)

  /// `factor(i) = end + (start - end) * (1 + cos(pi * i / n)) / 2`: `start` at `i = 0`, `end` at `i = n`.
  case cosine(from: Double, to: Double)

  /// The factor at step `i` of a stage with `n` steps.
  ///
  /// - Parameters:
  ///   - i: the step inside the stage, zero-based; `i = n` gives the value at which the stage ends.
  ///   - n: the number of steps of the stage, at least 1; only ``constant(_:)`` ignores it.
  /// - Returns: the factor, dimensionless.
  public func factor(at i: Int, of n: Int) -> Double {
    switch self {
    case .constant(let value):
      return value
    case .warmUp(let end):
      return end * Double(min(i + 1, n)) / Double(n)
    case .cosine(let start, let end):
      return end + (start - end) * 0.5 * (1 + cos(Double.pi * Double(i) / Double(n)))
    }
  }

  /// Whether the curve needs no length, so that its stage may last until the end of the run.
  var isEndless: Bool {
    if case .constant = self { return true }
    return false
  }

  /// Checks the numbers of the curve.
  ///
  /// - Throws: ``ScheduleError`` when a number is not finite.
  func validate(stage name: String) throws(ScheduleError) {
    let numbers: [Double] =
      switch self {
      case .constant(let value): [value]
      case .warmUp(let end): [end]
      case .cosine(let start, let end): [start, end]
      }
    for number in numbers where !number.isFinite {
      throw ScheduleError(
        .invalidValue, "schedule stage '\(name)' has the factor \(number); give a finite number")
    }
  }
}
