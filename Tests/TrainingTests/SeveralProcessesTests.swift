// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPURuntime
import Foundation
import TensorGraph
import Testing

@testable import Training

@Suite(.serialized) struct SeveralProcessesTests {
  /// Checkpoints, evaluations, statistics and trajectories: all that reads kept tensors between steps.
  private static let changes = [
    "checkpoint.every": "3", "metrics.trajectories": "small", "metrics.statistics_every": "2",
    "evaluation.every": "2",
  ]

  /// Runs both processes of a run, each on a thread; what each returned.
  private func together(
    _ configuration: TrainingConfiguration, _ exchange: JointExchange, stopsAt step: Int?
  ) throws -> [TrainingSummary] {
    let results = JointResults(count: 2)
    for index in 0..<2 {
      let thread = Thread {
        results.store(index) {
          let stop = StopRequest()
          let provider = RuntimeProvider(prefersBFloat16: false) { _, _ in
            try JointRuntime(index: index, exchange)
          }
          return try TrainingRun.train(
            configuration, runtime: provider, source: smallSource(), stop: stop
          ) { event in
            // Only the first is asked to end.
            if index == 0, case .step(let report) = event, report.step == step { stop.request() }
          }
        }
      }
      thread.stackSize = 8 << 20
      thread.start()
    }
    return try results.all()
  }

  @Test(
    "Two processes make the records and weights of one, and the second writes and removes nothing",
    arguments: ["full", "weights", "none"])
  func sameRecords(final: String) throws {
    let before = try followerFolders()
    let folder = try TemporaryFolder()
    let changes = Self.changes.merging(["checkpoint.final": final]) { $1 }
    let alone = try smallConfiguration(folder.path + "/alone", changes)
    let stop = StopRequest()
    _ = try TrainingRun.train(
      alone, runtime: TestRuntime.cpu.provider, source: smallSource(), stop: stop
    ) { event in
      if case .step(let report) = event, report.step == 3 { stop.request() }
    }
    let lone = try TrainingRun(alone, runtime: TestRuntime.cpu.provider, source: smallSource())
    #expect(try lone.run().outcome == .finished)

    let joint = try smallConfiguration(folder.path + "/joint", changes)
    let first = JointExchange()
    let interrupted = try together(joint, first, stopsAt: 3)
    #expect(interrupted.map(\.outcome) == [.interrupted, .interrupted])
    #expect(Set(interrupted.map(\.progress.step)).count == 1)
    let second = JointExchange()
    #expect(try together(joint, second, stopsAt: nil).map(\.outcome) == [.finished, .finished])

    for exchange in [first, second] {
      #expect(exchange.asked(0) == exchange.asked(1))
      #expect(!exchange.asked(0).isEmpty)
    }
    for name in ["metrics.jsonl", "contract.json", "optimizer.json"] {
      let lines = try ["alone", "joint"].map {
        try String(contentsOfFile: "\(folder.path)/\($0)/run/\(name)", encoding: .utf8)
          .split(separator: "\n")
      }
      #expect(!lines[0].isEmpty && lines[0].count == lines[1].count, "\(name)")
      for (own, other) in zip(lines[0], lines[1]) where own != other {
        Issue.record("\(name): '\(other)' instead of '\(own)'")
      }
    }
    let names = try ["alone", "joint"].map {
      try FileManager.default.subpathsOfDirectory(atPath: "\(folder.path)/\($0)").sorted()
    }
    #expect(names[0] == names[1])
    #expect(try followerFolders().isSubset(of: before))
  }

  private func followerFolders() throws -> Set<String> {
    Set(
      try FileManager.default.contentsOfDirectory(atPath: NSTemporaryDirectory())
        .filter { $0.hasPrefix("assay-process-") })
  }
}

/// What two threads that stand for processes share.
private final class JointExchange: @unchecked Sendable {
  private let condition = NSCondition()
  private var said: [String: Int] = [:]
  private var asked: [String: Set<Int>] = [:]
  private var keptAsked: [[String]] = [[], []]

  /// What the first process says, once both have asked: those that share programs on devices are never further apart.
  func agreed(_ question: String, on number: Int, _ index: Int) -> Int {
    condition.lock()
    defer { condition.unlock() }
    if index == 0 { said[question] = number }
    asked[question, default: []].insert(index)
    condition.broadcast()
    while true {
      if let number = said[question], asked[question]?.count == 2 { return number }
      condition.wait()
    }
  }

  func note(_ index: Int, _ label: String) {
    condition.lock()
    keptAsked[index].append(label)
    condition.unlock()
  }

  /// The kept tensors that a process asked for, in order.
  func asked(_ index: Int) -> [String] {
    condition.lock()
    defer { condition.unlock() }
    return keptAsked[index]
  }
}

/// A process of a run, each of which computes all of it.
private final class JointRuntime: Runtime {
  private let base: CPURuntime
  private let index: Int
  private let exchange: JointExchange

  init(index: Int, _ exchange: JointExchange) throws {
    base = try CPURuntime(threads: 2)
    self.index = index
    self.exchange = exchange
  }

  var summary: String { base.summary }
  var peakBytes: Int { base.peakBytes }
  var process: (index: Int, count: Int) { (index, 2) }

  func compile(_ program: Program) throws -> any Executable { try base.compile(program) }

  func kept(_ label: String, for access: KeptAccess) throws -> UnsafeMutableRawBufferPointer? {
    exchange.note(index, "\(label) \(access)")
    return base.kept(label, for: access)
  }

  func agreed(_ question: String, on number: Int) throws -> Int {
    exchange.agreed(question, on: number, index)
  }
}

/// What threads found, once all have.
private final class JointResults: @unchecked Sendable {
  private let condition = NSCondition()
  private var found: [Int: Result<TrainingSummary, any Error>] = [:]
  private let count: Int

  init(count: Int) { self.count = count }

  func store(_ index: Int, _ body: () throws -> TrainingSummary) {
    let result = Result { try body() }
    condition.lock()
    found[index] = result
    condition.broadcast()
    condition.unlock()
  }

  func all() throws -> [TrainingSummary] {
    condition.lock()
    defer { condition.unlock() }
    while found.count < count { condition.wait() }
    return try (0..<count).compactMap { try found[$0]?.get() }
  }
}
