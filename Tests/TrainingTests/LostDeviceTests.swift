// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPURuntime
import Foundation
import RunRecords
import TensorGraph
import Testing
import XLARuntime

@testable import Training

/// The CPU runtime on a device that is lost after some runs of its programs, and stays so.
private final class LosableRuntime: Runtime {
  private let base: CPURuntime
  /// Runs of programs that are left.
  private var left: Int

  init(runs: Int) throws {
    base = try CPURuntime(threads: 2)
    left = runs
  }

  var summary: String { base.summary }
  var peakBytes: Int { base.peakBytes }

  static let error = XLAError(
    .device, "cannot run a program: it is gone; the run can be resumed from its last checkpoint")

  func compile(_ program: Program) throws -> any Executable {
    LosableExecutable(try base.compile(program)) { [self] in
      left -= 1
      if left < 0 { throw Self.error }
    }
  }

  /// What a lost device held is gone with it.
  func kept(_ label: String, for access: KeptAccess) throws -> UnsafeMutableRawBufferPointer? {
    if left < 0 { throw Self.error }
    return base.kept(label, for: access)
  }
}

private final class LosableExecutable: Executable {
  private let base: any Executable
  private let use: () throws -> Void

  init(_ base: any Executable, use: @escaping () throws -> Void) {
    (self.base, self.use) = (base, use)
  }

  func hostBuffer(_ label: String) -> UnsafeMutableRawBufferPointer? { base.hostBuffer(label) }
  func start() throws { try base.start() }
  func finish() throws {
    try base.finish()
    try use()
  }
  func output(_ label: String) -> UnsafeRawBufferPointer { base.output(label) }
}

@Suite struct LostDeviceTests {
  @Test(
    "A run whose device is lost fails with its words, and the same command goes on from its last checkpoint",
    arguments: 3...11)
  func lost(runs: Int) throws {
    let folder = try TemporaryFolder()
    func train(_ name: String, _ provider: RuntimeProvider) throws -> TrainingSummary {
      try TrainingRun.train(
        smallConfiguration(folder.path + "/" + name), runtime: provider, source: smallSource())
    }
    let whole = try train("whole", TestRuntime.cpu.provider)
    let losable = RuntimeProvider(prefersBFloat16: false) { _, _ in try LosableRuntime(runs: runs) }
    let error = #expect(throws: XLAError.self) { try train("lost", losable) }
    #expect(error?.code == .device)
    let path = folder.path + "/lost/run"
    let outcome = try RunRecord(path: path).outcome
    #expect(outcome.status == .failed)
    #expect(outcome.reason?.contains("it is gone") == true)
    let before = CheckpointStore(folder: path + "/checkpoints").steps().first ?? 0
    #expect(before >= outcome.completedSteps - 2, "a checkpoint every two steps")

    let again = try train("lost", TestRuntime.cpu.provider)
    #expect(again.outcome == .finished)
    let bytes = try [whole, again].map { summary in
      try Data(
        contentsOf: URL(
          fileURLWithPath: try #require(summary.checkpoint) + "/tensors.safetensors"))
    }
    #expect(bytes[0] == bytes[1])
    #expect(again.evaluation?.loss == whole.evaluation?.loss)
  }
}
