// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Turns text or token files into a data set folder: `assay data prepare`.
///
/// The folder holds `manifest.json`, `tokenizer.json`, `train-00000.tokens` ... and
/// `validation-00000.tokens` ... It appears only when it is whole. The same inputs and options give the
/// same bytes, whatever the number of threads.
///
/// A tokenizer that is trained sees the training documents only.
public struct DatasetPreparation: Sendable {
  /// Files and folders to read: text (`.txt` and others), JSON Lines (`.jsonl`), or llm.c shards (`.bin`).
  public var inputs: [String]
  /// The folder to make.
  public var output: String
  /// Which tokenizer to use.
  public var tokenizer: TokenizerSpecification
  /// Files and folders that are held out whole, in place of a random choice of documents.
  public var validationInputs: [String] = []
  /// Extensions that are read, without the dot; those other than `txt`, `jsonl` and `bin` hold plain text.
  public var extensions: [String] = InputFiles.defaultExtensions
  /// Member of a JSON object that holds the text of a document.
  public var textField = "text"
  /// Where documents end in plain text; nil means blank lines in `.txt` and whole files otherwise.
  public var documentRule: DocumentRule?
  /// Share of documents to hold out for validation, above 0 and at most 0.5.
  public var validationFraction = 0.05
  /// Seed of the choice of held-out documents.
  public var seed: UInt64 = 0
  /// Number of threads, at least 1.
  public var threads = ProcessInfo.processInfo.activeProcessorCount
  /// Largest number of tokens of a shard, at least 1.
  public var tokensPerShard = 100_000_000
  /// Whether a data set in ``output`` may be replaced.
  public var replacesExisting = false
  /// Opens files of shards; tests put a full disk here.
  var opener: AtomicFile.Opener = AtomicFile.createFile

  /// How far the work is.
  public struct Progress: Sendable, Equatable {
    /// What is being done.
    public enum Stage: String, Sendable, CaseIterable {
      /// Finding documents and checking that they are text.
      case reading
      /// Training the tokenizer.
      case training
      /// Encoding and writing.
      case encoding
    }

    /// What is being done.
    public var stage: Stage
    /// Share of the stage that is done, 0 to 1.
    public var fraction: Double
  }

  /// Makes a preparation with the usual options.
  ///
  /// - Parameters:
  ///   - inputs: Files and folders to read.
  ///   - output: The folder to make.
  ///   - tokenizer: Which tokenizer to use.
  public init(inputs: [String], output: String, tokenizer: TokenizerSpecification) {
    self.inputs = inputs
    self.output = output
    self.tokenizer = tokenizer
  }

  /// Reads, trains, encodes and writes.
  ///
  /// - Parameter progress: Called from this thread now and then; what it throws ends the work and leaves
  ///   nothing behind.
  /// - Returns: The manifest of the finished data set.
  /// - Throws: ``DataError``, or what `progress` throws.
  public func run(
    progress: (Progress) throws -> Void = { _ in }
  ) throws -> DatasetManifest {
    try checkOptions()
    let finder = InputFiles(extensions: extensions, documentRule: documentRule)
    let trainFiles = try finder.find(inputs)
    let validationFiles = validationInputs.isEmpty ? [] : try finder.find(validationInputs)
    let trainPaths = Set(trainFiles.map(\.path))
    if let both = validationFiles.first(where: { trainPaths.contains($0.path) }) {
      throw DataError(
        .invalidOption, "'\(both.path)' is named both for training and for validation.")
    }
    let files = trainFiles + validationFiles
    let tokenFiles = files.filter { $0.format == .tokens }
    guard tokenFiles.isEmpty || tokenFiles.count == files.count else {
      throw DataError(
        .unsupportedInput,
        "the inputs mix text and tokens ('\(tokenFiles[0].path)' holds tokens). Prepare them apart."
      )
    }
    let loaded = try tokenizer.load()
    if loaded?.kind == .synthetic {
      throw DataError(
        .unsupportedTokenizer,
        "'\(tokenizer)' is a synthetic vocabulary, which encodes no text. Choose another tokenizer, or make more synthetic "
          + "text with 'assay data synthesize'.")
    }
    let staging = try StagingFolder(output: output, replacing: replacesExisting)
    let manifest: DatasetManifest
    if tokenFiles.isEmpty {
      manifest = try prepareText(
        files, firstValidationFile: trainFiles.count, loaded, staging.path, progress)
    } else {
      guard let loaded else {
        throw DataError(
          .unsupportedTokenizer,
          "'\(tokenFiles[0].path)' holds tokens already; name the tokenizer that made them, for example "
            + "'gpt2:FOLDER', instead of '\(tokenizer)'.")
      }
      manifest = try prepareTokens(
        files, firstValidationFile: trainFiles.count, loaded, staging.path, progress)
    }
    try manifest.write(to: staging.path + "/" + DatasetManifest.fileName)
    try staging.commit()
    return manifest
  }

  private func checkOptions() throws(DataError) {
    func invalid(_ message: String) -> DataError { DataError(.invalidOption, message) }
    guard validationFraction > 0, validationFraction <= 0.5 else {
      throw invalid(
        "the validation fraction must be above 0 and at most 0.5, got \(validationFraction).")
    }
    guard threads >= 1 else { throw invalid("at least 1 thread is needed, got \(threads).") }
    guard tokensPerShard >= 1 else {
      throw invalid("a shard must hold at least 1 token, got \(tokensPerShard).")
    }
    guard !textField.isEmpty else { throw invalid("the name of the text field is empty.") }
    guard !extensions.isEmpty, !extensions.contains(where: { $0.isEmpty || $0.hasPrefix(".") })
    else {
      throw invalid("extensions are written without the dot, got \(extensions).")
    }
  }

  func writer(_ name: String, _ tokenizer: Tokenizer, _ folder: String) -> PartWriter {
    PartWriter(
      folder: folder, name: name, tokenizer: tokenizer, tokensPerShard: tokensPerShard,
      opener: opener)
  }

  func origin(files: Int, isCut: Bool, invalidBytes: Int) -> DatasetManifest.Origin {
    DatasetManifest.Origin(
      files: files, seed: seed,
      validationFraction: validationInputs.isEmpty ? validationFraction : nil,
      documentsWereCut: isCut, invalidBytes: invalidBytes)
  }
}
