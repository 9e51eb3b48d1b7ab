// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

extension OptimizerCard {
  /// A number that a method takes.
  public struct Hyperparameter: Sendable {
    /// The key in a configuration, for example `weight_decay`.
    public let name: String
    /// The value when nobody says otherwise.
    public let defaultValue: Double
    /// Values it may take.
    public let range: ClosedRange<Double>
    /// Whether the range's lower end itself is excluded.
    public let excludesLowerBound: Bool
    /// Whether the range's upper end itself is excluded, as for decay factors in [0, 1).
    public let excludesUpperBound: Bool
    /// Whether it counts something: whole numbers only.
    public let isCount: Bool
    /// Where a sweep looks; nil: it is not swept unless asked.
    public let search: SearchSpace?
    /// Where the default comes from.
    public let source: String
    /// What it does.
    public let summary: String

    /// Declares a hyperparameter.
    public init(
      _ name: String, defaultValue: Double, range: ClosedRange<Double> = 0...1e6,
      excludesLowerBound: Bool = false, excludesUpperBound: Bool = false, isCount: Bool = false,
      search: SearchSpace? = nil, source: String, summary: String
    ) {
      self.name = name
      self.defaultValue = defaultValue
      self.range = range
      self.excludesLowerBound = excludesLowerBound
      self.excludesUpperBound = excludesUpperBound
      self.isCount = isCount
      self.search = search
      self.source = source
      self.summary = summary
    }

    /// Whether a number is accepted.
    public func accepts(_ number: Double) -> Bool {
      number.isFinite && range.contains(number)
        && !(excludesLowerBound && number == range.lowerBound)
        && !(excludesUpperBound && number == range.upperBound)
        && !(isCount && number != number.rounded())
    }

    /// Whether it is the factor of an exponential average, in [0, 1).
    public var isDecayFactor: Bool {
      range.upperBound == 1 && excludesUpperBound
    }

    /// The accepted numbers, for example `[0, 1)`.
    public var rangeDescription: String {
      "\(excludesLowerBound ? "(" : "[")\(text(range.lowerBound)), \(text(range.upperBound))"
        + "\(excludesUpperBound ? ")" : "]")\(isCount ? ", whole" : "")"
    }

    private func text(_ number: Double) -> String {
      guard number == number.rounded() else { return "\(number)" }
      if number >= 1e6, log10(number) == log10(number).rounded() {
        return "1e\(Int(log10(number)))"
      }
      return abs(number) < 1e15 ? "\(Int(number))" : "\(number)"
    }
  }

  /// Where a sweep looks for the best value.
  public enum SearchSpace: Hashable, Sendable {
    /// Powers, `perDecade` to a factor of ten, from the first to the last.
    case logarithmic(ClosedRange<Double>, perDecade: Int)
    /// These values.
    case list([Double])

    /// The values, ascending.
    public var values: [Double] {
      switch self {
      case .list(let values): return values.sorted()
      case .logarithmic(let range, let perDecade):
        let steps = Int((log10(range.upperBound / range.lowerBound) * Double(perDecade)).rounded())
        return (0...max(0, steps)).map {
          range.lowerBound * pow(10, Double($0) / Double(perDecade))
        }
      }
    }
  }

  /// A choice between equations.
  public struct Option: Sendable {
    /// The key in a configuration, for example `coefficients`.
    public let name: String
    /// What it may be, the standard choice first; `false` and `true` are booleans in a configuration.
    public let choices: [String]
    /// Where the standard choice comes from.
    public let source: String
    /// What it decides.
    public let summary: String

    /// Declares an option; the first choice is the standard one.
    public init(_ name: String, choices: [String], source: String, summary: String) {
      self.name = name
      self.choices = choices
      self.source = source
      self.summary = summary
    }

    /// The choice when nobody says otherwise.
    public var standard: String { choices[0] }

    /// Whether it is a boolean in a configuration.
    public var isSwitch: Bool { Set(choices) == ["false", "true"] }
  }
}

extension OptimizerCard.Hyperparameter {
  /// A learning rate with its search space, half a decade apart as in the optimizer study (Zhao et al., 2024).
  public static func learningRate(
    _ defaultValue: Double, search: ClosedRange<Double>, source: String
  ) -> Self {
    Self(
      "learning_rate", defaultValue: defaultValue, range: 0...1e4,
      search: .logarithmic(search, perDecade: 2), source: source, summary: "peak step size")
  }

  /// The factor of an exponential average, in [0, 1).
  public static func decayFactor(
    _ name: String, _ defaultValue: Double, source: String, summary: String,
    search: [Double]? = nil
  ) -> Self {
    Self(
      name, defaultValue: defaultValue, range: 0...1, excludesUpperBound: true,
      search: search.map { .list($0) }, source: source, summary: summary)
  }

  /// Decoupled weight decay.
  public static func weightDecay(_ defaultValue: Double, source: String) -> Self {
    Self(
      "weight_decay", defaultValue: defaultValue, range: 0...1e3,
      search: .list([0, 0.01, 0.03, 0.1, 0.3]), source: source,
      summary: "decoupled, times the learning rate")
  }

  /// A small number added to a denominator.
  public static func epsilon(_ defaultValue: Double, source: String, summary: String) -> Self {
    Self("epsilon", defaultValue: defaultValue, range: 0...1e3, source: source, summary: summary)
  }
}
