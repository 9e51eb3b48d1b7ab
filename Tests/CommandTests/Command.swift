// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// The built `assay`, run as its user runs it.
struct Command {
  /// How a process ended, and what it wrote.
  struct Result: CustomStringConvertible {
    let arguments: [String]
    /// The exit code; the signal's number, negative, when a signal ended it.
    let code: Int32
    let output: String
    let errors: String

    /// Everything, for a failing expectation.
    var description: String {
      "assay \(arguments.joined(separator: " ")) -> \(code)\n\(output)\n\(errors)"
    }

    /// Standard output as JSON.
    func json() throws -> [String: Any] {
      try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any] ?? [:]
    }
  }

  /// A failure to find or start the executable.
  struct Missing: Error, CustomStringConvertible {
    let description: String
  }

  /// The executable lies beside the test bundle.
  static func executable() throws -> URL {
    var folders = [Bundle.main.bundleURL, Bundle.main.executableURL?.deletingLastPathComponent()]
    #if canImport(Darwin)
      folders += Bundle.allBundles.map { $0.bundleURL.deletingLastPathComponent() }
    #endif
    if let first = CommandLine.arguments.first {
      folders.append(URL(fileURLWithPath: first).deletingLastPathComponent())
    }
    for folder in folders.compactMap(\.self) {
      let candidate = folder.appendingPathComponent("assay")
      if FileManager.default.isExecutableFile(atPath: candidate.path) { return candidate }
    }
    throw Missing(description: "no assay beside \(folders.compactMap { $0?.path })")
  }

  /// Runs to the end.
  static func run(
    _ arguments: String..., in folder: URL? = nil, environment: [String: String] = [:]
  ) throws -> Result {
    try Running(arguments, in: folder, environment: environment).wait()
  }

  /// Runs to the end.
  static func run(
    _ arguments: [String], in folder: URL? = nil, environment: [String: String] = [:]
  ) throws -> Result {
    try Running(arguments, in: folder, environment: environment).wait()
  }
}

/// A process under way.
final class Running {
  private let arguments: [String]
  private let process = Process()
  private let output: Stream
  private let errors: Stream

  /// Starts it, with nothing on standard input.
  init(_ arguments: [String], in folder: URL? = nil, environment: [String: String] = [:]) throws {
    self.arguments = arguments
    process.executableURL = try Command.executable()
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.standardInput = FileHandle.nullDevice
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let outputPipe = Pipe()
    let errorPipe = Pipe()
    process.standardOutput = outputPipe
    process.standardError = errorPipe
    output = Stream(outputPipe)
    errors = Stream(errorPipe)
    try process.run()
  }

  /// Sends a signal.
  func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

  /// Waits until standard error holds a text; false when the process ended without it.
  func waitForErrors(containing text: String) -> Bool {
    while true {
      if errors.text.contains(text) { return true }
      if !process.isRunning {
        errors.waitForEnd()
        return errors.text.contains(text)
      }
      Thread.sleep(forTimeInterval: 0.01)
    }
  }

  /// Waits for the end.
  func wait() -> Command.Result {
    process.waitUntilExit()
    output.waitForEnd()
    errors.waitForEnd()
    let status = process.terminationStatus
    return Command.Result(
      arguments: arguments, code: process.terminationReason == .exit ? status : -status,
      output: output.text, errors: errors.text)
  }

  /// What a pipe has brought so far.
  private final class Stream: Sendable {
    private let bytes = Mutex(Data())
    private let end = DispatchSemaphore(value: 0)

    init(_ pipe: Pipe) {
      pipe.fileHandleForReading.readabilityHandler = { [self] handle in
        let read = handle.availableData
        if read.isEmpty {
          handle.readabilityHandler = nil
          end.signal()
        } else {
          bytes.withLock { $0.append(read) }
        }
      }
    }

    var text: String { bytes.withLock { String(decoding: $0, as: UTF8.self) } }

    func waitForEnd() {
      end.wait()
      end.signal()
    }
  }
}
