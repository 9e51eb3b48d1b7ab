// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Testing
import Training

/// What cannot be scheduled is refused with the keys that are to blame.
@Suite struct ScheduleMistakeTests {
  struct Mistake: Sendable, CustomTestStringConvertible {
    var text: String
    var keys: [String]
    var parts: [String]
    var testDescription: String { text.replacing("\n", with: " ") }

    init(_ text: String, _ keys: [String], _ parts: [String]) {
      (self.text, self.keys, self.parts) = (text, keys, parts)
    }
  }

  static func table(_ rows: String...) -> String {
    rows.enumerated().map { "[[schedule.stage]]\nname = \"s\($0)\"\n\($1)\n" }.joined()
  }

  static let mistakes: [Mistake] = [
    // Keys of another kind.
    Mistake(
      "[schedule]\npower = 2", ["schedule.power", "schedule.kind"],
      ["kind cosine takes no power", "\"polynomial\"", "line 4"]),
    Mistake(
      "[schedule]\nkind = \"linear\"\ncooldown_steps = 3",
      ["schedule.cooldown_steps", "schedule.kind"], ["\"wsd\""]),
    Mistake(
      "[schedule]\nkind = \"linear\"\ncooldown_fraction = 0.3",
      ["schedule.cooldown_fraction", "schedule.kind"], ["takes no cooldown_fraction"]),
    Mistake(
      "[schedule]\ntimescale_steps = 3", ["schedule.timescale_steps", "schedule.kind"],
      ["inverse-square-root"]),
    Mistake(
      "[schedule]\nkind = \"wsd\"\ncooldown_until = 90",
      ["schedule.cooldown_until", "schedule.kind"], ["\"stages\""]),
    Mistake(
      "[schedule]\nkind = \"stages\"\nwarmup_steps = 3\n" + table(""),
      ["schedule.warmup_steps", "schedule.kind"], ["stages takes no warmup_steps"]),
    Mistake("[schedule]\nkind = \"wsd\"\ncooldown = \"root\"", ["schedule.cooldown"], ["sqrt"]),
    // Lengths.
    Mistake(
      "[schedule]\nwarmup_steps = 101", ["schedule.warmup_steps", "training.steps"],
      ["longer than the run"]),
    Mistake("[schedule]\nwarmup_steps = -1", ["schedule.warmup_steps"], ["-1"]),
    Mistake("[schedule]\nwarmup_fraction = 1.5", ["schedule.warmup_fraction"], ["[0, 1]"]),
    Mistake(
      "[schedule]\nwarmup_fraction = 0.1\nwarmup_steps = 10",
      ["schedule.warmup_fraction", "schedule.warmup_steps"], ["given twice"]),
    Mistake(
      "[schedule]\nkind = \"wsd\"\nwarmup_steps = 60\ncooldown_steps = 41",
      ["schedule.warmup_steps", "schedule.cooldown_steps", "training.steps"],
      ["longer than the run", "60", "41", "100"]),
    Mistake(
      "[schedule]\nkind = \"wsd\"\ncooldown_steps = 0", ["schedule.cooldown_steps"], ["0"]),
    Mistake(
      "[schedule]\nkind = \"one-cycle\"\nwarmup_steps = 95",
      ["schedule.warmup_steps", "schedule.cooldown_steps", "training.steps"], ["way down"]),
    Mistake(
      "[schedule]\nkind = \"inverse-square-root\"\ncooldown_steps = 50\ncooldown_until = 40",
      ["schedule.cooldown_steps", "training.steps"], ["begin before the run"]),
    Mistake(
      "[schedule]\nkind = \"inverse-square-root\"\ncooldown_steps = 50\ncooldown_until = 101",
      ["schedule.cooldown_until"], ["no step of the run", "100"]),
    Mistake(
      "[schedule]\nkind = \"inverse-square-root\"\nwarmup_steps = 0",
      ["schedule.warmup_steps", "schedule.timescale_steps"], ["give timescale_steps"]),
    Mistake(
      "[schedule]\nkind = \"inverse-square-root\"\nfinal_fraction = 0.1",
      ["schedule.final_fraction"], ["no cooldown"]),
    Mistake(
      "[schedule]\nwarmup_steps = 0\ninitial_fraction = 0.1",
      ["schedule.initial_fraction", "schedule.warmup_steps"], ["no warm-up"]),
    // Stages.
    Mistake("[schedule]\nkind = \"stages\"", ["schedule.kind"], ["[[schedule.stage]]"]),
    Mistake(
      table("steps = 50", "steps = 60"), ["schedule.stage[1].steps", "training.steps"],
      ["'s1'", "110", "100"]),
    Mistake(
      table("steps = 50", "steps = 40"), ["schedule.stage[1].steps", "training.steps"],
      ["step 90", "100"]),
    Mistake(
      table("until = 50", "until = 40", ""), ["schedule.stage[1].until", "training.steps"],
      ["begins with step 50", "at 40"]),
    Mistake(
      table("until = 50", "until = -50", ""), ["schedule.stage[1].until", "training.steps"],
      ["before its first step"]),
    Mistake(table("until = 1.5", ""), ["schedule.stage[0].until"], ["between 0 and 1"]),
    Mistake(table("", ""), ["schedule.stage[0].name"], ["only the last stage"]),
    Mistake(
      table("steps = 3\nuntil = 3", ""), ["schedule.stage[0].steps", "schedule.stage[0].until"],
      ["given twice"]),
    Mistake(
      "[[schedule.stage]]\nname = \"a\"\nsteps = 3\n[[schedule.stage]]\nname = \"a\"",
      ["schedule.stage[0].name", "schedule.stage[1].name"], ["same name"]),
    Mistake(
      "[[schedule.stage]]\nname = \"stage\"", ["schedule.stage[0].name"], ["every stage"]),
    Mistake(
      table("factor = 2"), ["schedule.stage[0].factor", "schedule.kind"],
      ["does not follow the stages"]),
    Mistake(
      "[schedule]\nkind = \"stages\"\n" + table("factor = 1\nto = 2"),
      ["schedule.stage[0].factor", "schedule.stage[0].curve"], ["no single value"]),
    Mistake(
      "[schedule]\nkind = \"stages\"\n" + table("curve = \"cosine\""), ["schedule.stage[0].to"],
      ["missing"]),
    Mistake(
      "[schedule]\nkind = \"stages\"\n" + table("factor = -1"), ["schedule.stage[0].factor"],
      ["-1"]),
    Mistake(
      table("steps = 5\nbatch_tokens = 4096", ""),
      ["schedule.stage[1].name", "schedule.stage[0].batch_tokens"], ["in every stage"]),
    // Values.
    Mistake(
      table("steps = 5\nbatch_tokens = 1000", "batch_tokens = 1024"),
      ["schedule.stage[0].batch_tokens"], ["256", "768 or 1024"]),
    Mistake(
      table("steps = 5\nattention_window = 0", "attention_window = 8"),
      ["schedule.stage[0].attention_window"], ["0", "[1,"]),
    Mistake(
      table("steps = 5\nattention_window = 2.5", "attention_window = 8"),
      ["schedule.stage[0].attention_window"], ["whole"]),
    Mistake(
      "[schedule.beta1]\nfrom = 0.9\nto = 1.0", ["schedule.beta1.to"], ["[0, 1)"]),
    Mistake("[schedule.epsilon]\nto = -0.1", ["schedule.epsilon.to"], ["-0.1"]),
    Mistake(
      "[schedule.batch_tokens]\nkind = \"linear\"\nto = 8192", ["schedule.batch_tokens.kind"],
      ["jumps"]),
    Mistake(
      "[schedule.beta2]\nkind = \"cosine\"", ["schedule.beta2.to"], ["missing"]),
    // Names.
    Mistake(
      "[schedule.weight_deacy]\nto = 1\nkind = \"rex\"", ["schedule.weight_deacy"],
      ["did you mean 'weight_decay'?", "line 3"]),
    Mistake("[schedule]\nweight_decay = 1", ["schedule.weight_decay"], ["[schedule.weight_decay]"]),
    Mistake(
      "[schedule.z_loss]\nkind = \"constant\"\ngroup = \"head\"", ["schedule.z_loss.group"],
      ["not to a group"]),
    Mistake(
      "[schedule.beta1]\nkind = \"constant\"\ngroup = \"haed\"", ["schedule.beta1.group"],
      ["did you mean 'head'?"]),
    Mistake(
      "[schedule.beta1]\nkind = \"constant\"\ngroup = \"scalars\"", ["schedule.beta1.group"],
      ["no beta1"]),
    Mistake(
      "[schedule.gradient_clip]\nto = 0.5\ngroup = \"head\"", ["schedule.gradient_clip.group"],
      ["give one in its rule"]),
    Mistake(
      "[schedule.weight_decay]\nto = 0.5", ["schedule.weight_decay.from"], ["missing"]),
    Mistake(
      "[schedule.learning_rate]\nkind = \"constant\"\nfrom = 0.1", ["schedule.learning_rate.group"],
      ["[schedule] itself"]),
    Mistake(
      "[[schedule.beta1]]\nkind = \"constant\"\n[[schedule.beta1]]\nkind = \"constant\"",
      ["schedule.beta1[1].kind"], ["two schedules"]),
    Mistake(
      table("z_loss = 0.1") + "[schedule.z_loss]\nkind = \"constant\"", ["schedule.z_loss.kind"],
      ["in the stages"]),
    Mistake(
      "[schedule.beta1]\nkind = \"constant\"\n[[schedule.beta1.stage]]\nname = \"x\"",
      ["schedule.beta1.kind"], ["no effect"]),
    // Pauses.
    Mistake(
      "[schedule.pause]\ngroup = \"base\"\nsteps = 4\nafter = \"warmup\"", ["schedule.pause.after"],
      ["does not exist", "did you mean 'warm-up'?"]),
    Mistake(
      "[[schedule.pause]]\ngroup = \"base\"\nsteps = 4\nafter = \"cosine\"",
      ["schedule.pause[0].after"], ["until the run ends"]),
    Mistake("[schedule.pause]\ngroup = \"base\"", ["schedule.pause.steps"], ["missing"]),
    Mistake("[schedule.pause]\nsteps = 3", ["schedule.pause.group"], ["missing"]),
    Mistake(
      "[schedule.pause]\ngroup = \"base\"\nsteps = 0", ["schedule.pause.steps"], ["0"]),
    Mistake(
      "schedule.pause = { group = \"base\", steps = 3, afer = \"warm-up\" }",
      ["schedule.pause.afer"],
      ["'schedule.pause.after'"]),
  ]

  @Test(
    "Impossible schedules are refused before any work, each as one problem", arguments: mistakes)
  func refuses(_ mistake: Mistake) throws {
    let error = try #require(throws: ConfigurationError.self) {
      try ScheduleSettingsTests.read(mistake.text)
    }
    #expect(error.problems.count == 1, "\(error)")
    #expect(error.problems[0].keys == mistake.keys, "\(error)")
    for part in mistake.parts { #expect(error.message.contains(part), "\(error)") }
  }
}
