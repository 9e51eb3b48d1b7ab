// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// What a parameter does in its model.
///
/// Models declare roles; nothing ever guesses one from a shape.
public enum ParameterRole: String, Hashable, Sendable, CaseIterable, Codable {
  /// The token table.
  case embedding
  /// The matrix that makes logits.
  case head
  /// A table of vectors, by token, that are added to attention's values.
  case valueEmbedding
  /// Attention's query projection.
  case attentionQuery
  /// Attention's key projection.
  case attentionKey
  /// Attention's value projection.
  case attentionValue
  /// Attention's output projection.
  case attentionOutput
  /// The projection into the feed-forward layer.
  case mlpIn
  /// The gate of a gated feed-forward layer.
  case mlpGate
  /// The projection out of the feed-forward layer.
  case mlpOut
  /// A small matrix that makes the numbers a gate opens by.
  case gate
  /// The gain of a norm on the residual stream.
  case normGain
  /// The gain of a norm on queries or keys.
  case queryKeyNormGain
  /// A single number, or a few.
  case scalar

  /// The name in a configuration, for example `attention_query`.
  public var key: String {
    rawValue.reduce(into: "") { text, character in
      text += character.isUppercase ? "_" + character.lowercased() : String(character)
    }
  }

  /// Whether it is a matrix between two hidden widths: attention's projections and the feed-forward layer's.
  public var isHiddenMatrix: Bool {
    switch self {
    case .attentionQuery, .attentionKey, .attentionValue, .attentionOutput, .mlpIn, .mlpGate,
      .mlpOut:
      true
    case .embedding, .head, .valueEmbedding, .gate, .normGain, .queryKeyNormGain, .scalar: false
    }
  }

  /// Whether it is a table with a row for each token.
  public var isTable: Bool { self == .embedding || self == .head || self == .valueEmbedding }

  /// Whether weight decay applies when nobody says otherwise: to matrices and tables, not to gates, gains and scalars.
  public var decays: Bool { isHiddenMatrix || isTable }
}

/// How a parameter starts.
public enum Initialization: Hashable, Sendable {
  /// Every element the same.
  case constant(Float)
  /// Normal with mean 0.
  case normal(standardDeviation: Float)
  /// Uniform between -bound and bound.
  case uniform(bound: Float)
  /// These numbers over and over.
  case repeating([Float])
}

/// A trained tensor as its model declares it.
public struct Parameter: Hashable, Sendable {
  /// Unique in the model; the name in checkpoints.
  public let name: String
  /// What it does.
  public let role: ParameterRole
  /// The layer it belongs to, counted from 0; nil outside the layers.
  public let layer: Int?
  /// Its shape; matrices are `[out, in]`.
  public let shape: Shape
  /// The number of attention heads that share it: in the rows of query, key and value, in the columns of output; else nil.
  public let heads: Int?
  /// How it starts.
  public let initialization: Initialization

  /// Declares a parameter.
  public init(
    name: String, role: ParameterRole, layer: Int? = nil, shape: Shape, heads: Int? = nil,
    initialization: Initialization
  ) {
    self.heads = heads
    self.name = name
    self.role = role
    self.layer = layer
    self.shape = shape
    self.initialization = initialization
  }
}
