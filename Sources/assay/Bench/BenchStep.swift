// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import CPURuntime
import Foundation
import TensorGraph
import Training

#if canImport(Darwin)
  import Darwin
#endif

/// `assay bench step`.
struct BenchStep: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "step",
    abstract: "Times whole training steps, alternating with PyTorch or JAX where it is at hand.",
    discussion: """
      --check compares losses, gradient norms and weights of four steps instead, on a device with those of the processor. --steps-from takes \
      weights, batch and what is expected from a file that Benchmarks/peers/step_check.py wrote, or --steps-to.
      """)

  @OptionGroup var options: BenchOptions

  @Flag(help: "Also run PyTorch, eager and compiled, or what else the script runs.")
  var peers = false

  @Option(help: "The Python that has PyTorch or JAX.")
  var python = "python3"

  @Option(help: "The peer's script: pytorch_step.py, or jax_step.py with --device.")
  var script = "Benchmarks/peers/pytorch_step.py"

  @Option(help: "Pairs of alternating measurements.")
  var rounds = 7

  @Option(help: "Seconds of one measurement.")
  var seconds = 1.0

  @Option(
    help: ArgumentHelp(
      "Times this device beside the processor, or beside the peer.",
      valueName: "xla:cpu|xla:cuda|xla:FILE.so"))
  var device: String?

  @Option(help: "Of how many devices share a step.")
  var devices = 1

  @Flag(help: "With --device: leave the processor out.")
  var alone = false

  @Option(help: "fp32, bf16 or both.")
  var precision = PrecisionChoice.both

  @Option(help: "Parts of the batch whose gradients are added up.")
  var microBatches = 1

  @Flag(help: "Only checks steps; times nothing.")
  var check = false

  @Option(help: ArgumentHelp("With --check: the steps of a file.", valueName: "file"))
  var stepsFrom: String?

  @Option(help: ArgumentHelp("With --check: writes the processor's steps.", valueName: "file"))
  var stepsTo: String?

  @Flag(help: .hidden)
  var memoryOnly = false

  /// What is measured.
  enum PrecisionChoice: String, CaseIterable, ExpressibleByArgument {
    case fp32
    case bf16
    case both

    var all: [Precision] {
      switch self {
      case .fp32: [.fp32]
      case .bf16: [.bf16]
      case .both: [.fp32, .bf16]
      }
    }
  }

  func validate() throws {
    let sequences = options.shape.sequences
    guard microBatches >= 1, sequences % microBatches == 0 else {
      throw ValidationError(
        "--micro-batches is \(microBatches), and shape \(options.shape.rawValue) has \(sequences) sequences: each part takes as many whole ones"
      )
    }
    try validateCheck()
    guard let device else {
      if devices != 1 || alone {
        throw ValidationError("--devices and --alone have no effect without --device")
      }
      if peers, BenchPeer.Library(script: script) == .jax {
        throw ValidationError("JAX is timed on the same plugin; name it with --device xla:cpu")
      }
      return
    }
    if device == MachineSettings.cpu {
      throw ValidationError(
        "--device is 'cpu', which every other device is timed beside; leave it out, or name another"
      )
    }
    if let problem = MachineSettings.problem(with: device) {
      throw ValidationError("--device is '\(device)': \(problem)")
    }
    if peers, devices != 1 {
      throw ValidationError("--peers have one device; leave --devices out")
    }
    guard devices >= 1, (sequences / microBatches) % devices == 0 else {
      throw ValidationError(
        "--devices is \(devices), and a step takes \(sequences / microBatches) sequences of shape \(options.shape.rawValue) at once: each "
          + "device takes whole ones")
    }
  }

  private func validateCheck() throws {
    guard check else {
      if stepsFrom != nil || stepsTo != nil {
        throw ValidationError("--steps-from and --steps-to have no effect without --check")
      }
      return
    }
    if peers {
      throw ValidationError("--check times nothing, and --peers are timed; leave one out")
    }
    if alone {
      throw ValidationError("--check compares with the processor's steps; leave --alone out")
    }
    if stepsFrom != nil, stepsTo != nil {
      throw ValidationError(
        "--steps-to writes the processor's own steps; leave it or --steps-from out")
    }
    if device == nil, stepsFrom == nil, stepsTo == nil {
      throw ValidationError(
        "--check has nothing to compare the processor with; name a --device, or a file with --steps-from"
      )
    }
  }

  func run() throws {
    if memoryOnly { return try printMemory() }
    if device != nil { DeviceEnvironment.prepare(threads: options.threads) }
    if check { return try checkSteps() }
    if let device { return try timeDevice(device) }
    let subjects = try precision.all.map { precision in
      let subject = try BenchSubject(
        options.shape, precision: precision, microBatches: microBatches, threads: options.threads)
      try subject.check()
      return subject
    }
    Console.say(
      "shape \(options.shape.rawValue): \(subjects[0].tokens) tokens a step; \(subjects[0].runtime.summary)"
    )
    var report = BenchReport(shape: options.shape.rawValue)
    report.microBatches = microBatches
    var ours: [[Double]] = subjects.map { _ in [] }

    if let index = subjects.firstIndex(where: { $0.precision == .bf16 }), microBatches == 1 {
      report.productsShare = try productsShare(subjects[index], &ours[index])
    }

    if peers {
      let invocation = BenchPeer.Invocation(
        python: python, script: script, shape: options.shape.peerShape(microBatches: microBatches),
        threads: subjects[0].runtime.threadCount)
      let modes = precision.all.flatMap { [$0.rawValue, $0.rawValue + "-compiled"] }
      let peer = try BenchPeer(invocation, modes: modes)
      report.peer = peer.summary
      for mode in peer.modes {
        guard let index = subjects.firstIndex(where: { mode.hasPrefix($0.precision.rawValue) })
        else { continue }
        let pairs = try measurePairs(subjects[index], peer, mode)
        ours[index] += pairs.map(\.ours)
        let memory = try BenchPeer.peakBytes(invocation, mode: mode)
        report.add(
          "pytorch \(mode)", subjects[index].precision.rawValue, pairs,
          BenchReport.Needs(peakBytes: memory))
        try peer.drop(mode)
      }
    }
    for (subject, speeds) in zip(subjects, ours) {
      var speeds = speeds
      while speeds.count < rounds { speeds.append(try speed(subject)) }
      report.add(
        "assay", subject.precision.rawValue, speeds,
        BenchReport.Needs(peakBytes: try ownMemory(subject.precision)))
    }
    if options.json { try Console.json(report) } else { Console.data(report.text) }
  }

  /// Tokens a second over about `seconds`.
  func speed(_ subject: BenchSubject<some Runtime>) throws -> Double {
    try speed(subject.tokens) { try subject.run($0) }
  }

  /// Tokens a second over about `seconds`, after a step that does not count: others had the machine before it.
  private func speed(_ tokens: Int, _ run: (_ steps: Int) throws -> Double) rethrows -> Double {
    let steps = max(1, Int(seconds / (try run(1))))
    return Double(steps * tokens) / (try run(steps))
  }

  /// Measures both in every round; who comes first takes turns.
  func alternate(
    _ ours: () throws -> Double, _ theirs: () throws -> Double
  ) rethrows -> [(ours: Double, theirs: Double)] {
    try (0..<rounds).map { round in
      if round.isMultiple(of: 2) {
        let first = try ours()
        return (first, try theirs())
      }
      let first = try theirs()
      return (try ours(), first)
    }
  }

  /// Takes turns with a mode of the peer.
  func measurePairs(
    _ subject: BenchSubject<some Runtime>, _ peer: BenchPeer, _ mode: String
  ) throws -> [(ours: Double, theirs: Double)] {
    // The first run of a mode builds and warms it.
    _ = try peer.run(mode, steps: 2)
    return try alternate(
      { try speed(subject) },
      { try speed(subject.tokens) { try peer.run(mode, steps: $0) } })
  }

  /// Time of the large products alone over the time of a whole step, alternating; the median of the ratios.
  private func productsShare(
    _ subject: BenchSubject<CPURuntime>, _ speeds: inout [Double]
  ) throws -> Double {
    let products = try subject.runtime.compileProducts(of: subject.definition.stepProgram())
    products.run(.compute)
    var shares: [Double] = []
    for _ in 0..<rounds {
      let once = try subject.run(1)
      let steps = max(1, Int(seconds / once))
      let step = try subject.run(steps) / Double(steps)
      let alone = ContinuousClock().measure { for _ in 0..<steps { products.run(.compute) } }
      shares.append(alone / .seconds(1) / Double(steps) / step)
      speeds.append(Double(subject.tokens) / step)
    }
    return median(shares)
  }

  /// The peak of a process of our own that only runs one precision.
  private func ownMemory(_ precision: Precision) throws -> Int? {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: try Self.executablePath())
    process.arguments = [
      "bench", "step", "--shape", options.shape.rawValue, "--memory-only", "--precision",
      precision.rawValue, "--micro-batches", "\(microBatches)",
    ]
    if let threads = options.threads { process.arguments? += ["--threads", "\(threads)"] }
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return Int(text.trimmingCharacters(in: .whitespacesAndNewlines))
  }

  private static func executablePath() throws -> String {
    if let path = Bundle.main.executablePath { return path }
    throw CommandFailure(.failed, "this program cannot find its own file; call it by its full path")
  }

  private func printMemory() throws {
    let subject = try BenchSubject(
      options.shape, precision: precision.all[0], microBatches: microBatches,
      threads: options.threads)
    _ = try subject.run(3)
    Console.data("\(try Self.peakResidentBytes())")
  }

  /// The most memory this process has held; Linux's rusage would count its parent's, too.
  private static func peakResidentBytes() throws -> Int {
    #if os(Linux)
      let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
      for line in status.split(separator: "\n") where line.hasPrefix("VmHWM:") {
        if let kilobytes = Int(line.split(separator: " ", omittingEmptySubsequences: true)[1]) {
          return kilobytes * 1024
        }
      }
      throw CommandFailure(.failed, "/proc/self/status tells no peak memory")
    #else
      var usage = rusage()
      getrusage(RUSAGE_SELF, &usage)
      return Int(usage.ru_maxrss)
    #endif
  }
}

/// The middle of some numbers; NaN of none.
func median(_ numbers: [Double]) -> Double {
  let sorted = numbers.sorted()
  if sorted.isEmpty { return .nan }
  let middle = sorted.count / 2
  return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
