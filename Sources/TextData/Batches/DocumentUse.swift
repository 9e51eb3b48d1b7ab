// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// What became of the tokens that an order of documents has passed: every one is counted once.
public struct DocumentUse: Codable, Equatable, Sendable {
  /// Tokens that were inputs, as many as were targets.
  public var trained = 0
  /// Last tokens of sequences, which were targets only.
  public var targetsOnly = 0
  /// Tokens of a document beyond the limit.
  public var beyondLimit = 0
  /// Remainders of documents that ended a sequence and were cut to fit, up to the limit.
  public var cut = 0
  /// Tokens of documents at the end of a shard that did not suffice for a whole batch.
  public var tails = 0
  /// Tokens of a shard before its first document: the rest of one that began in the shard before.
  public var beforeFirst = 0

  /// Nothing passed yet.
  public init() {}

  /// All tokens that were passed.
  public var passed: Int { trained + targetsOnly + beyondLimit + cut + tails + beforeFirst }
}
