// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RandomStreams
import RunRecords
import TensorFiles
import Testing

@testable import Training

@Suite struct TrajectoryRecordingTests {
  static func record(
    _ folder: TemporaryFolder, _ changes: [String: String], stop: StopRequest = StopRequest(),
    observer: @escaping (TrainingEvent) -> Void = { _ in }
  ) throws -> TrajectoryRecord? {
    let configuration = try smallConfiguration(folder.path, changes)
    try TrainingRun.train(
      configuration, runtime: TestRuntime.cpu.provider, source: smallSource(), stop: stop,
      observer: observer)
    return try TrajectoryRecord.read(run: configuration.run.folder)
  }

  @Test("Every value of small parameters is recorded after each step, and equals the checkpoints'")
  func values() throws {
    let folder = try TemporaryFolder()
    let record = try #require(
      try Self.record(
        folder, ["metrics.trajectories": "small", "checkpoint.every": "1", "checkpoint.keep": "9"]))
    #expect(record.steps == [0, 1, 2, 3, 4, 5])
    for step in record.steps {
      let name = String(format: "step-%08d", step + 1)
      let file = try TensorFile(
        path: "\(folder.path)/run/checkpoints/\(name)/tensors.safetensors")
      for parameter in record.parameters {
        let values = try #require(record.values(parameter.name, at: step)).map { $0 }
        #expect(try file.floats(parameter.name) == values, "\(parameter.name) after step \(step)")
        #expect(parameter.count < 1024)
      }
    }
    // Everything is small here: nothing is left to be summed up.
    #expect(record.summarized.isEmpty)
    #expect(record.parameters.contains { $0.role == "norm_gain" })
    #expect(record.number("batch_tokens") == [16, 16, 16, 16, 16, 16])
    #expect(record.number("base.learning_rate")?.prefix(2) == [0.005, 0.01])
  }

  @Test("Stages and pauses stand in the record, and a group that is paused or frozen is recorded")
  func stages() throws {
    let folder = try TemporaryFolder()
    let record = try #require(
      try Self.record(
        folder,
        [
          "metrics.trajectories": "small",
          "optimizer.rule":
            #"[{name = "top", roles = ["head"]}, {name = "still", roles = ["embedding"], train = false}]"#,
          "schedule.stage": "[{name = 'a', steps = 2}, {name = 'b', steps = 2}, {name = 'c'}]",
          "schedule.pause": "{group = 'top', after = 'a', steps = 2}",
        ]))
    let header = record.header
    #expect(header.stages.map(\.name) == ["a", "b", "c"])
    #expect(header.stages.map(\.firstStep) == [0, 2, 4])
    #expect(header.pauses == [.init(group: "top", from: 2, to: 4)])
    let head = try #require(record.course("head.weight", 5))
    #expect(head[1] == head[2] && head[2] == head[3] && head[3] != head[4] && head[0] != head[1])
    let table = try #require(record.course("embedding.weight", 5))
    #expect(Set(table).count == 1)
    #expect(record.parameters.first { $0.name == "embedding.weight" }?.group == "still")
  }

  @Test("Norm gains are summed up unless they are asked for; nothing at all on request")
  func choices() throws {
    let scalars = try #require(try Self.record(TemporaryFolder(), [:]))
    #expect(scalars.parameters.allSatisfy { !$0.role.contains("gain") })
    #expect(scalars.summarized.map(\.role).contains("norm_gain"))
    #expect(scalars.summarySteps == [0, 2, 4])
    let folder = try TemporaryFolder()
    let every = try #require(try Self.record(folder, ["metrics.trajectories_every": "4"]))
    #expect(every.steps == [0, 4])
    #expect(try Self.record(TemporaryFolder(), ["metrics.trajectories": "none"]) == nil)
    let fewer = try #require(
      try Self.record(TemporaryFolder(), ["metrics.statistics_every": "0"]))
    #expect(fewer.summarized.isEmpty && fewer.steps.count == 6)
  }

  @Test("Recording changes no bit of a run")
  func unchanged() throws {
    func tensors(_ choice: String) throws -> Data {
      let folder = try TemporaryFolder()
      _ = try Self.record(folder, ["metrics.trajectories": choice])
      return try Data(
        contentsOf: URL(
          fileURLWithPath: folder.path + "/run/checkpoints/step-00000006/tensors.safetensors"))
    }
    #expect(try tensors("none") == tensors("small"))
  }

  @Test("Interrupted, killed and resumed, the record has the same bytes", arguments: [0, 2, 4])
  func resumed(step: Int) throws {
    let changes = ["metrics.trajectories": "small"]
    func bytes(_ folder: TemporaryFolder) throws -> Data {
      try Data(contentsOf: URL(fileURLWithPath: folder.path + "/run/trajectories.bin"))
    }
    let whole = try TemporaryFolder()
    _ = try Self.record(whole, changes)
    let folder = try TemporaryFolder()
    let stop = StopRequest()
    _ = try Self.record(folder, changes, stop: stop) { event in
      if case .step(let report) = event, report.step == step { stop.request() }
    }
    #expect(try bytes(folder).count < bytes(whole).count)
    // What a killed process wrote after its checkpoint, the last of it incomplete.
    let file = try FileHandle(
      forWritingTo: URL(fileURLWithPath: folder.path + "/run/trajectories.bin"))
    try file.seekToEnd()
    try file.write(contentsOf: Data(repeating: 3, count: 77))
    try file.close()
    _ = try Self.record(folder, changes)
    #expect(try bytes(folder) == bytes(whole))
  }

  @Test("A session that records nothing loses nothing of what others recorded, and keeps no more")
  func silentSession() throws {
    func bytes(_ folder: TemporaryFolder) throws -> Data {
      try Data(contentsOf: URL(fileURLWithPath: folder.path + "/run/trajectories.bin"))
    }
    let folder = try TemporaryFolder()
    func session(_ choice: String, until step: Int) throws -> TrajectoryRecord? {
      let stop = StopRequest()
      return try Self.record(folder, ["metrics.trajectories": choice], stop: stop) { event in
        if case .step(let report) = event, report.step == step { stop.request() }
      }
    }
    #expect(try session("small", until: 1)?.steps == [0, 1])
    let kept = try bytes(folder)
    // What a killed process wrote after its checkpoint.
    let file = try FileHandle(
      forWritingTo: URL(fileURLWithPath: folder.path + "/run/trajectories.bin"))
    try file.seekToEnd()
    try file.write(contentsOf: Data(repeating: 3, count: 77))
    try file.close()
    #expect(try session("none", until: 3)?.steps == [0, 1])
    #expect(try bytes(folder) == kept)
    #expect(try session("small", until: 9)?.steps == [0, 1, 4, 5])
  }

  @Test("Quantiles of sizes are right to 0.4 %, the largest and the norm exactly")
  func summary() {
    var numbers = [Float](repeating: 0, count: 10_001)
    numbers.withUnsafeMutableBufferPointer {
      RandomStream(seed: 4, name: "numbers").fillNormal(into: $0, mean: 0, standardDeviation: 1)
    }
    numbers = numbers.map { $0 * 1e-3 }
    let summary = numbers.withUnsafeBufferPointer { MagnitudeSummary($0) }
    let sizes = numbers.map { abs($0) }.sorted()
    let shares = [0, 0.1, 0.5, 0.9, 0.99, 0.999]
    for (share, found) in zip(shares, summary.quantiles(shares)) {
      let exact = sizes[Int((share * 10_000).rounded())]
      #expect(abs(found / exact - 1) <= 1 / 256 + 1e-6, "\(share)")
    }
    #expect(summary.quantiles([1]) == [sizes[10_000]])
    let norm = numbers.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    #expect(summary.norm == norm)
    let share = numbers.withUnsafeBufferPointer { MagnitudeSummary.share(of: $0, above: 1e-3) }
    #expect(share == Double(sizes.count { $0 > 1e-3 }) / 10_001)
  }

  @Test("A NaN is larger than all, no numbers have a norm of 0, and zeros are zeros")
  func extremes() {
    func row(_ numbers: [Float]) -> [Float] {
      numbers.withUnsafeBufferPointer { MagnitudeSummary($0).row }
    }
    #expect(row([]) == [0, 0, 0, 0, 0, 0, 0])
    #expect(row([0, -0, 0]) == [0, 0, 0, 0, 0, 0, 0])
    #expect(row([1, -.infinity]).last == .infinity)
    #expect(row([1, .nan]).last?.isNaN == true)
  }
}
