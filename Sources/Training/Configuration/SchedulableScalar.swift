// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations

/// A scalar that section `[schedule]` may change from step to step: its name, and the values it may have.
struct SchedulableScalar: Sendable {
  /// The name of its table, as in `[schedule.momentum]`.
  let name: String
  /// The values it may have.
  let range: NumberRange
  /// The value when nothing schedules it, if that is known.
  let configured: Double?
  /// Whether groups of parameters may have a course of their own.
  let isOfGroups: Bool
  /// The step between values it may have, and what it is; nil: any number.
  ///
  /// A scalar with a unit changes in jumps.
  let unit: (size: Int, name: String)?

  /// Describes a scalar of the groups of parameters.
  init(_ name: String, in range: NumberRange, configured: Double? = nil) {
    self.init(name, in: range, configured: configured, isOfGroups: true, unit: nil)
  }

  private init(
    _ name: String, in range: NumberRange, configured: Double?, isOfGroups: Bool,
    unit: (size: Int, name: String)?
  ) {
    self.name = name
    self.range = range
    self.configured = configured
    self.isOfGroups = isOfGroups
    self.unit = unit
  }

  /// The largest norm of gradients; not for switching clipping on and off.
  static func gradientClip(configured: Double) -> SchedulableScalar {
    SchedulableScalar(
      "gradient_clip", in: .above(0), configured: configured > 0 ? configured : nil)
  }

  /// Tokens of one update.
  static func batchTokens(configured: Int, multipleOf size: Int) -> SchedulableScalar {
    SchedulableScalar(
      "batch_tokens", in: .within(1...1_000_000_000), configured: Double(configured),
      isOfGroups: false, unit: (size, "context_length x accumulation_steps"))
  }

  /// Keys a query sees.
  static func attentionWindow(configured: Int?) -> SchedulableScalar {
    SchedulableScalar(
      "attention_window", in: .within(1...1_000_000_000), configured: configured.map(Double.init),
      isOfGroups: false, unit: (1, ""))
  }

  /// The weight of the squared log-sum-exp in the loss.
  static func zLoss(configured: Double) -> SchedulableScalar {
    SchedulableScalar(
      "z_loss", in: .nonNegative, configured: configured, isOfGroups: false, unit: nil)
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
