// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

/// What a model costs, by counting: parameters, and FLOPs of one token.
public struct ModelCost: Equatable, Sendable {
  /// All trained numbers.
  public let parameters: Int
  /// Those of the token table, and of tables of values.
  public let embeddingParameters: Int
  /// Those of the head; 0 when it is the token table.
  public let headParameters: Int
  /// FLOPs of a forward pass for one token: 2 for each weight of a matrix product, and attention.
  public let forwardFLOPsPerToken: Double
  /// Those of attention: over half the context, or inside the windows of the configuration; as if a sequence were one document.
  public let attentionFLOPsPerToken: Double

  /// All but token table and head: what scaling laws count.
  public var nonEmbeddingParameters: Int { parameters - embeddingParameters - headParameters }

  /// Forward and backward: three times the forward pass.
  public var trainingFLOPsPerToken: Double { 3 * forwardFLOPsPerToken }

  /// Counts a model.
  public init(_ model: any LanguageModel) {
    let configuration = model.configuration
    var all = 0
    var embedding = 0
    var head = 0
    var products = 0
    for parameter in model.parameters {
      let count = parameter.shape.count
      all += count
      switch parameter.role {
      case .embedding, .valueEmbedding: embedding += count
      case .head:
        head += count
        products += count
      default: if parameter.shape.rank == 2 { products += count }
      }
    }
    if configuration.isTied { products += embedding }
    parameters = all
    embeddingParameters = embedding
    headParameters = head
    let pairs = model.attentionWindows.reduce(0) {
      $0 + Attention.pairs(contextLength: configuration.contextLength, window: $1)
    }
    let attention =
      4 * pairs / Double(configuration.contextLength)
      * Double(configuration.heads * configuration.headWidth)
    attentionFLOPsPerToken = attention
    forwardFLOPsPerToken = 2 * Double(products) + attention
  }
}
