// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A set of byte strings, numbered in the order of their arrival: open addressing over one arena.
///
/// Confined to one thread at a time.
final class WordTable {
  struct Word {
    var hash: UInt64
    var offset: Int
    var count: Int
  }

  private(set) var words: [Word] = []
  private var slots: UnsafeMutablePointer<Int32>
  private var capacity: Int
  private var arena: UnsafeMutablePointer<UInt8>
  private var arenaCapacity: Int
  private var arenaCount = 0

  init(capacity: Int = 1 << 10) {
    self.capacity = capacity
    slots = .allocate(capacity: capacity)
    slots.initialize(repeating: -1, count: capacity)
    arenaCapacity = 1 << 12
    arena = .allocate(capacity: arenaCapacity)
  }

  deinit {
    slots.deallocate()
    arena.deallocate()
  }

  var count: Int { words.count }

  /// The bytes of a word; valid until the next insertion.
  @inline(__always)
  func bytes(_ index: Int) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(start: arena + words[index].offset, count: words[index].count)
  }

  /// A hash of `count` bytes that is not kept anywhere: eight bytes at a time, multiply and fold.
  @inline(__always)
  static func hash(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
    let raw = UnsafeRawPointer(bytes)
    var hash = UInt64(truncatingIfNeeded: count) &* 0x9E37_79B9_7F4A_7C15
    var offset = 0
    while offset &+ 8 <= count {
      hash = fold(hash ^ raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      offset &+= 8
    }
    var tail: UInt64 = 0
    if count &- offset >= 4 {
      tail = UInt64(raw.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
      offset &+= 4
    }
    while offset < count {
      tail = tail &<< 8 | UInt64(bytes[offset])
      offset &+= 1
    }
    return fold(hash ^ tail)
  }

  @inline(__always)
  private static func fold(_ value: UInt64) -> UInt64 {
    let product = value.multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
    return product.high ^ product.low
  }

  /// The number of the word, or -1.
  @inline(__always)
  func find(_ bytes: UnsafePointer<UInt8>, _ count: Int, hash: UInt64) -> Int {
    Int(slots[slot(bytes, count, hash)])
  }

  /// The number of the word, which is added when new.
  @inline(__always)
  func insert(_ bytes: UnsafePointer<UInt8>, _ count: Int, hash: UInt64) -> Int {
    let place = slot(bytes, count, hash)
    if slots[place] >= 0 { return Int(slots[place]) }
    return add(bytes, count, hash, at: place)
  }

  @inline(__always)
  private func slot(_ bytes: UnsafePointer<UInt8>, _ count: Int, _ hash: UInt64) -> Int {
    var place = Int(truncatingIfNeeded: hash) & (capacity &- 1)
    words.withUnsafeBufferPointer { words in
      while slots[place] >= 0 {
        let word = words[Int(slots[place])]
        if word.hash == hash, word.count == count, equal(arena + word.offset, bytes, count) {
          return
        }
        place = (place &+ 1) & (capacity &- 1)
      }
    }
    return place
  }

  @inline(__always)
  private func equal(
    _ a: UnsafePointer<UInt8>, _ b: UnsafePointer<UInt8>, _ count: Int
  ) -> Bool {
    var index = 0
    while index < count {
      if a[index] != b[index] { return false }
      index &+= 1
    }
    return true
  }

  private func add(
    _ bytes: UnsafePointer<UInt8>, _ count: Int, _ hash: UInt64, at place: Int
  ) -> Int {
    let index = words.count
    precondition(index < Int(Int32.max), "\(index) words in one table")
    if arenaCount + count > arenaCapacity {
      while arenaCount + count > arenaCapacity { arenaCapacity *= 2 }
      let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: arenaCapacity)
      larger.initialize(from: arena, count: arenaCount)
      arena.deallocate()
      arena = larger
    }
    (arena + arenaCount).initialize(from: bytes, count: count)
    words.append(Word(hash: hash, offset: arenaCount, count: count))
    arenaCount += count
    slots[place] = Int32(index)
    if 2 * words.count > capacity { grow() }
    return index
  }

  private func grow() {
    slots.deallocate()
    capacity *= 2
    slots = .allocate(capacity: capacity)
    slots.initialize(repeating: -1, count: capacity)
    for (index, word) in words.enumerated() {
      var place = Int(truncatingIfNeeded: word.hash) & (capacity &- 1)
      while slots[place] >= 0 { place = (place &+ 1) & (capacity &- 1) }
      slots[place] = Int32(index)
    }
  }
}
