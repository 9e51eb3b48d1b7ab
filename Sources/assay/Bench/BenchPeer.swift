// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// PyTorch in a process of its own, told line by line what to run.
final class BenchPeer {
  private let process = Process()
  private let input = Pipe()
  private let output = Pipe()
  private var pending = Data()
  private var candidates: [String: String] = [:]

  /// What a peer says about itself.
  struct Hello: Decodable {
    let torch: String
    let modes: [String]
  }

  private struct Run: Decodable {
    let seconds: Double?
    let candidate: String?
    let error: String?
  }

  private struct Memory: Decodable {
    let peakBytes: Int
    enum CodingKeys: String, CodingKey { case peakBytes = "peak_bytes" }
  }

  let hello: Hello

  /// Starts the peer; nil when that Python has no PyTorch.
  static func start(
    python: String, script: String, shape: String, modes: [String], threads: Int
  ) throws -> BenchPeer? {
    let probe = Process()
    probe.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    probe.arguments = [python, "-c", "import torch"]
    probe.standardOutput = FileHandle.nullDevice
    probe.standardError = FileHandle.nullDevice
    try probe.run()
    probe.waitUntilExit()
    guard probe.terminationStatus == 0 else { return nil }
    return try BenchPeer(
      [
        python, script, "--shape-json", shape, "--modes", modes.joined(separator: ","),
        "--threads", "\(threads)",
      ])
  }

  private init(_ arguments: [String]) throws {
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    process.standardInput = input
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let line = try Self.line(from: output.fileHandleForReading, &pending)
    hello = try JSONDecoder().decode(Hello.self, from: line)
  }

  deinit {
    input.fileHandleForWriting.write(Data("quit\n".utf8))
    input.fileHandleForWriting.closeFile()
    process.waitUntilExit()
  }

  /// Seconds of so many steps.
  func run(_ mode: String, steps: Int) throws -> Double {
    input.fileHandleForWriting.write(Data("run \(mode) \(steps)\n".utf8))
    let line = try Self.line(from: output.fileHandleForReading, &pending)
    let run = try JSONDecoder().decode(Run.self, from: line)
    candidates[mode] = run.candidate
    guard let seconds = run.seconds else {
      throw CommandFailure(
        .failed,
        "the peer cannot run \(mode): \(run.error ?? String(decoding: line, as: UTF8.self))")
    }
    return seconds
  }

  /// The implementation that the peer found fastest for a mode.
  func candidate(_ mode: String) -> String? { candidates[mode] }

  /// Frees a mode's model.
  func drop(_ mode: String) throws {
    input.fileHandleForWriting.write(Data("drop \(mode)\n".utf8))
    _ = try Self.line(from: output.fileHandleForReading, &pending)
  }

  private static func line(from handle: FileHandle, _ pending: inout Data) throws -> Data {
    while true {
      if let end = pending.firstIndex(of: 10) {
        let line = pending[pending.startIndex..<end]
        pending = Data(pending[(end + 1)...])
        return Data(line)
      }
      let more = handle.availableData
      if more.isEmpty {
        throw CommandFailure(
          .failed, "the peer ended early; run its script in Benchmarks/peers by hand to see why")
      }
      pending.append(more)
    }
  }

  /// The peak of a process that only runs one mode, in bytes.
  static func peakBytes(
    python: String, script: String, shape: BenchShape, mode: String, threads: Int
  ) throws -> Int? {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [
      python, script, "--shape-json", shape.peerShape, "--memory-of", mode, "--threads",
      "\(threads)",
    ]
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return try? JSONDecoder().decode(Memory.self, from: data).peakBytes
  }
}
