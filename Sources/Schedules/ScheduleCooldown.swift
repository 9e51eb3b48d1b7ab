// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// An end laid over a schedule, whose own course goes on underneath.
///
///     factor(step) = end + (own(step) - end) * remaining(z),    z = (step - start) / (stop - start) in 0...1
///
/// Over a constant course it is an ordinary cooldown; with `end = 0` it multiplies the course by the shape; over plateaus their
/// jumps stay visible while everything falls, as in the NanoGPT speedrun (https://github.com/KellerJordan/modded-nanogpt).
public struct ScheduleCooldown: Codable, Equatable, Sendable {
  /// The step, not necessarily whole, up to which nothing changes.
  public var start: Double

  /// The step from which the factor is `end`.
  public var stop: Double

  /// The factor at the end.
  public var end: Double

  /// The way there.
  public var shape: ScheduleShape

  /// Creates a cooldown; a schedule checks it.
  ///
  /// - Parameters:
  ///   - start: the step up to which nothing changes; at least 0. A fraction of a run need not be a whole number of steps.
  ///   - stop: the step from which the factor is `end`; above `start`.
  ///   - end: the factor at the end.
  ///   - shape: the way there.
  public init(start: Double, stop: Double, to end: Double, shape: ScheduleShape) {
    self.start = start
    self.stop = stop
    self.end = end
    self.shape = shape
  }

  /// The factor of a schedule whose own factor is given.
  func factor(over own: Double, at step: Int) -> Double {
    let elapsed = Double(step) - start
    if elapsed <= 0 { return own }
    let length = stop - start
    return end + (own - end) * shape.remaining(after: min(elapsed, length), of: length)
  }

  /// Checks the numbers.
  ///
  /// - Throws: ``ScheduleError`` when they are not finite, the start is negative, or the stop is not after it.
  func validate() throws(ScheduleError) {
    try shape.validate(stage: "cooldown")
    guard start.isFinite, stop.isFinite, end.isFinite else {
      throw ScheduleError(
        .invalidValue,
        "a cooldown from step \(start) to step \(stop), down to \(end), is not finite; give finite numbers"
      )
    }
    guard start >= 0, stop > start else {
      throw ScheduleError(
        .invalidLength,
        "a cooldown from step \(start) to step \(stop) has no length inside a run; "
          + "let it start at 0 or later and stop after that")
    }
  }
}
