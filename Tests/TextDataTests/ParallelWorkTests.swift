// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing

@testable import TextData

struct ParallelWorkTests {
  struct Failure: Error, Equatable {
    var piece: Int
  }

  @Test(arguments: [1, 2, 5])
  func resultsComeInTheOrderOfThePieces(threads: Int) throws {
    for pieces in [0, 1, 2, 100] {
      let results = try ParallelWork.map(pieces: pieces, threads: threads) { worker, piece in
        #expect(worker < threads)
        return piece * piece
      }
      #expect(results == (0..<pieces).map { $0 * $0 })
    }
  }

  @Test(arguments: [1, 2, 5])
  func theFirstFailureIsThrown(threads: Int) {
    for _ in 0..<20 {
      #expect(throws: Failure(piece: 3)) {
        try ParallelWork.map(pieces: 50, threads: threads) { _, piece in
          if piece >= 3 { throw Failure(piece: piece) }
        }
      }
    }
  }

  @Test func aWorkerHasOnePieceAtATime() throws {
    let busy = (0..<4).map { _ in Flag() }
    _ = try ParallelWork.map(pieces: 200, threads: 4) { worker, _ in
      #expect(busy[worker].value.exchange(true, ordering: .acquiring) == false)
      busy[worker].value.store(false, ordering: .releasing)
    }
  }

  final class Flag: Sendable {
    let value = Atomic(false)
  }
}
