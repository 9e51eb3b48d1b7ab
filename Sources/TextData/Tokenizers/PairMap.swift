// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A hash map from pairs of token ids to a number: open addressing, no removal.
///
/// Sendable when nobody inserts any more: the encoder fills it in its initializer, the trainer keeps it
/// to itself.
final class PairMap: @unchecked Sendable {
  private var keys: UnsafeMutablePointer<UInt64>
  private var values: UnsafeMutablePointer<Int32>
  private var shift: UInt64
  private var capacity: Int
  private(set) var count = 0

  private static let empty = UInt64.max

  init(minimumCapacity: Int) {
    capacity = 16
    while capacity < 2 * minimumCapacity { capacity *= 2 }
    shift = UInt64(64 - capacity.trailingZeroBitCount)
    keys = .allocate(capacity: capacity)
    keys.initialize(repeating: Self.empty, count: capacity)
    values = .allocate(capacity: capacity)
    values.initialize(repeating: -1, count: capacity)
  }

  deinit {
    keys.deallocate()
    values.deallocate()
  }

  @inline(__always)
  static func key(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) &<< 32 | UInt64(UInt32(bitPattern: right))
  }

  /// The slot that holds `key` or could.
  @inline(__always)
  private func slot(_ key: UInt64) -> Int {
    var slot = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) &>> shift)
    while keys[slot] != key, keys[slot] != Self.empty {
      slot = (slot &+ 1) & (capacity &- 1)
    }
    return slot
  }

  /// The number of the pair, or -1.
  @inline(__always)
  func value(_ left: Int32, _ right: Int32) -> Int32 {
    values[slot(Self.key(left, right))]
  }

  /// The number of the pair, which becomes `fresh` if there was none.
  @inline(__always)
  func value(_ left: Int32, _ right: Int32, orInsert fresh: Int32) -> Int32 {
    let key = Self.key(left, right)
    let found = slot(key)
    if keys[found] == key { return values[found] }
    keys[found] = key
    values[found] = fresh
    count &+= 1
    if 2 &* count > capacity { grow() }
    return fresh
  }

  private func grow() {
    let (oldKeys, oldValues, oldCapacity) = (keys, values, capacity)
    capacity *= 2
    shift -= 1
    keys = .allocate(capacity: capacity)
    keys.initialize(repeating: Self.empty, count: capacity)
    values = .allocate(capacity: capacity)
    values.initialize(repeating: -1, count: capacity)
    for index in 0..<oldCapacity where oldKeys[index] != Self.empty {
      let place = slot(oldKeys[index])
      keys[place] = oldKeys[index]
      values[place] = oldValues[index]
    }
    oldKeys.deallocate()
    oldValues.deallocate()
  }
}
