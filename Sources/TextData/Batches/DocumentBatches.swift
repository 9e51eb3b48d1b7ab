// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import RandomStreams

/// Training batches whose sequences begin with documents, in the order of the text, the same for every seed; or, for a text that is
/// not mixed, in an order that a seed draws anew for every epoch, within each shard.
///
/// Each shard of the stream is read by itself (``DocumentPacking`` says which of its tokens are used). A batch is all
/// sequences of one step: where the documents that are left in a shard do not suffice for all of them, none is made of these,
/// and the batch begins with the first document of the next shard. So the order depends on the sizes of the batches alone, not on how
/// many processes or micro-batches share one. What a shard holds before its first document, the rest of one that began in the
/// shard before, is never used. After the last shard comes the first again, in the next epoch.
///
/// Number and length of sequences may change from batch to batch. Whenever a shard is entered, its documents are searched for:
/// one pass over its tokens, and memory for their positions. Confined to one thread at a time.
public final class DocumentBatches {
  /// Where the next batch begins: all that a checkpoint needs.
  public struct Position: Codable, Hashable, Sendable {
    /// Passes over the data that are complete.
    public var epoch: Int
    /// Shard of the stream.
    public var shard: Int
    /// Documents of this shard that were passed.
    public var document: Int

    /// Makes a position.
    ///
    /// - Parameters:
    ///   - epoch: Passes that are complete, not negative.
    ///   - shard: Shard of the stream, from 0.
    ///   - document: Documents of the shard that were passed, not negative.
    public init(epoch: Int, shard: Int, document: Int) {
      self.epoch = epoch
      self.shard = shard
      self.document = document
    }

    /// The beginning.
    public static let start = Position(epoch: 0, shard: 0, document: 0)
  }

  /// Tokens of a document that are used, at most.
  public let documentLimit: Int
  /// Where the next batch begins.
  public private(set) var position = Position.start
  /// What became of the tokens that this object has passed.
  public private(set) var use = DocumentUse()

  private let stream: TokenStream
  private let shuffle: RandomStream?
  /// The shard that was entered last, and its number; nil before the first.
  private var entered: (place: Place, packing: DocumentPacking)?
  private var pieces: [DocumentPacking.Piece] = []
  private var searched: [DocumentPacking.Piece] = []

  /// Makes the order of the documents of a stream.
  ///
  /// - Parameters:
  ///   - stream: The tokens, end of text before every document.
  ///   - documentLimit: Tokens of a document that are used at most, at least 1.
  ///   - vocabularySize: Ids that the model has.
  ///   - shuffleSeed: Draws the order of the documents of a shard; nil: the order of the text.
  /// - Throws: ``DataError`` `invalidOption` for a limit below 1, `vocabularyMismatch` when the stream announces ids that the
  ///   model does not have.
  public init(
    _ stream: TokenStream, documentLimit: Int = 2048, vocabularySize: Int,
    shuffleSeed: UInt64? = nil
  ) throws(DataError) {
    guard documentLimit >= 1 else {
      throw DataError(
        .invalidOption,
        "at least 1 token of a document must be used, got a limit of \(documentLimit).")
    }
    guard Int(stream.largestToken) < vocabularySize else {
      throw WindowReader.outsideVocabulary(UInt32(stream.largestToken), vocabularySize)
    }
    self.stream = stream
    self.documentLimit = documentLimit
    shuffle = shuffleSeed.map { RandomStream(seed: $0, name: "documents") }
  }

  /// Checks that some shard holds a batch, before any work is done.
  ///
  /// - Parameters:
  ///   - sequences: Sequences of a batch (of all micro-batches of a step together), at least 1.
  ///   - contextLength: Inputs of a sequence, at least 1.
  /// - Throws: ``DataError`` `tooShort`, `invalidOption`, or `vocabularyMismatch` for an id that the stream does not announce.
  /// - Complexity: Searches shards until one is found that does; mostly the first.
  public func checkBatch(sequences: Int, contextLength: Int) throws(DataError) {
    try Self.check(sequences, contextLength)
    for shard in stream.segments.indices {
      let packing = try enter(Place(epoch: 0, shard: shard))
      let found = packing.pack(
        from: 0, sequences: sequences, contextLength: contextLength, into: &searched)
      if found != nil { return }
    }
    throw tooShort(sequences, contextLength)
  }

  /// Continues at a position, for example a checkpoint's.
  ///
  /// - Parameter position: A ``position`` in an order of the same stream.
  /// - Throws: ``DataError`` `invalidOption` when there is no such position here.
  public func seek(to position: Position) throws(DataError) {
    guard position.epoch >= 0, stream.segments.indices.contains(position.shard),
      position.document >= 0
    else { throw noPosition(position, "it has \(stream.segments.count) shards") }
    let documents = try enter(Place(position)).documents.count
    guard position.document <= documents else {
      throw noPosition(position, "that shard has \(documents) documents")
    }
    self.position = position
  }

  /// Writes the next batch and moves on.
  ///
  /// Row b, position t of each output is at `b * contextLength + t`. The documents of a row are numbered from 0.
  ///
  /// - Parameters:
  ///   - sequences: Number of rows, at least 1.
  ///   - contextLength: Inputs of a row, at least 1.
  ///   - tokens: Room for `sequences * contextLength` inputs.
  ///   - targets: Room for as many targets: the token that follows each input in the row, which after a document that was cut
  ///     is the end of text that begins the next.
  ///   - documents: Room for as many document numbers, or nil.
  /// - Throws: ``DataError`` `tooShort` when no shard holds such a batch, or `vocabularyMismatch` when a shard holds an id that
  ///   is not announced; the position is then unchanged.
  public func nextBatch(
    sequences: Int, contextLength: Int, into tokens: UnsafeMutablePointer<Int32>,
    targets: UnsafeMutablePointer<Int32>, documents: UnsafeMutablePointer<Int32>?
  ) throws(DataError) {
    try Self.check(sequences, contextLength)
    var next = position
    var use = self.use
    // All shards once, and the first one's beginning, which the position may lie behind.
    for _ in 0...stream.segments.count {
      let packing = try enter(Place(next))
      if next.document == 0 { use.beforeFirst += packing.documents.first ?? packing.tokenCount }
      if let end = packing.pack(
        from: next.document, sequences: sequences, contextLength: contextLength, into: &pieces)
      {
        try write(
          shard: next.shard, contextLength: contextLength, tokens: tokens, targets: targets,
          documents: documents)
        count(packing, from: next.document, to: end, sequences * contextLength, &use)
        next.document = end
        position = next
        self.use = use
        return
      }
      for document in next.document..<packing.documents.count {
        use.tails += packing.length(at: document)
      }
      let isLast = next.shard + 1 == stream.segments.count
      next = Position(
        epoch: next.epoch + (isLast ? 1 : 0), shard: isLast ? 0 : next.shard + 1, document: 0)
    }
    throw tooShort(sequences, contextLength)
  }

  // MARK: - Parts of a batch

  /// Copies ``pieces`` of a shard into rows.
  private func write(
    shard: Int, contextLength: Int, tokens: UnsafeMutablePointer<Int32>,
    targets: UnsafeMutablePointer<Int32>, documents: UnsafeMutablePointer<Int32>?
  ) throws(DataError) {
    let source = stream.segments[shard]
    var row = 0
    var place = 0
    var document: Int32 = 0
    for piece in pieces {
      // Each token is an input where it stands and the target of the place before; the row's first is no target, its last no input.
      let inputs = min(piece.count, contextLength - place)
      let base = row * contextLength + place
      _ = source.copy(from: piece.start, count: inputs, to: tokens + base)
      let skipped = place == 0 ? 1 : 0
      _ = source.copy(
        from: piece.start + skipped, count: piece.count - skipped, to: targets + base + skipped - 1)
      if let documents { (documents + base).update(repeating: document, count: inputs) }
      place += piece.count
      document += 1
      if place == contextLength + 1 {
        row += 1
        place = 0
        document = 0
      }
    }
  }

  /// Counts what becomes of the documents of a batch.
  private func count(
    _ packing: DocumentPacking, from first: Int, to end: Int, _ inputs: Int,
    _ use: inout DocumentUse
  ) {
    for (piece, document) in zip(pieces, first..<end) {
      let length = packing.length(at: document)
      let usable = min(length, documentLimit)
      use.beyondLimit += length - usable
      use.cut += usable - piece.count
    }
    use.trained += inputs
    use.targetsOnly += pieces.reduce(0) { $0 + $1.count } - inputs
  }

  /// A shard in an epoch: its documents have one order there.
  private struct Place: Equatable {
    var epoch: Int
    var shard: Int

    init(epoch: Int, shard: Int) { (self.epoch, self.shard) = (epoch, shard) }
    init(_ position: Position) { self.init(epoch: position.epoch, shard: position.shard) }
  }

  /// The documents of a shard, searched for when it is another than the last one.
  private func enter(_ place: Place) throws(DataError) -> DocumentPacking {
    if let entered, entered.place == place { return entered.packing }
    let shard = place.shard
    let segment = stream.segments[shard]
    let found = segment.positions(of: stream.endOfText)
    guard found.largest <= UInt32(stream.largestToken) else {
      throw DataError(
        .vocabularyMismatch,
        "shard \(shard) of the data holds the token id \(found.largest), but its tokenizer has no id above "
          + "\(stream.largestToken). Make the shard again, or lay the tokenizer.json that it was made with beside it."
      )
    }
    let packing = DocumentPacking(
      documents: found.positions, tokenCount: segment.count, documentLimit: documentLimit,
      order: shuffle.map {
        $0.child("\(place.epoch)/\(place.shard)").permutation(count: found.positions.count)
      })
    entered = (place, packing)
    return packing
  }

  // MARK: - Errors

  private static func check(_ sequences: Int, _ contextLength: Int) throws(DataError) {
    guard sequences >= 1, contextLength >= 1 else {
      throw DataError(
        .invalidOption,
        "a batch needs at least 1 sequence of at least 1 token, got \(sequences) of \(contextLength)."
      )
    }
  }

  private func tooShort(_ sequences: Int, _ contextLength: Int) -> DataError {
    DataError(
      .tooShort,
      "no shard of the data holds a batch: \(sequences) sequences of \(contextLength) tokens and the one that follows, each "
        + "made of whole documents or their first \(documentLimit) tokens. Use more text, a smaller batch or windows in place "
        + "of documents.")
  }

  private func noPosition(_ position: Position, _ reason: String) -> DataError {
    DataError(
      .invalidOption,
      "there is no document \(position.document) of shard \(position.shard) in epoch \(position.epoch) of this data: \(reason). "
        + "Was the checkpoint made with other data?")
  }
}
