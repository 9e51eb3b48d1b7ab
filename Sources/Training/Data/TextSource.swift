// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import LanguageModels
import TextData

/// A prepared data set as a run reads it.
public final class TextSource: BatchSource {
  private let dataset: TokenDataset
  private let order: BatchOrder
  private let validation: ValidationWindows
  private let sequences: Int

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
    order = try BatchOrder(
      dataset.train, contextLength: contextLength,
      seed: UInt64(configuration.training.dataSeed), vocabularySize: vocabularySize)
    sequences = configuration.training.batchTokens / contextLength
    try order.checkBatch(sequences: sequences)
    validation = try ValidationWindows(
      dataset.validation, contextLength: contextLength,
      maximumTokens: configuration.evaluation.tokens == 0 ? nil : configuration.evaluation.tokens,
      vocabularySize: vocabularySize)
  }

  /// Ids of the tokenizer.
  public var vocabularySize: Int { dataset.vocabularySize }

  /// The hash of all tokens.
  public var fingerprint: String { dataset.manifest.contentHash }

  /// Of the held-out part; nil for synthetic text, which stands for no bytes.
  public var bytesPerToken: Double? {
    let part = dataset.manifest.validation
    return part.textBytes > 0 ? part.bytesPerToken : nil
  }

  /// Targets of an evaluation.
  public var validationTokens: Int { validation.targetCount }

  /// The next sequences in the order of the seed.
  ///
  /// - Throws: `DataError` when a shard is damaged, ``TrainingError`` for sequences of another length than the model's.
  public func fill(_ batch: StepBatch) throws {
    guard let tokens = batch.tokens.baseAddress, let targets = batch.targets.baseAddress else {
      return
    }
    guard batch.contextLength == order.contextLength else {
      throw TrainingError(
        .data,
        "the data are cut into sequences of \(order.contextLength) tokens, and a step asks for \(batch.contextLength); keep "
          + "the context length the same in all steps")
    }
    try order.nextBatch(
      sequences: batch.sequences, into: tokens, targets: targets,
      documents: batch.documents?.baseAddress)
  }

  /// Epoch and window, as `EPOCH.WINDOW`.
  public var position: String { "\(order.position.epoch).\(order.position.index)" }

  /// Takes up the order.
  ///
  /// - Throws: `DataError` or ``TrainingError`` when there is no such position.
  public func move(to position: String) throws {
    let parts = position.split(separator: ".").compactMap { Int($0) }
    guard parts.count == 2 else {
      throw TrainingError(.checkpoint, "'\(position)' is not a position in a data set")
    }
    try order.seek(to: BatchPosition(epoch: parts[0], index: parts[1]))
  }

  /// Goes back to the first held-out window.
  public func restartValidation() { validation.restart() }

  /// The next held-out windows.
  ///
  /// - Returns: targets that count; 0 after the last window.
  /// - Throws: `DataError` when a shard is damaged.
  public func fillValidation(_ batch: StepBatch) throws -> Int {
    guard let tokens = batch.tokens.baseAddress, let targets = batch.targets.baseAddress else {
      return 0
    }
    return try validation.nextBatch(
      sequences: batch.tokens.count / validation.contextLength, into: tokens, targets: targets,
      documents: batch.documents?.baseAddress)
  }
}
