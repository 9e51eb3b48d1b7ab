// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// The course of one stage: a factor as a function of the step inside the stage.
///
/// `i` is the zero-based step inside the stage and `n` the number of steps of the stage. A new way from one value to another
/// is a ``ScheduleShape``; only what does not lead from a value to another in a known number of steps is a case of its own.
public enum ScheduleCurve: Codable, Equatable, Sendable {
  /// `factor(i) = value`.
  case constant(Double)

  /// `factor(i) = value * (i + 1) / n`: from `value / n` at the first step, never zero, to `value` at the last.
  case warmUp(to: Double)

  /// `factor(i) = end + (start - end) * remaining(i / n)`: `start` at `i = 0`, `end` at `i = n`.
  case ramp(from: Double, to: Double, shape: ScheduleShape)

  /// `factor(i) = value * sqrt(timescale / (timescale + i))` (Zhai et al., 2022, https://arxiv.org/abs/2106.04560).
  ///
  /// After a warm-up of `timescale` steps it is `sqrt(timescale / step)`.
  case inverseSquareRoot(from: Double, timescale: Double)

  /// A ramp that is straight.
  public static func linear(from start: Double, to end: Double) -> ScheduleCurve {
    .ramp(from: start, to: end, shape: .linear)
  }

  /// A ramp that is half a cosine.
  public static func cosine(from start: Double, to end: Double) -> ScheduleCurve {
    .ramp(from: start, to: end, shape: .cosine)
  }

  /// The factor at step `i` of a stage with `n` steps.
  ///
  /// - Parameters:
  ///   - i: the step inside the stage, zero-based; `i = n` gives the value at which the stage ends.
  ///   - n: the number of steps of the stage, at least 1; curves that may be endless ignore it.
  /// - Returns: the factor, dimensionless.
  public func factor(at i: Int, of n: Int) -> Double {
    switch self {
    case .constant(let value):
      return value
    case .warmUp(let end):
      return end * Double(min(i + 1, n)) / Double(n)
    case .ramp(let start, let end, let shape):
      // The equation gives this too, but only up to rounding.
      if i == 0 { return start }
      return end + (start - end) * shape.remaining(after: Double(i), of: Double(n))
    case .inverseSquareRoot(let start, let timescale):
      return start * (timescale / (timescale + Double(i))).squareRoot()
    }
  }

  /// Whether the curve needs no length, so that its stage may last until the end of the run.
  var isEndless: Bool {
    switch self {
    case .constant, .inverseSquareRoot: true
    case .warmUp, .ramp: false
    }
  }

  /// Checks the numbers of the curve.
  ///
  /// - Throws: ``ScheduleError`` when a number is not finite, a power or a time scale not above 0.
  func validate(stage name: String) throws(ScheduleError) {
    let numbers: [Double]
    switch self {
    case .constant(let value): numbers = [value]
    case .warmUp(let end): numbers = [end]
    case .ramp(let start, let end, let shape):
      numbers = [start, end]
      try shape.validate(stage: name)
    case .inverseSquareRoot(let start, let timescale):
      numbers = [start]
      guard timescale.isFinite, timescale > 0 else {
        throw ScheduleError(
          .invalidValue,
          "schedule stage '\(name)' has the time scale \(timescale); give a finite one above 0")
      }
    }
    for number in numbers where !number.isFinite {
      throw ScheduleError(
        .invalidValue, "schedule stage '\(name)' has the factor \(number); give a finite number")
    }
  }
}
