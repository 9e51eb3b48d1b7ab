// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// What became of the tokens that an order of documents has passed: every one is counted once.
public struct DocumentUse: Equatable, Sendable {
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

  /// What steps take, whatever the documents are: known before any data are there.
  ///
  /// - Parameters:
  ///   - batchTokens: Inputs of each step, a multiple of its number of sequences.
  ///   - sequences: Sequences of every step.
  /// - Returns: `trained`, their sum, and `targetsOnly`, one token for each sequence; what is dropped depends on the text.
  public static func planned(batchTokens: [Int], sequences: Int) -> DocumentUse {
    var use = DocumentUse()
    for tokens in batchTokens {
      precondition(
        sequences > 0 && tokens % sequences == 0, "\(tokens) tokens in \(sequences) sequences")
      use.trained += tokens
      use.targetsOnly += sequences
    }
    return use
  }
}
