// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations

/// A scalar that section `[schedule]` may change from step to step: its name, and the values it may have.
struct SchedulableScalar: Sendable {
  /// The name of its table, as in `[schedule.momentum]`.
  let name: String
  /// The values it may have.
  let range: NumberRange
  /// The value for all when nothing schedules it; nil: there is none, or groups differ.
  let configured: Double?
  /// The values of the groups that have one; nil: it belongs to the run and not to a group.
  let groups: [String: Double]?
  /// The step between values it may have, and what it is; nil: any number.
  ///
  /// A scalar with a unit changes in jumps.
  let unit: (size: Int, name: String)?

  /// Describes a scalar.
  init(
    _ name: String, in range: NumberRange, configured: Double?, groups: [String: Double]? = nil,
    unit: (size: Int, name: String)? = nil
  ) {
    self.name = name
    self.range = range
    self.configured = configured
    self.groups = groups
    self.unit = unit
  }

  /// The name of the largest norm of gradients.
  static let gradientClip = "gradient_clip"

  /// The largest norm of gradients; not for switching clipping on and off.
  static func gradientClip(
    configured: Double, groups: [String: Double]
  ) -> SchedulableScalar {
    SchedulableScalar(
      gradientClip, in: .above(0), configured: configured > 0 ? configured : nil, groups: groups)
  }

  /// Tokens of one update.
  static func batchTokens(
    configured: Int, multipleOf size: Int, named name: String
  ) -> SchedulableScalar {
    SchedulableScalar(
      "batch_tokens", in: .within(1...1_000_000_000), configured: Double(configured),
      unit: (size, name))
  }

  /// Keys a query sees.
  static func attentionWindow(configured: Int?) -> SchedulableScalar {
    SchedulableScalar(
      "attention_window", in: .within(1...1_000_000_000), configured: configured.map(Double.init),
      unit: (1, ""))
  }

  /// Keys a query sees in layers with a short window.
  static func shortAttentionWindow(configured: Int?) -> SchedulableScalar {
    SchedulableScalar(
      "attention_window_short", in: .within(1...1_000_000_000),
      configured: configured.map(Double.init), unit: (1, ""))
  }

  /// Tokens of a sequence.
  static func contextLength(configured: Int) -> SchedulableScalar {
    SchedulableScalar(
      contextLength, in: .within(1...1_000_000_000), configured: Double(configured), unit: (1, ""))
  }

  /// The name of the tokens of a sequence.
  static let contextLength = "context_length"

  /// The weight of the token so many places ahead in the training loss; that of the next is 1.
  static func predictionWeight(_ distance: Int, configured: Double?) -> SchedulableScalar {
    SchedulableScalar("prediction_weight_\(distance)", in: .nonNegative, configured: configured)
  }

  /// What an evaluation may read in another value than the step before it.
  static let evaluated: [SchedulableScalar] = [
    .attentionWindow(configured: nil), .shortAttentionWindow(configured: nil),
  ]

  /// The weight of the squared log-sum-exp in the loss.
  static func zLoss(configured: Double) -> SchedulableScalar {
    SchedulableScalar("z_loss", in: .nonNegative, configured: configured)
  }

  /// The value of a group, or of all, when nothing schedules it.
  func configured(for group: String?) -> Double? {
    let value = group.map { groups?[$0] } ?? configured
    return value.flatMap { range.contains($0) ? $0 : nil }
  }

  /// Why a value inside the range is refused, nil when it is not.
  func refusal(of value: Double) -> String? {
    guard let unit, range.contains(value) else { return nil }
    let size = Double(unit.size)
    if value.truncatingRemainder(dividingBy: size) == 0 { return nil }
    if unit.size == 1 { return "\(name) is a whole number; use \(Int(value.rounded()))" }
    let lower = Int((value / size).rounded(.down)) * unit.size
    let choices = lower > 0 ? "\(lower) or \(lower + unit.size)" : "\(unit.size)"
    return "\(name) must be a multiple of \(unit.name) = \(unit.size), such as \(choices)"
  }
}
