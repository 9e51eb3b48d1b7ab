// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LanguageModels
public import TensorGraph

/// Cross-entropy over the same held-out sequences every time.
///
/// Batches have a fixed shape of their own and are added up in double precision, so the result depends on weights and
/// tokens only: not on micro-batches, threads, z-loss or document boundaries of the training order.
public final class Evaluator {
  /// What was measured.
  public struct Result: Equatable, Sendable {
    /// Cross-entropy in nats for each token that counts.
    public let crossEntropy: Double
    /// Cross-entropy in bits for each byte of text; nil when the data set does not know its bytes.
    public let bitsPerByte: Double?
    /// Tokens that counted.
    public let tokens: Int
  }

  /// Tokens of one evaluation batch, unless a sequence is longer.
  static let batchTokens = 4096

  private let source: any BatchSource
  private let sequences: Int
  private let batchSequences: Int
  private let batch: StepBatch
  private let program: BoundProgram

  /// Compiles the evaluation.
  ///
  /// - Parameters:
  ///   - definition: model, method and precision.
  ///   - source: the data.
  ///   - sequences: how many of the held-out set, from its start.
  ///   - runtime: where the weights are.
  /// - Throws: `GraphError`, or what the runtime throws.
  public init(
    _ definition: StepDefinition, source: any BatchSource, sequences: Int, runtime: any Runtime
  ) throws {
    let model = definition.model.configuration
    self.source = source
    self.sequences = sequences
    batchSequences = max(1, Self.batchTokens / model.contextLength)
    batch = StepBatch(
      tokens: batchSequences * model.contextLength, hasDocuments: model.masksDocuments)
    program = try BoundProgram(
      definition.evaluationProgram(sequences: batchSequences), runtime)
  }

  /// Measures the current weights.
  ///
  /// - Throws: an error when the data cannot be read.
  public func run() throws -> Result {
    var sum = 0.0
    var tokens = 0
    for first in stride(from: 0, to: sequences, by: batchSequences) {
      let range = first..<min(sequences, first + batchSequences)
      if range.count < batchSequences { batch.clear() }
      try source.fillValidation(batch, sequences: range)
      batch.copy(from: 0, count: batch.tokens.count, to: program.inputs)
      program.executable.run(.compute)
      sum += Double(program.executable.scalar("cross_entropy_sum"))
      tokens += batch.countedTargets
    }
    let crossEntropy = sum / Double(max(1, tokens))
    return Result(
      crossEntropy: crossEntropy,
      bitsPerByte: source.bytesPerToken.map { crossEntropy / log(2) / $0 }, tokens: tokens)
  }
}
