// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import RandomStreams

/// Training batches in a shuffled order that depends on (seed, epoch) alone.
///
/// The stream of N tokens is cut into W = floor((N - 1) / T) windows of T + 1 tokens that overlap by one, so
/// that within an epoch every token (but a remainder of less than T) is a target once. Epoch e begins its
/// windows at an offset drawn from the remainder, and visits them in the order of a Fisher-Yates
/// shuffle, drawn at e W ..< (e + 1) W of the stream `"batch-order"` of the seed. A batch that reaches the end
/// of an epoch goes on with the next one.
///
/// After `init` nothing is allocated. Confined to one thread at a time.
public final class BatchOrder {
  /// Number of positions T of a sequence.
  public let contextLength: Int
  /// Seed of the order.
  public let seed: UInt64
  /// Number of windows of an epoch.
  public let windowsPerEpoch: Int
  /// Where the next batch begins; a checkpoint keeps it.
  public private(set) var position = BatchPosition.start

  private let reader: WindowReader
  private let random: RandomStream
  private let order: UnsafeMutableBufferPointer<UInt32>
  private var shuffledEpoch = -1
  private var offset = 0

  /// Makes the order of the windows of a stream.
  ///
  /// - Parameters:
  ///   - stream: The tokens.
  ///   - contextLength: Positions T of a sequence, at least 1.
  ///   - seed: Seed of the order.
  ///   - vocabularySize: Ids that the model has.
  /// - Throws: ``DataError`` `tooShort` for fewer than T + 1 tokens, `vocabularyMismatch` when an id is
  ///   beyond the vocabulary, `invalidOption` for a context length below 1.
  public init(
    _ stream: TokenStream, contextLength: Int, seed: UInt64, vocabularySize: Int
  ) throws(DataError) {
    reader = try WindowReader(
      stream, contextLength: contextLength, vocabularySize: vocabularySize)
    self.contextLength = contextLength
    self.seed = seed
    random = RandomStream(seed: seed, name: "batch-order")
    windowsPerEpoch = max(0, stream.count - 1) / contextLength
    guard windowsPerEpoch >= 1 else {
      throw DataError(
        .tooShort,
        "the data set is too short: \(stream.count) tokens make no sequence of \(contextLength) tokens "
          + "and their targets. Use more text or a smaller context length.")
    }
    precondition(windowsPerEpoch <= Int(UInt32.max), "\(windowsPerEpoch) windows in an epoch")
    order = .allocate(capacity: windowsPerEpoch)
    order.initialize(repeating: 0)
  }

  deinit { order.deallocate() }

  /// Checks that an epoch holds a batch, before any work is done.
  ///
  /// - Parameter sequences: Sequences of a batch (of all micro-batches of a step together), at least 1.
  /// - Throws: ``DataError`` `tooShort` or `invalidOption`.
  public func checkBatch(sequences: Int) throws(DataError) {
    guard sequences >= 1 else {
      throw DataError(.invalidOption, "a batch needs at least 1 sequence, got \(sequences).")
    }
    guard sequences <= windowsPerEpoch else {
      throw DataError(
        .tooShort,
        "the data set is shorter than one batch: it has \(windowsPerEpoch) sequences of "
          + "\(contextLength) tokens, a batch takes \(sequences). Use more text, a smaller batch or a "
          + "smaller context length.")
    }
  }

  /// Continues at a position, for example a checkpoint's.
  ///
  /// - Parameter position: A ``position`` of an order with the same stream, context length and seed.
  /// - Throws: ``DataError`` `invalidOption` when there is no such position here.
  public func seek(to position: BatchPosition) throws(DataError) {
    // Random streams have 2^49 indices.
    let epochLimit = (1 << 48) / windowsPerEpoch
    guard position.epoch >= 0, position.epoch < epochLimit, position.index >= 0,
      position.index <= windowsPerEpoch
    else {
      throw DataError(
        .invalidOption,
        "there is no position \(position.index) of epoch \(position.epoch) in this data: an epoch has "
          + "\(windowsPerEpoch) sequences. Was the checkpoint made with other data or another context "
          + "length?")
    }
    self.position = position
  }

  /// Writes the next batch and moves on.
  ///
  /// Row b, position t of each output is at `b * contextLength + t`. Documents are numbered from 0 within a
  /// row; a number grows at every end-of-text token after the first position.
  ///
  /// - Parameters:
  ///   - sequences: Number of rows, at least 1 and at most ``windowsPerEpoch``.
  ///   - tokens: Room for `sequences * contextLength` inputs.
  ///   - targets: Room for as many targets: the token that follows each input.
  ///   - documents: Room for as many document numbers, or nil.
  /// - Throws: ``DataError`` `tooShort`, or `vocabularyMismatch` when a shard holds an id that its header
  ///   does not announce; the position is then unchanged.
  public func nextBatch(
    sequences: Int, into tokens: UnsafeMutablePointer<Int32>,
    targets: UnsafeMutablePointer<Int32>, documents: UnsafeMutablePointer<Int32>?
  ) throws(DataError) {
    try checkBatch(sequences: sequences)
    var next = position
    for row in 0..<sequences {
      if next.index == windowsPerEpoch { next = BatchPosition(epoch: next.epoch + 1, index: 0) }
      if next.epoch != shuffledEpoch { shuffle(epoch: next.epoch) }
      let start = offset + Int(order[next.index]) * contextLength
      let place = row * contextLength
      try reader.fill(
        start: start, count: contextLength, tokens: tokens + place, targets: targets + place,
        documents: documents.map { $0 + place })
      next.index += 1
    }
    position = next
  }

  private func shuffle(epoch: Int) {
    let remainder = (reader.stream.count - 1) - windowsPerEpoch * contextLength
    // Shuffling draws at 1 ..< windowsPerEpoch from there, so the first index is free for the offset.
    let first = epoch * windowsPerEpoch
    offset = random.integer(below: remainder + 1, at: first)
    for index in order.indices { order[index] = UInt32(truncatingIfNeeded: index) }
    random.shuffle(order, startingAt: first)
    shuffledEpoch = epoch
  }
}
