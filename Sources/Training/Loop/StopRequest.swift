// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

private let receivedSignal = Atomic<Int32>(0)

/// A wish that a run end after its current step, from the program or from a signal.
public final class StopRequest: Sendable {
  private let requested = Atomic<Bool>(false)
  private let heedsSignals: Bool

  /// Makes a request that nobody has made yet.
  public init() { heedsSignals = false }

  private init(heedsSignals: Bool) { self.heedsSignals = heedsSignals }

  /// A request that SIGINT (Ctrl-C) or SIGTERM makes; a second signal of the same kind ends the process at once.
  ///
  /// Both are unblocked: a process that was started from a worker thread inherits a mask that would never let them through.
  public static func onSignals() -> StopRequest {
    receivedSignal.store(0, ordering: .relaxed)
    var signals = sigset_t()
    sigemptyset(&signals)
    for number in [SIGINT, SIGTERM] { sigaddset(&signals, number) }
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    for number in [SIGINT, SIGTERM] {
      signal(number) { number in
        receivedSignal.store(number, ordering: .relaxed)
        signal(number, SIG_DFL)
      }
    }
    return StopRequest(heedsSignals: true)
  }

  /// Asks for the end.
  public func request() { requested.store(true, ordering: .relaxed) }

  /// Whether anybody has asked.
  public var isRequested: Bool {
    requested.load(ordering: .relaxed)
      || (heedsSignals && receivedSignal.load(ordering: .relaxed) != 0)
  }
}
