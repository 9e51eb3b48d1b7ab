// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Writes a data set of synthetic text: `assay data synthesize`.
///
/// The folder is like one that was prepared from text, and appears only when it is whole. Each part is one document, drawn
/// independently of the other. The same options give the same bytes.
public struct DatasetSynthesis: Sendable {
  /// The process that writes the text.
  public var process = SyntheticProcess.Options()
  /// Tokens to train on, end of text included, at least 2.
  public var tokens = 2_000_000
  /// Held-out tokens, end of text included, at least 2.
  public var validationTokens = 100_000
  /// The folder to make.
  public var output: String
  /// Whether a data set in ``output`` may be replaced.
  public var replacesExisting = false
  /// Largest number of tokens of a shard, at least 1.
  public var tokensPerShard = 100_000_000

  /// Makes a synthesis with the usual options.
  ///
  /// - Parameter output: The folder to make.
  public init(output: String) { self.output = output }

  /// Draws the text and writes it.
  ///
  /// - Returns: The manifest of the finished data set, with its ``DatasetManifest/synthetic`` part.
  /// - Throws: ``DataError`` for a number outside its range, or when writing fails; then nothing is left behind.
  @discardableResult
  public func run() throws -> DatasetManifest {
    for (name, count) in [("train on", tokens), ("hold out", validationTokens)] where count < 2 {
      throw DataError(.invalidOption, "there must be at least 2 tokens to \(name), got \(count).")
    }
    let process = try SyntheticProcess(process)
    let tokenizer = try Tokenizer.synthetic(vocabularySize: process.options.vocabulary)
    let staging = try StagingFolder(output: output, replacing: replacesExisting)
    let train = try write(
      "train", process.text(count: tokens - 1, name: "train"), tokenizer, staging)
    let heldOut = process.text(count: validationTokens - 1, name: "validation")
    let validation = try write("validation", heldOut, tokenizer, staging)
    try tokenizer.write(to: staging.path + "/" + DatasetManifest.tokenizerFileName)
    let loss = process.loss(on: heldOut)
    var manifest = DatasetManifest(
      tokenizer: tokenizer, train: train, validation: validation,
      origin: DatasetManifest.Origin(
        files: 0, seed: process.options.seed, validationFraction: nil, documentsWereCut: false,
        invalidBytes: 0))
    manifest.synthetic = DatasetManifest.Synthetic(
      process: process.options, entropyRate: process.entropyRate,
      unigramEntropy: process.unigramEntropy, validationLoss: loss.mean,
      validationStandardError: loss.standardError)
    try manifest.write(to: staging.path + "/" + DatasetManifest.fileName)
    try staging.commit()
    return manifest
  }

  private func write(
    _ name: String, _ text: [Int32], _ tokenizer: Tokenizer, _ staging: StagingFolder
  ) throws -> DatasetManifest.Part {
    let writer = PartWriter(
      folder: staging.path, name: name, tokenizer: tokenizer, tokensPerShard: tokensPerShard,
      opener: AtomicFile.createFile)
    try writer.append([tokenizer.endOfText] + text, documents: 1, textBytes: 0)
    return try writer.finish()
  }
}
