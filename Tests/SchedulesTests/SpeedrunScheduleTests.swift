// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Schedules
import Testing

/// The NanoGPT speedrun's records 51, 52 and 53 (https://github.com/KellerJordan/modded-nanogpt, pull requests 175, 177 and
/// 178): plateaus of the learning rate, windows and batches in thirds, and a linear decay over the last 55 % of the scheduled
/// steps that goes on through the jumps; then 40 more steps.
@Suite struct SpeedrunScheduleTests {
  /// One of the records.
  struct Record: Sendable, CustomTestStringConvertible {
    var name: String
    /// The scheduled steps; 40 more follow.
    var scheduled: Int
    /// The first steps of the second and third plateau.
    var jumps: [Int]
    var plateaus: [Double]
    /// The first steps of new windows and batches.
    var changes: [Int]
    /// All tokens of the record.
    var tokens: Double
    var testDescription: String { name }

    var steps: Int { scheduled + 40 }

    /// The learning rate as a share of its peak.
    func learningRate() throws -> Schedule {
      try Schedule(
        stages: [
          ScheduleStage(name: "first", steps: jumps[0], curve: .constant(plateaus[0])),
          ScheduleStage(name: "second", steps: jumps[1] - jumps[0], curve: .constant(plateaus[1])),
          ScheduleStage(
            name: "third", steps: scheduled - jumps[1], curve: .constant(plateaus[2])),
          ScheduleStage(name: "extension", steps: nil, curve: .constant(plateaus[2])),
        ],
        cooldown: ScheduleCooldown(
          start: 0.45 * Double(scheduled), stop: Double(scheduled), to: 0.1, shape: .linear))
    }

    /// Values that change with the thirds.
    func thirds(_ values: [Double]) throws -> Schedule {
      let ends = [(scheduled + 2) / 3, (2 * scheduled + 2) / 3, scheduled]
      var stages: [ScheduleStage] = []
      for (index, value) in values.enumerated() {
        let start = index == 0 ? 0 : ends[index - 1]
        stages.append(
          ScheduleStage(
            name: ["first", "second", "third", "extension"][index],
            steps: index < ends.count ? ends[index] - start : nil, curve: .constant(value)))
      }
      return try Schedule(stages: stages)
    }
  }

  /// The first test of a plateau is strict in record 51, and 1995 / 3 is whole: its jumps are one step later than its windows'.
  static let a = Record(
    name: "A", scheduled: 1995, jumps: [666, 1331], plateaus: [1, 1.51, 1.93],
    changes: [665, 1330, 1995], tokens: 538_705_920)
  static let b = Record(
    name: "B", scheduled: 1960, jumps: [654, 1307], plateaus: [1, 1.51, 1.93],
    changes: [654, 1307, 1960], tokens: 529_399_808)
  static let c = Record(
    name: "C", scheduled: 1880, jumps: [627, 1254], plateaus: [1, 1.52, 1.73],
    changes: [627, 1254, 1880], tokens: 508_428_288)

  @Test func theLearningRateOfBHasItsValues() throws {
    let schedule = try Self.b.learningRate()
    // Printed with six decimals.
    for (step, expected) in [
      (0, 1), (653, 1), (654, 1.51), (882, 1.51), (1000, 1.355659), (1306, 0.955417),
      (1307, 1.208525), (1500, 0.880891), (1800, 0.371614), (1959, 0.101698), (1960, 0.1),
      (1999, 0.1),
    ] {
      #expect(abs(schedule.value(at: step) - expected) <= 5e-7, "step \(step)")
    }
  }

  @Test(arguments: [
    (a, 898, 0.9545, 1.2074), (b, 882, 0.9554, 1.2085), (c, 846, 0.9611, 1.0868),
  ])
  func theLearningRateJumpsWhileItFalls(
    record: Record, decay: Int, before: Double, after: Double
  ) throws {
    let schedule = try record.learningRate()
    let (first, second) = (record.jumps[0], record.jumps[1])
    #expect(schedule.value(at: first - 1) == 1)
    #expect(schedule.value(at: first) == record.plateaus[1])
    #expect(schedule.value(at: decay - 1) == record.plateaus[1])
    #expect(schedule.value(at: decay + 1) < record.plateaus[1])
    // Printed with four decimals.
    #expect(abs(schedule.value(at: second - 1) - before) <= 5e-5)
    #expect(abs(schedule.value(at: second) - after) <= 5e-5)
    for step in record.scheduled..<record.steps { #expect(schedule.value(at: step) == 0.1) }
    #expect(
      schedule.events(forSteps: record.steps).map(\.step) == [first, second, record.scheduled])
    #expect(schedule.isDecaying(forSteps: record.steps))
  }

  @Test(arguments: [a, b, c])
  func windowsAndBatchesChangeInThirdsAndTokensAddUp(record: Record) throws {
    let changes = record.changes
    let batch = try record.thirds([131_072, 262_144, 393_216, 393_216])
    let window = try record.thirds([384, 896, 1408, 1664])
    for schedule in [batch, window] {
      #expect(schedule.events(forSteps: record.steps).map(\.step) == changes)
      #expect(schedule.isPiecewiseConstant)
    }
    #expect(window.value(at: changes[0] - 1) == 384 && window.value(at: changes[0]) == 896)
    #expect((0..<record.steps).reduce(0) { $0 + batch.value(at: $1) } == record.tokens)
  }

  @Test(arguments: [a, b, c])
  func momentumWarmsUpAndCoolsDownRelativeToTheEnd(record: Record) throws {
    let schedule = try Schedule.warmUpStableDecay(
      0.95, to: 0.85, warmUp: ScheduleWarmUp(steps: 300, from: 0.85), cooldownSteps: 50,
      shape: .linear, steps: record.steps)
    let last = record.steps - 1
    for (step, expected) in [
      (0, 0.85), (150, 0.9), (300, 0.95), (last - 49, 0.95), (last - 24, 0.9), (last, 0.852),
    ] {
      #expect(abs(schedule.value(at: step) - expected) <= 1e-15, "step \(step)")
    }
  }

  @Test func theScalarsOfBPauseAfterEveryStageAndThroughTheExtension() throws {
    let run = try RunSchedule(
      steps: Self.b.steps, learningRate: Self.b.learningRate(),
      pauses: [SchedulePause(group: "scalars", after: .everyStage, steps: 40)])
    #expect(run.pauses(of: "scalars") == [654..<694, 1307..<1347, 1960..<2000])
    #expect(run.pauses(of: "matrices").isEmpty)
    let updates = (0..<run.steps).count { $0 % 2 == 1 && !run.isPaused("scalars", at: $0) }
    #expect(updates == 940, "every second step, without the pauses")
  }
}
