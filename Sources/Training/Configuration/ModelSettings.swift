// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
public import LanguageModels

/// Section `[model]`.
public struct ModelSettings: Sendable {
  /// The study's two settings of its decoder.
  public enum Variant: String, Sendable, CaseIterable {
    /// Queries and keys normalised for each head, z-loss 1e-4.
    case standard
    /// Neither.
    case plain
  }

  /// `architecture`: `decoder`, `llama` or `speedrun`; decoder.
  public let architecture: ModelConfiguration.Architecture
  /// `variant`: `standard` or `plain`; sets the defaults of `qk_norm` and `z_loss`.
  ///
  /// Standard for the decoder, plain for Llama.
  public let variant: Variant
  /// `vocabulary_size`: V; that of the data set unless given.
  public let vocabularySize: Int?
  /// `width`: C; 256.
  public let width: Int
  /// `layers`: L; 4.
  public let layers: Int
  /// `heads`: H; C / D.
  public let heads: Int?
  /// `key_value_heads`: G; H.
  public let keyValueHeads: Int?
  /// `head_width`: D; C / H if heads is given, else 64.
  public let headWidth: Int?
  /// `feed_forward_width`: F; 4C for the decoder, 8C/3 rounded up to a multiple of 64 for Llama.
  public let feedForwardWidth: Int?
  /// `context_length`: T; 256.
  public let contextLength: Int
  /// `tied`: whether the token table is the head; false.
  public let isTied: Bool
  /// `qk_norm`; the variant's.
  public let hasQueryKeyNorm: Bool
  /// `z_loss`; the variant's.
  public let zLoss: Double
  /// `attention_window`: keys a query sees; all unless given.
  public let attentionWindow: Int?
  /// `attention_window_short`: the same for layers with a short window, where the architecture has them.
  public let shortAttentionWindow: Int?
  /// The parts of the speedrun's decoder; nil for other architectures.
  public let speedrun: SpeedrunOptions?

  init(_ section: ConfigurationSection) {
    architecture = section.choice("architecture", default: .decoder, doc: "the family of models")
    let isSpeedrun = architecture == .speedrun
    variant =
      isSpeedrun
      ? .plain
      : section.choice(
        "variant", default: architecture == .decoder ? .standard : .plain,
        doc: "standard: query and key norms and z-loss 1e-4; plain: neither")
    let sizes = 1...1_000_000_000
    vocabularySize = section.optionalInteger(
      "vocabulary_size", in: sizes, doc: "token ids; by default those of the data set")
    width = section.integer("width", default: 256, in: sizes, doc: "width of the residual stream")
    layers = section.integer("layers", default: 4, in: sizes, doc: "blocks")
    heads = section.optionalInteger("heads", in: sizes, doc: "query heads; width / head_width")
    keyValueHeads =
      isSpeedrun
      ? nil
      : section.optionalInteger(
        "key_value_heads", in: sizes, doc: "key/value heads; as many as query heads")
    headWidth = section.optionalInteger(
      "head_width", in: sizes, doc: "width of a head; width / heads, or 64")
    feedForwardWidth = section.optionalInteger(
      "feed_forward_width", in: sizes,
      doc: "inner width; 4 width (decoder), 8 width / 3 to the next multiple of 64 (llama)")
    contextLength = section.integer(
      "context_length", default: 256, in: sizes, doc: "tokens of a sequence")
    isTied =
      !isSpeedrun
      && section.boolean("tied", default: false, doc: "the token table is also the head")
    hasQueryKeyNorm =
      isSpeedrun
      || section.boolean(
        "qk_norm", default: variant == .standard, doc: "norm of queries and keys for each head")
    zLoss = section.number(
      "z_loss", default: variant == .standard ? 1e-4 : 0, in: .nonNegative,
      doc: "weight of the squared log-sum-exp in the loss")
    attentionWindow = section.optionalInteger(
      "attention_window", in: sizes, doc: "keys a query sees, itself included; all")
    shortAttentionWindow =
      isSpeedrun
      ? section.optionalInteger(
        "attention_window_short", in: sizes,
        doc: "keys a query sees in layers with a short window, itself included; all") : nil
    speedrun = isSpeedrun ? SpeedrunSettings.read(section, layers: layers) : nil
    do {
      _ = try configuration(vocabularySize: vocabularySize ?? 1, masksDocuments: false)
    } catch {
      section.contradiction([error.key], message: error.message)
    }
  }

  /// The model's configuration.
  ///
  /// - Parameters:
  ///   - vocabularySize: of the data.
  ///   - masksDocuments: whether attention stays inside documents.
  ///   - largestWindow: of a schedule of the attention window; nil: none.
  ///   - largestShortWindow: of a schedule of the short window; nil: none.
  ///   - schedulesZLoss: whether the weight of the z-loss changes.
  /// - Returns: sizes and switches, complete.
  /// - Throws: `ModelError` when sizes do not fit each other.
  func configuration(
    vocabularySize: Int, masksDocuments: Bool, largestWindow: Int? = nil,
    largestShortWindow: Int? = nil, schedulesZLoss: Bool = false
  ) throws(ModelError) -> ModelConfiguration {
    try ModelConfiguration(
      architecture: architecture, vocabularySize: vocabularySize, width: width, layers: layers,
      heads: heads, keyValueHeads: keyValueHeads, headWidth: headWidth,
      feedForwardWidth: feedForwardWidth, contextLength: contextLength, isTied: isTied,
      hasQueryKeyNorm: hasQueryKeyNorm, zLoss: Float(zLoss), masksDocuments: masksDocuments,
      attentionWindow: largestWindow ?? attentionWindow,
      schedulesAttentionWindow: largestWindow != nil,
      shortAttentionWindow: largestShortWindow ?? shortAttentionWindow,
      schedulesShortAttentionWindow: largestShortWindow != nil, schedulesZLoss: schedulesZLoss,
      speedrun: speedrun)
  }
}
