// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LanguageModels
import RandomStreams
import TensorGraph

/// Continues a text, token by token, from a model's softmax.
public struct TextGeneration {
  private let model: TrainedModel
  private let program: BoundProgram
  private let random: RandomStream
  /// 1 draws from the model's own distribution; towards 0 the likeliest token is taken ever more often; 0: always.
  private let temperature: Double

  /// Compiles the model for generation.
  ///
  /// - Throws: what the runtime throws when it compiles.
  public init(_ model: TrainedModel, temperature: Double, seed: UInt64) throws {
    self.model = model
    self.temperature = temperature
    random = RandomStream(seed: seed, name: "generation")
    program = try BoundProgram(
      model.definition.logitsProgram(sequences: 1, weights: .trained), model.runtime)
    program.set(model.numbers)
  }

  /// The tokens that follow; generation stops after `end`.
  ///
  /// - Parameters:
  ///   - prompt: tokens to start from, at least one; the model sees as many of the last as its context holds.
  ///   - count: tokens to make, at most.
  ///   - end: the token after which nothing follows; nil: none.
  ///   - each: is told every new token.
  /// - Throws: what the runtime throws.
  public func run(
    after prompt: [Int32], count: Int, end: Int32? = nil, each: (Int32) -> Void
  ) throws {
    precondition(!prompt.isEmpty, "a prompt of no tokens")
    let context = model.definition.model.configuration.contextLength
    let vocabulary = model.definition.model.configuration.vocabularySize
    var text = prompt
    for index in 0..<count {
      let seen = Array(text.suffix(context))
      let batch = StepBatch(
        tokens: context, contextLength: context,
        hasDocuments: model.definition.model.configuration.masksDocuments)
      for (position, token) in seen.enumerated() { batch.tokens[position] = token }
      batch.copy(from: 0, count: context, to: program.inputs)
      try program.executable.run()
      let logits = program.executable.output("logits").bindMemory(to: Float.self)
      let row = UnsafeBufferPointer(
        rebasing: logits[(seen.count - 1) * vocabulary..<seen.count * vocabulary])
      let token = Int32(choose(row, uniform: random.uniform(at: index)))
      text.append(token)
      each(token)
      if token == end { return }
    }
  }

  /// A token of softmax(logits / temperature), by the inverse of its distribution function.
  private func choose(_ logits: UnsafeBufferPointer<Float>, uniform: Double) -> Int {
    var likeliest = 0
    for index in logits.indices where logits[index] > logits[likeliest] { likeliest = index }
    if temperature == 0 { return likeliest }
    let largest = Double(logits[likeliest])
    let weights = logits.map { exp((Double($0) - largest) / temperature) }
    var rest = uniform * weights.reduce(0, +)
    for (index, weight) in weights.enumerated() {
      rest -= weight
      if rest < 0 { return index }
    }
    return likeliest
  }
}
