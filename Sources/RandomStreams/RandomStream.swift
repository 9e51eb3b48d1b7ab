// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// An endless, randomly accessible sequence of random bits with a name.
///
/// `(seed, name, index)` alone decides a value: the same bits on every machine, in every order of
/// access, from every thread. The seed is the Philox key; the hash of the name is the upper half of
/// the counter; the lower half counts blocks of four 32-bit words:
///
/// ```
/// block(b, attempt) = Philox4x32-10(key: seed, counter: [b + attempt * 2^48, hash(name)])
/// ```
///
/// Draws that may reject (``integer(below:at:)``, the truncated normal) retry with `attempt` 1, 2, ...
/// at the same index, so that no index ever disturbs another.
///
/// Each kind of draw reads the blocks in its own way, so use one name per purpose and one kind of
/// draw per name: `uniform(at: 0)` and `normal(at: 0)` of one stream are not independent.
public struct RandomStream: Sendable, Hashable {
  /// The seed of the whole run.
  public let seed: UInt64
  /// What the numbers are for, for example `"initialization/layer.3.query"`.
  public let name: String
  let nameHash: UInt64

  /// Indices of blocks are below this: 2^48 blocks are 2^50 words.
  static let blockLimit: UInt64 = 1 << 48

  /// Makes the stream of `seed` and `name`.
  ///
  /// - Parameters:
  ///   - seed: Any value; streams of different seeds are independent.
  ///   - name: Any text; streams of different names are independent.
  public init(seed: UInt64, name: String) {
    self.seed = seed
    self.name = name
    nameHash = StableHash.hash(name)
  }

  /// Makes the stream whose name is this one's with `/component` appended.
  ///
  /// - Parameter component: The last part of the new name.
  /// - Returns: A stream of the same seed.
  public func child(_ component: String) -> RandomStream {
    RandomStream(seed: seed, name: name + "/" + component)
  }

  @inline(__always)
  var key: (UInt32, UInt32) {
    (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed &>> 32))
  }

  /// The four words of block `index`.
  @inline(__always)
  func block(_ index: UInt64, attempt: UInt64 = 0) -> (UInt32, UInt32, UInt32, UInt32) {
    let position = index | (attempt &<< 48)
    return Philox4x32.block(
      counter: (
        UInt32(truncatingIfNeeded: position), UInt32(truncatingIfNeeded: position &>> 32),
        UInt32(truncatingIfNeeded: nameHash), UInt32(truncatingIfNeeded: nameHash &>> 32)
      ), key: key)
  }

  /// The two 64-bit words of block `index`.
  @inline(__always)
  func longBlock(_ index: UInt64, attempt: UInt64 = 0) -> (UInt64, UInt64) {
    let words = block(index, attempt: attempt)
    return (
      UInt64(words.0) | UInt64(words.1) &<< 32, UInt64(words.2) | UInt64(words.3) &<< 32
    )
  }

  static func checkIndex(_ index: Int, perBlock: Int) -> UInt64 {
    precondition(
      index >= 0 && UInt64(index / perBlock) < blockLimit,
      "random stream index \(index) is outside 0 ..< \(blockLimit) x \(perBlock)")
    return UInt64(index)
  }

  /// The word at `index`: 32 uniform bits.
  ///
  /// - Parameter index: From 0 to 2^50 - 1.
  /// - Returns: Word `index % 4` of block `index / 4`.
  public func uint32(at index: Int) -> UInt32 {
    let position = Self.checkIndex(index, perBlock: 4)
    let words = block(position &>> 2)
    switch position & 3 {
    case 0: return words.0
    case 1: return words.1
    case 2: return words.2
    default: return words.3
    }
  }

  /// The double word at `index`: 64 uniform bits, made of words `2 * index` (low) and `2 * index + 1`.
  ///
  /// - Parameter index: From 0 to 2^49 - 1.
  /// - Returns: Half of block `index / 2`.
  public func uint64(at index: Int) -> UInt64 {
    let position = Self.checkIndex(index, perBlock: 2)
    let words = longBlock(position &>> 1)
    return position & 1 == 0 ? words.0 : words.1
  }
}
