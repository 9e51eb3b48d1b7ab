// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import LanguageModels
import TextData

/// A data set as a run reads it: one that was prepared, or a folder of llm.c shards.
public final class TextSource: BatchSource {
  private let dataset: TokenDataset
  private let order: any TrainingOrder
  private let validation: ValidationWindows

  /// Opens the data set of a configuration and checks that it holds a batch and something to evaluate on.
  ///
  /// - Throws: `DataError` when the data are missing, damaged or too short, `ConfigurationError` when the model's vocabulary is
  ///   too small for them.
  public init(_ configuration: TrainingConfiguration) throws {
    dataset = try TokenDataset(folder: configuration.data.path)
    let vocabularySize = try configuration.modelConfiguration(
      vocabularySize: dataset.vocabularySize
    ).vocabularySize
    let contextLength = configuration.model.contextLength
    switch configuration.data.order {
    case .windows:
      order = WindowOrder(
        order: try BatchOrder(
          dataset.train, contextLength: contextLength,
          seed: UInt64(configuration.training.dataSeed), vocabularySize: vocabularySize))
    case .documents, .shuffledDocuments:
      let seed = UInt64(configuration.training.dataSeed)
      order = DocumentOrder(
        batches: try DocumentBatches(
          dataset.train, documentLimit: configuration.data.documentLimit,
          vocabularySize: vocabularySize,
          shuffleSeed: configuration.data.order == .shuffledDocuments ? seed : nil))
    }
    for entry in configuration.variants {
      let length = entry.variant.contextLength
      let largest = entry.steps.map(configuration.batchTokens).max() ?? 0
      try order.check(sequences: largest / length, contextLength: length)
    }
    validation = try ValidationWindows(
      dataset.validation, contextLength: configuration.evaluationContextLength,
      maximumTokens: configuration.evaluation.tokens == 0 ? nil : configuration.evaluation.tokens,
      selection: configuration.evaluation.selection, vocabularySize: vocabularySize)
  }

  /// Ids of the tokenizer.
  public var vocabularySize: Int { dataset.vocabularySize }

  /// The hash of the tokens, see `TokenDataset.contentHash`.
  public var fingerprint: String { dataset.contentHash }

  /// Of the held-out part; nil for synthetic text, which stands for no bytes, and for llm.c shards.
  public var bytesPerToken: Double? { dataset.bytesPerToken }

  /// Targets of an evaluation.
  public var validationTokens: Int { validation.targetCount }

  /// The next sequences in the order of the configuration.
  ///
  /// - Throws: `DataError` when a shard is damaged or no shard holds the batch, ``TrainingError`` for windows of another length
  ///   than the model's.
  public func fill(_ batch: StepBatch) throws { try order.fill(batch) }

  /// Where the next batch begins: epoch and window, as `EPOCH.WINDOW`, or `EPOCH.SHARD.DOCUMENT`.
  public var position: String { order.position }

  /// Takes up the order.
  ///
  /// - Throws: `DataError` or ``TrainingError`` when there is no such position.
  public func move(to position: String) throws { try order.move(to: position) }

  /// Goes back to the first held-out window.
  public func restartValidation() { validation.restart() }

  /// The next held-out windows.
  ///
  /// - Returns: targets that count; 0 after the last window.
  /// - Throws: `DataError` when a shard is damaged, ``TrainingError`` for sequences of another length than the evaluation's.
  public func fillValidation(_ batch: StepBatch) throws -> Int {
    guard batch.contextLength == validation.contextLength else {
      throw TrainingError(
        .data,
        "the held-out tokens are cut into sequences of \(validation.contextLength), and an evaluation asks for "
          + "\(batch.contextLength)")
    }
    guard let tokens = batch.tokens.baseAddress, let targets = batch.targets.baseAddress else {
      return 0
    }
    return try validation.nextBatch(
      sequences: batch.sequences, into: tokens, targets: targets,
      documents: batch.documents?.baseAddress)
  }
}
