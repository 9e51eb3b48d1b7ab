// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

extension DatasetPreparation {
  /// Takes documents of tokens from llm.c shards, one end of text at the start of each.
  ///
  /// The shards are one stream in the order of the inputs: a document may continue in the next one.
  /// Tokens before the first end of text are a document without one.
  func prepareTokens(
    _ files: [InputFile], firstValidationFile: Int, _ tokenizer: Tokenizer, _ folder: String,
    _ progress: (Progress) throws -> Void
  ) throws -> DatasetManifest {
    try progress(Progress(stage: .reading, fraction: 0))
    var shards: [LLMCShard] = []
    for file in files { shards.append(try LLMCShard(path: file.path)) }
    let total = shards.reduce(0) { $0 + $1.tokenCount }
    guard total > 0 else {
      throw DataError(.emptyText, "the inputs hold no token; the first is '\(files[0].path)'.")
    }
    // Count documents first: the choice of held-out ones needs their number.
    var documents = 0
    var done = 0
    for shard in shards {
      try forEachBlock(of: shard, tokenizer) { tokens in
        if done == 0, tokens.first != tokenizer.endOfText { documents += 1 }
        documents += tokens.count { $0 == tokenizer.endOfText }
        done += tokens.count
        try progress(Progress(stage: .reading, fraction: Double(done) / Double(total)))
      }
    }
    let byFile = !validationInputs.isEmpty
    let isHeldOut =
      byFile
      ? [] : try HeldOutDocuments.choose(count: documents, fraction: validationFraction, seed: seed)
    let writers = ["train", "validation"].map { writer($0, tokenizer, folder) }
    var document = -1
    done = 0
    for (index, shard) in shards.enumerated() {
      try forEachBlock(of: shard, tokenizer) { tokens in
        var begin = 0
        while begin < tokens.count {
          // The run up to the next end of text, after the one that may stand at `begin`.
          let begins = tokens[begin] == tokenizer.endOfText || document < 0
          if begins { document += 1 }
          let end = tokens[(begin + 1)...].firstIndex(of: tokenizer.endOfText) ?? tokens.count
          let run = Array(tokens[begin..<end])
          var textBytes = 0
          for token in run { textBytes += try tokenizer.byteCount(of: token) }
          let part = (byFile ? index >= firstValidationFile : isHeldOut[document]) ? 1 : 0
          try writers[part].append(run, documents: begins ? 1 : 0, textBytes: textBytes)
          begin = end
        }
        done += tokens.count
        try progress(Progress(stage: .encoding, fraction: Double(done) / Double(total)))
      }
    }
    let manifest = DatasetManifest(
      tokenizer: tokenizer, train: try writers[0].finish(), validation: try writers[1].finish(),
      origin: origin(files: files.count, isCut: false, invalidBytes: 0))
    guard manifest.train.tokens > 0, manifest.validation.tokens > 0 else {
      throw DataError(
        .emptyText,
        "the inputs for \(manifest.train.tokens == 0 ? "training" : "validation") hold no token.")
    }
    try tokenizer.write(to: folder + "/" + DatasetManifest.tokenizerFileName)
    return manifest
  }

  private func forEachBlock(
    of shard: LLMCShard, _ tokenizer: Tokenizer, _ body: ([Int32]) throws -> Void
  ) throws {
    let stream = shard.stream(endOfText: tokenizer.endOfText)
    var start = 0
    while start < stream.count {
      let block = stream.tokens(start..<min(stream.count, start + (1 << 20)))
      if let largest = block.max(), largest >= tokenizer.vocabularySize {
        throw DataError(
          .vocabularyMismatch,
          "'\(shard.path)' has the token id \(largest), beyond the vocabulary of "
            + "\(tokenizer.vocabularySize) of '\(self.tokenizer)'. Name the tokenizer that made it."
        )
      }
      try body(block)
      start += block.count
    }
  }
}
