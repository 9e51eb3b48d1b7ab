// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import LanguageModels
import TensorFiles

/// The batches of a file, checked against a model.
struct TraceBatch {
  private let count: Int
  private let tokens: [Int]
  private let targets: [Int]
  private let documents: [Int]?

  /// Reads `tokens`, `targets` and `documents`.
  ///
  /// - Throws: ``TrainingError`` with code `batch`, or `TensorFileError`.
  init(path: String, tokens count: Int, model: ModelConfiguration) throws {
    self.count = count
    let file = try TensorFile(path: path)
    func read(_ name: String, _ range: ClosedRange<Int>) throws -> [Int] {
      let values = try file.integers(name)
      guard !values.isEmpty, values.count % count == 0 else {
        throw TrainingError(
          .batch,
          "\(path): '\(name)' has \(values.count) elements; training.batch_tokens asks for \(count), or a multiple for "
            + "one batch a step")
      }
      if let index = values.firstIndex(where: { !range.contains($0) }) {
        throw TrainingError(
          .batch,
          "\(path): element \(index) of '\(name)' is \(values[index]), outside \(range.lowerBound)...\(range.upperBound)"
        )
      }
      return values
    }
    let last = model.vocabularySize - 1
    tokens = try read("tokens", 0...last)
    targets = try read("targets", Int(Int32.min)...last)
    documents =
      model.masksDocuments ? try read("documents", Int(Int32.min)...Int(Int32.max)) : nil
    guard targets.count == tokens.count, documents.map({ $0.count == tokens.count }) ?? true else {
      throw TrainingError(
        .batch,
        "\(path): tokens, targets and documents must be equally many, not \(tokens.count), \(targets.count)"
          + (documents.map { ", \($0.count)" } ?? ""))
    }
  }

  /// Fills a batch for a step; batches are used in turn.
  func fill(_ batch: StepBatch, step: Int) {
    let first = step % (tokens.count / count) * count
    for index in 0..<count {
      batch.tokens[index] = Int32(tokens[first + index])
      batch.targets[index] = Int32(targets[first + index])
      if let documents { batch.documents?[index] = Int32(documents[first + index]) }
    }
  }
}
