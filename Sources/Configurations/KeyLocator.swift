// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Finds on which line of a TOML text each key and section stands.
///
/// The TOML parser in use gives no positions for values. The text has already been parsed when this
/// runs, so it may be read loosely: what is not understood ends the search, and the keys after it
/// have no line.
struct KeyLocator {
  /// The line, from 1, of each key by its path.
  private(set) var lines: [String: Int] = [:]

  private let text: [UInt8]
  private var position = 0
  private var line = 1
  private var tableCounts: [String: Int] = [:]

  /// Searches a text.
  init(_ text: String) {
    self.text = Array(text.utf8)
    var section = ""
    while skipBlank(acrossLines: true) {
      if next == UInt8(ascii: "[") {
        guard let header = readHeader() else { return }
        section = header
      } else {
        guard readAssignment(prefix: section) else { return }
      }
    }
  }

  private var next: UInt8? { position < text.count ? text[position] : nil }

  private mutating func advance(_ count: Int = 1) {
    for _ in 0..<count where position < text.count {
      if text[position] == UInt8(ascii: "\n") { line += 1 }
      position += 1
    }
  }

  private mutating func accept(_ byte: Character) -> Bool {
    guard let ascii = byte.asciiValue, next == ascii else { return false }
    advance()
    return true
  }

  /// Skips spaces and comments; `false` at the end of the text.
  private mutating func skipBlank(acrossLines: Bool) -> Bool {
    while let byte = next {
      switch byte {
      case 0x20, 0x09, 0x0D, 0xEF, 0xBB, 0xBF: advance()
      case 0x0A:
        if !acrossLines { return true }
        advance()
      case UInt8(ascii: "#"):
        while let inComment = next, inComment != 0x0A { advance() }
      default: return true
      }
    }
    return false
  }

  // MARK: - Keys

  /// Reads `[a.b]` or `[[a.b]]` and returns the path that keys below it get.
  private mutating func readHeader() -> String? {
    let start = line
    advance()
    let isArray = accept("[")
    guard let parts = readKey() else { return nil }
    guard accept("]"), !isArray || accept("]") else { return nil }
    var path = ""
    for (offset, part) in parts.enumerated() {
      path = joined(path, part)
      if isArray, offset == parts.count - 1 {
        let count = tableCounts[path, default: 0]
        if count == 0 { lines[path] = start }
        tableCounts[path] = count + 1
        path += "[\(count)]"
      } else if let count = tableCounts[path] {
        path += "[\(count - 1)]"
      }
    }
    note(path, start)
    return path
  }

  /// Reads `a.b = value`.
  private mutating func readAssignment(prefix: String) -> Bool {
    let start = line
    guard let parts = readKey() else { return false }
    var path = prefix
    for part in parts {
      path = joined(path, part)
      note(path, start)
    }
    guard accept("=") else { return false }
    return readValue(path: path)
  }

  private mutating func note(_ path: String, _ line: Int) {
    if lines[path] == nil { lines[path] = line }
  }

  /// Reads a dotted key into path components.
  private mutating func readKey() -> [String]? {
    var parts: [String] = []
    repeat {
      _ = skipBlank(acrossLines: false)
      guard let byte = next else { return nil }
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
        let start = position
        guard skipString() else { return nil }
        let inner = text[(start + 1)..<(position - 1)]
        let name = String(decoding: inner, as: UTF8.self)
        parts.append(pathComponent(byte == UInt8(ascii: "'") ? name : unescaped(name)))
      } else {
        let start = position
        while let inKey = next, isBareKey(String(UnicodeScalar(inKey))) { advance() }
        guard position > start else { return nil }
        parts.append(String(decoding: text[start..<position], as: UTF8.self))
      }
      _ = skipBlank(acrossLines: false)
    } while accept(".")
    return parts
  }

  /// The common escapes of a basic string; rarer ones stay as they are and find no line.
  private func unescaped(_ text: String) -> String {
    var result = ""
    var escaped = false
    for character in text {
      if escaped {
        switch character {
        case "n": result += "\n"
        case "t": result += "\t"
        case "r": result += "\r"
        default: result.append(character)
        }
        escaped = false
      } else if character == "\\" {
        escaped = true
      } else {
        result.append(character)
      }
    }
    return result
  }

  // MARK: - Values

  private mutating func readValue(path: String) -> Bool {
    _ = skipBlank(acrossLines: false)
    switch next {
    case UInt8(ascii: "\""), UInt8(ascii: "'"): return skipString()
    case UInt8(ascii: "["): return readArray(path: path)
    case UInt8(ascii: "{"): return readInlineTable(path: path)
    default:
      let ends: [UInt8] = [0x0A, 0x23, 0x2C, 0x5D, 0x7D]  // newline # , ] }
      while let byte = next, !ends.contains(byte) { advance() }
      return true
    }
  }

  private mutating func readArray(path: String) -> Bool {
    advance()
    var index = 0
    while skipBlank(acrossLines: true) {
      if accept("]") { return true }
      note("\(path)[\(index)]", line)
      guard readValue(path: "\(path)[\(index)]") else { return false }
      index += 1
      guard skipBlank(acrossLines: true) else { return false }
      if !accept(",") { return accept("]") }
    }
    return false
  }

  private mutating func readInlineTable(path: String) -> Bool {
    advance()
    while skipBlank(acrossLines: true) {
      if accept("}") { return true }
      guard readAssignment(prefix: path), skipBlank(acrossLines: true) else { return false }
      if !accept(",") { return accept("}") }
    }
    return false
  }

  /// Skips a string of any of the four kinds.
  private mutating func skipString() -> Bool {
    guard let quote = next else { return false }
    let isBasic = quote == UInt8(ascii: "\"")
    let isLong =
      position + 2 < text.count && text[position + 1] == quote
      && text[position + 2] == quote
    advance(isLong ? 3 : 1)
    while let byte = next {
      if isBasic, byte == UInt8(ascii: "\\") {
        advance(2)
      } else if byte != quote {
        advance()
      } else if !isLong {
        advance()
        return true
      } else {
        var run = 0
        while position + run < text.count, text[position + run] == quote { run += 1 }
        advance(run)
        if run >= 3 { return true }
      }
    }
    return false
  }
}
