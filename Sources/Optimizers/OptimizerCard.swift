// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// What is known about a method without running it.
///
/// Documentation, prices and defaults come from here.
public struct OptimizerCard: Sendable {
  /// A number that a method takes.
  public struct Hyperparameter: Sendable {
    /// The key in a configuration, for example `weight_decay`.
    public let name: String
    /// The value when nobody says otherwise.
    public let defaultValue: Double
    /// Values it may take.
    public let range: ClosedRange<Double>
    /// Whether the range's upper end itself is excluded, as for decay factors in [0, 1).
    public let excludesUpperBound: Bool
    /// Where the default comes from.
    public let source: String
    /// What it does.
    public let summary: String

    /// Declares a hyperparameter.
    public init(
      _ name: String, defaultValue: Double, range: ClosedRange<Double>,
      excludesUpperBound: Bool = false, source: String, summary: String
    ) {
      self.name = name
      self.defaultValue = defaultValue
      self.range = range
      self.excludesUpperBound = excludesUpperBound
      self.source = source
      self.summary = summary
    }

    /// Whether a number is accepted.
    public func accepts(_ number: Double) -> Bool {
      number.isFinite && range.contains(number)
        && !(excludesUpperBound && number == range.upperBound)
    }

    /// The accepted numbers, for example `[0, 1)`.
    public var rangeDescription: String {
      "[\(range.lowerBound), \(range.upperBound)\(excludesUpperBound ? ")" : "]")"
    }
  }

  /// The key in a configuration, for example `adamw`.
  public let name: String
  /// Authors, title, year, link.
  public let paper: String
  /// The update, as text.
  public let equation: String
  /// What it takes, the learning rate first.
  public let hyperparameters: [Hyperparameter]
  /// Bytes of state for each trained number.
  public let stateBytesPerParameter: Double

  /// Writes a card.
  public init(
    name: String, paper: String, equation: String, hyperparameters: [Hyperparameter],
    stateBytesPerParameter: Double
  ) {
    self.name = name
    self.paper = paper
    self.equation = equation
    self.hyperparameters = hyperparameters
    self.stateBytesPerParameter = stateBytesPerParameter
  }

  /// The defaults by name.
  public var defaults: [String: Double] {
    Dictionary(uniqueKeysWithValues: hyperparameters.map { ($0.name, $0.defaultValue) })
  }
}
