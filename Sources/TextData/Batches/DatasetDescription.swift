// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// What is known about a data set without reading its tokens, whether it was prepared or is a folder of llm.c shards.
public struct DatasetDescription: Equatable, Sendable {
  /// Number of ids; a model needs at least as many.
  public let vocabularySize: Int
  /// Tokens to train on.
  public let trainTokens: Int
  /// Held-out tokens.
  public let validationTokens: Int
  /// The process behind synthetic text; nil for text that people wrote.
  public let synthetic: DatasetManifest.Synthetic?

  /// Reads the manifest of a prepared data set, or the headers of llm.c shards.
  ///
  /// - Parameter folder: Folder of the data set.
  /// - Throws: ``DataError`` when it is neither, or when what is read is damaged.
  public init(folder: String) throws(DataError) {
    if LLMCFolder.isOne(folder) {
      let shards = try LLMCFolder(folder)
      vocabularySize = shards.vocabularySize
      trainTokens = shards.train.reduce(0) { $0 + $1.tokenCount }
      validationTokens = shards.validation.reduce(0) { $0 + $1.tokenCount }
      synthetic = nil
    } else {
      let manifest = try DatasetManifest.read(folder: folder)
      vocabularySize = manifest.tokenizer.vocabularySize
      trainTokens = manifest.train.tokens
      validationTokens = manifest.validation.tokens
      synthetic = manifest.synthetic
    }
  }
}
