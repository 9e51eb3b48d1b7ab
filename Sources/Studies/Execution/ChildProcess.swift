// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

#if canImport(Darwin)
  public import Darwin
#elseif canImport(Glibc)
  public import Glibc
#elseif canImport(Musl)
  public import Musl
#endif

/// A process that this one starts, feeds, listens to and outlives.
///
/// Nothing here blocks or runs beside the caller: ``wait(for:milliseconds:)`` sleeps until some child has something to say, and
/// ``takeLines()`` takes what is there. Children are in process groups of their own, so that Ctrl-C reaches this process alone and
/// it decides what becomes of them.
public final class ChildProcess {
  /// How a process ended.
  public enum End: Equatable, Sendable, CustomStringConvertible {
    /// By itself, with a code.
    case exited(Int32)
    /// By a signal.
    case killed(Int32)

    /// In words.
    public var description: String {
      switch self {
      case .exited(let code): "exit code \(code)"
      case .killed(let signal): "signal \(signal) (\(String(cString: strsignal(signal))))"
      }
    }
  }

  /// Bytes of standard error that are kept: its end, where the reason stands.
  static let errorTailLimit = 8192

  /// The number of the process.
  public let identifier: pid_t
  /// How it ended; nil while it runs.
  public private(set) var end: End?

  private var input: Int32
  private var output: Int32
  private var errors: Int32
  private var pendingInput: ArraySlice<UInt8>
  private var partialLine: [UInt8] = []
  private var lines: [String] = []
  private var errorTail: [UInt8] = []

  /// Starts a process.
  ///
  /// - Parameters:
  ///   - executable: its path.
  ///   - arguments: without the name of the executable.
  ///   - input: what it finds on standard input.
  ///   - lock: an open file that it inherits, and with it the lock on it.
  /// - Throws: ``ChildProcessError`` when the system cannot start it.
  public init(executable: String, arguments: [String], input: String, lock: Int32? = nil)
    throws(ChildProcessError)
  {
    // A child that dies before it has read its input is met by its end, not by a signal.
    signal(SIGPIPE, SIG_IGN)
    let started = try spawning.withLock { _ throws(ChildProcessError) in
      try Started(executable, arguments, lock: lock)
    }
    identifier = started.identifier
    (self.input, output, errors) = (started.input, started.output, started.errors)
    for descriptor in [self.input, output, errors] {
      _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }
    pendingInput = Array(input.utf8)[...]
    feed()
  }

  /// Nothing outlives its owner: neither the process nor its descriptors.
  deinit {
    destroy()
    for descriptor in [input, output, errors] where descriptor >= 0 { close(descriptor) }
  }

  /// Kills it, if it still runs, and waits until it is gone.
  public func destroy() {
    guard end == nil else { return }
    kill(identifier, SIGKILL)
    var status: Int32 = 0
    while waitpid(identifier, &status, 0) < 0, errno == EINTR {}
    end = .killed(SIGKILL)
  }

  /// Sends a signal, if it still runs.
  public func send(_ signal: Int32) {
    if end == nil { kill(identifier, signal) }
  }

  /// What it wrote on standard output since the last call, in lines without their ends; at its end also a last incomplete one.
  public func takeLines() -> [String] {
    defer { lines.removeAll() }
    return lines
  }

  /// The end of what it wrote on standard error.
  public var errorText: String {
    String(decoding: errorTail, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
  }

  // MARK: - Waiting

  /// Sleeps until a child has said something or ended, until a signal arrives, or until the time is up; then takes in what is there.
  public static func wait(for children: [ChildProcess], milliseconds: Int32) {
    var entries: [pollfd] = []
    var patience = milliseconds
    for child in children where child.end == nil {
      // Its pipes are closed and its end is a matter of microseconds.
      if child.output < 0 { patience = min(patience, 1) }
      for descriptor in [child.output, child.errors] where descriptor >= 0 {
        entries.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0))
      }
      if !child.pendingInput.isEmpty {
        entries.append(pollfd(fd: child.input, events: Int16(POLLOUT), revents: 0))
      }
    }
    _ = poll(&entries, nfds_t(entries.count), patience)
    for child in children { child.update() }
  }

  /// Takes in what is there, without waiting.
  private func update() {
    if end != nil { return }
    var status: Int32 = 0
    let found = waitpid(identifier, &status, WNOHANG)
    feed()
    drain()
    guard found == identifier else { return }
    let signal = status & 0x7F
    end = signal == 0 ? .exited((status >> 8) & 0xFF) : .killed(signal)
    if !partialLine.isEmpty {
      lines.append(String(decoding: partialLine, as: UTF8.self))
      partialLine = []
    }
    for descriptor in [input, output, errors] where descriptor >= 0 { close(descriptor) }
    (input, output, errors) = (-1, -1, -1)
  }

  private func feed() {
    while !pendingInput.isEmpty {
      let count = pendingInput.withUnsafeBytes { write(input, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      if count < 0 {
        // Full: later. Anything else: nobody reads any more.
        if errno == EAGAIN { return }
        pendingInput = []
        break
      }
      pendingInput = pendingInput.dropFirst(count)
    }
    if input >= 0 { close(input) }
    input = -1
  }

  private func drain() {
    output = Self.read(output) { bytes in
      for byte in bytes {
        if byte == 0x0A {
          lines.append(String(decoding: partialLine, as: UTF8.self))
          partialLine.removeAll(keepingCapacity: true)
        } else {
          partialLine.append(byte)
        }
      }
    }
    errors = Self.read(errors) { bytes in
      errorTail.append(contentsOf: bytes)
      if errorTail.count > 2 * Self.errorTailLimit {
        errorTail.removeFirst(errorTail.count - Self.errorTailLimit)
      }
    }
    if errorTail.count > Self.errorTailLimit {
      errorTail.removeFirst(errorTail.count - Self.errorTailLimit)
    }
  }

  /// Reads what is there; returns the descriptor, or -1 after closing it at its end.
  private static func read(_ descriptor: Int32, _ take: (ArraySlice<UInt8>) -> Void) -> Int32 {
    if descriptor < 0 { return descriptor }
    var buffer = [UInt8](repeating: 0, count: 1 << 14)
    while true {
      let count = buffer.withUnsafeMutableBytes { readBytes(descriptor, $0.baseAddress, $0.count) }
      if count > 0 {
        take(buffer[..<count])
      } else if count < 0, errno == EINTR {
        continue
      } else if count < 0, errno == EAGAIN {
        return descriptor
      } else {
        close(descriptor)
        return -1
      }
    }
  }
}

/// A process that cannot be started.
public struct ChildProcessError: Error, Equatable, CustomStringConvertible {
  /// What happened, and what to do.
  public let description: String
}

/// The executable of this process, wherever its name was found.
public func ownExecutable() -> String {
  #if os(Linux)
    // The file itself, even after a new build took its place: children are of the same build as their parent.
    return "/proc/self/exe"
  #else
    return Bundle.main.executablePath ?? CommandLine.arguments[0]
  #endif
}

private func readBytes(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int
{
  read(descriptor, buffer, count)
}
