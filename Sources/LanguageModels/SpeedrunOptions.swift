// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

/// The parts of a ``SpeedrunDecoder``, each of which can be switched by itself.
public struct SpeedrunOptions: Hashable, Sendable, Codable {
  /// Where lookups and logits get their tables.
  public enum Embedding: String, Hashable, Sendable, Codable, CaseIterable {
    /// The head's weight serves both.
    case tied
    /// A table for each.
    case untied
    /// The head's weight serves both until a step of the schedule, when it is copied into a table of the lookups' own.
    case tiedThenUntied = "tied-then-untied"
  }

  /// Which pairs of a head turn.
  public enum Rotation: String, Hashable, Sendable, Codable, CaseIterable {
    /// The first half of the pairs; the others have frequency 0.
    case halfTruncated = "half-truncated"
    /// All pairs.
    case full
  }

  /// The feed-forward layer's function.
  public enum Activation: String, Hashable, Sendable, Codable, CaseIterable {
    /// relu(x)^2 (So et al., 2021).
    case reluSquared = "relu-squared"
    /// x Phi(x).
    case gelu
  }

  /// The scales of a head whose training product is in float8 (Micikevicius et al., 2022): what hidden states, weights and gradients by
  /// logits are divided by before they are rounded.
  public struct Float8Scales: Hashable, Sendable, Codable {
    /// Of hidden states, kept as e4m3.
    public var hidden: Float
    /// Of weights, kept as e4m3.
    public var weight: Float
    /// Of gradients by logits, kept as e5m2.
    public var gradient: Float

    /// Makes scales, all above 0; the published ones unless said otherwise.
    public init(hidden: Float = 100 / 448, weight: Float = 1.5 / 448, gradient: Float = 0.75 / 448)
    {
      self.hidden = hidden
      self.weight = weight
      self.gradient = gradient
    }
  }

  /// A value table that is added to the values of one layer.
  public struct ValueEmbedding: Hashable, Sendable, Codable {
    /// The layer.
    public var layer: Int
    /// The number of the table, from 0; several layers may share one.
    public var table: Int

    /// Adds a table to a layer.
    public init(layer: Int, table: Int) {
      self.layer = layer
      self.table = table
    }
  }

  /// Where lookups and logits get their tables.
  public var embedding = Embedding.tied
  /// With `tiedThenUntied`: whether lookups still go to the head's weight.
  public var looksUpInHead = true
  /// Standard deviation of the head's first weights; 0: zeros.
  public var headDeviation: Float = 0.005
  /// Standard deviation of a lookup table of its own; with `tiedThenUntied` it is overwritten before it is read.
  public var embeddingDeviation: Float = 1
  /// Standard deviation of query, key and value projections, times the root of the width.
  public var projectionDeviation: Float = 0.5
  /// Value tables and the layers they serve; none: no tables.
  public var valueEmbeddings: [ValueEmbedding]
  /// r_i: what the residual stream is multiplied by before layer i.
  public var hasResidualLambdas = true
  /// z_i: how much of the first hidden state is added before layer i.
  public var hasFirstStateLambdas = true
  /// a_i0 and a_i1: what the input and the output projections of attention are multiplied by.
  public var hasAttentionLambdas = true
  /// Mixes a gated part of the token before into every embedding.
  public var hasSmearGate = true
  /// A sigmoid gate for every head.
  public var hasHeadGates = true
  /// Keys of the long layers take the value of the token before in the pairs that do not turn.
  public var shiftsKeys = true
  /// Which pairs turn.
  public var rotation = Rotation.halfTruncated
  /// Whether frequencies and scale of attention follow the long window, see ``YaRN``.
  public var followsWindow = true
  /// Layers with the long window; the others have the short one.
  public var longLayers: [Int]
  /// Layers that are a feed-forward layer alone.
  public var attentionFreeLayers: [Int]
  /// The output of layer `from` is added, gated, before layer `to`; nil: none.
  public var skip: Skip?
  /// The output of this layer is subtracted, weighted, from the last; nil: none.
  public var backoutLayer: Int?
  /// The feed-forward layer's function.
  public var activation = Activation.reluSquared
  /// c: logits are c tanh(l / c), the same as 2 c sigmoid(2 l / c) - c; nil: as they are.
  public var softCap: Float? = 15
  /// How many tokens ahead training predicts, 1 to 3; evaluation predicts one.
  public var predictions = 1
  /// The scales of a float8 head in training; nil: a head like any product.
  public var float8: Float8Scales?

  /// From one layer to a later one.
  public struct Skip: Hashable, Sendable, Codable {
    /// Whose output is added.
    public var from: Int
    /// Before which layer.
    public var to: Int

    /// Makes a skip.
    public init(from: Int, to: Int) {
      self.from = from
      self.to = to
    }
  }

  /// The published parts, at the places of a decoder of this depth: with 11 layers, those of the record.
  ///
  /// - Parameter layers: L, at least 1.
  public init(layers: Int) {
    func place(_ layer: Int) -> Int { min(layers - 1, (layer * layers + 5) / 11) }
    longLayers = layers > 1 ? [place(3), layers - 1] : [0]
    attentionFreeLayers = layers > 3 ? [place(6)] : []
    skip = place(3) < place(6) ? Skip(from: place(3), to: place(6)) : nil
    backoutLayer = place(7) < layers - 1 ? place(7) : nil
    let served =
      layers > 7
      ? [(0, 1), (1, 2), (layers - 3, 0), (layers - 2, 1), (layers - 1, 2)]
      : layers > 1 ? [(0, 0), (layers - 1, 0)] : [(0, 0)]
    valueEmbeddings = served.map { ValueEmbedding(layer: $0, table: $1) }
  }

  /// How many value tables there are.
  public var valueTables: Int { (valueEmbeddings.map(\.table).max() ?? -1) + 1 }

  /// Whether lookups have a table of their own, now or later.
  public var hasEmbeddingTable: Bool { embedding != .tied }

  /// Whether lookups read the head's weight in this variant of the model.
  public var readsHead: Bool {
    embedding == .tied || (embedding == .tiedThenUntied && looksUpInHead)
  }

  func check(layers: Int, headWidth: Int, width: Int) throws(ModelError) {
    func refuse(_ key: String, _ message: String) -> ModelError {
      ModelError(.contradiction, key: key, message)
    }
    func checkLayers(_ key: String, _ list: [Int]) throws(ModelError) {
      for layer in list where !(0..<layers).contains(layer) {
        throw refuse(
          key, "\(key) names layer \(layer); layers of this model are 0 to \(layers - 1)")
      }
    }
    try checkLayers("long_layers", longLayers)
    try checkLayers("attention_free_layers", attentionFreeLayers)
    try checkLayers("value_embedding_layers", valueEmbeddings.map(\.layer))
    for served in valueEmbeddings where attentionFreeLayers.contains(served.layer) {
      throw refuse(
        "value_embedding_layers",
        "layer \(served.layer) has no attention that a value table could serve; leave it out")
    }
    for layer in longLayers where attentionFreeLayers.contains(layer) {
      throw refuse(
        "long_layers",
        "layer \(layer) is one of attention_free_layers and has no attention that could have the long window; leave it out of "
          + "long_layers")
    }
    guard Set(valueEmbeddings.map(\.table)) == Set(0..<valueTables) else {
      throw refuse(
        "value_embedding_tables",
        "value_embedding_tables is \(valueEmbeddings.map(\.table)); number the tables from 0 without gaps"
      )
    }
    if let skip {
      try checkLayers("skip_layers", [skip.from, skip.to])
      guard skip.from < skip.to else {
        throw refuse(
          "skip_layers",
          "skip_layers go from \(skip.from) to \(skip.to); the second must come later")
      }
    }
    if let backoutLayer { try checkLayers("backout_layer", [backoutLayer]) }
    guard headWidth % 4 == 0, headWidth >= 8 else {
      throw refuse(
        "head_width",
        "a head is \(headWidth) wide; half of its pairs turn, so it must be a multiple of 4 from 8 on"
      )
    }
    guard width >= SpeedrunDecoder.gateWidth else {
      throw refuse(
        "width",
        "width is \(width); gates read the first \(SpeedrunDecoder.gateWidth) channels, so it must be at least that"
      )
    }
    if let softCap, !(softCap > 0 && softCap <= HeadForm.largestSoftCap) {
      throw ModelError(
        .value, key: "soft_cap",
        "soft_cap is \(softCap); give a number above 0 up to \(HeadForm.largestSoftCap), or 0 for no cap"
      )
    }
    guard (1...3).contains(predictions) else {
      throw ModelError(
        .value, key: "predictions",
        "predictions is \(predictions); 1, 2 or 3 tokens ahead are possible")
    }
  }
}
