// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import RunRecords
import TextData

/// `assay bench trials`.
struct BenchTrials: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trials",
    abstract:
      "Times whole studies of a small model in trials an hour, alternating with PyTorch processes.",
    discussion: """
      The trials are those of the pilot studies: preset deconstructing-pilot on synthetic text, one seed each, with their \
      evaluations. Assay's time is that of 'assay compare' from the start of the process to its end, report included. PyTorch's is \
      that of as many processes, as many at a time as there are cores, one thread each. Both must end at the same loss, up to the \
      noise between seeds.
      """)

  @Option(help: "Trials of a round.")
  var trials = 8

  @Option(help: "Pairs of alternating rounds.")
  var rounds = 3

  @Option(help: "Updates of a trial.")
  var steps = 256

  @Flag(help: "Also run PyTorch.")
  var peers = false

  @Option(help: "The Python that has PyTorch.")
  var python = "python3"

  @Option(help: "The peer's script.")
  var script = "Benchmarks/peers/pytorch_trial.py"

  @Option(help: "What PyTorch computes in: fp32 or bf16.")
  var peerPrecision = "fp32"

  @Flag(help: "One JSON object on standard output.")
  var json = false

  private static let vocabularySize = 1024
  private static let learningRate = 5e-3

  func run() throws {
    let folder = NSTemporaryDirectory() + "assay-bench-\(getpid())"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var synthesis = DatasetSynthesis(output: folder + "/data")
    synthesis.process.vocabulary = Self.vocabularySize
    _ = try synthesis.run()
    var report = Report(trials: trials, steps: steps)
    for round in 0..<rounds {
      try report.add(ours: measureStudy(folder, round))
      if peers { try report.add(theirs: measurePeer(folder, round)) }
      Console.say("round \(round + 1)/\(rounds): \(report.lastRound)")
    }
    try report.check(peers: peers)
    if json { try Console.json(report) } else { Console.data(report.text) }
  }

  /// Seconds and final losses of some trials.
  struct Measurement {
    var seconds: Double
    var losses: [Double]
    /// Seconds of training steps alone, summed over trials; nil for the peer.
    var stepSeconds: Double?
  }

  // MARK: - Assay

  private func measureStudy(_ folder: String, _ round: Int) throws -> Measurement {
    let study = folder + "/round-\(round)"
    let declaration = """
      name = "bench-\(round)"
      question = "How many trials an hour?"
      base = "deconstructing-pilot"
      folder = "\(study)"
      baseline = "bench"
      [common]
      data.path = "\(folder)/data"
      optimizer.learning_rate = \(Self.learningRate)
      [budget]
      steps = \(steps)
      [seeds]
      reporting = \(trials)
      [[arm]]
      name = "bench"
      """
    let file = folder + "/round-\(round).toml"
    try Data(declaration.utf8).write(to: URL(fileURLWithPath: file))
    let clock = ContinuousClock.now
    try run(ProcessInfo.processInfo.arguments[0], ["compare", file])
    let elapsed = ContinuousClock.now - clock
    let records = try StudyFolder(study).trials().map { try RunRecord(path: $0) }
    guard records.count == trials else {
      throw CommandFailure(
        .failed, "the study ran \(records.count) of \(trials) trials; see \(study)")
    }
    return Measurement(
      seconds: elapsed / .seconds(1),
      losses: records.compactMap { $0.outcome.finalNumbers["validationLoss"] },
      stepSeconds: records.reduce(0) { $0 + ($1.outcome.finalNumbers["trainingSeconds"] ?? 0) })
  }

  // MARK: - PyTorch

  private func measurePeer(_ folder: String, _ round: Int) throws -> Measurement {
    let clock = ContinuousClock.now
    let slots = ProcessInfo.processInfo.activeProcessorCount
    var waiting = Array(1...trials)
    var running: [(process: Process, output: Pipe)] = []
    var losses: [Double] = []
    while !waiting.isEmpty || !running.isEmpty {
      while running.count < slots, let seed = waiting.first {
        waiting.removeFirst()
        running.append(try startPeer(folder, seed: seed))
      }
      let (process, output) = running.removeFirst()
      let data = output.fileHandleForReading.readDataToEndOfFile()
      process.waitUntilExit()
      guard let answer = try? JSONDecoder().decode(PeerAnswer.self, from: data),
        let loss = answer.validation_losses.last
      else {
        throw CommandFailure(
          .failed,
          "'\(python) \(script)' ended with \(process.terminationStatus); run it by hand to see why"
        )
      }
      losses.append(loss)
    }
    return Measurement(seconds: (ContinuousClock.now - clock) / .seconds(1), losses: losses)
  }

  private struct PeerAnswer: Decodable {
    let validation_losses: [Double]
  }

  private func startPeer(_ folder: String, seed: Int) throws -> (Process, Pipe) {
    let trial = """
      {"model": {"vocabulary_size": \(Self.vocabularySize), "width": 64, "layers": 2, "heads": 2, "context_length": 64}, \
      "train": "\(folder)/data/train-00000.tokens", "validation": "\(folder)/data/validation-00000.tokens", \
      "steps": \(steps), "sequences": 16, "seed": \(seed), "learning_rate": \(Self.learningRate), \
      "warmup_steps": \(Int((Double(steps) / 10).rounded())), "final_fraction": 0.1, "beta1": 0.9, "beta2": 0.95, "epsilon": 1e-8, \
      "weight_decay": 0.0, "gradient_clip": 0.0, "precision": "\(peerPrecision)", "evaluation_tokens": 16384, \
      "evaluation_every": 64, "threads": 1}
      """
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [python, script, trial]
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    return (process, output)
  }

  private func run(_ executable: String, _ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    if !FileManager.default.fileExists(atPath: "/proc/self/exe") {
      process.executableURL = URL(fileURLWithPath: executable)
    }
    process.arguments = arguments
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw CommandFailure(
        .failed,
        "'assay \(arguments.joined(separator: " "))' ended with \(process.terminationStatus)")
    }
  }

  // MARK: - The report

  /// What was measured.
  struct Report: Encodable {
    let trials: Int
    let steps: Int
    private(set) var ourTrialsAnHour: [Double] = []
    private(set) var peerTrialsAnHour: [Double] = []
    /// Assay's over the peer's, by round.
    private(set) var ratios: [Double] = []
    /// Core seconds of a study that are not training steps, as a share of all, by round.
    private(set) var overheads: [Double] = []
    private(set) var ourLoss = Double.nan
    private(set) var peerLoss = Double.nan

    init(trials: Int, steps: Int) {
      self.trials = trials
      self.steps = steps
    }

    mutating func add(ours: Measurement) {
      ourTrialsAnHour.append(Double(ours.losses.count) / ours.seconds * 3600)
      ourLoss = ours.losses.reduce(0, +) / Double(ours.losses.count)
      let cores = Double(ProcessInfo.processInfo.activeProcessorCount)
      if let steps = ours.stepSeconds { overheads.append(1 - steps / (ours.seconds * cores)) }
    }

    mutating func add(theirs: Measurement) {
      peerTrialsAnHour.append(Double(theirs.losses.count) / theirs.seconds * 3600)
      peerLoss = theirs.losses.reduce(0, +) / Double(theirs.losses.count)
      if let ours = ourTrialsAnHour.last, let peer = peerTrialsAnHour.last {
        ratios.append(ours / peer)
      }
    }

    /// Refuses to compare programs that do not do the same work.
    func check(peers: Bool) throws {
      guard peers else { return }
      // Three times the noise of a mean over eight seeds; a peer that drew its weights otherwise was 0.0125 lower.
      guard abs(ourLoss - peerLoss) < 0.01 else {
        throw CommandFailure(
          .failed,
          "the losses differ: \(Numbers.fixed(ourLoss, 4)) and \(Numbers.fixed(peerLoss, 4)); the peer does not do the same work"
        )
      }
    }

    var lastRound: String {
      var parts = ["\(Int(ourTrialsAnHour.last ?? .nan)) trials an hour"]
      if let peer = peerTrialsAnHour.last, let ratio = ratios.last {
        parts.append("PyTorch \(Int(peer)), \(Numbers.fixed(ratio, 2))x")
      }
      return parts.joined(separator: "; ")
    }

    var text: String {
      var lines = [
        "\(trials) trials of \(steps) updates a round: \(Int(median(ourTrialsAnHour))) an hour (median), loss \(Numbers.fixed(ourLoss, 4)); "
          + "\(Numbers.fixed(100 * median(overheads), 1)) % of the cores' time is not training steps"
      ]
      if !ratios.isEmpty {
        lines.append(
          "PyTorch: \(Int(median(peerTrialsAnHour))) an hour (median), loss \(Numbers.fixed(peerLoss, 4)); Assay is \(Numbers.fixed(median(ratios), 2))x as fast "
            + "(\(Numbers.fixed(ratios.min() ?? .nan, 2))-\(Numbers.fixed(ratios.max() ?? .nan, 2)))"
        )
      }
      return lines.joined(separator: "\n")
    }
  }
}
