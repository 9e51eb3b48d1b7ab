// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A value in a metrics record.
///
/// JSON has no NaN and no infinities. Numbers that are not finite are written as the texts `"nan"`,
/// `"inf"` and `"-inf"`, and ``MetricsRecord/number(_:)`` reads these texts as numbers again.
public enum MetricValue: Equatable, Sendable {
  /// A whole number.
  case integer(Int)
  /// A number of 64 bits, written with as many digits as it takes to read it back exactly.
  case number(Double)
  /// A number of 32 bits, written with as many digits as a 32-bit number needs.
  case single(Float)
  /// A text.
  case string(String)
  /// `true` or `false`.
  case boolean(Bool)
}

/// One line of metrics: a step and named values.
public struct MetricsRecord: Equatable, Sendable {
  /// A named value.
  public struct Field: Equatable, Sendable {
    /// The name, for example `loss`.
    public let name: String
    /// The value.
    public let value: MetricValue
  }

  /// The zero-based step the values belong to.
  public let step: Int

  /// The values in the order of the line, without the step.
  public let fields: [Field]

  /// The value of a name, or `nil`; of repeated names the last.
  public subscript(name: String) -> MetricValue? {
    fields.last { $0.name == name }?.value
  }

  /// A value as number, or `nil` when there is none; the texts for NaN and infinities count as numbers.
  public func number(_ name: String) -> Double? {
    switch self[name] {
    case .integer(let value): Double(value)
    case .number(let value): value
    case .single(let value): Double(value)
    case .string("nan"): .nan
    case .string("inf"): .infinity
    case .string("-inf"): -.infinity
    case .string, .boolean, nil: nil
    }
  }

  /// A value as whole number, or `nil` when there is none.
  public func integer(_ name: String) -> Int? {
    if case .integer(let value) = self[name] { return value }
    return nil
  }

  /// A value as text, or `nil` when there is none.
  public func string(_ name: String) -> String? {
    if case .string(let value) = self[name] { return value }
    return nil
  }
}
