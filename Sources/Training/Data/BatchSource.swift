// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Where a run's tokens come from: batches in a fixed order that can be left and taken up again, and a fixed held-out set.
public protocol BatchSource: AnyObject {
  /// Token ids go from 0 to this minus 1.
  var vocabularySize: Int { get }

  /// Changes when the data change.
  var fingerprint: String { get }

  /// Bytes of text for each token of the held-out set; nil when nobody knows.
  var bytesPerToken: Double? { get }

  /// Fills a batch with the next sequences.
  ///
  /// - Throws: an error when the data cannot be read.
  func fill(_ batch: StepBatch) throws

  /// Where the next batch begins, for a checkpoint.
  var position: String { get }

  /// Takes up the order at a position written earlier.
  ///
  /// - Throws: an error when the text is not a position in these data.
  func move(to position: String) throws

  /// Targets of an evaluation.
  var validationTokens: Int { get }

  /// Goes back to the first sequence of the held-out set.
  func restartValidation()

  /// Fills a batch with the next sequences of the held-out set, always in the same order; what lies beyond its end has
  /// negative targets.
  ///
  /// - Returns: targets that count; 0 after the end.
  /// - Throws: an error when the data cannot be read.
  func fillValidation(_ batch: StepBatch) throws -> Int
}
