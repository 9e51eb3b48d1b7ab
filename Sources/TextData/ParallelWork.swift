// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Synchronization

/// Independent pieces of work over a few threads, with results in the order of the pieces.
enum ParallelWork {
  private struct State<Result: Sendable>: Sendable {
    var next = 0
    var results: [Result?]
    var failure: (piece: Int, error: any Error)?
  }

  /// Calls `body(worker, piece)` for every piece from 0 to `pieces` - 1.
  ///
  /// A worker handles one piece at a time, so what belongs to `worker` needs no lock. When pieces fail,
  /// the error of the first of them is thrown: pieces are taken in order, so all before it were tried.
  static func map<Result: Sendable>(
    pieces: Int, threads: Int, _ body: @Sendable (_ worker: Int, _ piece: Int) throws -> Result
  ) throws -> [Result] {
    precondition(threads >= 1, "\(threads) threads")
    if threads == 1 || pieces <= 1 {
      return try (0..<pieces).map { try body(0, $0) }
    }
    let state = Mutex(State(results: [Result?](repeating: nil, count: pieces)))
    DispatchQueue.concurrentPerform(iterations: min(threads, pieces)) { worker in
      while true {
        let taken: Int? = state.withLock { state in
          guard state.next < pieces, state.failure == nil else { return nil }
          state.next += 1
          return state.next - 1
        }
        guard let piece = taken else { return }
        do {
          let result = try body(worker, piece)
          state.withLock { $0.results[piece] = result }
        } catch {
          state.withLock { state in
            if let failure = state.failure, failure.piece < piece { return }
            state.failure = (piece, error)
          }
        }
      }
    }
    return try state.withLock { state in
      if let failure = state.failure { throw failure.error }
      return state.results.compactMap { $0 }
    }
  }
}
