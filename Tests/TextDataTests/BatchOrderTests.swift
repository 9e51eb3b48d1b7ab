// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import TextData

/// Room for a batch.
final class Batch {
  let tokens: UnsafeMutableBufferPointer<Int32>
  let targets: UnsafeMutableBufferPointer<Int32>
  let documents: UnsafeMutableBufferPointer<Int32>

  init(_ count: Int) {
    tokens = .allocate(capacity: count)
    targets = .allocate(capacity: count)
    documents = .allocate(capacity: count)
    for buffer in [tokens, targets, documents] { buffer.initialize(repeating: -7) }
  }

  deinit { for buffer in [tokens, targets, documents] { buffer.deallocate() } }

  func next(_ order: BatchOrder, _ sequences: Int) throws {
    try order.nextBatch(
      sequences: sequences, into: #require(tokens.baseAddress),
      targets: #require(targets.baseAddress), documents: documents.baseAddress)
  }

  func next(_ windows: ValidationWindows, _ sequences: Int) throws -> Int {
    try windows.nextBatch(
      sequences: sequences, into: #require(tokens.baseAddress),
      targets: #require(targets.baseAddress), documents: documents.baseAddress)
  }
}

struct BatchOrderTests {
  /// Tokens that name their own position.
  func positions(_ count: Int) -> TokenStream {
    TokenStream(tokens: (0..<count).map { Int32($0) }, endOfText: 100_000)
  }

  func makeOrder(
    _ stream: TokenStream, contextLength: Int, seed: UInt64 = 1, vocabularySize: Int = 200_000
  ) throws -> BatchOrder {
    try BatchOrder(
      stream, contextLength: contextLength, seed: seed, vocabularySize: vocabularySize)
  }

  func epoch(_ order: BatchOrder, sequences: Int) throws -> [[Int32]] {
    var rows: [[Int32]] = []
    let batch = Batch(sequences * order.contextLength)
    for _ in 0..<order.windowsPerEpoch / sequences {
      try batch.next(order, sequences)
      for row in 0..<sequences {
        let range = row * order.contextLength..<(row + 1) * order.contextLength
        let tokens = Array(batch.tokens[range])
        #expect(Array(batch.targets[range]) == tokens.map { $0 + 1 })
        rows.append(tokens)
      }
    }
    return rows
  }

  @Test(arguments: [(101, 10), (100, 10), (109, 10), (110, 10), (64, 1), (65, 64), (1000, 7)])
  func anEpochVisitsEveryWindowOnce(count: Int, contextLength: Int) throws {
    let order = try makeOrder(positions(count), contextLength: contextLength)
    #expect(order.windowsPerEpoch == (count - 1) / contextLength)
    for number in 0..<3 {
      let rows = try epoch(order, sequences: 1)
      let starts = rows.map { Int($0[0]) }.sorted()
      let offset = starts[0]
      #expect(offset <= (count - 1) % contextLength, "epoch \(number)")
      #expect(starts == (0..<rows.count).map { offset + $0 * contextLength })
      for row in rows { #expect(row == (0..<contextLength).map { row[0] + Int32($0) }) }
      #expect(order.position == BatchPosition(epoch: number, index: order.windowsPerEpoch))
    }
  }

  @Test func theOrderDependsOnSeedAndEpochAlone() throws {
    let stream = positions(1001)
    let first = try epoch(try makeOrder(stream, contextLength: 10), sequences: 1)
    let again = try epoch(try makeOrder(stream, contextLength: 10), sequences: 4)
    #expect(first == again)
    #expect(first != (try epoch(try makeOrder(stream, contextLength: 10, seed: 2), sequences: 1)))
    let both = try makeOrder(stream, contextLength: 10)
    #expect(try epoch(both, sequences: 1) == first)
    let second = try epoch(both, sequences: 1)
    #expect(second != first)
    #expect(Set(second) == Set(first))
    #expect(first != first.sorted { $0[0] < $1[0] })
  }

  /// Frozen: a changed order would make results of different versions incomparable.
  ///
  /// The values were printed by `Scripts/fixtures/random_streams.py`.
  @Test func theOrderIsFrozen() throws {
    let order = try makeOrder(positions(61), contextLength: 6)
    let epochs = try (0..<2).map { _ in try epoch(order, sequences: 1).map { $0[0] / 6 } }
    #expect(epochs == [[3, 4, 1, 9, 6, 5, 7, 0, 2, 8], [1, 5, 9, 3, 2, 8, 4, 0, 7, 6]])
  }

  @Test func anEpochsRemainderMovesFromEpochToEpoch() throws {
    // 16 of 25 tokens after the first fit one window of 16; the window lies elsewhere each time.
    let order = try makeOrder(positions(26), contextLength: 16)
    let starts = try (0..<40).map { _ in try epoch(order, sequences: 1)[0][0] }
    #expect(Set(starts).count > 5)
    #expect(starts.allSatisfy { $0 >= 0 && $0 <= 9 })
  }

  @Test func aBatchGoesOnWithTheNextEpoch() throws {
    let stream = positions(71)
    let straight = try makeOrder(stream, contextLength: 10)
    let expected =
      try epoch(straight, sequences: 1) + epoch(straight, sequences: 1)
      + epoch(straight, sequences: 1)
    let order = try makeOrder(stream, contextLength: 10)
    let batch = Batch(50)
    var rows: [[Int32]] = []
    for _ in 0..<4 {
      try batch.next(order, 5)
      for row in 0..<5 { rows.append(Array(batch.tokens[row * 10..<row * 10 + 10])) }
    }
    #expect(rows == Array(expected[..<20]))
    #expect(order.position == BatchPosition(epoch: 2, index: 6))
  }

  @Test func aCheckpointContinuesAsIfNothingHadHappened() throws {
    let stream = positions(331)
    for stop in [0, 1, 3, 7, 8, 20] {
      let order = try makeOrder(stream, contextLength: 10)
      let batch = Batch(40)
      for _ in 0..<stop { try batch.next(order, 4) }
      let saved = try JSONEncoder().encode(order.position)
      let resumed = try makeOrder(stream, contextLength: 10)
      try resumed.seek(to: JSONDecoder().decode(BatchPosition.self, from: saved))
      let other = Batch(40)
      for _ in 0..<10 {
        try batch.next(order, 4)
        try other.next(resumed, 4)
        #expect(Array(batch.tokens) == Array(other.tokens))
        #expect(Array(batch.targets) == Array(other.targets))
        #expect(order.position == resumed.position)
      }
    }
  }

  @Test func documentsAreNumberedWithinARow() throws {
    let end: Int32 = 9
    let stream = TokenStream(tokens: [end, 1, 2, end, 3, end, end, 4, 5], endOfText: end)
    let order = try BatchOrder(stream, contextLength: 8, seed: 0, vocabularySize: 10)
    let batch = Batch(8)
    try batch.next(order, 1)
    #expect(Array(batch.tokens) == [9, 1, 2, 9, 3, 9, 9, 4])
    #expect(Array(batch.targets) == [1, 2, 9, 3, 9, 9, 4, 5])
    // The first position is document 0 whether or not it begins one.
    #expect(Array(batch.documents) == [0, 0, 0, 1, 1, 2, 3, 3])
    try order.nextBatch(
      sequences: 1, into: #require(batch.tokens.baseAddress),
      targets: #require(batch.targets.baseAddress), documents: nil)
    #expect(order.position == BatchPosition(epoch: 1, index: 1))
  }

  func code(_ body: () throws -> Void) -> DataError.Code? {
    do {
      try body()
      return nil
    } catch {
      return (error as? DataError)?.code
    }
  }

  @Test func tooFewTokensAreAnError() throws {
    #expect(code { _ = try makeOrder(positions(10), contextLength: 10) } == .tooShort)
    #expect(code { _ = try makeOrder(positions(0), contextLength: 1) } == .tooShort)
    #expect(code { _ = try makeOrder(positions(10), contextLength: 0) } == .invalidOption)
    let order = try makeOrder(positions(31), contextLength: 10)
    #expect(code { try order.checkBatch(sequences: 3) } == nil)
    #expect(code { try order.checkBatch(sequences: 4) } == .tooShort)
    #expect(code { try order.checkBatch(sequences: 0) } == .invalidOption)
    let batch = Batch(40)
    #expect(code { try batch.next(order, 4) } == .tooShort)
    #expect(order.position == .start)
    #expect(batch.tokens.allSatisfy { $0 == -7 })
  }

  @Test func idsBeyondTheModelsVocabularyAreErrors() throws {
    #expect(code { _ = try makeOrder(positions(31), contextLength: 5, vocabularySize: 31) } == nil)
    #expect(
      code { _ = try makeOrder(positions(31), contextLength: 5, vocabularySize: 30) }
        == .vocabularyMismatch)
    // A stream whose header announces less than it holds: found when the batch is made.
    let lying = TokenStream(
      segments: TokenStream(tokens: [1, 2, 50, 3, 4], endOfText: 0).segments, endOfText: 0,
      largestToken: 4)
    let order = try BatchOrder(lying, contextLength: 4, seed: 0, vocabularySize: 10)
    let batch = Batch(4)
    #expect(code { try batch.next(order, 1) } == .vocabularyMismatch)
    #expect(order.position == .start)
  }

  @Test(arguments: [(-1, 0), (0, -1), (0, 4), (.max, 0)])
  func positionsOfOtherDataAreErrors(epoch: Int, index: Int) throws {
    let order = try makeOrder(positions(31), contextLength: 10)
    #expect(
      code { try order.seek(to: BatchPosition(epoch: epoch, index: index)) } == .invalidOption)
  }
}

struct ValidationWindowsTests {
  func collect(
    _ windows: ValidationWindows, sequences: Int
  ) throws -> (tokens: [Int32], targets: [Int32]) {
    let batch = Batch(sequences * windows.contextLength)
    var tokens: [Int32] = []
    var targets: [Int32] = []
    while true {
      let count = try batch.next(windows, sequences)
      #expect(batch.targets.count { $0 >= 0 } == count)
      if count == 0 {
        #expect(batch.targets.allSatisfy { $0 == -1 })
        return (tokens, targets)
      }
      for (token, target) in zip(batch.tokens, batch.targets) where target >= 0 {
        tokens.append(token)
        targets.append(target)
      }
    }
  }

  @Test(arguments: [2, 3, 10, 11, 12, 20, 21, 22, 97])
  func everyTargetIsCountedOnceWhateverTheBatch(count: Int) throws {
    let source = (0..<count).map { Int32($0) }
    let stream = TokenStream(tokens: source, endOfText: 500)
    for limit in [nil, 1, 7, 10, 15, 1000] {
      let counted = min(count - 1, limit ?? .max)
      for sequences in [1, 2, 3, 8] {
        let windows = try ValidationWindows(
          stream, contextLength: 10, maximumTokens: limit, vocabularySize: 501)
        #expect(windows.targetCount == counted)
        #expect(windows.windowCount == (counted + 9) / 10)
        for _ in 0..<2 {
          let (tokens, targets) = try collect(windows, sequences: sequences)
          // Windows spread evenly over the whole ones, or all of them in a row.
          let (wanted, whole) = ((counted + 9) / 10, (count - 1) / 10)
          let expected = (0..<wanted).flatMap { window in
            let start = (wanted <= whole ? window * whole / wanted : window) * 10
            return source[start..<start + min(10, counted - window * 10)]
          }
          #expect(tokens == expected)
          #expect(targets == expected.map { $0 + 1 })
          #expect(windows.position == counted)
          windows.restart()
        }
      }
    }
  }

  @Test func theLastWindowIsPadded() throws {
    let stream = TokenStream(tokens: [9, 1, 2, 9, 3, 4, 5], endOfText: 9)
    let windows = try ValidationWindows(
      stream, contextLength: 4, maximumTokens: nil, vocabularySize: 10)
    let batch = Batch(12)
    #expect(try batch.next(windows, 3) == 6)
    #expect(Array(batch.tokens) == [9, 1, 2, 9, 3, 4, 9, 9, 9, 9, 9, 9])
    #expect(Array(batch.targets) == [1, 2, 9, 3, 4, 5, -1, -1, -1, -1, -1, -1])
    #expect(Array(batch.documents) == [0, 0, 0, 1, 0, 0, 1, 2, 0, 1, 2, 3])
  }

  @Test func impossibleRequestsAreErrors() throws {
    func code(_ count: Int, _ length: Int, _ limit: Int?, _ size: Int) -> DataError.Code? {
      let stream = TokenStream(tokens: (0..<count).map { Int32($0) }, endOfText: 0)
      do {
        _ = try ValidationWindows(
          stream, contextLength: length, maximumTokens: limit, vocabularySize: size)
        return nil
      } catch {
        return error.code
      }
    }
    #expect(code(2, 10, nil, 2) == nil)
    #expect(code(1, 10, nil, 2) == .tooShort)
    #expect(code(0, 10, nil, 2) == .tooShort)
    #expect(code(5, 0, nil, 5) == .invalidOption)
    #expect(code(5, 2, 0, 5) == .invalidOption)
    #expect(code(5, 2, nil, 4) == .vocabularyMismatch)
  }
}
