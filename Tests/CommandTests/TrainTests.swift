// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Training as its user sees it: progress, records, exit codes, interruption.
@Suite(.timeLimit(.minutes(20))) struct TrainTests {
  @Test func aRunEndsWithItsValidationLossAndSaysWhereItLies() throws {
    let workspace = try Workspace()
    try workspace.prepareData()
    try workspace.writeConfiguration(steps: 40)
    let result = try workspace.run("train", "config.toml", "--output", "run")
    #expect(result.code == 0, "\(result)")
    #expect(result.output.isEmpty, "human text belongs on standard error: \(result)")
    #expect(!result.errors.contains("\r"), "no cursor tricks where nobody watches: \(result)")
    for part in [
      "step 0: validation loss 5.5", "step 40/40  loss ", " tokens/s ", " left", "bits a byte",
      "finished 40 steps, 5,120 tokens", "the run lies in run",
    ] {
      #expect(result.errors.contains(part), "'\(part)' is missing: \(result)")
    }

    let again = try workspace.run("train", "config.toml", "--output", "run")
    #expect(again.code == 0 && again.errors.contains("nothing to do"), "\(again)")

    let shown = try workspace.run("show", "run", "run", "--json")
    let summary = try shown.json()
    #expect(summary["status"] as? String == "finished", "\(shown)")
    #expect(summary["completedSteps"] as? Int == 40, "\(shown)")
    let final = try #require((summary["final"] as? [String: Any])?["validationLoss"] as? Double)
    #expect(final < 5, "40 steps bring the loss down: \(shown)")
    #expect(
      result.errors.contains(String(format: "validation loss %.4f", final)), "\(result)")
  }

  @Test func overridesReachTheConfigurationAndSayWhereTheyComeFrom() throws {
    let workspace = try Workspace()
    try workspace.writeConfiguration(steps: 40)
    let shown = try workspace.run(
      "show", "config", "config.toml", "--training.steps=7", "--optimizer.learning_rate=1e-2")
    #expect(shown.code == 0)
    let lines = shown.output.split(separator: "\n").map {
      $0.split(separator: " ").joined(separator: " ")
    }
    #expect(lines.contains("steps = 7 # command line"), "\(shown)")
    #expect(lines.contains("learning_rate = 0.01 # command line"), "\(shown)")
    #expect(lines.contains("width = 16 # file config.toml"), "\(shown)")
    #expect(lines.contains("seed = 1 # default"), "\(shown)")
  }

  @Test(arguments: [
    (["--model.widht=8"], "Did you mean 'model.width'?"),
    (["--training.steps=many"], "training.steps"),
    (["--schedule.warmup_steps=41"], "warm-up is longer than the run"),
    (["--model.heads=3"], "divisor"),
    (["--optimizer.name=adamm"], "Did you mean"),
    (["--training.batch_tokens=100"], "batch_tokens must be a multiple"),
    (["--training.steps"], "--section.key=value"),
  ])
  func badConfigurationsAreRefusedBeforeAnyWork(arguments: [String], text: String) throws {
    let workspace = try Workspace()
    try workspace.prepareData()
    try workspace.writeConfiguration(steps: 40)
    let result = try Command.run(
      ["train", "config.toml", "--output", "run"] + arguments, in: workspace.folder)
    #expect(result.code == 64, "\(result)")
    #expect(result.errors.hasPrefix("error: "), "\(result)")
    #expect(result.errors.contains(text), "\(result)")
    #expect(!workspace.exists("run"), "nothing was started: \(result)")
  }

  @Test func theSameBitsWithOneThreadAndTwo() throws {
    let workspace = try Workspace()
    try workspace.prepareData()
    try workspace.writeConfiguration(steps: 10)
    for threads in ["1", "2"] {
      let result = try workspace.run(
        "train", "config.toml", "--output", "run" + threads, "--machine.threads=" + threads)
      #expect(result.code == 0, "\(result)")
    }
    #expect(try workspace.weights(of: "run1") == workspace.weights(of: "run2"))
    #expect(try workspace.losses(of: "run1") == workspace.losses(of: "run2"))
  }

  @Test func anInterruptedRunExitsWith4AndGoesOnWithTheSameBits() throws {
    let workspace = try Workspace()
    try workspace.prepareData()
    try workspace.writeConfiguration(steps: 2000)
    let whole = try workspace.run("train", "config.toml", "--output", "whole")
    #expect(whole.code == 0, "\(whole)")

    let running = try workspace.start("train", "config.toml", "--output", "parts")
    #expect(running.waitForErrors(containing: "/2000  loss"))
    running.send(SIGINT)
    let interrupted = running.wait()
    #expect(interrupted.code == 4, "\(interrupted)")
    #expect(interrupted.errors.contains("the same command goes on"), "\(interrupted)")
    let count = try workspace.losses(of: "parts").count
    #expect(count > 0 && count < 2000, "interrupted after \(count) steps")

    let resumed = try workspace.run("train", "config.toml", "--output", "parts")
    #expect(resumed.code == 0, "\(resumed)")
    #expect(resumed.errors.contains("continuing after step \(count)"), "\(resumed)")
    #expect(try workspace.losses(of: "parts") == workspace.losses(of: "whole"))
    #expect(try workspace.weights(of: "parts") == workspace.weights(of: "whole"))
  }

  @Test func aKilledRunGoesOnFromItsLastCheckpointWithTheSameBits() throws {
    let workspace = try Workspace()
    try workspace.prepareData()
    try workspace.writeConfiguration(steps: 2000, checkpointEvery: 20)
    let whole = try workspace.run("train", "config.toml", "--output", "whole")
    #expect(whole.code == 0, "\(whole)")

    let running = try workspace.start("train", "config.toml", "--output", "parts")
    #expect(running.waitForErrors(containing: "step 40: saved"))
    running.send(SIGKILL)
    let killed = running.wait()
    #expect(killed.code == -SIGKILL, "\(killed)")
    let shown = try workspace.run("show", "run", "parts", "--json")
    #expect(try shown.json()["status"] as? String == "killed", "\(shown)")

    let resumed = try workspace.run("train", "config.toml", "--output", "parts")
    #expect(resumed.code == 0, "\(resumed)")
    #expect(resumed.errors.contains("continuing after step "), "\(resumed)")
    #expect(try workspace.losses(of: "parts") == workspace.losses(of: "whole"))
    #expect(try workspace.weights(of: "parts") == workspace.weights(of: "whole"))
  }

  @Test func aRunThatStopsBeingFiniteExitsWith3() throws {
    let workspace = try Workspace()
    try workspace.prepareData()
    try workspace.writeConfiguration(steps: 200)
    // Without epsilon the update of a number whose gradient was always zero is 0 / 0.
    let result = try workspace.run(
      "train", "config.toml", "--output", "run", "--optimizer.epsilon=0",
      "--training.skip_limit=2", "--evaluation.every=1")
    #expect(result.code == 3, "\(result)")
    #expect(result.errors.contains("diverged"), "\(result)")
    let shown = try workspace.run("show", "run", "run", "--json")
    #expect(try shown.json()["status"] as? String == "diverged", "\(shown)")
    let again = try workspace.run(
      "train", "config.toml", "--output", "run", "--optimizer.epsilon=0",
      "--training.skip_limit=2", "--evaluation.every=1")
    #expect(again.code == 3, "a diverged run stays diverged: \(again)")
  }

  @Test func curvesAreDrawnFromTheRecord() throws {
    let workspace = try Workspace()
    try workspace.prepareData()
    try workspace.writeConfiguration(steps: 20)
    for run in ["first", "second"] {
      _ = try workspace.run("train", "config.toml", "--output", run, "--evaluation.every=5")
    }
    let one = try workspace.run("show", "curve", "first", "--output", "first.svg")
    #expect(one.code == 0 && one.output.isEmpty, "\(one)")
    let image = String(decoding: try workspace.read("first.svg"), as: UTF8.self)
    #expect(image.hasPrefix("<svg") && image.contains("validation") && image.contains("training"))
    let both = try workspace.run("show", "curve", "first", "second")
    #expect(both.output.hasPrefix("<svg") && both.output.contains("second"), "\(both)")
    let none = try workspace.run("show", "curve", "third")
    #expect(none.code == 1 && none.errors.contains("third"), "\(none)")
  }

  @Test func aTraceHoldsEverythingOfItsSteps() throws {
    let workspace = try Workspace()
    try workspace.prepareData()
    try workspace.writeConfiguration(steps: 20)
    let result = try workspace.run(
      "trace", "config.toml", "--steps", "2", "--output", "trace", "--machine.precision=fp32")
    #expect(result.code == 0, "\(result)")
    let files = result.output.split(separator: "\n").map(String.init)
    #expect(
      files == ["initial", "step-00000001", "step-00000002"].map { "trace/\($0).safetensors" })
    let header = try Safetensors(workspace.read(files[2])).names
    for name in [
      "loss", "batch.tokens", "batch.targets", "gradient.head.weight", "parameter.head.weight",
      "gradient.embedding.weight", "parameter.final_norm.gain",
    ] {
      #expect(header.contains(name), "\(name) is missing: \(header)")
    }
    #expect(header.contains { $0.hasPrefix("optimizer.") }, "\(header)")

    // The trace's weights are where a run starts.
    let trained = try workspace.run(
      "train", "config.toml", "-o", "a", "--initial", "trace/initial.safetensors",
      "--machine.precision=fp32")
    let plain = try workspace.run("train", "config.toml", "-o", "b", "--machine.precision=fp32")
    #expect(trained.code == 0 && plain.code == 0, "\(trained)")
    #expect(try workspace.losses(of: "a") == workspace.losses(of: "b"))

    let none = try workspace.run("trace", "config.toml", "--steps", "0", "--output", "none")
    #expect(none.code == 64 && none.errors.contains("at least 1"), "\(none)")
  }
}
