// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import Training

@Suite struct CheckpointTests {
  /// A run of 4 steps with checkpoints at 2 and 4, interrupted there.
  func run(_ folder: String) throws -> (TrainingConfiguration, CheckpointStore) {
    let configuration = try smallConfiguration(folder)
    let stop = StopRequest()
    try TrainingRun.train(
      configuration, runtime: TestRuntime.cpu.provider, source: smallSource(), stop: stop
    ) { event in
      if case .step(let report) = event, report.step == 3 { stop.request() }
    }
    return (configuration, CheckpointStore(folder: configuration.run.folder + "/checkpoints"))
  }

  enum Damage: String, CaseIterable, Sendable {
    case truncatedTensors, alteredTensors, missingTensors, truncatedManifest, alteredManifest
    case missingManifest, emptyFolder, renamed

    func inflict(on folder: String) throws {
      let tensors = URL(fileURLWithPath: folder + "/tensors.safetensors")
      let manifest = URL(fileURLWithPath: folder + "/manifest.json")
      switch self {
      case .truncatedTensors:
        try Data(contentsOf: tensors).dropLast(1).write(to: tensors)
      case .alteredTensors:
        var data = try Data(contentsOf: tensors)
        data[data.count - 5] ^= 1
        try data.write(to: tensors)
      case .missingTensors: try FileManager.default.removeItem(at: tensors)
      case .truncatedManifest:
        try Data(contentsOf: manifest).dropLast(20).write(to: manifest)
      case .alteredManifest:
        let text = try String(contentsOf: manifest, encoding: .utf8)
        let altered = text.replacingOccurrences(of: "\"updates\" : 4", with: "\"updates\" : 5")
        try #require(altered != text)
        try Data(altered.utf8).write(to: manifest)
      case .missingManifest: try FileManager.default.removeItem(at: manifest)
      case .emptyFolder:
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
          try FileManager.default.removeItem(atPath: folder + "/" + name)
        }
      case .renamed:
        try FileManager.default.removeItem(atPath: folder)
        let other = URL(fileURLWithPath: folder).deletingLastPathComponent().path
        try FileManager.default.copyItem(atPath: other + "/step-00000002", toPath: folder)
      }
    }
  }

  @Test(
    "A damaged newest checkpoint is reported and the one before is used", arguments: Damage.allCases
  )
  func damage(_ damage: Damage) throws {
    let folder = try TemporaryFolder()
    let (configuration, store) = try run(folder.path + "/damaged")
    let whole = try TrainingRun.train(
      smallConfiguration(folder.path + "/whole"), runtime: TestRuntime.cpu.provider,
      source: smallSource())
    #expect(store.steps() == [4, 2])
    try damage.inflict(on: store.folder + "/step-00000004")
    var warnings: [String] = []
    var firstStep: Int?
    let summary = try TrainingRun.train(
      configuration, runtime: TestRuntime.cpu.provider, source: smallSource()
    ) { event in
      switch event {
      case .warning(let text): warnings.append(text)
      case .started(let start): firstStep = start.firstStep
      default: break
      }
    }
    #expect(warnings.count == 1)
    #expect(warnings.first?.contains("step 4") == true)
    #expect(warnings.first?.contains("step-00000004") == true)
    #expect(firstStep == 2)
    #expect(summary.outcome == .finished)
    let (a, b) = (try #require(summary.checkpoint), try #require(whole.checkpoint))
    #expect(
      FileManager.default.contentsEqual(
        atPath: a + "/tensors.safetensors", andPath: b + "/tensors.safetensors"))
  }

  @Test("What a killed process left half-written is deleted by the next one")
  func remains() throws {
    let folder = try TemporaryFolder()
    let (configuration, store) = try run(folder.path)
    let remains = store.folder + "/.partial-checkpoint"
    try FileManager.default.createDirectory(atPath: remains, withIntermediateDirectories: true)
    try Data("half".utf8).write(to: URL(fileURLWithPath: remains + "/tensors.safetensors"))
    try TrainingRun.train(
      configuration, runtime: TestRuntime.cpu.provider, source: smallSource())
    #expect(!FileManager.default.fileExists(atPath: remains))
    #expect(store.steps() == [6, 4])
  }

  @Test("When every checkpoint is damaged, nothing is overwritten")
  func allDamaged() throws {
    let folder = try TemporaryFolder()
    let (configuration, store) = try run(folder.path)
    for step in ["step-00000002", "step-00000004"] {
      try Damage.alteredTensors.inflict(on: store.folder + "/" + step)
    }
    let error = try #require(throws: TrainingError.self) {
      try TrainingRun.train(
        configuration, runtime: TestRuntime.cpu.provider, source: smallSource())
    }
    #expect(error.code == .checkpoint)
    #expect(error.message.contains("none of the 2 checkpoints"))
    #expect(store.steps() == [4, 2])
  }

  @Test("A checkpoint of another configuration in the folder is refused")
  func foreign() throws {
    let folder = try TemporaryFolder()
    let (configuration, store) = try run(folder.path + "/own")
    let other = try smallConfiguration(folder.path + "/other", ["optimizer.beta1": "0.5"])
    let stop = StopRequest()
    stop.request()
    try TrainingRun.train(
      other, runtime: TestRuntime.cpu.provider, source: smallSource(), stop: stop)
    for step in store.steps() {
      try FileManager.default.removeItem(atPath: store.folder + "/step-0000000\(step)")
    }
    try FileManager.default.copyItem(
      atPath: other.run.folder + "/checkpoints/step-00000000",
      toPath: store.folder + "/step-00000000")
    let error = try #require(throws: TrainingError.self) {
      try TrainingRun.train(
        configuration, runtime: TestRuntime.cpu.provider, source: smallSource())
    }
    #expect(error.code == .runFolder)
    #expect(error.message.contains("another configuration"))
  }

  @Test("A checkpoint that cannot be written leaves the older ones and no remains")
  func unwritable() throws {
    let folder = try TemporaryFolder()
    let (configuration, store) = try run(folder.path)
    let small = try SmallStep(.cpu)
    let blocked = CheckpointStore(folder: store.folder + "/step-00000002/manifest.json")
    #expect(throws: TrainingError.self) {
      try blocked.save(small.tensors, configuration: configuration.resolved, keep: 1) { _, _ in
        preconditionFailure("nothing was written")
      }
    }
    #expect(store.steps() == [4, 2])
    #expect(try store.checkpoint(step: 4).manifest.progress.step == 4)
    #expect(try store.checkpoint(step: 4).configuration() == configuration.resolved)
  }
}
