// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Places buffers with known lifetimes into one arena so that buffers alive at once never overlap.
public struct MemoryPlan: Sendable {
  /// A buffer and the steps between which it must keep its contents, both included.
  public struct Buffer: Sendable {
    /// Bytes.
    public let byteCount: Int
    /// The step that writes it.
    public let first: Int
    /// The last step that reads it.
    public let last: Int

    /// Declares a buffer.
    public init(byteCount: Int, first: Int, last: Int) {
      self.byteCount = byteCount
      self.first = first
      self.last = last
    }
  }

  /// Cache lines, and the widest vector.
  public static let alignment = 64

  /// Byte offsets, one for each buffer.
  public let offsets: [Int]
  /// Bytes of the arena.
  public let byteCount: Int

  /// Plans, largest buffers first, each at the lowest offset that is free for its whole life.
  public init(_ buffers: [Buffer]) {
    var offsets = [Int](repeating: 0, count: buffers.count)
    var placed: [Int] = []
    var end = 0
    let order = buffers.indices.sorted {
      (buffers[$1].byteCount, $0) < (buffers[$0].byteCount, $1)
    }
    for index in order {
      let buffer = buffers[index]
      let size = (buffer.byteCount + Self.alignment - 1) / Self.alignment * Self.alignment
      let rivals = placed.filter {
        buffers[$0].first <= buffer.last && buffer.first <= buffers[$0].last
      }.sorted { offsets[$0] < offsets[$1] }
      var offset = 0
      for rival in rivals {
        if offsets[rival] >= offset + size { break }
        offset = max(
          offset,
          (offsets[rival] + buffers[rival].byteCount + Self.alignment - 1) / Self.alignment
            * Self.alignment)
      }
      offsets[index] = offset
      placed.append(index)
      end = max(end, offset + size)
    }
    self.offsets = offsets
    byteCount = end
  }
}
