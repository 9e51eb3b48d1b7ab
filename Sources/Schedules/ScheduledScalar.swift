// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A scalar with its schedule, for all parameters or for one group.
public struct ScheduledScalar: Equatable, Sendable, CustomStringConvertible {
  /// The name of the learning rate, whose schedule for a group is absolute.
  public static let learningRate = "learning_rate"

  /// The name, for example `momentum` or `batch_tokens`.
  public var name: String

  /// The group of parameters; `nil` for all that have no schedule of their own.
  public var group: String?

  /// The value as a function of the step, in the scalar's own unit.
  public var schedule: Schedule

  /// Describes a scheduled scalar.
  public init(name: String, group: String? = nil, schedule: Schedule) {
    self.name = name
    self.group = group
    self.schedule = schedule
  }

  /// Whether this is the schedule of a scalar for exactly that group, or for all.
  func isFor(_ name: String, _ group: String?) -> Bool {
    self.name == name && self.group == group
  }

  /// `momentum`, or `momentum of group 'scalars'`.
  public var description: String { group.map { "\(name) of group '\($0)'" } ?? name }
}
