// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// How the work of an optimizer is dealt out to ranks that hold the same weights and see different parts of a batch.
public struct ShardingRules: Hashable, Sendable {
  /// What becomes of a table whose rows the number of ranks does not divide.
  public enum UnevenRows: String, Sendable, CaseIterable {
    /// An error: no rank would have as much as the others.
    case refused
    /// Rows are added in thought until it does; the last ranks have fewer real ones, or none.
    case padded
  }

  /// R, the number of ranks; it must divide 8 in the published record, and may be any here.
  public var ranks: Int
  /// Parameters with fewer numbers are updated by every rank, from the same gradient.
  public var replicatedBelow = 1024
  /// What becomes of uneven tables.
  public var unevenRows = UnevenRows.refused
  /// Whether the run clips all gradients by their norm; groups with a clip of their own are seen without being told.
  public var clipsAllGradients = false
  /// Units of each bucket of whole matrices, in order; nil: a bucket for each kind of unit.
  public var bucketSizes: [Int]?

  /// The rules for a number of ranks, at least 1.
  public init(ranks: Int) {
    precondition(ranks >= 1, "\(ranks) ranks")
    self.ranks = ranks
  }
}
