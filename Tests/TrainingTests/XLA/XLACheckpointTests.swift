// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords
import TensorFiles
import TensorGraph
import Testing
import XLARuntime

@testable import Training

/// Checkpoints move between runtimes and numbers of devices.
@Suite("Checkpoints move between devices", .enabled(if: XLAUnderTest.isPresent))
struct XLACheckpointTests {
  /// What executes a session; 0 devices: the processor.
  struct Machine: Sendable, CustomTestStringConvertible {
    var devices: Int
    var level = ShardingRules.Level.state

    var testDescription: String { devices == 0 ? "cpu" : "\(devices) of xla, \(level)" }

    var provider: RuntimeProvider {
      // Small tensors are cut too, or nothing here would be.
      devices == 0
        ? TestRuntime.cpu.provider
        : XLAUnderTest.provider(devices: devices, level, smallestCut: 1)
    }
  }

  static let steps = 20

  /// A run whose first ten steps are made by one machine, the others by another; nil: by the same without an interruption.
  private func train(
    _ folder: String, _ first: Machine, then second: Machine?
  ) throws -> TrainingSummary {
    let configuration = try smallConfiguration(
      folder,
      [
        "training.steps": String(Self.steps), "training.batch_tokens": "32",
        "optimizer.name": "adamw", "optimizer.average_decay": "0.5", "checkpoint.every": "0",
      ])
    if let second {
      let stop = StopRequest()
      let summary = try TrainingRun.train(
        configuration, runtime: first.provider, source: smallSource(), stop: stop
      ) { event in
        if case .step(let report) = event, report.step == 9 { stop.request() }
      }
      // Where a device computes, a step is reported while the next is under way.
      #expect(summary.outcome == .interrupted && (10...11).contains(summary.progress.step))
      return try TrainingRun.train(
        configuration, runtime: second.provider, source: smallSource())
    }
    return try TrainingRun.train(configuration, runtime: first.provider, source: smallSource())
  }

  private func tensors(_ summary: TrainingSummary) throws -> TensorFile {
    try TensorFile(path: try #require(summary.checkpoint) + "/tensors.safetensors")
  }

  @Test(
    "A run that moves ends where it would have, in files of the same form",
    arguments: [
      (Machine(devices: 0), Machine(devices: 1)), (Machine(devices: 0), Machine(devices: 2)),
      (Machine(devices: 0), Machine(devices: 4, level: .parameters)),
      (Machine(devices: 1), Machine(devices: 0)), (Machine(devices: 2), Machine(devices: 0)),
      (Machine(devices: 4, level: .parameters), Machine(devices: 2, level: .batch)),
    ])
  func moves(_ first: Machine, _ second: Machine) throws {
    let folder = try TemporaryFolder()
    let whole = try train(folder.path + "/whole", Machine(devices: 0), then: nil)
    let moved = try train(folder.path + "/moved", first, then: second)
    #expect(moved.outcome == .finished && moved.progress.step == Self.steps)
    let (expected, found) = (try tensors(whole), try tensors(moved))
    #expect(found.entries.map(\.name) == expected.entries.map(\.name))
    for (one, other) in zip(found.entries, expected.entries) {
      #expect(one.shape == other.shape && one.elementType == other.elementType, "\(one.name)")
      let error = relativeError(
        try found.doubles(one.name).map { Float($0) }, try expected.doubles(one.name))
      #expect(error <= 1e-4, "\(one.name): \(error)")
    }
    func keys(_ summary: TrainingSummary) throws -> [String] {
      let path = try #require(summary.checkpoint)
      let names = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
      let manifest = try #require(names.first { $0.hasSuffix(".json") })
      let object = try JSONSerialization.jsonObject(
        with: Data(contentsOf: URL(fileURLWithPath: path + "/" + manifest)))
      return names + (object as? [String: Any] ?? [:]).keys.sorted()
    }
    #expect(try keys(moved) == keys(whole))
    let records = try [whole, moved].map { try RunRecord(path: $0.folder) }
    #expect(records[1].sessions.count == 2)
    #expect(records[0].contract == records[1].contract)
  }

  @Test(
    "A run that goes on with the same devices has the bits of one that was not interrupted",
    arguments: [Machine(devices: 1), Machine(devices: 2)])
  func sameBits(_ machine: Machine) throws {
    let folder = try TemporaryFolder()
    let bytes = try [nil, machine].enumerated().map { index, second in
      let summary = try train(folder.path + "/\(index)", machine, then: second)
      let path = try #require(summary.checkpoint) + "/tensors.safetensors"
      return try Data(contentsOf: URL(fileURLWithPath: path))
    }
    #expect(bytes[0] == bytes[1])
  }

  @Test("The configuration chooses device and number, and the record says so")
  func configured() throws {
    let folder = try TemporaryFolder()
    let plugin = try #require(XLAUnderTest.plugin)
    let changes = [
      "machine.device": "xla:" + plugin, "machine.devices": "2", "machine.sharding": "parameters",
      "training.steps": "4",
    ]
    let summary = try TrainingRun.train(
      smallConfiguration(folder.path, changes), source: smallSource())
    #expect(summary.outcome == .finished)
    let details = try RunRecord(path: summary.folder).machine.details
    #expect(details["device"] == "xla:" + plugin)
    #expect(details["devices"] == "2" && details["sharding"] == "parameters")
    #expect(details["plugin"]?.isEmpty == false)
    #expect(details["runtime"]?.contains("2 devices") == true)
    // Another device is the same run, which has ended.
    let again = try TrainingRun.train(
      smallConfiguration(folder.path, ["training.steps": "4"]), source: smallSource())
    #expect(again.outcome == .finished && again.evaluation?.loss == summary.evaluation?.loss)
    // What is used is one device of the run's, or whatever is asked for.
    for device in [nil, "cpu"] {
      let path = folder.path + "/\(device ?? "own").safetensors"
      try TrainedModel(run: summary.folder, device: device).export(to: path)
      #expect(
        try TensorFile(path: path).floats("head.weight")
          == tensors(summary).floats("head.weight"))
    }
  }

  @Test("More devices than the plugin offers are an error before any work")
  func tooMany() throws {
    let folder = try TemporaryFolder()
    let configuration = try smallConfiguration(folder.path)
    let error = #expect(throws: XLAError.self) {
      try TrainingRun.train(
        configuration, runtime: XLAUnderTest.provider(devices: 64), source: smallSource())
    }
    #expect(error?.code == .device)
    #expect(error?.message.contains("devices = 64") == true, "\(error?.message ?? "")")
    #expect(!RunFolder.isRun(configuration.run.folder))
  }
}
