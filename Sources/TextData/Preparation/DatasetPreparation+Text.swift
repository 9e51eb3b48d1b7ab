// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

extension DatasetPreparation {
  /// What one piece of work made of some documents.
  private struct Encoded: Sendable {
    var tokens: [[Int32]] = [[], []]
    var documents = [0, 0]
    var textBytes = [0, 0]
  }

  func prepareText(
    _ files: [InputFile], firstValidationFile: Int, _ loaded: Tokenizer?, _ folder: String,
    _ progress: (Progress) throws -> Void
  ) throws -> DatasetManifest {
    try progress(Progress(stage: .reading, fraction: 0))
    var corpus = try TextCorpus(files: files, textField: textField, threads: threads) {
      try progress(Progress(stage: .reading, fraction: $0))
    }
    guard corpus.byteCount > 0 else {
      throw DataError(
        .emptyText,
        "the inputs hold no text: \(files.count) file\(files.count == 1 ? "" : "s") without a document, "
          + "the first is '\(files[0].path)'.")
    }
    let isHeldOut = try chooseHeldOut(&corpus, firstValidationFile: firstValidationFile)
    let tokenizer: Tokenizer
    if let loaded {
      tokenizer = loaded
    } else {
      tokenizer = try train(corpus, isHeldOut, progress)
    }
    let parts = try encode(corpus, isHeldOut, tokenizer, folder, progress)
    try tokenizer.write(to: folder + "/" + DatasetManifest.tokenizerFileName)
    return DatasetManifest(
      tokenizer: tokenizer, train: parts.train, validation: parts.validation,
      origin: origin(files: files.count, isCut: corpus.isCut, invalidBytes: corpus.invalidBytes))
  }

  private func chooseHeldOut(
    _ corpus: inout TextCorpus, firstValidationFile: Int
  ) throws -> [Bool] {
    guard !validationInputs.isEmpty else {
      try corpus.cutIfFew(validationFraction: validationFraction)
      return try HeldOutDocuments.choose(
        count: corpus.documents.count, fraction: validationFraction, seed: seed)
    }
    let isHeldOut = corpus.documents.map { $0.file >= firstValidationFile }
    guard isHeldOut.contains(true), isHeldOut.contains(false) else {
      throw DataError(
        .emptyText,
        "the inputs for \(isHeldOut.contains(true) ? "training" : "validation") hold no text.")
    }
    return isHeldOut
  }

  private func train(
    _ corpus: TextCorpus, _ isHeldOut: [Bool], _ progress: (Progress) throws -> Void
  ) throws -> Tokenizer {
    guard case .bpe(let vocabularySize) = tokenizer else {
      preconditionFailure("'\(tokenizer)' needs no training")
    }
    // Counting words is about a third of the time, learning merges the rest.
    try progress(Progress(stage: .training, fraction: 0))
    let counters = (0..<threads).map { _ in WordCounter() }
    let chunks = corpus.chunks
    try forEachGroup(of: chunks.count) { group in
      _ = try ParallelWork.map(pieces: group.count, threads: threads) { worker, piece in
        let range = chunks[group.lowerBound + piece]
        try corpus.forEachDocument(in: range) { index, text in
          if !isHeldOut[index] { counters[worker].add(text) }
        }
      }
      let share = Double(group.upperBound) / Double(chunks.count)
      try progress(Progress(stage: .training, fraction: share / 3))
    }
    return try Tokenizer.train(counters: counters, vocabularySize: vocabularySize) {
      try progress(Progress(stage: .training, fraction: (1 + 2 * $0) / 3))
    }
  }

  private func encode(
    _ corpus: TextCorpus, _ isHeldOut: [Bool], _ tokenizer: Tokenizer, _ folder: String,
    _ progress: (Progress) throws -> Void
  ) throws -> (train: DatasetManifest.Part, validation: DatasetManifest.Part) {
    let writers = ["train", "validation"].map { writer($0, tokenizer, folder) }
    let encoders = (0..<threads).map { _ in Confined(tokenizer.makeEncoder()) }
    let chunks = corpus.chunks
    try progress(Progress(stage: .encoding, fraction: 0))
    try forEachGroup(of: chunks.count) { group in
      let encoded = try ParallelWork.map(pieces: group.count, threads: threads) { worker, piece in
        var result = Encoded()
        let range = chunks[group.lowerBound + piece]
        try corpus.forEachDocument(in: range) { index, text in
          let part = isHeldOut[index] ? 1 : 0
          result.tokens[part].append(tokenizer.endOfText)
          encoders[worker].value.encode(text, into: &result.tokens[part])
          result.documents[part] += 1
          result.textBytes[part] += text.count
        }
        return result
      }
      for piece in encoded {
        for part in 0..<2 {
          try writers[part].append(
            piece.tokens[part], documents: piece.documents[part], textBytes: piece.textBytes[part])
        }
      }
      try progress(
        Progress(stage: .encoding, fraction: Double(group.upperBound) / Double(chunks.count)))
    }
    return (try writers[0].finish(), try writers[1].finish())
  }

  /// Calls `body` with ranges of pieces that keep all threads busy and little in memory.
  private func forEachGroup(of count: Int, _ body: (Range<Int>) throws -> Void) rethrows {
    var begin = 0
    while begin < count {
      let end = min(count, begin + 4 * threads)
      try body(begin..<end)
      begin = end
    }
  }
}

/// A value that is used by one worker at a time, see ``ParallelWork``.
private struct Confined<Value>: @unchecked Sendable {
  let value: Value

  init(_ value: Value) { self.value = value }
}
