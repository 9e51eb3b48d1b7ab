// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Bytes per token in a file.
public enum TokenWidth: Int, Codable, Sendable {
  /// Ids below 65,536.
  case two = 2
  /// All other ids.
  case four = 4

  /// The narrowest width for a vocabulary.
  ///
  /// - Parameter vocabularySize: Every id is below it.
  public init(vocabularySize: Int) {
    self = vocabularySize <= 1 << 16 ? .two : .four
  }
}
