// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Sums whose bits do not depend on how many ranks add up.
///
/// Parts are added in pairs, the results in pairs, and so on. Where the number of ranks divides that of the parts and both are
/// powers of two, what one rank adds up of its own parts is a branch of the same tree; so any such number of ranks gives the
/// same bits as one.
public enum TreeSum {
  /// The sum of parts of one length.
  ///
  /// - Parameter parts: at least one; in order.
  /// - Returns: the sum, element by element.
  public static func sum(_ parts: [[Float]]) -> [Float] {
    precondition(!parts.isEmpty, "a sum of nothing has no length")
    var level = parts
    while level.count > 1 {
      level = stride(from: 0, to: level.count, by: 2).map { index in
        guard index + 1 < level.count else { return level[index] }
        return zip(level[index], level[index + 1]).map { $0 + $1 }
      }
    }
    return level[0]
  }
}
