// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Tells text from binary data.
///
/// A file is text when it has no NUL byte and at most one byte in a thousand lies outside valid UTF-8. The
/// few invalid bytes that are let through are kept as they are, counted, and reported.
struct TextCheck {
  /// Bytes that belong to no valid UTF-8 sequence.
  private(set) var invalidBytes = 0

  static let largestInvalidShare = 0.001

  /// Checks a whole file.
  ///
  /// - Parameters:
  ///   - text: The bytes of the file.
  ///   - path: Its name, for the error.
  /// - Throws: ``DataError`` `binaryText`.
  init(_ text: UnsafeRawBufferPointer, path: String) throws(DataError) {
    guard let base = text.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
    var index = 0
    var firstInvalid = 0
    while index < text.count {
      let byte = base[index]
      if byte == 0 {
        throw DataError(
          .binaryText,
          "'\(path)' is not text: it has a NUL byte at offset \(index). Remove it from the inputs, or "
            + "convert it to UTF-8 if it is UTF-16.")
      }
      if byte < 0x80 {
        // Eight ASCII bytes without a NUL at a time.
        while index &+ 8 <= text.count {
          let word = text.loadUnaligned(fromByteOffset: index, as: UInt64.self)
          let high: UInt64 = 0x8080_8080_8080_8080
          if (word | (word &- 0x0101_0101_0101_0101)) & high != 0 { break }
          index &+= 8
        }
        while index < text.count, base[index] != 0, base[index] < 0x80 { index &+= 1 }
        continue
      }
      let length = UTF8Sequence.decode(base + index, available: text.count &- index).length
      if length == 0 {
        if invalidBytes == 0 { firstInvalid = index }
        invalidBytes += 1
      }
      index &+= max(length, 1)
    }
    if Double(invalidBytes) > Self.largestInvalidShare * Double(text.count) {
      throw DataError(
        .binaryText,
        "'\(path)' is not UTF-8 text: \(invalidBytes) of \(text.count) bytes are invalid, the first at "
          + "offset \(firstInvalid). Convert it to UTF-8 or remove it from the inputs.")
    }
  }
}
