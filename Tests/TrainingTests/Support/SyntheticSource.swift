// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import RandomStreams
import Training

/// Tokens that follow a rule a model can learn: each is the last one times 3 plus 1, with a seeded start of every sequence.
final class SyntheticSource: BatchSource {
  let vocabularySize: Int
  var fingerprint = "synthetic"
  let bytesPerToken: Double? = 2
  let validationTokens: Int
  /// Is told how many sequences were taken, before every batch.
  var willFill: (Int) throws -> Void = { _ in }
  /// Is told how many tokens of a held-out batch count; 0: the evaluation is over.
  var didFillValidation: (Int) -> Void = { _ in }
  private var next = 0
  private var nextValidation = 0

  init(vocabularySize: Int, validationTokens: Int = 24) {
    self.vocabularySize = vocabularySize
    self.validationTokens = validationTokens
  }

  var position: String { String(next) }
  func move(to position: String) throws { next = Int(position) ?? 0 }

  func fill(_ batch: StepBatch) throws {
    try willFill(next)
    for row in 0..<batch.sequences {
      write(batch, row: row, name: "train", sequence: next, counted: batch.contextLength)
      next += 1
    }
  }

  func restartValidation() { nextValidation = 0 }

  func fillValidation(_ batch: StepBatch) throws -> Int {
    var total = 0
    let contextLength = batch.contextLength
    for row in 0..<batch.sequences {
      let counted = max(0, min(contextLength, validationTokens - nextValidation * contextLength))
      write(batch, row: row, name: "validation", sequence: nextValidation, counted: counted)
      total += counted
      nextValidation += 1
    }
    didFillValidation(total)
    return total
  }

  private func write(
    _ batch: StepBatch, row: Int, name: String, sequence: Int, counted: Int
  ) {
    let contextLength = batch.contextLength
    var token = RandomStream(seed: 5, name: name).integer(below: vocabularySize, at: sequence)
    for index in 0..<contextLength {
      let following = (token * 3 + 1) % vocabularySize
      batch.tokens[row * contextLength + index] = Int32(token)
      batch.targets[row * contextLength + index] = index < counted ? Int32(following) : -1
      batch.documents?[row * contextLength + index] = index < contextLength / 2 ? 0 : 1
      token = following
    }
  }
}
