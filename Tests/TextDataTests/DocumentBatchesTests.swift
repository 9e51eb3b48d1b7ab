// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RandomStreams
import Testing

@testable import TextData

struct DocumentBatchesTests {
  static let endOfText: Int32 = 50_256

  /// Documents of given lengths, end of text included; token j of document i of shard s names both.
  static func shard(_ lengths: [Int], number: Int = 0, before: Int = 0) -> [Int32] {
    var tokens = [Int32](repeating: 40_000 + Int32(number), count: before)
    for (index, length) in lengths.enumerated() {
      tokens.append(endOfText)
      tokens += (1..<max(1, length)).map { Int32(number * 10_000 + index % 99 * 100 + $0 % 100) }
    }
    return tokens
  }

  static func stream(_ shards: [[Int32]]) -> TokenStream {
    TokenStream(
      segments: shards.flatMap { TokenStream(tokens: $0, endOfText: endOfText).segments },
      endOfText: endOfText, largestToken: endOfText)
  }

  func makeBatches(_ shards: [[Int32]], limit: Int = 2048) throws -> DocumentBatches {
    try DocumentBatches(
      Self.stream(shards), documentLimit: limit, vocabularySize: 50_304)
  }

  struct Row: Equatable {
    var tokens: [Int32]
    var targets: [Int32]
    var documents: [Int32]
  }

  func next(_ batches: DocumentBatches, _ sequences: Int, _ length: Int) throws -> [Row] {
    let batch = Batch(sequences * length)
    try batches.nextBatch(
      sequences: sequences, contextLength: length, into: #require(batch.tokens.baseAddress),
      targets: #require(batch.targets.baseAddress), documents: batch.documents.baseAddress)
    return (0..<sequences).map { row in
      let range = row * length..<(row + 1) * length
      return Row(
        tokens: Array(batch.tokens[range]), targets: Array(batch.targets[range]),
        documents: Array(batch.documents[range]))
    }
  }

  func code(_ body: () throws -> Void) -> DataError.Code? {
    do {
      try body()
      return nil
    } catch {
      return (error as? DataError)?.code
    }
  }

  /// Documents of 5, 12, 3, 4, 2 and 9 tokens, limit 8, sequences of 10 inputs (11 tokens). By hand:
  ///
  /// - sequence 0: all 5 of document 0, 6 of the 8 usable of document 1 (12 long): 2 cut, 4 beyond the limit;
  /// - sequence 1: 3 of document 2, 4 of 3, 2 of 4, 2 of the 8 usable of 5 (9 long): 6 cut, 1 beyond the limit.
  @Test func piecesAreThoseCountedByHand() throws {
    let batches = try makeBatches([Self.shard([5, 12, 3, 4, 2, 9, 5])], limit: 8)
    let rows = try next(batches, 2, 10)
    let e = Self.endOfText
    #expect(rows[0].tokens == [e, 1, 2, 3, 4, e, 101, 102, 103, 104])
    #expect(rows[0].targets == [1, 2, 3, 4, e, 101, 102, 103, 104, 105])
    #expect(rows[0].documents == [0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
    #expect(rows[1].tokens == [e, 201, 202, e, 301, 302, 303, e, 401, e])
    #expect(rows[1].targets == [201, 202, e, 301, 302, 303, e, 401, e, 501])
    #expect(rows[1].documents == [0, 0, 0, 1, 1, 1, 1, 2, 2, 3])
    #expect(batches.position == .init(epoch: 0, shard: 0, document: 6))
    var use = DocumentUse()
    use.trained = 20
    use.targetsOnly = 2
    use.beyondLimit = 5
    use.cut = 8
    #expect(batches.use == use)
    #expect(batches.use.passed == 5 + 12 + 3 + 4 + 2 + 9)
  }

  /// After a document that was cut at the limit the target is the next document's beginning.
  @Test func theTokenAfterALimitedDocumentIsTheNextBeginning() throws {
    let batches = try makeBatches([Self.shard([6, 6, 6])], limit: 3)
    let row = try next(batches, 1, 8)[0]
    let e = Self.endOfText
    #expect(row.tokens == [e, 1, 2, e, 101, 102, e, 201])
    #expect(row.targets == [1, 2, e, 101, 102, e, 201, 202])
  }

  /// A last piece of one token is a target only: its document is in no input.
  @Test func aLastPieceOfOneTokenIsATargetOnly() throws {
    let batches = try makeBatches([Self.shard([5, 4, 4])])
    let row = try next(batches, 1, 5)[0]
    #expect(row.targets.last == Self.endOfText)
    #expect(row.documents == [0, 0, 0, 0, 0])
    #expect(batches.use.cut == 3)
    #expect(batches.position.document == 2)
  }

  /// The tail of shard 0 makes half a batch, so the batch comes from shard 1, without the rest of a document that begins it.
  ///
  /// By hand: 4 + 6 + 3 + 5 tokens; sequences of 6 (7 tokens).
  @Test func aTailThatIsTooShortForTheWholeBatchIsDropped() throws {
    let shards = [Self.shard([4, 6, 3, 5]), Self.shard([9, 9, 2], number: 1, before: 7)]
    let batches = try makeBatches(shards)
    let first = try next(batches, 1, 6)
    #expect(first[0].tokens == [Self.endOfText, 1, 2, 3, Self.endOfText, 101])
    // Documents 2 and 3 make one sequence (3 + 4 of 5), and a batch takes two.
    let second = try next(batches, 2, 6)
    #expect(second[0].tokens == [Self.endOfText, 10001, 10002, 10003, 10004, 10005])
    #expect(second[1].tokens == [Self.endOfText, 10101, 10102, 10103, 10104, 10105])
    #expect(batches.position == .init(epoch: 0, shard: 1, document: 2))
    var use = DocumentUse()
    use.trained = 18
    use.targetsOnly = 3
    use.cut = 3 + 2 + 2
    use.tails = 8
    use.beforeFirst = 7
    #expect(batches.use == use)
    // The end of the data: document 2 of shard 1 is dropped, and the next epoch begins.
    _ = try next(batches, 1, 6)
    #expect(batches.position == .init(epoch: 1, shard: 0, document: 2))
    #expect(batches.use.tails == 10)
  }

  /// The order as the speedrun's published loader has it, written anew and slowly: a batch of `ranks` sequences of n + 1 tokens.
  func reference(
    _ shards: [[Int32]], limit: Int, batches: [(ranks: Int, length: Int)]
  ) -> [[Int32]] {
    var rows: [[Int32]] = []
    var shard = 0
    var next = 0
    for (ranks, length) in batches {
      while true {
        let tokens = shards[shard]
        let begins = tokens.indices.filter { tokens[$0] == Self.endOfText }
        var found: [[Int32]] = []
        var index = next
        search: for _ in 0..<ranks {
          var row: [Int32] = []
          while row.count <= length {
            if index >= begins.count { break search }
            let begin = begins[index]
            let following = index + 1 < begins.count ? begins[index + 1] : tokens.count
            row += tokens[begin..<min(following, begin + limit, begin + length - row.count + 1)]
            index += 1
          }
          found.append(row)
        }
        if found.count == ranks {
          rows += found
          next = index
          break
        }
        (shard, next) = (shard + 1, 0)
      }
    }
    return rows
  }

  static func randomShards(_ seed: UInt64, count: Int, documents: Int) -> [[Int32]] {
    let random = RandomStream(seed: seed, name: "documents")
    return (0..<count).map { number in
      let lengths = (0..<documents).map {
        1 + random.integer(below: 60, at: number * documents + $0)
      }
      return shard(lengths, number: number % 4, before: number == 0 ? 0 : 11)
    }
  }

  @Test(
    "Batches that grow on the way follow the published rule, whatever the shards hold",
    arguments: [(1, 20), (2, 64), (3, 1000)])
  func followsTheRule(seed: UInt64, limit: Int) throws {
    let shards = Self.randomShards(seed, count: 4, documents: 400)
    let sizes =
      Array(repeating: (ranks: 8, length: 128), count: 12)
      + Array(repeating: (ranks: 8, length: 256), count: 3)
      + Array(repeating: (ranks: 4, length: 100), count: 5)
    let expected = reference(shards, limit: limit, batches: sizes)
    let batches = try makeBatches(shards, limit: limit)
    var rows: [Row] = []
    for (ranks, length) in sizes { rows += try next(batches, ranks, length) }
    #expect(rows.count == expected.count)
    for (row, tokens) in zip(rows, expected) {
      #expect(row.tokens == Array(tokens.dropLast()))
      #expect(row.targets == Array(tokens.dropFirst()))
      #expect(row.tokens[0] == Self.endOfText)
      // Boundaries at each beginning in the inputs.
      var document: Int32 = -1
      for (token, number) in zip(row.tokens, row.documents) {
        if token == Self.endOfText { document += 1 }
        #expect(number == document)
      }
    }
    #expect(batches.position.shard > 0)
    // Every token that was passed is counted once.
    let position = batches.position
    let before = shards[..<position.shard].reduce(0) { $0 + $1.count }
    let shard = shards[position.shard]
    let begins = shard.indices.filter { shard[$0] == Self.endOfText }
    let inside = position.document < begins.count ? begins[position.document] : shard.count
    #expect(batches.use.passed == before + inside)
    #expect(batches.use.trained == sizes.reduce(0) { $0 + $1.ranks * $1.length })
  }

  /// A step of 8 sequences, dealt to R ranks in 8 / R micro-batches: rank r has sequence `micro-batch * R + r`.
  @Test(
    "Any number of ranks times micro-batches is one order, with exact lengths for each rank",
    arguments: [1, 2, 4, 8])
  func ranks(count: Int) throws {
    let shards = Self.randomShards(5, count: 3, documents: 300)
    let whole = try makeBatches(shards, limit: 40)
    let parts = try makeBatches(shards, limit: 40)
    for step in 0..<14 {
      let length = step < 7 ? 64 : 96
      let rows = try next(whole, 8, length)
      // One step is always asked for as a whole, so a shard's tail is dropped for all ranks alike.
      let dealt = try next(parts, 8, length)
      for microBatch in 0..<8 / count {
        for rank in 0..<count {
          let row = dealt[microBatch * count + rank]
          #expect(row.tokens.count == length && row.targets.count == length)
          #expect(row == rows[microBatch * count + rank])
        }
      }
    }
    #expect(whole.position == parts.position)
    #expect(whole.position.shard > 0)
    // Inside a shard it does not even matter how a step is asked for.
    let pieces = try makeBatches(shards, limit: 40)
    let again = try makeBatches(shards, limit: 40)
    for _ in 0..<3 {
      var rows: [Row] = []
      for _ in 0..<8 / count { rows += try next(pieces, count, 64) }
      #expect(try next(again, 8, 64) == rows)
    }
    #expect(again.position.shard == 0)
  }

  @Test func aPositionIsTakenUpExactlyAndSurvivesJSON() throws {
    let shards = Self.randomShards(7, count: 2, documents: 30)
    let batches = try makeBatches(shards)
    for step in 0..<30 {
      let saved = try JSONEncoder().encode(batches.position)
      let resumed = try makeBatches(shards)
      try resumed.seek(to: JSONDecoder().decode(DocumentBatches.Position.self, from: saved))
      let length = 16 + step
      #expect(try next(resumed, 2, length) == next(batches, 2, length))
      #expect(resumed.position == batches.position)
    }
    #expect(batches.position.epoch > 0)
  }

  @Test func everyEpochIsTheSame() throws {
    let shards = Self.randomShards(9, count: 2, documents: 50)
    let batches = try makeBatches(shards)
    var epochs: [[[Row]]] = []
    while batches.position.epoch < 3 {
      let rows = try next(batches, 2, 32)
      while epochs.count <= batches.position.epoch { epochs.append([]) }
      epochs[batches.position.epoch].append(rows)
    }
    #expect(epochs[0] == epochs[1])
    #expect(epochs[1] == epochs[2])
    #expect(epochs[0].count > 3)
  }

  @Test func whatCannotBeIsRefused() throws {
    let shards = [Self.shard([4, 6, 3, 5]), Self.shard([], number: 1, before: 7), []]
    let batches = try makeBatches(shards)
    #expect(code { try batches.checkBatch(sequences: 1, contextLength: 17) } == nil)
    #expect(code { try batches.checkBatch(sequences: 1, contextLength: 18) } == .tooShort)
    #expect(code { try batches.checkBatch(sequences: 3, contextLength: 6) } == .tooShort)
    #expect(code { _ = try next(batches, 1, 18) } == .tooShort)
    #expect(code { try batches.checkBatch(sequences: 0, contextLength: 6) } == .invalidOption)
    #expect(batches.position == .start)
    #expect(batches.use == DocumentUse())
    for (epoch, shard, document) in [(-1, 0, 0), (0, 3, 0), (0, -1, 0), (0, 0, 5), (0, 0, -1)] {
      let position = DocumentBatches.Position(epoch: epoch, shard: shard, document: document)
      #expect(code { try batches.seek(to: position) } == .invalidOption)
    }
    try batches.seek(to: .init(epoch: 4, shard: 0, document: 4))
    _ = try next(batches, 1, 6)
    #expect(batches.position == .init(epoch: 5, shard: 0, document: 2))
    #expect(code { _ = try makeBatches(shards, limit: 0) } == .invalidOption)
    let small = Self.stream(shards)
    #expect(
      code { _ = try DocumentBatches(small, vocabularySize: 50_256) } == .vocabularyMismatch)
    // An id that was not announced.
    let lying = TokenStream(
      segments: Self.stream([[Self.endOfText, 60_000, 1, 2]]).segments, endOfText: Self.endOfText,
      largestToken: Self.endOfText)
    let liar = try DocumentBatches(lying, vocabularySize: 65_536)
    #expect(code { _ = try next(liar, 1, 2) } == .vocabularyMismatch)
  }

  /// Shards of two bytes a token, as they lie on the disk, give what an array gives; a prepared data set has documents too.
  @Test func shardsOnTheDiskGiveTheSame() throws {
    let folder = try TemporaryFolder()
    let shards = Self.randomShards(11, count: 2, documents: 60)
    for (index, tokens) in shards.enumerated() {
      try LLMCShard.write(tokens, to: folder.file("a_train_00000\(index).bin"))
    }
    try LLMCShard.write(shards[0], to: folder.file("a_val_000000.bin"))
    let dataset = try TokenDataset(folder: folder.path)
    let onDisk = try DocumentBatches(
      dataset.train, documentLimit: 30, vocabularySize: dataset.vocabularySize)
    let inMemory = try makeBatches(shards, limit: 30)
    for _ in 0..<8 { #expect(try next(onDisk, 4, 48) == next(inMemory, 4, 48)) }

    let text = try folder.write(SampleText.documents(60), to: "text.txt")
    _ = try DatasetPreparation(
      inputs: [text], output: folder.file("set"), tokenizer: .bytes
    ).run()
    let prepared = try TokenDataset(folder: folder.file("set"))
    let batches = try DocumentBatches(
      prepared.train, documentLimit: 100, vocabularySize: prepared.vocabularySize)
    let tokenizer = try prepared.loadTokenizer()
    for row in try next(batches, 4, 150) {
      #expect(row.tokens[0] == tokenizer.endOfText)
      let beginning = try tokenizer.decode(row.tokens[1..<10])
      #expect(String(decoding: beginning, as: UTF8.self) == "Document ")
    }
  }
}

/// Documents in an order that a seed draws.
@Suite struct ShuffledDocumentsTests {
  /// Thirty documents of four tokens: 0, and three times the number.
  private static func stream() -> TokenStream {
    TokenStream(tokens: (1...30).flatMap { [0, $0, $0, $0] }, endOfText: 0)
  }

  private static func documents(
    seed: UInt64?, batches: Int, from position: DocumentBatches.Position? = nil
  ) throws -> [Int32] {
    let order = try DocumentBatches(stream(), vocabularySize: 31, shuffleSeed: seed)
    if let position { try order.seek(to: position) }
    var found: [Int32] = []
    var (tokens, targets) = ([Int32](repeating: 0, count: 7), [Int32](repeating: 0, count: 7))
    for _ in 0..<batches {
      try order.nextBatch(
        sequences: 1, contextLength: 7, into: &tokens, targets: &targets, documents: nil)
      // Eight tokens are two whole documents.
      found += [tokens[1], tokens[5]]
    }
    return found
  }

  @Test("Every document comes once an epoch, in another order for another seed and another epoch")
  func orders() throws {
    let first = try Self.documents(seed: 1, batches: 30)
    let epochs = (first[0..<30], first[30..<60])
    #expect(epochs.0.sorted() == Array(1...30) && epochs.1.sorted() == Array(1...30))
    #expect(Array(epochs.0) != Array(epochs.1) && Array(epochs.0) != Array(1...30))
    #expect(try Self.documents(seed: 2, batches: 15) != Array(epochs.0))
    #expect(try Self.documents(seed: 1, batches: 30) == first)
    #expect(try Self.documents(seed: nil, batches: 15) == Array(1...30))
  }

  @Test("A position in the second epoch is found again")
  func seek() throws {
    let all = try Self.documents(seed: 1, batches: 30)
    let position = DocumentBatches.Position(epoch: 1, shard: 0, document: 10)
    #expect(try Self.documents(seed: 1, batches: 10, from: position) == Array(all[40...]))
  }
}
