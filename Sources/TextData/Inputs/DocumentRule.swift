// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Where the documents of a plain text file begin and end.
public enum DocumentRule: Hashable, Sendable, CustomStringConvertible {
  /// Documents are separated by blank lines: one or more lines of white space only.
  ///
  /// A document runs from the start of its first line to the end of its last, without the line break.
  /// The rule for `.txt`.
  case blankLines
  /// A file is one document, byte for byte. The rule for other extensions, for example source code.
  case wholeFile
  /// Documents are separated by a text, for example `<|endoftext|>`.
  ///
  /// One line break before and one after a separator belong to it.
  case separator(String)

  /// Parses `blank-lines`, `whole-file` or `separator:TEXT`.
  ///
  /// - Parameter text: What the user wrote.
  /// - Throws: ``DataError`` `invalidOption` naming the three forms.
  public init(parsing text: String) throws(DataError) {
    switch text {
    case "blank-lines": self = .blankLines
    case "whole-file": self = .wholeFile
    case _ where text.hasPrefix("separator:") && text.count > 10:
      self = .separator(String(text.dropFirst(10)))
    default:
      throw DataError(
        .invalidOption,
        "unknown document rule '\(text)'. Known are 'blank-lines', 'whole-file' and 'separator:TEXT'."
      )
    }
  }

  /// The form that ``init(parsing:)`` reads.
  public var description: String {
    switch self {
    case .blankLines: "blank-lines"
    case .wholeFile: "whole-file"
    case .separator(let text): "separator:\(text)"
    }
  }

  /// Calls `body` with the range of every document that is not empty or all white space, in order.
  func forEachDocument(in text: UnsafeRawBufferPointer, _ body: (Range<Int>) -> Void) {
    // A byte order mark is no part of the text.
    let start = text.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    switch self {
    case .blankLines:
      forEachBlock(in: text, from: start, body)
    case .wholeFile:
      emit(start..<text.count, of: text, body)
    case .separator(let separator):
      forEachPart(in: text, from: start, separator: Array(separator.utf8), body)
    }
  }

  private func emit(
    _ range: Range<Int>, of text: UnsafeRawBufferPointer, _ body: (Range<Int>) -> Void
  ) {
    if !isBlank(text, range) { body(range) }
  }

  private func isBlank(_ text: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
    var index = range.lowerBound
    while index < range.upperBound {
      let byte = text[index]
      if byte != 0x20 && (byte < 0x09 || byte > 0x0D) { return false }
      index &+= 1
    }
    return true
  }

  private func forEachBlock(
    in text: UnsafeRawBufferPointer, from start: Int, _ body: (Range<Int>) -> Void
  ) {
    var document: Range<Int>?
    LineReader.forEachLine(in: text, from: start) { line in
      if isBlank(text, line) {
        document.map(body)
        document = nil
      } else {
        // A carriage return before the line feed goes with the line break.
        let end = text[line.upperBound - 1] == 0x0D ? line.upperBound - 1 : line.upperBound
        document = (document?.lowerBound ?? line.lowerBound)..<end
      }
    }
    document.map(body)
  }

  private func forEachPart(
    in text: UnsafeRawBufferPointer, from start: Int, separator: [UInt8],
    _ body: (Range<Int>) -> Void
  ) {
    var begin = start
    var index = start
    while index + separator.count <= text.count {
      guard text[index] == separator[0],
        text[index..<index + separator.count].elementsEqual(separator)
      else {
        index += 1
        continue
      }
      var end = index
      if end > begin, text[end - 1] == 0x0A { end -= 1 }
      emit(begin..<end, of: text, body)
      index += separator.count
      if index < text.count, text[index] == 0x0A { index += 1 }
      begin = index
    }
    emit(begin..<text.count, of: text, body)
  }
}

/// Finds lines.
enum LineReader {
  /// Calls `body` with the range of every line, without its line feed.
  static func forEachLine(
    in text: UnsafeRawBufferPointer, from start: Int, _ body: (Range<Int>) throws -> Void
  ) rethrows {
    var begin = start
    var index = start
    while index < text.count {
      if text[index] == 0x0A {
        try body(begin..<index)
        begin = index &+ 1
      }
      index &+= 1
    }
    if begin < text.count { try body(begin..<text.count) }
  }
}
