// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
public import RunRecords

/// The axis of a knob, measured in spacings of its grid: neighbours of the grid are one unit apart.
///
/// Values that are computed rather than declared have four significant digits. A point reached from the left and from the right is
/// then the same point, a report can be read, and what is lost (at most 0.05 %) is far below any spacing.
public struct KnobScale: Equatable, Sendable {
  /// Whether units are factors rather than differences.
  public let isLogarithmic: Bool
  /// The factor, or the difference, between neighbours of the grid; above 1, or above 0.
  public let spacing: Double

  /// The scale of a grid; nil when it holds something that is not a number, or a logarithmic one a value that has no logarithm.
  ///
  /// - Parameters:
  ///   - grid: its values, ascending; of a logarithmic one above 0.
  ///   - isLogarithmic: whether values are compared by factors.
  ///   - fallback: the factor where the grid has one value.
  public init?(grid: [KnobValue], isLogarithmic: Bool, fallback: Double) {
    let numbers = grid.compactMap(\.number)
    guard numbers.count == grid.count, let first = numbers.min(), let last = numbers.max(),
      !isLogarithmic || first > 0
    else { return nil }
    self.isLogarithmic = isLogarithmic
    let gaps = Double(numbers.count - 1)
    if last > first {
      spacing = isLogarithmic ? pow(last / first, 1 / gaps) : (last - first) / gaps
    } else {
      spacing = isLogarithmic ? max(fallback, 1.01) : max(abs(first), 1)
    }
  }

  /// The distance from one value to another in units of the grid; negative when the second is smaller.
  public func distance(from first: Double, to second: Double) -> Double {
    isLogarithmic ? log(second / first) / log(spacing) : (second - first) / spacing
  }

  /// The value so many units above another, rounded; on a linear scale of values that are not negative never below 0.
  public func value(_ units: Double, above start: Double) -> Double {
    if isLogarithmic { return Self.rounded(start * pow(spacing, units)) }
    let moved = Self.rounded(start + units * spacing)
    return start >= 0 ? max(0, moved) : moved
  }

  /// The value in the middle of two, rounded.
  public func middle(_ first: Double, _ second: Double) -> Double {
    value(distance(from: first, to: second) / 2, above: first)
  }

  /// The nearest number with four significant digits.
  public static func rounded(_ value: Double) -> Double {
    Double(String(format: "%.3e", value)) ?? value
  }
}
