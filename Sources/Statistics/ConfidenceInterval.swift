// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// An interval that covers the true value with a stated probability over repetitions of the study.
///
/// An end may be infinite (a one-sided bound). In JSON an infinite end is left out.
public struct ConfidenceInterval: Codable, Equatable, Sendable {
  /// Lower end, belonging to the interval.
  public var lower: Double
  /// Upper end, belonging to the interval.
  public var upper: Double
  /// Coverage, from 0 to 1.
  public var level: Double

  /// Makes an interval.
  ///
  /// - Parameters:
  ///   - lower: Lower end.
  ///   - upper: Upper end.
  ///   - level: Coverage, in 0 ... 1.
  public init(lower: Double, upper: Double, level: Double) {
    self.lower = lower
    self.upper = upper
    self.level = level
  }

  /// Upper minus lower end.
  public var width: Double { upper - lower }

  /// Whether both ends are finite.
  public var isBounded: Bool { lower.isFinite && upper.isFinite }

  /// Whether `value` lies in the interval, ends included.
  ///
  /// - Parameter value: Any number; NaN lies in no interval.
  /// - Returns: lower <= value <= upper.
  public func contains(_ value: Double) -> Bool { lower <= value && value <= upper }

  /// Whether the whole interval lies strictly between -margin and margin.
  ///
  /// - Parameter margin: Half-width of the open interval around 0.
  /// - Returns: -margin < lower and upper < margin.
  public func lies(within margin: Double) -> Bool { -margin < lower && upper < margin }

  /// The interval of a strictly increasing function of the value, for example `exp`.
  ///
  /// - Parameter transform: Increasing function.
  /// - Returns: The interval between the transformed ends, of the same level.
  public func mapped(_ transform: (Double) -> Double) -> ConfidenceInterval {
    ConfidenceInterval(lower: transform(lower), upper: transform(upper), level: level)
  }

  /// The smallest interval that holds all of `intervals`.
  ///
  /// - Parameter intervals: Intervals of one level; with several levels the smallest is kept.
  /// - Returns: From the lowest lower to the highest upper end; nil without intervals.
  public static func union(_ intervals: [ConfidenceInterval]) -> ConfidenceInterval? {
    guard var joined = intervals.first else { return nil }
    for interval in intervals.dropFirst() {
      joined.lower = min(joined.lower, interval.lower)
      joined.upper = max(joined.upper, interval.upper)
      joined.level = min(joined.level, interval.level)
    }
    return joined
  }

  private enum CodingKeys: String, CodingKey {
    case lower, upper, level
  }

  /// Reads an interval; a missing end is infinite.
  ///
  /// - Parameter decoder: Where from.
  /// - Throws: What the decoder throws.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    lower = try container.decodeIfPresent(Double.self, forKey: .lower) ?? -.infinity
    upper = try container.decodeIfPresent(Double.self, forKey: .upper) ?? .infinity
    level = try container.decode(Double.self, forKey: .level)
  }

  /// Writes an interval; an infinite end is left out.
  ///
  /// - Parameter encoder: Where to.
  /// - Throws: What the encoder throws.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    if lower.isFinite { try container.encode(lower, forKey: .lower) }
    if upper.isFinite { try container.encode(upper, forKey: .upper) }
    try container.encode(level, forKey: .level)
  }
}
