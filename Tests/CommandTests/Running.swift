// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// A process under way, as a shell would start it: no signal blocked, nothing on standard input, output into files.
///
/// Foundation's `Process` is no use here: its children inherit the signal mask of whatever thread starts them, and waiting for
/// many of them at once can stop for good.
final class Running {
  private let arguments: [String]
  private let folder: URL
  let process: pid_t
  private var status: Int32?
  /// No command of these tests takes longer, by far.
  private static let secondsAllowed = 240.0

  /// Starts an executable, named by its path, with arguments and what a file holds on standard input.
  init(
    _ arguments: [String], in directory: URL? = nil, environment: [String: String] = [:],
    input: String = "/dev/null"
  ) throws {
    self.arguments = arguments
    folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("assay-output-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    process = try Self.spawn(
      arguments, in: directory, output: folder.appendingPathComponent("output").path,
      errors: folder.appendingPathComponent("errors").path, environment: environment, input: input)
  }

  /// Nothing outlives the test that started it.
  deinit {
    if status == nil {
      kill(process, SIGKILL)
      var ignored: Int32 = 0
      waitpid(process, &ignored, 0)
    }
    try? FileManager.default.removeItem(at: folder)
  }

  /// Sends a signal.
  func send(_ signal: Int32) { kill(process, signal) }

  /// Waits until standard error holds a text; false when the process ended without it.
  func waitForErrors(containing text: String) -> Bool { wait(for: text, in: "errors") }

  /// Waits until standard output holds a text; false when the process ended without it.
  func waitForOutput(containing text: String) -> Bool { wait(for: text, in: "output") }

  private func wait(for text: String, in file: String) -> Bool {
    while true {
      let isOver = hasEnded()
      if read(file).contains(text) { return true }
      if isOver { return false }
      usleep(2000)
    }
  }

  /// Waits for the end.
  func wait() -> Command.Result {
    let start = ContinuousClock.now
    while !hasEnded() {
      if ContinuousClock.now - start > .seconds(Self.secondsAllowed) { send(SIGKILL) }
      usleep(2000)
    }
    let status = status ?? 0
    let signal = status & 0x7F
    return Command.Result(
      arguments: arguments, code: signal == 0 ? (status >> 8) & 0xFF : -signal,
      output: read("output"), errors: read("errors"))
  }

  /// Whether the process is over.
  func hasEnded() -> Bool {
    if status != nil { return true }
    var found: Int32 = 0
    guard waitpid(process, &found, WNOHANG) == process else { return false }
    status = found
    return true
  }

  private func read(_ name: String) -> String {
    let data = try? Data(contentsOf: folder.appendingPathComponent(name))
    return String(decoding: data ?? Data(), as: UTF8.self)
  }

  // MARK: - Starting

  private static func spawn(
    _ arguments: [String], in directory: URL?, output: String, errors: String,
    environment: [String: String], input: String
  ) throws -> pid_t {
    #if canImport(Darwin)
      var actions: posix_spawn_file_actions_t?
      var attributes: posix_spawnattr_t?
    #else
      var actions = posix_spawn_file_actions_t()
      var attributes = posix_spawnattr_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
    for (descriptor, path) in [(Int32(1), output), (2, errors)] {
      posix_spawn_file_actions_addopen(
        &actions, descriptor, path, O_WRONLY | O_CREAT | O_APPEND, 0o644)
    }
    var none = sigset_t()
    sigemptyset(&none)
    var all = sigset_t()
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF))

    var variables = ProcessInfo.processInfo.environment
    variables.merge(environment) { $1 }
    // A shell changes the folder and becomes the command: spawning has no portable word for it.
    let command =
      directory.map { ["/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", $0.path] + arguments }
      ?? arguments
    var argumentPointers = command.map { strdup($0) } + [nil]
    var environmentPointers = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer {
      for pointer in argumentPointers + environmentPointers { free(pointer) }
    }
    var process: pid_t = 0
    let code = posix_spawn(
      &process, command[0], &actions, &attributes, &argumentPointers, &environmentPointers)
    guard code == 0 else {
      throw Command.Missing(
        description: "cannot start \(arguments[0]): \(String(cString: strerror(code)))")
    }
    return process
  }
}
