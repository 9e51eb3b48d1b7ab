// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Reads the JSON header of a tensor file.
///
/// The grammar is that of the format and nothing more: an object of tensors, each an object with
/// `dtype`, `shape` and `data_offsets`, and `__metadata__`, an object of strings. Unlike a general JSON
/// reader it keeps the order and sees repeated names.
struct HeaderParser {
  struct Tensor {
    var name: String
    var elementType: String
    var shape: [Int]
    var begin: Int
    var end: Int
  }

  private(set) var tensors: [Tensor] = []
  private(set) var metadata: [String: String] = [:]

  private let bytes: UnsafeRawBufferPointer
  private var position = 0

  /// Reads a whole header.
  ///
  /// - Throws: ``TensorFileError`` without a file name when the bytes are not such a header.
  init(_ bytes: UnsafeRawBufferPointer) throws(TensorFileError) {
    self.bytes = bytes
    guard bytes.first == UInt8(ascii: "{") else {
      throw malformed("it does not begin with '{'")
    }
    var names: Set<String> = []
    try readObject { parser, name throws(TensorFileError) in
      guard names.insert(name).inserted else {
        throw TensorFileError(.duplicateName, "the name '\(name)' is in the header twice")
      }
      if name == "__metadata__" {
        try parser.readMetadata()
      } else {
        parser.tensors.append(try parser.readTensor(name))
      }
    }
    skipSpace()
    guard position == bytes.count else {
      throw malformed("something follows the closing brace")
    }
  }

  // MARK: - The grammar of the format

  private mutating func readMetadata() throws(TensorFileError) {
    try readObject { parser, key throws(TensorFileError) in
      let value = try parser.readString()
      guard parser.metadata.updateValue(value, forKey: key) == nil else {
        throw TensorFileError(.duplicateName, "the metadata key '\(key)' is in the header twice")
      }
    }
  }

  private mutating func readTensor(_ name: String) throws(TensorFileError) -> Tensor {
    var elementType: String?
    var shape: [Int]?
    var offsets: [Int]?
    try readObject { parser, key throws(TensorFileError) in
      switch key {
      case "dtype" where elementType == nil: elementType = try parser.readString()
      case "shape" where shape == nil: shape = try parser.readIntegers()
      case "data_offsets" where offsets == nil: offsets = try parser.readIntegers()
      default:
        throw parser.malformed("tensor '\(name)' has an unknown or repeated entry '\(key)'")
      }
    }
    guard let elementType, let shape, let offsets else {
      throw malformed("tensor '\(name)' lacks dtype, shape or data_offsets")
    }
    guard offsets.count == 2, offsets[0] <= offsets[1] else {
      throw malformed("tensor '\(name)' has data_offsets \(offsets); they must be begin and end")
    }
    return Tensor(
      name: name, elementType: elementType, shape: shape, begin: offsets[0], end: offsets[1])
  }

  // MARK: - JSON

  private func malformed(_ what: String) -> TensorFileError {
    TensorFileError(.malformedHeader, "the header is damaged at byte \(8 + position): \(what)")
  }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      position += 1
    }
  }

  private mutating func accept(_ character: Character) -> Bool {
    skipSpace()
    guard let byte = character.asciiValue, next == byte else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ character: Character) throws(TensorFileError) {
    guard accept(character) else { throw malformed("'\(character)' expected") }
  }

  private mutating func readObject(
    _ member: (inout HeaderParser, String) throws(TensorFileError) -> Void
  ) throws(TensorFileError) {
    try expect("{")
    if accept("}") { return }
    repeat {
      let key = try readString()
      try expect(":")
      try member(&self, key)
    } while accept(",")
    try expect("}")
  }

  private mutating func readIntegers() throws(TensorFileError) -> [Int] {
    var result: [Int] = []
    try expect("[")
    if accept("]") { return result }
    repeat { result.append(try readInteger()) } while accept(",")
    try expect("]")
    return result
  }

  private mutating func readInteger() throws(TensorFileError) -> Int {
    skipSpace()
    var value = 0
    var digits = 0
    while let byte = next, (0x30...0x39).contains(byte) {
      let (product, first) = value.multipliedReportingOverflow(by: 10)
      let (sum, second) = product.addingReportingOverflow(Int(byte - 0x30))
      if first || second { throw malformed("a number is too large") }
      value = sum
      digits += 1
      position += 1
    }
    if digits == 0 { throw malformed("a whole number, not negative, expected") }
    return value
  }

  private mutating func readString() throws(TensorFileError) -> String {
    try expect("\"")
    var utf8: [UInt8] = []
    while let byte = next {
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let text = String(validating: utf8, as: UTF8.self) else {
          throw malformed("a text is not UTF-8")
        }
        return text
      case UInt8(ascii: "\\"): try readEscape(into: &utf8)
      case 0..<0x20: throw malformed("a control character stands in a text")
      default: utf8.append(byte)
      }
    }
    throw malformed("a text does not end")
  }

  private mutating func readEscape(into utf8: inout [UInt8]) throws(TensorFileError) {
    guard let byte = next else { throw malformed("a text does not end") }
    position += 1
    switch byte {
    case UInt8(ascii: "n"): utf8.append(0x0A)
    case UInt8(ascii: "t"): utf8.append(0x09)
    case UInt8(ascii: "r"): utf8.append(0x0D)
    case UInt8(ascii: "b"): utf8.append(0x08)
    case UInt8(ascii: "f"): utf8.append(0x0C)
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): utf8.append(byte)
    case UInt8(ascii: "u"):
      var value = UInt32(try readHexadecimal())
      if (0xD800..<0xDC00).contains(value) {
        guard next == UInt8(ascii: "\\") else { throw malformed("half of a surrogate pair") }
        position += 1
        guard next == UInt8(ascii: "u") else { throw malformed("half of a surrogate pair") }
        position += 1
        let low = UInt32(try readHexadecimal())
        guard (0xDC00..<0xE000).contains(low) else { throw malformed("half of a surrogate pair") }
        value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = UnicodeScalar(value) else { throw malformed("half of a surrogate pair") }
      utf8.append(contentsOf: Character(scalar).utf8)
    default: throw malformed("an unknown escape in a text")
    }
  }

  private mutating func readHexadecimal() throws(TensorFileError) -> UInt16 {
    var value: UInt16 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = Character(UnicodeScalar(byte)).hexDigitValue else {
        throw malformed("four hexadecimal digits expected")
      }
      value = value << 4 | UInt16(digit)
      position += 1
    }
    return value
  }
}
