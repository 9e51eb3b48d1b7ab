// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import Statistics

/// What steps are worth: the loss that 100 steps less cost near the end of a run.
///
/// Measured as (mean of shorter runs - mean of longer runs) / (difference of steps), both of one recipe; it grows as runs get shorter, so
/// it has to be measured for each setup.
public struct ExchangeRate: Codable, Equatable, Sendable {
  /// Nats for 100 steps.
  public let perHundredSteps: Double
  /// Its interval, by Welch's t; nil where it was given, or cannot be had.
  public let interval: ConfidenceInterval?
  /// Two-sided p-value against 0; nil where it was given.
  public let pValue: Double?
  /// The sets it was measured on: the shorter, the longer; empty where it was given.
  public let sets: [String]
  /// Their steps.
  public let steps: [Int]
  /// Where it is from, in words.
  public let origin: String

  /// Measures or takes a rate.
  ///
  /// - Parameters:
  ///   - exchange: Two sets, or a number.
  ///   - confidence: Coverage of the interval.
  /// - Throws: ``SpeedRecordError`` with code `incomparable` when the sets have no steps, the same steps, or no losses.
  init?(_ exchange: RecordRules.Exchange, confidence: Double) throws(SpeedRecordError) {
    switch exchange {
    case .none: return nil
    case .given(let rate, let origin):
      perHundredSteps = rate
      interval = nil
      pValue = nil
      sets = []
      steps = []
      self.origin = origin
    case .measured(let first, let second):
      guard let a = first.steps, let b = second.steps else {
        throw SpeedRecordError(
          .incomparable,
          "the exchange rate needs the steps of '\(first.name)' and '\(second.name)', the same in every run of a set; "
            + "give them with --steps NAME=STEPS")
      }
      guard a != b else {
        throw SpeedRecordError(
          .incomparable,
          "'\(first.name)' and '\(second.name)' both have \(a) steps; an exchange rate needs one recipe at two lengths"
        )
      }
      let (shorter, longer) = a < b ? (first, second) : (second, first)
      guard let low = shorter.losses, let high = longer.losses else {
        throw SpeedRecordError(
          .incomparable, "'\(first.name)' and '\(second.name)' need losses for an exchange rate")
      }
      let test = Tests.welch(low, high, level: confidence)
      guard let difference = test.estimate else {
        throw SpeedRecordError(
          .incomparable,
          "a loss of '\(first.name)' or '\(second.name)' is not finite: there is no exchange rate")
      }
      let scale = 100 / Double(abs(a - b))
      perHundredSteps = difference * scale
      interval = test.interval?.mapped { $0 * scale }
      pValue = test.pValue
      sets = [shorter.name, longer.name]
      steps = [min(a, b), max(a, b)]
      origin =
        "measured: \(shorter.name) (\(min(a, b)) steps) against \(longer.name) (\(max(a, b)) steps)"
    }
  }
}
