// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Where in the order of windows the next batch begins: all that a checkpoint needs.
public struct BatchPosition: Codable, Hashable, Sendable {
  /// Passes over the data that are complete.
  public var epoch: Int
  /// Windows of this epoch that were taken.
  public var index: Int

  /// The beginning.
  public static let start = BatchPosition(epoch: 0, index: 0)

  /// Makes a position.
  ///
  /// - Parameters:
  ///   - epoch: Passes that are complete, not negative.
  ///   - index: Windows taken of this epoch, not negative.
  public init(epoch: Int, index: Int) {
    self.epoch = epoch
    self.index = index
  }
}
