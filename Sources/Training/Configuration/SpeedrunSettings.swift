// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import LanguageModels

/// The keys of `[model]` that only the speedrun's decoder has.
///
/// Every part of it is a switch, so that an ablation is an arm of a study.
enum SpeedrunSettings {
  /// Reads the parts; places and defaults are those of ``SpeedrunOptions/init(layers:)``.
  static func read(_ section: ConfigurationSection, layers: Int) -> SpeedrunOptions {
    var options = SpeedrunOptions(layers: layers)
    tables(section, &options)
    lambdas(section, &options)
    attention(section, &options)
    layout(section, layers, &options)
    head(section, &options)
    return options
  }

  private static func tables(_ section: ConfigurationSection, _ options: inout SpeedrunOptions) {
    options.embedding = section.choice(
      "embedding", default: options.embedding,
      doc: "tied: lookups share the head's weight; tied-then-untied: until schedule.untie_at")
    options.headDeviation = deviation(
      section, "head_deviation", options.headDeviation, "of the head's first weights")
    embeddingDeviation(section, &options)
    options.projectionDeviation = deviation(
      section, "projection_deviation", options.projectionDeviation,
      "of query, key and value projections, times the root of the width")
    let published = options.valueEmbeddings
    if !section.boolean(
      "value_embeddings", default: true, doc: "tables of values added in some layers")
    {
      options.valueEmbeddings = []
      return refuse(
        section, ["value_embedding_layers", "value_embedding_tables"],
        switchedBy: "value_embeddings", "the model has no value tables")
    }
    let layers = section.integers(
      "value_embedding_layers", default: published.map(\.layer), doc: "layers that a table serves")
    let tables = section.integers(
      "value_embedding_tables",
      default: layers == published.map(\.layer) ? published.map(\.table) : Array(layers.indices),
      in: 0...1000, doc: "the number of the table of each of these layers")
    guard layers.count == tables.count, Set(layers).count == layers.count else {
      section.contradiction(
        "value_embedding_layers", "value_embedding_tables",
        message: "one table for each layer, and each layer once, are needed")
      return
    }
    options.valueEmbeddings = zip(layers, tables).map { .init(layer: $0, table: $1) }
  }

  /// The deviation of a table's first weights counts only where lookups read it before anything is copied into it.
  private static func embeddingDeviation(
    _ section: ConfigurationSection, _ options: inout SpeedrunOptions
  ) {
    let key = "embedding_deviation"
    guard options.embedding == .untied else {
      options.embeddingDeviation = options.headDeviation
      return section.refuseWithoutEffect(
        [key], switchedBy: "model.embedding",
        message:
          "lookups have no table of their own, or one that the head's weights are copied into before it is read, so its first "
          + "weights have no effect; remove the key, or choose embedding = \"untied\"")
    }
    options.embeddingDeviation = deviation(
      section, key, options.embeddingDeviation, "of the lookup table's first weights")
  }

  private static func lambdas(_ section: ConfigurationSection, _ options: inout SpeedrunOptions) {
    options.hasResidualLambdas = section.boolean(
      "residual_lambdas", default: true, doc: "a factor of the residual stream before every layer")
    options.hasFirstStateLambdas = section.boolean(
      "x0_lambdas", default: true, doc: "a part of the first hidden state before every layer")
    options.hasAttentionLambdas = section.boolean(
      "attention_lambdas", default: true, doc: "factors of attention's projections")
    options.hasSmearGate = section.boolean(
      "smear_gate", default: true, doc: "a gated part of the token before in every embedding")
    options.hasHeadGates = section.boolean(
      "head_gates", default: true, doc: "a gate for every attention head")
  }

  private static func attention(_ section: ConfigurationSection, _ options: inout SpeedrunOptions) {
    options.shiftsKeys = section.boolean(
      "key_shift", default: true,
      doc: "still pairs of keys of long layers come from the token before")
    options.rotation = section.choice(
      "rotary", default: options.rotation, doc: "half-truncated: half of the pairs do not turn")
    options.followsWindow = section.boolean(
      "yarn", default: true, doc: "frequencies and scale of attention follow the long window")
  }

  private static func layout(
    _ section: ConfigurationSection, _ count: Int, _ options: inout SpeedrunOptions
  ) {
    options.longLayers = section.integers(
      "long_layers", default: options.longLayers, doc: "layers with the long window")
    options.attentionFreeLayers = section.integers(
      "attention_free_layers", default: options.attentionFreeLayers,
      doc: "layers without attention; none: []")
    let skip = options.skip.map { [$0.from, $0.to] } ?? []
    if section.boolean("skip", default: options.skip != nil, doc: "a gated skip over layers") {
      let places = section.integers("skip_layers", default: skip, doc: "from and to")
      if places.count == 2 {
        options.skip = .init(from: places[0], to: places[1])
      } else {
        section.contradiction("skip_layers", message: "skip_layers are two layers, from and to")
      }
    } else {
      options.skip = nil
      refuse(section, ["skip_layers"], switchedBy: "skip", "the model has no skip")
    }
    if section.boolean(
      "backout", default: options.backoutLayer != nil,
      doc: "a part of an earlier layer's output is subtracted at the end")
    {
      options.backoutLayer = section.integer(
        "backout_layer", default: options.backoutLayer ?? max(0, count - 2), in: 0...1_000_000,
        doc: "whose output is subtracted")
    } else {
      options.backoutLayer = nil
      refuse(section, ["backout_layer"], switchedBy: "backout", "no output is subtracted")
    }
    options.activation = section.choice(
      "activation", default: options.activation, doc: "of the feed-forward layers")
  }

  private static func head(_ section: ConfigurationSection, _ options: inout SpeedrunOptions) {
    let cap = section.number(
      "soft_cap", default: Double(options.softCap ?? 0), in: .nonNegative,
      doc: "c: logits are c tanh(l / c); 0: none")
    options.softCap = cap > 0 ? Float(cap) : nil
    options.predictions = section.integer(
      "predictions", default: 1, in: 1...3, doc: "tokens ahead that training predicts")
    guard
      section.boolean("float8_head", default: false, doc: "the head's training product in float8")
    else {
      return refuse(
        section, ["float8_hidden_scale", "float8_weight_scale", "float8_gradient_scale"],
        switchedBy: "float8_head", "the head is not in float8")
    }
    let published = SpeedrunOptions.Float8Scales()
    func scale(_ name: String, _ number: Float, _ what: String) -> Float {
      Float(
        section.number(
          name, default: Double(number), in: .above(0), doc: "what \(what) are divided by"))
    }
    options.float8 = .init(
      hidden: scale("float8_hidden_scale", published.hidden, "hidden states"),
      weight: scale("float8_weight_scale", published.weight, "weights"),
      gradient: scale("float8_gradient_scale", published.gradient, "gradients by logits"))
  }

  /// Reports keys of a part that is off.
  private static func refuse(
    _ section: ConfigurationSection, _ names: [String], switchedBy part: String, _ reason: String
  ) {
    section.refuseWithoutEffect(
      names, switchedBy: "model." + part,
      message: "\(reason), so the key has no effect; remove it, or set \(part) = true")
  }

  private static func deviation(
    _ section: ConfigurationSection, _ name: String, _ number: Float, _ what: String
  ) -> Float {
    Float(
      section.number(
        name, default: Double(number), in: .nonNegative, doc: "standard deviation \(what)"))
  }
}
