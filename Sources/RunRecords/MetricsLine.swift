// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Reads one line of metrics: a flat JSON object with numbers, texts and booleans.
enum MetricsLine {
  /// Why a line is not a record.
  struct Damage: Error {
    var reason: String
  }

  static func read(_ line: ArraySlice<UInt8>) throws(Damage) -> MetricsRecord {
    var scanner = Scanner(bytes: line, position: line.startIndex)
    var step: Int?
    var fields: [MetricsRecord.Field] = []
    try scanner.expect("{")
    repeat {
      let name = try scanner.readText()
      try scanner.expect(":")
      let value = try scanner.readValue()
      if name == "step", step == nil {
        guard case .integer(let number) = value else {
          throw Damage(reason: "its step is not a whole number")
        }
        step = number
      } else {
        fields.append(MetricsRecord.Field(name: name, value: value))
      }
    } while scanner.accept(",")
    try scanner.expect("}")
    guard scanner.position == line.endIndex else {
      throw Damage(reason: "something follows the closing brace")
    }
    guard let step else { throw Damage(reason: "it has no step") }
    return MetricsRecord(step: step, fields: fields)
  }

  private struct Scanner {
    let bytes: ArraySlice<UInt8>
    var position: Int

    var next: UInt8? { position < bytes.endIndex ? bytes[position] : nil }

    mutating func accept(_ character: Character) -> Bool {
      while next == 0x20 { position += 1 }
      guard let byte = character.asciiValue, next == byte else { return false }
      position += 1
      while next == 0x20 { position += 1 }
      return true
    }

    mutating func expect(_ character: Character) throws(Damage) {
      guard accept(character) else { throw Damage(reason: "'\(character)' expected") }
    }

    mutating func readValue() throws(Damage) -> MetricValue {
      if next == UInt8(ascii: "\"") { return .string(try readText()) }
      let start = position
      while let byte = next, byte != UInt8(ascii: ","), byte != UInt8(ascii: "}"), byte != 0x20 {
        position += 1
      }
      let word = String(decoding: bytes[start..<position], as: UTF8.self)
      switch word {
      case "true": return .boolean(true)
      case "false": return .boolean(false)
      default: break
      }
      guard let first = word.first, "-0123456789".contains(first),
        word.allSatisfy({ "+-.eE0123456789".contains($0) })
      else { throw Damage(reason: "'\(word)' is not a value") }
      if let integer = Int(word) { return .integer(integer) }
      if let number = Double(word), number.isFinite { return .number(number) }
      throw Damage(reason: "'\(word)' is not a number")
    }

    mutating func readText() throws(Damage) -> String {
      guard next == UInt8(ascii: "\"") else { throw Damage(reason: "a text expected") }
      position += 1
      var utf8: [UInt8] = []
      while true {
        let plain = bytes[position...].prefix {
          $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") && $0 >= 0x20
        }
        utf8.append(contentsOf: plain)
        position = plain.endIndex
        guard let byte = next else { throw Damage(reason: "a text does not end") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""):
          guard let text = String(validating: utf8, as: UTF8.self) else {
            throw Damage(reason: "a text is not UTF-8")
          }
          return text
        case UInt8(ascii: "\\"): try readEscape(into: &utf8)
        default: throw Damage(reason: "a control character stands in a text")
        }
      }
    }

    private mutating func readEscape(into utf8: inout [UInt8]) throws(Damage) {
      guard let byte = next else { throw Damage(reason: "a text does not end") }
      position += 1
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): utf8.append(byte)
      case UInt8(ascii: "n"): utf8.append(0x0A)
      case UInt8(ascii: "t"): utf8.append(0x09)
      case UInt8(ascii: "r"): utf8.append(0x0D)
      case UInt8(ascii: "u"):
        let digits = bytes[position...].prefix(4)
        guard digits.count == 4,
          let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16),
          let scalar = UnicodeScalar(value)
        else { throw Damage(reason: "an unknown escape stands in a text") }
        position += 4
        utf8.append(contentsOf: Character(scalar).utf8)
      default: throw Damage(reason: "an unknown escape stands in a text")
      }
    }
  }
}
