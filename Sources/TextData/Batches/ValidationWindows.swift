// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Held-out tokens in a fixed order: windows that do not overlap, each target counted once.
///
/// A window has T inputs and, as targets, the tokens one later. Of the A whole windows of the stream a limit takes W: spread
/// evenly (window w is number w A / W, rounded down), for the first tokens of a text seldom stand for all of it; or
/// the first ones, where that is the protocol. Without a limit windows follow one another. The last window is filled up with
/// padding: end of text as input, -1 as target. Which tokens are evaluated depends on the stream, T, the limit and the
/// selection only, never on the size of a batch; with the first ones not on T either.
///
/// After `init` nothing is allocated. Confined to one thread at a time.
public final class ValidationWindows {
  /// Which windows a limit takes.
  public enum Selection: String, Sendable, CaseIterable {
    /// Evenly spread over all.
    case spread
    /// From the start of the stream, one after another.
    case first
  }

  /// Number of positions T of a sequence.
  public let contextLength: Int
  /// Number of targets in all.
  public let targetCount: Int
  /// Targets that were handed out since the last ``restart()``.
  public private(set) var position = 0
  private let reader: WindowReader
  /// Whole windows that the stream holds; 0 when windows follow one another whatever it holds.
  private let availableWindows: Int

  /// Makes the windows of a stream.
  ///
  /// - Parameters:
  ///   - stream: The held-out tokens.
  ///   - contextLength: Positions T of a sequence, at least 1.
  ///   - maximumTokens: Largest number of targets, at least 1; nil means all.
  ///   - selection: Which windows are taken when there are more.
  ///   - vocabularySize: Ids that the model has.
  /// - Throws: ``DataError`` `tooShort` for fewer than two tokens, `vocabularyMismatch` when an id is beyond
  ///   the vocabulary, `invalidOption` for a context length or a limit below 1.
  public init(
    _ stream: TokenStream, contextLength: Int, maximumTokens: Int?,
    selection: Selection = .spread, vocabularySize: Int
  ) throws(DataError) {
    reader = try WindowReader(
      stream, contextLength: contextLength, vocabularySize: vocabularySize)
    self.contextLength = contextLength
    availableWindows =
      selection == .first ? 0 : max(0, stream.count - 1) / max(1, contextLength)
    if let maximumTokens, maximumTokens < 1 {
      throw DataError(
        .invalidOption, "at least 1 validation token is needed, got a limit of \(maximumTokens).")
    }
    targetCount = min(max(0, stream.count - 1), maximumTokens ?? .max)
    guard targetCount >= 1 else {
      throw DataError(
        .tooShort,
        "the validation part has \(stream.count) token\(stream.count == 1 ? "" : "s"), too few for a "
          + "single target. Hold out more text.")
    }
  }

  /// Number of windows, the last one perhaps padded.
  public var windowCount: Int { (targetCount + contextLength - 1) / contextLength }

  /// Where window w starts in the stream.
  private func start(ofWindow window: Int) -> Int {
    let number =
      windowCount <= availableWindows ? window * availableWindows / windowCount : window
    return number * contextLength
  }

  /// Goes back to the first window.
  public func restart() { position = 0 }

  /// Writes the next windows and moves on; rows beyond the last window are all padding.
  ///
  /// - Parameters:
  ///   - sequences: Number of rows, at least 1.
  ///   - tokens: Room for `sequences * contextLength` inputs.
  ///   - targets: Room for as many targets, -1 where none is counted.
  ///   - documents: Room for as many document numbers, or nil.
  /// - Returns: Number of targets in this batch that are not padding; 0 after the last window.
  /// - Throws: ``DataError`` `vocabularyMismatch` when a shard holds an id that its header does not announce.
  public func nextBatch(
    sequences: Int, into tokens: UnsafeMutablePointer<Int32>,
    targets: UnsafeMutablePointer<Int32>, documents: UnsafeMutablePointer<Int32>?
  ) throws(DataError) -> Int {
    precondition(sequences >= 1, "a validation batch of \(sequences) sequences")
    let first = position
    var next = position
    for row in 0..<sequences {
      let place = row * contextLength
      let count = min(contextLength, targetCount - next)
      if count > 0 {
        try reader.fill(
          start: start(ofWindow: next / contextLength), count: count, tokens: tokens + place,
          targets: targets + place,
          documents: documents.map { $0 + place })
        next += count
      } else {
        reader.pad(
          tokens: tokens + place, targets: targets + place, documents: documents.map { $0 + place })
      }
    }
    position = next
    return next - first
  }
}
