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
    abstract: "Times whole training steps, alternating with PyTorch where it is at hand.")

  @OptionGroup var options: BenchOptions

  @Flag(help: "Also run PyTorch, eager and compiled.")
  var peers = false

  @Option(help: "The Python that has PyTorch.")
  var python = "python3"

  @Option(help: "The peer's script.")
  var script = "Benchmarks/peers/pytorch_step.py"

  @Option(help: "Pairs of alternating measurements.")
  var rounds = 7

  @Option(help: "Seconds of one measurement.")
  var seconds = 1.0

  @Option(
    help: ArgumentHelp(
      "Times this device beside the processor instead of PyTorch.",
      valueName: "xla:cpu|xla:cuda|xla:FILE.so"))
  var device: String?

  @Option(help: "Of how many devices share a step.")
  var devices = 1

  @Flag(help: "With --device: leave the processor out.")
  var alone = false

  @Flag(help: .hidden)
  var memoryOnly = false

  @Option(help: .hidden)
  var precision = "bf16"

  func validate() throws {
    guard let device else {
      if devices != 1 || alone {
        throw ValidationError("--devices and --alone have no effect without --device")
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
    if peers { throw ValidationError("--peers and --device are two benches; give one of them") }
    let sequences = options.shape.sequences
    guard devices >= 1, sequences % devices == 0 else {
      throw ValidationError(
        "--devices is \(devices), and shape \(options.shape.rawValue) has \(sequences) sequences: each device takes whole ones"
      )
    }
  }

  func run() throws {
    if memoryOnly { return try printMemory() }
    if let device { return try timeDevice(device) }
    let subjects = try [Precision.fp32, .bf16].map { precision in
      let subject = try BenchSubject(options.shape, precision: precision, threads: options.threads)
      try subject.check()
      return subject
    }
    Console.say(
      "shape \(options.shape.rawValue): \(subjects[0].tokens) tokens a step; \(subjects[0].runtime.summary)"
    )
    var report = BenchReport(shape: options.shape.rawValue)
    var ours: [[Double]] = subjects.map { _ in [] }

    let share = try productsShare(subjects[1], &ours[1])
    report.productsShare = share

    if peers {
      let modes = ["fp32", "fp32-compiled", "bf16", "bf16-compiled"]
      let threads = subjects[0].runtime.threadCount
      guard
        let peer = try BenchPeer.start(
          python: python, script: script, shape: options.shape.peerShape, modes: modes,
          threads: threads)
      else {
        throw CommandFailure(
          .failed, "'\(python)' cannot import torch; name a Python that can with --python")
      }
      report.peer = "PyTorch \(peer.hello.torch)"
      for mode in peer.hello.modes {
        let index = mode.hasPrefix("bf16") ? 1 : 0
        let pairs = try measurePairs(subjects[index], peer, mode)
        ours[index] += pairs.map(\.ours)
        let memory = try BenchPeer.peakBytes(
          python: python, script: script, shape: options.shape, mode: mode, threads: threads)
        report.add(
          "pytorch \(mode)", index == 1 ? "bf16" : "fp32", pairs.map(\.theirs), peakBytes: memory,
          ratios: pairs.map { $0.ours / $0.theirs })
        try peer.drop(mode)
      }
    }
    for (subject, speeds) in zip(subjects, ours) {
      var speeds = speeds
      while speeds.count < rounds { speeds.append(try speed(subject)) }
      report.add(
        "assay", subject.precision.rawValue, speeds,
        peakBytes: try ownMemory(subject.precision), ratios: [])
    }
    if options.json { try Console.json(report) } else { Console.data(report.text) }
  }

  /// Tokens a second over about `seconds`.
  func speed(_ subject: BenchSubject<some Runtime>) throws -> Double {
    let once = try subject.run(1)
    let steps = max(1, Int(seconds / once))
    return Double(steps * subject.tokens) / (try subject.run(steps))
  }

  private func measurePairs(
    _ subject: BenchSubject<CPURuntime>, _ peer: BenchPeer, _ mode: String
  ) throws -> [(ours: Double, theirs: Double)] {
    // The first run of a mode builds and warms it.
    _ = try peer.run(mode, steps: 2)
    let once = try peer.run(mode, steps: 1)
    let steps = max(1, Int(seconds / once))
    return try (0..<rounds).map { _ in
      let ours = try speed(subject)
      let theirs = Double(steps * subject.tokens) / (try peer.run(mode, steps: steps))
      return (ours, theirs)
    }
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
      precision.rawValue,
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
    guard let precision = Precision(rawValue: precision) else {
      throw CommandFailure(.usage, "no precision '\(precision)'; use fp32 or bf16")
    }
    let subject = try BenchSubject(options.shape, precision: precision, threads: options.threads)
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
