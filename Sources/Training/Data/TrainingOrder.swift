// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TextData

/// The order in which a run meets its training tokens.
protocol TrainingOrder {
  /// Fills a batch with the next sequences, of the length that it asks for.
  func fill(_ batch: StepBatch) throws

  /// Checks that there is such a batch, before any work.
  func check(sequences: Int, contextLength: Int) throws

  /// Where the next batch begins.
  var position: String { get }

  /// Goes to a position written earlier.
  func move(to position: String) throws
}

/// Windows of one length in the order of a seed; a position is `EPOCH.WINDOW`.
struct WindowOrder: TrainingOrder {
  let order: BatchOrder

  func check(sequences: Int, contextLength: Int) throws {
    try checkLength(contextLength)
    try order.checkBatch(sequences: sequences)
  }

  func fill(_ batch: StepBatch) throws {
    try checkLength(batch.contextLength)
    guard let tokens = batch.tokens.baseAddress, let targets = batch.targets.baseAddress else {
      return
    }
    try order.nextBatch(
      sequences: batch.sequences, into: tokens, targets: targets,
      documents: batch.documents?.baseAddress)
  }

  private func checkLength(_ contextLength: Int) throws {
    guard contextLength == order.contextLength else {
      throw TrainingError(
        .data,
        "the data are cut into windows of \(order.contextLength) tokens, and a step asks for sequences of \(contextLength); "
          + "keep the context length the same in all steps, or use data.order = \"documents\"")
    }
  }

  var position: String { "\(order.position.epoch).\(order.position.index)" }

  func move(to position: String) throws {
    let numbers = try numbers(in: position, count: 2)
    try order.seek(to: BatchPosition(epoch: numbers[0], index: numbers[1]))
  }
}

/// Sequences that begin with documents, of any length; a position is `EPOCH.SHARD.DOCUMENT`.
struct DocumentOrder: TrainingOrder {
  let batches: DocumentBatches

  func check(sequences: Int, contextLength: Int) throws {
    try batches.checkBatch(sequences: sequences, contextLength: contextLength)
  }

  func fill(_ batch: StepBatch) throws {
    guard let tokens = batch.tokens.baseAddress, let targets = batch.targets.baseAddress else {
      return
    }
    try batches.nextBatch(
      sequences: batch.sequences, contextLength: batch.contextLength, into: tokens,
      targets: targets, documents: batch.documents?.baseAddress)
  }

  var position: String {
    let position = batches.position
    return "\(position.epoch).\(position.shard).\(position.document)"
  }

  func move(to position: String) throws {
    let numbers = try numbers(in: position, count: 3)
    try batches.seek(
      to: DocumentBatches.Position(
        epoch: numbers[0], shard: numbers[1], document: numbers[2]))
  }
}

extension TrainingOrder {
  /// The numbers of a position, which are separated by points.
  fileprivate func numbers(in position: String, count: Int) throws -> [Int] {
    let parts = position.split(separator: ".", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { Int($0) }
    guard numbers.count == count, parts.count == count else {
      throw TrainingError(
        .checkpoint, "'\(position)' is not a position in data of this order")
    }
    return numbers
  }
}
