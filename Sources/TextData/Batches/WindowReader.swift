// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Copies windows of tokens into the rows of a batch.
///
/// Confined to one thread at a time.
final class WindowReader {
  let stream: TokenStream
  let contextLength: Int
  private let vocabularySize: Int
  /// One window: contextLength + 1 tokens.
  private let window: UnsafeMutableBufferPointer<Int32>

  /// - Throws: ``DataError`` `invalidOption` for a context without tokens, `vocabularyMismatch` when the
  ///   stream announces ids that the model does not have.
  init(_ stream: TokenStream, contextLength: Int, vocabularySize: Int) throws(DataError) {
    guard contextLength >= 1 else {
      throw DataError(
        .invalidOption, "the context length must be at least 1, got \(contextLength).")
    }
    guard Int(stream.largestToken) < vocabularySize else {
      throw Self.outsideVocabulary(UInt32(stream.largestToken), vocabularySize)
    }
    self.stream = stream
    self.contextLength = contextLength
    self.vocabularySize = vocabularySize
    window = .allocate(capacity: contextLength + 1)
    window.initialize(repeating: 0)
  }

  deinit { window.deallocate() }

  static func outsideVocabulary(_ token: UInt32, _ vocabularySize: Int) -> DataError {
    DataError(
      .vocabularyMismatch,
      "the data has the token id \(token), beyond the model's vocabulary of \(vocabularySize). "
        + "Give the model the vocabulary size of the data set's tokenizer, or a larger one.")
  }

  /// Fills one row of a batch with the window at `start` of the stream.
  ///
  /// - Parameters:
  ///   - start: Position of the first input token.
  ///   - count: Targets that exist from there, 1 ... contextLength; the rest of the row is padding: end of
  ///     text as input, -1 as target.
  ///   - tokens: Row of inputs.
  ///   - targets: Row of targets.
  ///   - documents: Row of document numbers, or nil.
  /// - Throws: ``DataError`` `vocabularyMismatch` for an id that the model does not have.
  func fill(
    start: Int, count: Int, tokens: UnsafeMutablePointer<Int32>,
    targets: UnsafeMutablePointer<Int32>, documents: UnsafeMutablePointer<Int32>?
  ) throws(DataError) {
    guard let base = window.baseAddress else { return }
    let largest = stream.copy(from: start, count: count + 1, to: base)
    guard largest < UInt32(clamping: vocabularySize) else {
      throw Self.outsideVocabulary(largest, vocabularySize)
    }
    tokens.update(from: base, count: count)
    targets.update(from: base + 1, count: count)
    pad(from: count, tokens: tokens, targets: targets)
    number(tokens, documents)
  }

  /// Fills one row with padding only.
  func pad(
    tokens: UnsafeMutablePointer<Int32>, targets: UnsafeMutablePointer<Int32>,
    documents: UnsafeMutablePointer<Int32>?
  ) {
    pad(from: 0, tokens: tokens, targets: targets)
    number(tokens, documents)
  }

  private func pad(
    from start: Int, tokens: UnsafeMutablePointer<Int32>, targets: UnsafeMutablePointer<Int32>
  ) {
    guard start < contextLength else { return }
    (tokens + start).update(repeating: stream.endOfText, count: contextLength - start)
    (targets + start).update(repeating: -1, count: contextLength - start)
  }

  /// Numbers the documents of a row from 0: each end of text, except at the first position, begins the next.
  private func number(
    _ tokens: UnsafeMutablePointer<Int32>, _ documents: UnsafeMutablePointer<Int32>?
  ) {
    guard let documents else { return }
    var document: Int32 = 0
    documents[0] = 0
    var index = 1
    while index < contextLength {
      if tokens[index] == stream.endOfText { document &+= 1 }
      documents[index] = document
      index &+= 1
    }
  }
}
