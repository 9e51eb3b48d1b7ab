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

  /// Tokens of one evaluation batch, unless one sequence has more or the whole held-out set has fewer.
  static let batchTokens = 4096

  private let source: any BatchSource
  private let batch: StepBatch
  private let program: BoundProgram

  /// Compiles the evaluation.
  ///
  /// - Parameters:
  ///   - definition: model, method and precision.
  ///   - source: the data.
  ///   - runtime: where the weights are.
  /// - Throws: `GraphError`, or what the runtime throws.
  public init(
    _ definition: StepDefinition, source: any BatchSource, runtime: any Runtime
  ) throws {
    let model = definition.model.configuration
    self.source = source
    let sequences = Self.sequences(
      of: source.validationTokens, contextLength: model.contextLength)
    batch = StepBatch(
      tokens: sequences * model.contextLength, contextLength: model.contextLength,
      hasDocuments: model.masksDocuments)
    program = try BoundProgram(definition.evaluationProgram(sequences: sequences), runtime)
  }

  /// Sequences of one evaluation batch, when so many tokens are evaluated.
  static func sequences(of tokens: Int, contextLength: Int) -> Int {
    let all = tokens / contextLength + (tokens % contextLength == 0 ? 0 : 1)
    return max(1, min(all, batchTokens / contextLength))
  }

  /// Measures the current weights, or their average where the optimizer keeps one.
  ///
  /// - Parameters:
  ///   - numbers: what is in force, by the leaves' names.
  ///   - stop: asked between batches.
  /// - Returns: the loss; nil when somebody asked for the end.
  /// - Throws: an error when the data cannot be read, or what the runtime throws.
  public func run(_ numbers: ModelNumbers, _ stop: StopRequest) throws -> Result? {
    program.set(numbers)
    var sum = 0.0
    var tokens = 0
    source.restartValidation()
    while case let counted = try source.fillValidation(batch), counted > 0 {
      if stop.isRequested { return nil }
      batch.copy(from: 0, count: batch.tokens.count, to: program.inputs)
      try program.executable.run()
      sum += Double(program.executable.scalar("cross_entropy_sum"))
      tokens += counted
    }
    let crossEntropy = sum / Double(max(1, tokens))
    return Result(
      crossEntropy: crossEntropy,
      bitsPerByte: source.bytesPerToken.map { crossEntropy / log(2) / $0 }, tokens: tokens)
  }
}
