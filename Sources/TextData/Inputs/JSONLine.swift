// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Takes one text out of a line that holds a JSON object (RFC 8259).
///
/// The whole line is checked, but only the asked member is decoded: several times faster than
/// building an object tree, which matters for files of hundreds of megabytes.
struct JSONLine {
  /// What is wrong with a line, in words that follow "line N: ".
  struct Failure: Error {
    var reason: String
  }

  private let bytes: UnsafeRawBufferPointer
  private var position = 0
  private static let deepestNesting = 512

  private init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
  }

  /// Decodes the string member `field`; the last one counts when there are several.
  ///
  /// - Parameters:
  ///   - line: One line.
  ///   - field: Name of the member.
  ///   - text: Receives the text as UTF-8.
  /// - Throws: ``Failure`` when the line is no object, malformed, or the member missing or no string.
  static func read(
    _ line: UnsafeRawBufferPointer, field: String, into text: inout [UInt8]
  ) throws(Failure) {
    var reader = JSONLine(line)
    try reader.readObject(field: Array(field.utf8), name: field, into: &text)
  }

  private mutating func readObject(
    field: [UInt8], name: String, into text: inout [UInt8]
  ) throws(Failure) {
    skipSpace()
    guard peek() == UInt8(ascii: "{") else { throw Failure(reason: "it is not a JSON object") }
    position += 1
    var found = false
    var key: [UInt8] = []
    skipSpace()
    if peek() == UInt8(ascii: "}") {
      position += 1
    } else {
      while true {
        skipSpace()
        key.removeAll(keepingCapacity: true)
        try readString(into: &key)
        try expect(UInt8(ascii: ":"))
        skipSpace()
        if key == field {
          guard peek() == UInt8(ascii: "\"") else {
            throw Failure(reason: "'\(name)' is not a string")
          }
          text.removeAll(keepingCapacity: true)
          try readString(into: &text)
          found = true
        } else {
          try skipValue(depth: 1)
        }
        skipSpace()
        if peek() == UInt8(ascii: ",") {
          position += 1
          continue
        }
        try expect(UInt8(ascii: "}"))
        break
      }
    }
    skipSpace()
    guard position == bytes.count else { throw malformed() }
    guard found else { throw Failure(reason: "it has no '\(name)'") }
  }

  // MARK: Values

  private mutating func skipValue(depth: Int) throws(Failure) {
    guard depth < Self.deepestNesting else { throw Failure(reason: "it is nested too deeply") }
    skipSpace()
    switch peek() {
    case UInt8(ascii: "\""):
      var ignored: [UInt8] = []
      try readString(into: &ignored)
    case UInt8(ascii: "{"):
      try skipMembers(until: UInt8(ascii: "}"), depth: depth, areNamed: true)
    case UInt8(ascii: "["):
      try skipMembers(until: UInt8(ascii: "]"), depth: depth, areNamed: false)
    case UInt8(ascii: "t"): try skipWord("true")
    case UInt8(ascii: "f"): try skipWord("false")
    case UInt8(ascii: "n"): try skipWord("null")
    default: try skipNumber()
    }
  }

  private mutating func skipMembers(
    until close: UInt8, depth: Int, areNamed: Bool
  ) throws(Failure) {
    position += 1
    skipSpace()
    if peek() == close {
      position += 1
      return
    }
    while true {
      if areNamed {
        skipSpace()
        var ignored: [UInt8] = []
        try readString(into: &ignored)
        try expect(UInt8(ascii: ":"))
      }
      try skipValue(depth: depth + 1)
      skipSpace()
      guard peek() == UInt8(ascii: ",") else { break }
      position += 1
    }
    try expect(close)
  }

  private mutating func skipWord(_ word: StaticString) throws(Failure) {
    for offset in 0..<word.utf8CodeUnitCount {
      guard peek() == word.utf8Start[offset] else { throw malformed() }
      position += 1
    }
  }

  private mutating func skipNumber() throws(Failure) {
    if peek() == UInt8(ascii: "-") { position += 1 }
    let integer = skipDigits()
    guard integer.count > 0, integer.count == 1 || integer.first != UInt8(ascii: "0") else {
      throw malformed()
    }
    if peek() == UInt8(ascii: ".") {
      position += 1
      guard skipDigits().count > 0 else { throw malformed() }
    }
    if peek() == UInt8(ascii: "e") || peek() == UInt8(ascii: "E") {
      position += 1
      if peek() == UInt8(ascii: "+") || peek() == UInt8(ascii: "-") { position += 1 }
      guard skipDigits().count > 0 else { throw malformed() }
    }
  }

  private mutating func skipDigits() -> Slice<UnsafeRawBufferPointer> {
    let start = position
    while let byte = peek(), byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
    return bytes[start..<position]
  }

  // MARK: Strings

  private mutating func readString(into text: inout [UInt8]) throws(Failure) {
    try expect(UInt8(ascii: "\""))
    while true {
      let start = position
      while position < bytes.count, bytes[position] >= 0x20, bytes[position] != UInt8(ascii: "\""),
        bytes[position] != UInt8(ascii: "\\")
      {
        position &+= 1
      }
      text.append(contentsOf: bytes[start..<position])
      guard let byte = peek(), byte >= 0x20 else { throw malformed() }
      position += 1
      if byte == UInt8(ascii: "\"") { return }
      try readEscape(into: &text)
    }
  }

  private mutating func readEscape(into text: inout [UInt8]) throws(Failure) {
    guard let byte = peek() else { throw malformed() }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"):
      var value = try readFourDigits()
      if value >> 10 == 0xD800 >> 10 {
        guard peek() == UInt8(ascii: "\\") else { throw loneSurrogate(value) }
        position += 1
        guard peek() == UInt8(ascii: "u") else { throw loneSurrogate(value) }
        position += 1
        let low = try readFourDigits()
        guard low >> 10 == 0xDC00 >> 10 else { throw loneSurrogate(value) }
        value = 0x1_0000 + (value & 0x3FF) << 10 + (low & 0x3FF)
      }
      guard let scalar = Unicode.Scalar(value) else { throw loneSurrogate(value) }
      text.append(
        contentsOf: Unicode.UTF8.encode(scalar) ?? Unicode.UTF8.encodedReplacementCharacter)
    default: throw malformed()
    }
  }

  private mutating func readFourDigits() throws(Failure) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = peek(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw malformed()
      }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }

  // MARK: Bytes

  private func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let byte = peek(), byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A {
      position += 1
    }
  }

  private mutating func expect(_ byte: UInt8) throws(Failure) {
    skipSpace()
    guard peek() == byte else { throw malformed() }
    position += 1
  }

  private func malformed() -> Failure {
    Failure(
      reason: position < bytes.count
        ? "it is not valid JSON at column \(position + 1)"
        : "it is not valid JSON: it ends too early")
  }

  private func loneSurrogate(_ value: UInt32) -> Failure {
    Failure(reason: "the escape \\u\(String(value, radix: 16)) is half a character")
  }
}
