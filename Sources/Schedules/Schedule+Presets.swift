// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

// The schedules that have names in the field. All are stages and nothing else; values are absolute, and a learning rate's
// are shares of its peak, to be multiplied by it with `scaled(by:)`.

extension Schedule {
  /// The same value at every step, after a warm-up if there is one.
  ///
  /// - Parameters:
  ///   - value: any finite number.
  ///   - warmUp: the first steps.
  ///   - steps: the number of steps of the run; only a warm-up needs it.
  /// - Returns: the endless schedule.
  /// - Throws: ``ScheduleError`` when the warm-up does not fit the run or a value is not finite.
  public static func constant(
    _ value: Double, warmUp: ScheduleWarmUp = .none, steps: Int = .max
  ) throws(ScheduleError) -> Schedule {
    try warmUp.validate(forSteps: steps)
    let rest = ScheduleStage(name: "constant", steps: nil, curve: .constant(value))
    return try Schedule(stages: warmUp.stages(to: value) + [rest])
  }

  /// One way from a value to another over the whole run, after a warm-up if there is one.
  ///
  /// The last step of the run, `steps - 1`, is one step short of the end value: no step is lost where that is 0.
  ///
  /// - Parameters:
  ///   - shape: the way.
  ///   - start: the value after the warm-up.
  ///   - end: the value at step `steps` and after it.
  ///   - warmUp: the first steps, at most all.
  ///   - steps: the number of steps of the run, at least 1.
  /// - Returns: the schedule, of length `steps`.
  /// - Throws: ``ScheduleError`` when the warm-up does not fit the run or a value is not finite.
  public static func decay(
    _ shape: ScheduleShape, from start: Double = 1, to end: Double, warmUp: ScheduleWarmUp = .none,
    steps: Int
  ) throws(ScheduleError) -> Schedule {
    try warmUp.validate(forSteps: steps)
    var stages = warmUp.stages(to: start)
    if steps > warmUp.steps {
      stages.append(
        ScheduleStage(
          name: shape.name, steps: steps - warmUp.steps,
          curve: .ramp(from: start, to: end, shape: shape)))
    }
    return try Schedule(stages: stages)
  }

  /// Warm-up, stable, cooldown (Hu et al., 2024, https://arxiv.org/abs/2404.06395).
  ///
  /// - Parameters:
  ///   - value: the value in between.
  ///   - end: the value at step `steps`, where the cooldown ends.
  ///   - warmUp: the first steps.
  ///   - cooldownSteps: the length of the cooldown, at least 1.
  ///   - shape: the way of the cooldown.
  ///   - steps: the number of steps of the run.
  /// - Returns: the schedule, of length `steps`, with stages `warm-up`, `stable` and `cooldown` where they have steps.
  /// - Throws: ``ScheduleError`` when warm-up and cooldown do not fit the run or a value is not finite.
  public static func warmUpStableDecay(
    _ value: Double = 1, to end: Double, warmUp: ScheduleWarmUp = .none, cooldownSteps: Int,
    shape: ScheduleShape, steps: Int
  ) throws(ScheduleError) -> Schedule {
    try warmUp.validate(forSteps: steps)
    guard cooldownSteps >= 1 else {
      throw ScheduleError(
        .invalidLength, "the cooldown has \(cooldownSteps) steps; give at least 1")
    }
    guard cooldownSteps <= steps - warmUp.steps else {
      throw ScheduleError(
        .longerThanRun,
        "a warm-up of \(warmUp.steps) steps and a cooldown of \(cooldownSteps) are longer than the run of "
          + "\(steps) steps; shorten one of them or lengthen the run")
    }
    var stages = warmUp.stages(to: value)
    let stable = steps - warmUp.steps - cooldownSteps
    if stable > 0 {
      stages.append(ScheduleStage(name: "stable", steps: stable, curve: .constant(value)))
    }
    stages.append(
      ScheduleStage(
        name: "cooldown", steps: cooldownSteps, curve: .ramp(from: value, to: end, shape: shape)))
    return try Schedule(stages: stages)
  }

  /// The inverse square root of the step, after a warm-up, possibly with a cooldown laid over its end.
  ///
  /// - Parameters:
  ///   - value: the value after the warm-up.
  ///   - timescale: steps after which the value has fallen to `1 / sqrt(2)`; with the warm-up's length it is
  ///     `value * sqrt(W / step)`.
  ///   - warmUp: the first steps.
  ///   - cooldown: an end laid over it.
  ///   - steps: the number of steps of the run.
  /// - Returns: the endless schedule.
  /// - Throws: ``ScheduleError`` when the warm-up does not fit the run, or a number is not finite or not above 0.
  public static func inverseSquareRoot(
    from value: Double = 1, timescale: Double, warmUp: ScheduleWarmUp = .none,
    cooldown: ScheduleCooldown? = nil, steps: Int
  ) throws(ScheduleError) -> Schedule {
    try warmUp.validate(forSteps: steps)
    let curve = ScheduleCurve.inverseSquareRoot(from: value, timescale: timescale)
    let rest = ScheduleStage(name: "inverse-square-root", steps: nil, curve: curve)
    return try Schedule(stages: warmUp.stages(to: value) + [rest], cooldown: cooldown)
  }

  /// One cycle: up, down as far, and then orders of magnitude further (Smith, 2018, https://arxiv.org/abs/1803.09820).
  ///
  /// - Parameters:
  ///   - start: the value at the first step and at the end of the way down.
  ///   - peak: the value between `rise` and `fall`.
  ///   - end: the value at the end of the run.
  ///   - riseSteps: the length of the way up, at least 1.
  ///   - annihilationSteps: the length of the last part, at least 1.
  ///   - steps: the number of steps of the run; what is left is the way down.
  /// - Returns: the schedule, of length `steps`, with stages `rise`, `fall` and `annihilation`.
  /// - Throws: ``ScheduleError`` when the parts do not fit the run or a value is not finite.
  public static func oneCycle(
    from start: Double, peak: Double = 1, to end: Double, riseSteps: Int, annihilationSteps: Int,
    steps: Int
  ) throws(ScheduleError) -> Schedule {
    guard riseSteps >= 1, annihilationSteps >= 1 else {
      throw ScheduleError(
        .invalidLength,
        "one cycle rises for \(riseSteps) steps and ends with \(annihilationSteps); give at least 1 for each"
      )
    }
    guard riseSteps < steps, annihilationSteps < steps - riseSteps else {
      throw ScheduleError(
        .longerThanRun,
        "one cycle rises for \(riseSteps) steps and ends with \(annihilationSteps), "
          + "which leaves no step of \(steps) for the way down; shorten one of them or lengthen the run"
      )
    }
    return try Schedule(stages: [
      ScheduleStage(name: "rise", steps: riseSteps, curve: .linear(from: start, to: peak)),
      ScheduleStage(
        name: "fall", steps: steps - riseSteps - annihilationSteps,
        curve: .linear(from: peak, to: start)),
      ScheduleStage(
        name: "annihilation", steps: annihilationSteps, curve: .linear(from: start, to: end)),
    ])
  }
}
