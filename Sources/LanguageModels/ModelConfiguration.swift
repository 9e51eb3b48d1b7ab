// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// The sizes and switches of a model, complete and checked.
public struct ModelConfiguration: Hashable, Sendable, Codable {
  /// The family.
  public enum Architecture: String, Hashable, Sendable, Codable, CaseIterable {
    /// The study's decoder, see ``Decoder``.
    case decoder
    /// The Llama family, see ``Llama``.
    case llama
    /// The NanoGPT speedrun's decoder, see ``SpeedrunDecoder``.
    case speedrun
  }

  /// The family.
  public let architecture: Architecture
  /// V, the number of token ids.
  public let vocabularySize: Int
  /// C, the width of the residual stream.
  public let width: Int
  /// L, the number of blocks.
  public let layers: Int
  /// H, query heads.
  public let heads: Int
  /// G, key/value heads; H is a multiple of it.
  public let keyValueHeads: Int
  /// D, even.
  public let headWidth: Int
  /// F, the inner width of the feed-forward layer.
  public let feedForwardWidth: Int
  /// T, tokens of one sequence.
  public internal(set) var contextLength: Int
  /// Whether the token table is also the head.
  public let isTied: Bool
  /// Whether queries and keys are normalised for each head.
  public let hasQueryKeyNorm: Bool
  /// The weight of the squared log-sum-exp in the loss; 0: none.
  public let zLoss: Float
  /// Whether attention stays inside documents.
  public let masksDocuments: Bool
  /// How many keys back a query sees, itself included; nil: all of them.
  ///
  /// Where the window is scheduled, the most that it may be.
  public internal(set) var attentionWindow: Int?
  /// The same for layers with a short window, in an architecture that has them; nil: all.
  public internal(set) var shortAttentionWindow: Int?
  /// Whether the short window is the scalar `attention_window_short`.
  public let schedulesShortAttentionWindow: Bool
  /// The parts of the speedrun's decoder; nil for other architectures.
  public internal(set) var speedrun: SpeedrunOptions?
  /// Whether the window is a number that the host sets before each run, the scalar `attention_window`.
  public let schedulesAttentionWindow: Bool
  /// Whether the weight of the z-loss is a number that the host sets before each run, the scalar `z_loss`.
  public let schedulesZLoss: Bool
  /// Whether tokens are looked up in the head's weight although there is a table of their own, which then rests.
  ///
  /// For models that untie the two in the course of a run, see ``canUntie``.
  public internal(set) var looksUpInHead = false

  /// Completes and checks a configuration.
  ///
  /// - Parameters:
  ///   - architecture: the family.
  ///   - vocabularySize: V, at least 1.
  ///   - width: C, at least 1.
  ///   - layers: L, at least 1.
  ///   - heads: H, at least 1; nil: C / D.
  ///   - keyValueHeads: G, a divisor of H; nil: H.
  ///   - headWidth: D, even; nil: C / H, or 64 when H is nil too.
  ///   - feedForwardWidth: F, at least 1; nil: 4C for the decoder, 8C/3 rounded up to a multiple of 64 for Llama.
  ///   - contextLength: T, at least 1.
  ///   - isTied: whether the token table is also the head.
  ///   - hasQueryKeyNorm: whether queries and keys are normalised; nil: yes for the decoder, no for Llama.
  ///   - zLoss: weight of the squared log-sum-exp, at least 0; nil: 1e-4 for the decoder, 0 for Llama.
  ///   - masksDocuments: whether attention stays inside documents.
  ///   - attentionWindow: keys a query sees, at least 1; nil: all. The largest of them when it is scheduled.
  ///   - schedulesAttentionWindow: whether the host sets the window before each run.
  ///   - shortAttentionWindow: as `attentionWindow`, of layers with a short window.
  ///   - schedulesShortAttentionWindow: whether the host sets that one before each run.
  ///   - schedulesZLoss: whether the host sets the weight of the z-loss before each run; `zLoss` is not read then.
  ///   - speedrun: the parts of the speedrun's decoder; nil: the published ones.
  /// - Throws: ``ModelError`` naming the values and the remedy.
  public init(
    architecture: Architecture = .decoder, vocabularySize: Int, width: Int, layers: Int,
    heads: Int? = nil, keyValueHeads: Int? = nil, headWidth: Int? = nil,
    feedForwardWidth: Int? = nil, contextLength: Int, isTied: Bool = false,
    hasQueryKeyNorm: Bool? = nil, zLoss: Float? = nil, masksDocuments: Bool = false,
    attentionWindow: Int? = nil, schedulesAttentionWindow: Bool = false,
    shortAttentionWindow: Int? = nil, schedulesShortAttentionWindow: Bool = false,
    schedulesZLoss: Bool = false, speedrun: SpeedrunOptions? = nil
  ) throws(ModelError) {
    func positive(_ key: String, _ value: Int) throws(ModelError) {
      guard value >= 1 else {
        throw ModelError(.size, key: key, "\(key) is \(value); it must be at least 1")
      }
    }
    try positive("vocabulary_size", vocabularySize)
    try positive("width", width)
    try positive("layers", layers)
    try positive("context_length", contextLength)
    if let heads { try positive("heads", heads) }
    if let headWidth { try positive("head_width", headWidth) }
    if let keyValueHeads { try positive("key_value_heads", keyValueHeads) }
    if let feedForwardWidth { try positive("feed_forward_width", feedForwardWidth) }
    if let attentionWindow { try positive("attention_window", attentionWindow) }
    if let shortAttentionWindow { try positive("attention_window_short", shortAttentionWindow) }

    let (heads, headWidth) = try Self.heads(width: width, heads: heads, headWidth: headWidth)
    let keyValueHeads = keyValueHeads ?? heads
    guard heads % keyValueHeads == 0 else {
      throw ModelError(
        .contradiction, key: "key_value_heads",
        "heads is \(heads) and key_value_heads is \(keyValueHeads); every key/value head serves the same number "
          + "of query heads, so heads must be a multiple of key_value_heads")
    }
    let zLoss = zLoss ?? (architecture == .decoder ? 1e-4 : 0)
    guard zLoss.isFinite, zLoss >= 0 else {
      throw ModelError(.value, key: "z_loss", "z_loss is \(zLoss); give a finite number from 0")
    }
    self.speedrun =
      architecture == .speedrun ? speedrun ?? SpeedrunOptions(layers: layers) : nil
    try self.speedrun?.check(layers: layers, headWidth: headWidth, width: width)
    if architecture == .speedrun, keyValueHeads != heads {
      throw ModelError(
        .contradiction, key: "key_value_heads",
        "key_value_heads is \(keyValueHeads); the speedrun's decoder has as many as heads, \(heads)"
      )
    }
    self.shortAttentionWindow = shortAttentionWindow
    self.schedulesShortAttentionWindow = schedulesShortAttentionWindow
    self.architecture = architecture
    self.vocabularySize = vocabularySize
    self.width = width
    self.layers = layers
    self.heads = heads
    self.keyValueHeads = keyValueHeads
    self.headWidth = headWidth
    self.feedForwardWidth =
      feedForwardWidth ?? Self.feedForwardWidth(architecture, width: width)
    self.contextLength = contextLength
    self.isTied = isTied
    self.hasQueryKeyNorm = hasQueryKeyNorm ?? (architecture == .decoder)
    self.zLoss = zLoss
    self.masksDocuments = masksDocuments
    self.attentionWindow = attentionWindow
    self.schedulesAttentionWindow = schedulesAttentionWindow
    self.schedulesZLoss = schedulesZLoss
  }

  private static func heads(
    width: Int, heads: Int?, headWidth: Int?
  ) throws(ModelError) -> (heads: Int, headWidth: Int) {
    let resolvedHeads: Int
    let resolvedWidth: Int
    switch (heads, headWidth) {
    case (let heads?, let headWidth?):
      (resolvedHeads, resolvedWidth) = (heads, headWidth)
    case (let heads?, nil):
      guard width % heads == 0 else {
        throw ModelError(
          .contradiction, key: "heads",
          "width is \(width) and heads is \(heads), which does not divide it; choose a divisor of \(width), or give "
            + "head_width")
      }
      (resolvedHeads, resolvedWidth) = (heads, width / heads)
    case (nil, let headWidth):
      let headWidth = headWidth ?? 64
      guard width % headWidth == 0 else {
        throw ModelError(
          .contradiction, key: "width",
          "width is \(width), not a multiple of head_width \(headWidth); change width, or give heads"
        )
      }
      (resolvedHeads, resolvedWidth) = (width / headWidth, headWidth)
    }
    guard resolvedWidth % 2 == 0 else {
      throw ModelError(
        .contradiction, key: heads == nil ? "head_width" : "heads",
        "a head is \(resolvedWidth) wide; rotary positions turn pairs, so the head width must be even"
      )
    }
    return (resolvedHeads, resolvedWidth)
  }

  private static func feedForwardWidth(_ architecture: Architecture, width: Int) -> Int {
    switch architecture {
    case .decoder, .speedrun: 4 * width
    case .llama: (8 * width + 3 * 64 - 1) / (3 * 64) * 64
    }
  }
}
