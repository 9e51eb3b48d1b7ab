// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import RandomStreams

/// Decides which documents are held out for validation.
///
/// Document i is held out when `uniform(at: i)` of the stream `"validation-split"` of the seed is below the
/// fraction. When that takes none, the document with the smallest number is held out; when it
/// takes all, the one with the largest number is trained on. So the choice depends on the seed
/// and the index alone, and growing text keeps the choices made so far.
enum HeldOutDocuments {
  /// - Parameters:
  ///   - count: Number of documents, at least 2.
  ///   - fraction: Share to hold out, above 0 and at most 0.5.
  ///   - seed: Seed of the choice.
  /// - Returns: For each document whether it is held out.
  /// - Throws: ``DataError`` `tooFewDocuments`.
  static func choose(count: Int, fraction: Double, seed: UInt64) throws(DataError) -> [Bool] {
    guard count >= 2 else {
      throw DataError(
        .tooFewDocuments,
        "the input has \(count) document\(count == 1 ? "" : "s"), too few to hold one out for validation "
          + "and train on another. Use more text, another rule for where documents end, or name files "
          + "for validation.")
    }
    let stream = RandomStream(seed: seed, name: "validation-split")
    var isHeldOut = [Bool](repeating: false, count: count)
    var smallest = (value: 2.0, index: 0)
    var largest = (value: -1.0, index: 0)
    var held = 0
    for index in 0..<count {
      let value = stream.uniform(at: index)
      if value < fraction {
        isHeldOut[index] = true
        held += 1
      }
      if value < smallest.value { smallest = (value, index) }
      if value > largest.value { largest = (value, index) }
    }
    if held == 0 { isHeldOut[smallest.index] = true }
    if held == count { isHeldOut[largest.index] = false }
    return isHeldOut
  }
}
