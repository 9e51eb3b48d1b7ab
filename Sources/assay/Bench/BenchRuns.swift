// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import LanguageModels
import Optimizers
import RandomStreams
import TensorGraph
import Training
import XLARuntime

/// `assay bench runs`.
struct BenchRuns: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runs",
    abstract: "Times runs that share their programs on a device: tokens a second of all of them.",
    discussion: """
      The model is the decoder of the pilot studies: vocabulary 1024, width 64, 2 layers, 2 heads, 16 sequences of 64 tokens, or that of \
      --shape; the standard optimizer. Runs read the same tokens and differ in the seed of their weights and in clipping. Before anything is timed, \
      the loss of each run after three steps must be that of the same run alone, within 1e-4.
      """)

  @Option(help: "What computes: xla:cpu, xla:cuda or xla:FILE.so.")
  var device = "xla:cpu"

  @Option(help: "A model of 'assay bench step' instead of the pilot studies'.")
  var shape: BenchShape?

  @Option(help: "How many runs share a program, with commas between.")
  var counts = "1,2,4,8"

  @Option(help: "Steps of a round.")
  var steps = 20

  @Option(help: "Rounds; every number of runs takes its turn in each.")
  var rounds = 5

  @Option(help: "What products are computed in: fp32 or bf16.")
  var precision = "fp32"

  @Flag(help: "One JSON object on standard output.")
  var json = false

  /// How far the loss of a run may lie from that of the run alone after three steps, by precision.
  private static let tolerances: [Precision: Double] = [.fp32: 1e-4, .bf16: 2e-2]
  private static let checkedSteps = 3

  func validate() throws {
    if let problem = MachineSettings.problem(with: device) {
      throw ValidationError("--device is '\(device)': \(problem)")
    }
    if device == MachineSettings.cpu {
      throw ValidationError(
        "--device is 'cpu', where no runs share a program; name xla:cpu or another")
    }
    guard Precision(rawValue: precision) != nil else {
      throw ValidationError("--precision is \(precision); give fp32 or bf16")
    }
    guard !runCounts.isEmpty, runCounts.allSatisfy({ (1...1024).contains($0) }) else {
      throw ValidationError("--counts is \(counts); give numbers from 1 to 1024, such as 1,2,4,8")
    }
    if steps < 1 || rounds < 1 {
      throw ValidationError("--steps is \(steps) and --rounds \(rounds); give 1 or more")
    }
  }

  private var runCounts: [Int] {
    let numbers = counts.split(separator: ",").map { Int($0) }
    return numbers.contains(nil) ? [] : numbers.compactMap(\.self)
  }

  func run() throws {
    guard let precision = Precision(rawValue: precision) else { return }
    DeviceEnvironment.prepare(threads: nil)
    let alone = try losses(of: runCounts.max() ?? 1, precision)
    var report = Report(device: device, precision: precision.rawValue)
    var groups: [SharedRuns] = []
    for count in runCounts {
      let runs = try SharedRuns(shape, device: device, count: count, precision)
      _ = try runs.run(Self.checkedSteps)
      for (run, loss) in runs.losses.enumerated() {
        let difference = abs(loss - alone[run])
        guard difference < Self.tolerances[precision] ?? 0 else {
          throw CommandFailure(
            .failed,
            "run \(run + 1) of \(count) in one program is wrong: its loss after \(Self.checkedSteps) steps is \(loss), and "
              + "\(alone[run]) alone")
        }
        report.largestDifference = max(report.largestDifference, difference)
      }
      groups.append(runs)
    }
    var speeds = groups.map { _ in [Double]() }
    for round in 0..<rounds {
      for (index, runs) in groups.enumerated() {
        speeds[index].append(Double(runs.tokens * steps) / (try runs.run(steps)))
      }
      Console.say("round \(round + 1)/\(rounds)")
    }
    for (runs, speeds) in zip(groups, speeds) {
      report.results.append(
        Report.Row(
          runs: runs.count, tokensPerSecond: BenchReport.Spread(speeds),
          compileSeconds: runs.compileSeconds, peakBytes: runs.peakBytes))
    }
    if json { try Console.json(report) } else { Console.data(report.text) }
  }

  /// The loss of each run alone, after as many steps as are checked.
  private func losses(of count: Int, _ precision: Precision) throws -> [Double] {
    try (0..<count).map { run in
      let step = try SharedRuns.step(
        shape, run, precision, XLARuntime(device: device))
      return try step.run(Self.checkedSteps)
    }
  }

  /// What was found.
  struct Report: Encodable {
    /// One number of runs.
    struct Row: Encodable {
      let runs: Int
      /// Of all runs together.
      let tokensPerSecond: BenchReport.Spread
      let compileSeconds: Double
      /// Of all runs together, as the device counts it or the compiler planned it.
      let peakBytes: Int?

      enum CodingKeys: String, CodingKey {
        case runs
        case peakBytes = "peak_bytes"
        case tokensPerSecond = "tokens_per_second"
        case compileSeconds = "compile_seconds"
      }
    }

    let device: String
    let precision: String
    /// Of a run's loss from that of the run alone, in the steps that were checked.
    var largestDifference = 0.0
    var results: [Row] = []

    enum CodingKeys: String, CodingKey {
      case device, precision, results
      case largestDifference = "largest_difference"
    }

    var text: String {
      var table = Table([
        ("runs", .right), ("tokens/s", .right), ("spread", .right), ("of the first", .right),
        ("compiled in", .right),
      ])
      let first = results.first?.tokensPerSecond.median ?? .nan
      for row in results {
        let speed = row.tokensPerSecond
        table.add(
          "\(row.runs)", Numbers.short(speed.median),
          "\(Numbers.short(speed.minimum)) - \(Numbers.short(speed.maximum))",
          Numbers.fixed(speed.median / first, 2) + "x",
          Numbers.fixed(row.compileSeconds, 2) + " s")
      }
      return table.text
        + "\n\(device), \(precision); every run's loss is that of the run alone, within \(largestDifference)"
    }
  }
}

/// Runs that share their programs, each stepped by a thread of its own.
private final class SharedRuns {
  let count: Int
  let compileSeconds: Double
  private let group: RunGroup
  private let steps: [Subject]

  /// One run's step; used by one thread at a time.
  final class Subject: @unchecked Sendable {
    private let step: TrainingStep
    private let settings: TrainingStep.Settings
    private(set) var loss = Double.nan

    init(_ step: TrainingStep, _ settings: TrainingStep.Settings) {
      self.step = step
      self.settings = settings
    }

    var tokens: Int { step.definition.tokens }

    /// Runs steps, and returns the last loss.
    @discardableResult func run(_ count: Int) throws -> Double {
      for _ in 0..<count { loss = try step.run(settings).loss }
      return loss
    }
  }

  init(_ shape: BenchShape?, device: String, count: Int, _ precision: Precision) throws {
    self.count = count
    let group = try RunGroup(device: device, count: count)
    self.group = group
    let clock = ContinuousClock.now
    steps = try Self.together(count) { run in
      try Self.step(shape, run, precision, group.runtime(run))
    }
    compileSeconds = (ContinuousClock.now - clock) / .seconds(1)
  }

  /// Tokens of one step of all runs.
  var tokens: Int { steps.reduce(0) { $0 + $1.tokens } }

  /// Of all runs together, on the device that holds most.
  var peakBytes: Int? {
    (group.runtime(0) as? XLARuntime).map { $0.countedPeakBytes ?? $0.peakBytes * count }
  }

  /// The last loss of each run.
  var losses: [Double] { steps.map(\.loss) }

  /// Runs steps of all runs; returns seconds.
  func run(_ steps: Int) throws -> Double {
    let subjects = self.steps
    return try ContinuousClock().measure {
      _ = try Self.together(count) { run in try subjects[run].run(steps) }
    } / .seconds(1)
  }

  /// The step of a run, with its own weights and clipping, and the tokens of all.
  static func step(
    _ shape: BenchShape?, _ run: Int, _ precision: Precision, _ runtime: any Runtime
  ) throws -> Subject {
    let model =
      try shape?.model()
      ?? ModelConfiguration(
        vocabularySize: 1024, width: 64, layers: 2, heads: 2, contextLength: 64
      ).makeModel()
    let vocabulary = UInt64(model.configuration.vocabularySize)
    let step = try TrainingStep(
      StepDefinition(
        model: model,
        optimizer: Optimizer(OptimizerRegistry.standard, parameters: model.parameters),
        sequences: shape?.sequences ?? 16, precision: precision), runtime: runtime)
    for parameter in model.parameters {
      guard let memory = try runtime.kept(parameter.name, for: .writing) else { continue }
      parameter.initialize(memory.bindMemory(to: Float.self), seed: UInt64(run + 1))
    }
    let stream = RandomStream(seed: 1, name: "bench/tokens")
    for index in 0..<step.definition.tokens {
      step.batch.tokens[index] = Int32(UInt64(stream.uint32(at: 2 * index)) % vocabulary)
      step.batch.targets[index] = Int32(UInt64(stream.uint32(at: 2 * index + 1)) % vocabulary)
    }
    var settings = TrainingStep.Settings()
    settings.conditions.gradientClip = 1 / Double(run + 1)
    return Subject(step, settings)
  }

  /// Does something for each run at the same time, for runs that share programs wait for each other.
  private static func together<Found: Sendable>(
    _ count: Int, _ body: @escaping @Sendable (Int) throws -> Found
  ) throws -> [Found] {
    let findings = Findings<Found>(count)
    for run in 0..<count {
      let thread = Thread { findings.store(run, Result { try body(run) }) }
      thread.stackSize = 64 << 20
      thread.start()
    }
    return try findings.all()
  }
}

/// What several threads find, once all have.
private final class Findings<Found: Sendable>: @unchecked Sendable {
  private let condition = NSCondition()
  private var found: [Int: Result<Found, any Error>] = [:]
  private let count: Int

  init(_ count: Int) { self.count = count }

  func store(_ run: Int, _ result: Result<Found, any Error>) {
    condition.lock()
    found[run] = result
    condition.broadcast()
    condition.unlock()
  }

  /// Waits for all, or throws the first error: then the others may wait for ever, and the process ends with them.
  func all() throws -> [Found] {
    condition.lock()
    defer { condition.unlock() }
    while found.count < count {
      for case .failure(let error) in found.values { throw error }
      condition.wait()
    }
    return try (0..<count).compactMap { try found[$0]?.get() }
  }
}
