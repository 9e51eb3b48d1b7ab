// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Schedules
import Testing
import Training

/// What stages, cooldowns and pauses can say beyond one value for each.
@Suite struct StageSettingsTests {
  @Test(
    "A pause holds unless it says that gradients are zeros, and where two meet holding goes first")
  func pauseModes() throws {
    let stages = "[[schedule.stage]]\nname = \"a\"\nuntil = 40\n[[schedule.stage]]\nname = \"b\"\n"
    let pause = "[[schedule.pause]]\ngroup = \"scalars\"\n"
    let run = try ScheduleSettingsTests.run(
      stages + pause + "steps = 4\nmode = \"zero-gradients\"\n" + pause + "steps = 2\n")
    let modes = (39...44).map { run.pauseMode(of: "scalars", at: $0) }
    #expect(modes == [nil, .hold, .hold, .zeroGradients, .zeroGradients, nil])
    #expect(run.pausedGroups(.hold) == ["scalars"])
    #expect(run.pausedGroups(.zeroGradients) == ["scalars"])
    #expect(run.pauses(of: "scalars") == [40..<44])
  }

  @Test("In a stage's table a scalar may go from one value to another")
  func stageWays() throws {
    let run = try ScheduleSettingsTests.run(
      """
      [[schedule.stage]]
      name = "a"
      until = 40
      z_loss = { from = 0.5, to = 0.25 }
      [[schedule.stage]]
      name = "b"
      until = 60
      z_loss = { to = 0.0, curve = "cosine" }
      [[schedule.stage]]
      name = "c"
      z_loss = 0.125
      """)
    for (step, expected) in [
      (0, 0.5), (20, 0.375), (40, 0.25), (50, 0.125), (60, 0.125), (99, 0.125),
    ] {
      let value = try #require(run.value(of: "z_loss", at: step))
      #expect(abs(value - expected) <= ScheduleSettingsTests.rounding, "step \(step)")
    }
    let error = try #require(throws: ConfigurationError.self) {
      try ScheduleSettingsTests.run(
        "[[schedule.stage]]\nname = \"a\"\nattention_window = { from = 8, to = 16 }\n")
    }
    #expect(error.message.contains("changes in jumps only"), "\(error)")
  }

  @Test("A cooldown that is laid over a course may begin and end between steps")
  func cooldownBetweenSteps() throws {
    let run = try ScheduleSettingsTests.run(
      """
      [schedule.z_loss]
      kind = "stages"
      cooldown_steps = 10.5
      cooldown_until = 30.75
      to = 0.0
      [[schedule.z_loss.stage]]
      name = "a"
      value = 0.5
      """)
    for (step, expected) in [(20, 0.5), (21, 0.5 * 9.75 / 10.5), (30, 0.5 * 0.75 / 10.5), (31, 0)] {
      let value = try #require(run.value(of: "z_loss", at: step))
      #expect(abs(value - expected) <= ScheduleSettingsTests.rounding, "step \(step)")
    }
  }
}
