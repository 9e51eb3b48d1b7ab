// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Held while pipes are made and a process is started: between making a descriptor and marking it as not to be inherited, another
/// thread's child could inherit it and keep it open.
let spawning = Mutex<Void>(())

/// Both ends of a pipe, neither of which a child inherits unasked.
struct Pipe {
  let reading: Int32
  let writing: Int32

  /// - Throws: ``ChildProcessError`` when no descriptor is left.
  init() throws(ChildProcessError) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw .system("make a pipe", errno) }
    reading = Self.beyondStandard(ends[0])
    writing = Self.beyondStandard(ends[1])
    for end in [reading, writing] where end >= 0 { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    guard reading >= 0, writing >= 0 else {
      let number = errno
      closeBoth()
      throw .system("make a pipe", number)
    }
  }

  func closeBoth() {
    for end in [reading, writing] where end >= 0 { close(end) }
  }

  /// Where standard input, output or error were closed, a pipe would take their place and be overwritten in the child.
  private static func beyondStandard(_ descriptor: Int32) -> Int32 {
    if descriptor > 2 { return descriptor }
    let moved = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
    close(descriptor)
    return moved
  }
}

/// Starts a process in a group of its own, with no signal blocked or ignored, three descriptors and perhaps a fourth, a lock.
func spawn(
  _ executable: String, _ arguments: [String], input: Int32, output: Int32, errors: Int32,
  lock: Int32?
) throws(ChildProcessError) -> pid_t {
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
  for (target, source) in [(Int32(0), input), (1, output), (2, errors)] {
    posix_spawn_file_actions_adddup2(&actions, source, target)
  }
  if let lock { posix_spawn_file_actions_adddup2(&actions, lock, 3) }
  var none = sigset_t()
  sigemptyset(&none)
  var all = sigset_t()
  sigfillset(&all)
  posix_spawnattr_setsigmask(&attributes, &none)
  posix_spawnattr_setsigdefault(&attributes, &all)
  posix_spawnattr_setpgroup(&attributes, 0)
  var flags = Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF)
  flags |= Int16(POSIX_SPAWN_SETPGROUP)
  #if canImport(Darwin)
    flags |= Int16(POSIX_SPAWN_CLOEXEC_DEFAULT)
  #endif
  posix_spawnattr_setflags(&attributes, flags)

  let name = String(executable.split(separator: "/").last ?? "assay")
  var argumentPointers = ([name == "exe" ? "assay" : name] + arguments).map { strdup($0) } + [nil]
  let variables = ProcessInfo.processInfo.environment
  var environmentPointers = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
  defer {
    for pointer in argumentPointers + environmentPointers { free(pointer) }
  }
  var process: pid_t = 0
  let code = posix_spawn(
    &process, executable, &actions, &attributes, &argumentPointers, &environmentPointers)
  guard code == 0 else { throw .system("start \(executable)", code) }
  return process
}

extension ChildProcessError {
  /// An error of a system call.
  static func system(_ action: String, _ number: Int32) -> ChildProcessError {
    let reason = String(cString: strerror(number))
    let remedy =
      switch number {
      case EMFILE, ENFILE: "; close other programs, or raise the limit of open files (ulimit -n)"
      case EAGAIN, ENOMEM: "; there are too many processes or too little memory: use fewer --jobs"
      default: ""
      }
    return ChildProcessError(description: "cannot \(action): \(reason)\(remedy)")
  }
}

/// A process that has just been started, and this side's ends of its pipes.
struct Started {
  let identifier: pid_t
  let input: Int32
  let output: Int32
  let errors: Int32

  /// - Throws: ``ChildProcessError``; then nothing is left open.
  init(_ executable: String, _ arguments: [String], lock: Int32?) throws(ChildProcessError) {
    var pipes: [Pipe] = []
    do throws(ChildProcessError) {
      for _ in 0..<3 { pipes.append(try Pipe()) }
      identifier = try spawn(
        executable, arguments, input: pipes[0].reading, output: pipes[1].writing,
        errors: pipes[2].writing, lock: lock)
    } catch {
      for pipe in pipes { pipe.closeBoth() }
      throw error
    }
    for descriptor in [pipes[0].reading, pipes[1].writing, pipes[2].writing] { close(descriptor) }
    (input, output, errors) = (pipes[0].writing, pipes[1].reading, pipes[2].reading)
  }
}
