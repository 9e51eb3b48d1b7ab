// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Another library in a process of its own, told line by line what to run.
final class BenchPeer {
  /// What a peer's script is written with.
  enum Library: String {
    case pytorch = "PyTorch"
    case jax = "JAX"

    /// By the script's name, which starts with its library's.
    init(script: String) {
      let name = URL(fileURLWithPath: script).lastPathComponent.lowercased()
      self = name.hasPrefix("jax") ? .jax : .pytorch
    }

    /// What Python must be able to import.
    var package: String { self == .jax ? "jax" : "torch" }
  }

  /// How a peer's process is started.
  struct Invocation {
    var python: String
    var script: String
    /// The model and its batch, as JSON.
    var shape: String
    var threads: Int
    /// What else the script is told.
    var options: [String] = []

    var library: Library { Library(script: script) }

    fileprivate func arguments(_ last: [String]) -> [String] {
      [python, script, "--shape-json", shape, "--threads", "\(threads)"] + options + last
    }
  }

  /// What a peer says about itself.
  private struct Hello: Decodable {
    let version: String?
    let torch: String?
    let modes: [String]
  }

  /// What XLA's compiler planned for a peer's step, in bytes.
  struct Analysis: Decodable {
    let arguments, outputs, aliased, temporary, code: Int

    /// All that has to be there while the step runs.
    var total: Int { arguments + outputs - aliased + temporary + code }
  }

  /// What getting a mode ready took.
  struct Preparation: Decodable {
    /// Checks and warm-up included.
    let seconds: Double
    let compileSeconds: Double?
    let analysis: Analysis?

    enum CodingKeys: String, CodingKey {
      case seconds, analysis
      case compileSeconds = "compile_seconds"
    }
  }

  private struct Run: Decodable {
    let seconds: Double
    let candidate: String?
  }

  private struct Refusal: Decodable { let error: String }

  private struct Memory: Decodable {
    let peakBytes: Int
    enum CodingKeys: String, CodingKey { case peakBytes = "peak_bytes" }
  }

  private let process = Process()
  private let input = Pipe()
  private let output = Pipe()
  private var pending = Data()
  private var candidates: [String: String] = [:]
  private let library: Library
  private var version = ""
  /// What it can run.
  private(set) var modes: [String] = []

  /// For example `JAX 0.10.2`.
  var summary: String { "\(library.rawValue) \(version)" }

  /// Starts the peer.
  ///
  /// - Throws: ``CommandFailure`` when that Python has not the library, or the script ends early.
  init(_ invocation: Invocation, modes: [String]) throws {
    library = invocation.library
    let probe = Process()
    probe.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    probe.arguments = [invocation.python, "-c", "import \(library.package)"]
    probe.standardOutput = FileHandle.nullDevice
    probe.standardError = FileHandle.nullDevice
    try probe.run()
    probe.waitUntilExit()
    guard probe.terminationStatus == 0 else {
      throw CommandFailure(
        .failed,
        "'\(invocation.python)' cannot import \(library.package); name a Python that can with --python"
      )
    }
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = invocation.arguments(["--modes", modes.joined(separator: ",")])
    process.standardInput = input
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let hello = try JSONDecoder().decode(Hello.self, from: line())
    version = hello.version ?? hello.torch ?? ""
    self.modes = hello.modes
  }

  deinit {
    guard process.isRunning else { return }
    input.fileHandleForWriting.write(Data("quit\n".utf8))
    input.fileHandleForWriting.closeFile()
    process.waitUntilExit()
  }

  /// Builds, checks and warms a mode up.
  func prepare(_ mode: String) throws -> Preparation {
    try ask("prepare \(mode)", Preparation.self)
  }

  /// Seconds of so many steps.
  func run(_ mode: String, steps: Int) throws -> Double {
    let run = try ask("run \(mode) \(steps)", Run.self)
    candidates[mode] = run.candidate
    return run.seconds
  }

  /// The implementation that the peer found fastest for a mode.
  func candidate(_ mode: String) -> String? { candidates[mode] }

  /// Frees a mode's model.
  func drop(_ mode: String) throws {
    try send("drop \(mode)")
    _ = try line()
  }

  private func ask<Answer: Decodable>(_ command: String, _ type: Answer.Type) throws -> Answer {
    try send(command)
    let line = try line()
    if let refusal = try? JSONDecoder().decode(Refusal.self, from: line) {
      throw CommandFailure(.failed, "the peer cannot \(command): \(refusal.error)")
    }
    return try JSONDecoder().decode(Answer.self, from: line)
  }

  private func send(_ command: String) throws {
    try input.fileHandleForWriting.write(contentsOf: Data((command + "\n").utf8))
  }

  private func line() throws -> Data {
    while true {
      if let end = pending.firstIndex(of: 10) {
        let line = pending[pending.startIndex..<end]
        pending = Data(pending[(end + 1)...])
        return Data(line)
      }
      let more = output.fileHandleForReading.availableData
      if more.isEmpty {
        throw CommandFailure(
          .failed, "the peer ended early; run its script in Benchmarks/peers by hand to see why")
      }
      pending.append(more)
    }
  }

  /// The peak of a process that only runs one mode, in bytes; of its device where that is not the processor.
  static func peakBytes(_ invocation: Invocation, mode: String) throws -> Int? {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = invocation.arguments(["--memory-of", mode])
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return try? JSONDecoder().decode(Memory.self, from: data).peakBytes
  }
}
