// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Splits UTF-8 text into the pieces within which byte pairs may merge, by GPT-2's pattern.
///
/// ```
/// '(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
/// ```
///
/// The classes are Unicode 16.0's, as in the regular expressions of tiktoken and of Hugging Face's
/// tokenizers. Text need not be valid UTF-8: a byte that does not belong to a valid sequence counts as a
/// character of its own that is neither a letter, a number nor white space. Every byte lands in
/// exactly one piece.
struct WordSplitter {
  private let bytes: UnsafePointer<UInt8>
  private let count: Int
  private let classes: UnsafePointer<UInt8>

  init(bytes: UnsafePointer<UInt8>, count: Int) {
    self.bytes = bytes
    self.count = count
    classes = UnicodeClass.table.classes
  }

  /// Where the piece that begins at `start` ends.
  @inline(__always)
  func end(from start: Int) -> Int {
    let first = bytes[start]
    if first == UInt8(ascii: "'"), let end = contractionEnd(from: start) { return end }
    if first == UInt8(ascii: " "), start &+ 1 < count {
      let (kind, length) = character(at: start &+ 1)
      if kind != UnicodeClass.whitespaceClass {
        return runEnd(of: kind, from: start &+ 1 &+ length)
      }
    }
    let (kind, length) = character(at: start)
    if kind != UnicodeClass.whitespaceClass {
      return runEnd(of: kind, from: start &+ length)
    }
    // White space: all of it at the end of the text; before a word its last character is left over,
    // to begin the next piece, unless it is the only one.
    var last = start
    var position = start &+ length
    while position < count {
      let (kind, length) = character(at: position)
      if kind != UnicodeClass.whitespaceClass { return last > start ? last : position }
      last = position
      position &+= length
    }
    return count
  }

  private func contractionEnd(from start: Int) -> Int? {
    guard start &+ 1 < count else { return nil }
    switch bytes[start &+ 1] {
    case UInt8(ascii: "s"), UInt8(ascii: "d"), UInt8(ascii: "m"), UInt8(ascii: "t"):
      return start &+ 2
    case UInt8(ascii: "l"):
      return follows(UInt8(ascii: "l"), start)
    case UInt8(ascii: "v"), UInt8(ascii: "r"):
      return follows(UInt8(ascii: "e"), start)
    default:
      return nil
    }
  }

  private func follows(_ byte: UInt8, _ start: Int) -> Int? {
    start &+ 2 < count && bytes[start &+ 2] == byte ? start &+ 3 : nil
  }

  @inline(__always)
  private func runEnd(of kind: UInt8, from start: Int) -> Int {
    var position = start
    while position < count {
      let (next, length) = character(at: position)
      if next != kind { break }
      position &+= length
    }
    return position
  }

  /// Class and length in bytes of the character at `position`.
  @inline(__always)
  private func character(at position: Int) -> (UInt8, Int) {
    let first = bytes[position]
    if first < 0x80 { return (classes[Int(first)], 1) }
    return longCharacter(at: position)
  }

  private func longCharacter(at position: Int) -> (UInt8, Int) {
    let (scalar, length) = UTF8Sequence.decode(bytes + position, available: count &- position)
    return length == 0 ? (UnicodeClass.other, 1) : (classes[Int(scalar)], length)
  }
}

/// Well-formed UTF-8 sequences (Unicode standard, table 3-7).
enum UTF8Sequence {
  /// Decodes the sequence at `bytes`; a length of 0 says that none begins there.
  static func decode(
    _ bytes: UnsafePointer<UInt8>, available: Int
  ) -> (scalar: UInt32, length: Int) {
    let first = bytes[0]
    if first < 0x80 { return (UInt32(first), 1) }
    // Only the second byte is restricted further: no overlong forms, surrogates or beyond U+10FFFF.
    let length: Int
    var lower: UInt8 = 0x80
    var upper: UInt8 = 0xBF
    switch first {
    case 0xC2...0xDF: length = 2
    case 0xE0:
      length = 3
      lower = 0xA0
    case 0xED:
      length = 3
      upper = 0x9F
    case 0xE1...0xEF: length = 3
    case 0xF0:
      length = 4
      lower = 0x90
    case 0xF4:
      length = 4
      upper = 0x8F
    case 0xF1...0xF3: length = 4
    default: return (0, 0)
    }
    guard length <= available, bytes[1] >= lower, bytes[1] <= upper else { return (0, 0) }
    var scalar = UInt32(first) & (0x7F &>> UInt32(length))
    scalar = scalar &<< 6 | UInt32(bytes[1] & 0x3F)
    var index = 2
    while index < length {
      guard bytes[index] & 0xC0 == 0x80 else { return (0, 0) }
      scalar = scalar &<< 6 | UInt32(bytes[index] & 0x3F)
      index &+= 1
    }
    return (scalar, length)
  }
}
