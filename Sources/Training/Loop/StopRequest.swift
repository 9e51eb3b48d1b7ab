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

/// A wish that a run end after its current step, or the current batch of an evaluation, from the program or from a signal.
public final class StopRequest: Sendable {
  /// What the run is to end as.
  public enum Kind: Int, Sendable {
    /// Interrupted: whoever asked wants the rest later.
    case interrupt = 1
    /// Stopped: a rule of the run's study has seen enough.
    case stop = 2
  }

  private let requested = Atomic<Int>(0)
  private let heedsSignals: Bool

  /// Makes a request that nobody has made yet.
  public init() { heedsSignals = false }

  private init(heedsSignals: Bool) { self.heedsSignals = heedsSignals }

  /// A request that SIGINT (Ctrl-C) or SIGTERM makes; a second signal of the same kind ends the process at once.
  ///
  /// All are unblocked: a process that was started from a worker thread inherits a mask that would never let them through.
  ///
  /// - Parameter isTrial: whether SIGUSR1 is heeded too, by which a study stops one of its trials.
  /// - Returns: the request; there is one set of signals for all that were made this way.
  public static func onSignals(isTrial: Bool = false) -> StopRequest {
    receivedSignal.store(0, ordering: .relaxed)
    var signals = sigset_t()
    sigemptyset(&signals)
    for number in [SIGINT, SIGTERM, SIGUSR1] { sigaddset(&signals, number) }
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    if isTrial {
      signal(SIGUSR1) { number in receivedSignal.store(number, ordering: .relaxed) }
    }
    for number in [SIGINT, SIGTERM] {
      signal(number) { number in
        receivedSignal.store(number, ordering: .relaxed)
        signal(number, SIG_DFL)
      }
    }
    return StopRequest(heedsSignals: true)
  }

  /// Asks for the end.
  public func request(_ kind: Kind = .interrupt) {
    requested.store(kind.rawValue, ordering: .relaxed)
  }

  /// What was asked for; nil: nothing yet.
  ///
  /// A signal goes before a request of the program.
  public var kind: Kind? {
    if heedsSignals, case let number = receivedSignal.load(ordering: .relaxed), number != 0 {
      return number == SIGUSR1 ? .stop : .interrupt
    }
    return Kind(rawValue: requested.load(ordering: .relaxed))
  }

  /// Whether anybody has asked.
  public var isRequested: Bool { kind != nil }
}
