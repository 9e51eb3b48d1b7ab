// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// The moment at which one stage follows another.
public struct StageEvent: Codable, Equatable, Sendable {
  /// The first step of the later stage.
  public let step: Int
  /// The name of the stage that ends.
  public let from: String
  /// The name of the stage that begins.
  public let to: String

  /// Creates an event.
  public init(step: Int, from: String, to: String) {
    self.step = step
    self.from = from
    self.to = to
  }
}

extension Schedule {
  /// The transitions between stages that a run gets to see.
  ///
  /// - Parameter steps: the number of steps of the run.
  /// - Returns: one event for each stage but the first that begins before the run ends, in order.
  public func events(forSteps steps: Int) -> [StageEvent] {
    var events: [StageEvent] = []
    var start = 0
    for (stage, next) in zip(stages, stages.dropFirst()) {
      start += stage.steps ?? 0
      if start < steps { events.append(StageEvent(step: start, from: stage.name, to: next.name)) }
    }
    return events
  }
}
