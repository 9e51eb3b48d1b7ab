// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Narrows token ids to the bytes of a file, some at a time.
final class TokenStaging {
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)

  deinit { buffer.deallocate() }

  /// Calls `body` with consecutive pieces of `tokens` as little-endian bytes.
  ///
  /// - Returns: The largest id; negative ids count as ids beyond any vocabulary.
  func encode(
    _ tokens: UnsafeBufferPointer<Int32>, width: TokenWidth,
    _ body: (UnsafeRawBufferPointer) throws(DataError) -> Void
  ) throws(DataError) -> UInt32 {
    var largest: UInt32 = 0
    var start = 0
    let step = buffer.count / width.rawValue
    while start < tokens.count {
      let count = min(step, tokens.count - start)
      switch width {
      case .two:
        for index in 0..<count {
          let token = UInt32(bitPattern: tokens[start &+ index])
          largest = max(largest, token)
          buffer.storeLittleEndian(UInt16(truncatingIfNeeded: token), at: index &* 2)
        }
      case .four:
        for index in 0..<count {
          let token = UInt32(bitPattern: tokens[start &+ index])
          largest = max(largest, token)
          buffer.storeLittleEndian(token, at: index &* 4)
        }
      }
      try body(UnsafeRawBufferPointer(rebasing: buffer[..<(count * width.rawValue)]))
      start += count
    }
    return largest
  }
}
