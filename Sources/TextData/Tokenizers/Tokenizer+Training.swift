// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

extension Tokenizer {
  /// Learns a byte-level BPE vocabulary from documents.
  ///
  /// The result depends only on the documents as a multiset: not on their order nor on `threads`. Ties
  /// between pairs go to the smaller left id, then the smaller right id.
  ///
  /// - Parameters:
  ///   - documents: The texts to learn from.
  ///   - vocabularySize: Entries in all: 256 bytes, new tokens, end of text; 257 to 1,000,000.
  ///   - threads: Threads that count words; at least 1.
  /// - Returns: A tokenizer of exactly `vocabularySize` entries.
  /// - Throws: ``DataError`` `vocabularyMismatch` when the text is too small for the size.
  public static func train(
    on documents: [String], vocabularySize: Int, threads: Int = 1
  ) throws -> Tokenizer {
    let counters = (0..<threads).map { _ in WordCounter() }
    // Pieces of many documents: taking one costs a lock.
    let pieces = (documents.count + 255) / 256
    _ = try ParallelWork.map(pieces: pieces, threads: threads) { worker, piece in
      for document in documents[piece * 256..<min(documents.count, piece * 256 + 256)] {
        var text = document
        text.withUTF8 { counters[worker].add(UnsafeRawBufferPointer($0)) }
      }
    }
    return try train(counters: counters, vocabularySize: vocabularySize) { _ in }
  }

  static func train(
    counters: [WordCounter], vocabularySize: Int, progress: (Double) throws -> Void
  ) throws -> Tokenizer {
    guard TokenizerSpecification.trainedSizes.contains(vocabularySize), let words = counters.first
    else {
      throw DataError(.invalidOption, "cannot train a vocabulary of \(vocabularySize) entries.")
    }
    for other in counters.dropFirst() { words.add(other) }
    var trainer = BytePairTrainer(words: words)
    let merges = try trainer.train(vocabularySize: vocabularySize, progress: progress)
    return try Tokenizer(trained: merges, kind: .bpe)
  }
}
