// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

extension ModelConfiguration {
  /// The name of the token table, where the model has one of its own.
  public static let tableName = "embedding.weight"
  /// The name of the head's weight, where it is not the token table.
  public static let headName = "head.weight"

  /// The parameter that tokens are looked up in.
  public var lookupName: String { looksUpInHead ? Self.headName : Self.tableName }

  /// Whether the model can look tokens up in the head's weight first and in a table of its own later: it has both, in one shape.
  public var canUntie: Bool {
    switch architecture {
    case .decoder, .llama: !isTied
    case .speedrun: speedrun?.embedding == .tiedThenUntied
    }
  }

  /// The same model, with the same parameters, on sequences of another length or with another way to look tokens up.
  ///
  /// - Parameters:
  ///   - contextLength: T, at least 1.
  ///   - looksUpInHead: whether tokens are looked up in the head's weight; only where ``canUntie``.
  /// - Returns: the configuration of the variant.
  public func variant(contextLength: Int, looksUpInHead: Bool) -> ModelConfiguration {
    precondition(contextLength >= 1, "sequences of \(contextLength) tokens")
    precondition(!looksUpInHead || canUntie, "the model has no second table")
    var result = self
    result.contextLength = contextLength
    result.looksUpInHead = looksUpInHead
    result.speedrun?.looksUpInHead = looksUpInHead
    return result
  }

  /// The same model with other windows: what one with scheduled windows, which is compiled for the largest, does at a step.
  ///
  /// - Parameters:
  ///   - attentionWindow: keys that a query sees, itself included, at least 1; nil: all.
  ///   - shortAttentionWindow: the same for layers with a short window.
  /// - Returns: a configuration to count the cost of.
  public func withWindows(_ attentionWindow: Int?, short shortAttentionWindow: Int?)
    -> ModelConfiguration
  {
    var result = self
    result.attentionWindow = attentionWindow
    result.shortAttentionWindow = shortAttentionWindow
    return result
  }
}
