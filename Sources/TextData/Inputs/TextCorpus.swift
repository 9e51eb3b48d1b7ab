// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// The documents of text files, by their places; the text itself stays in the files.
struct TextCorpus: Sendable {
  struct Document: Hashable, Sendable {
    var file: Int
    /// Where the document lies in the file: its bytes, or the line that holds it.
    var place: Range<Int>
    /// Which part of the text found there is meant: all of it, unless the document was cut.
    var part: Range<Int>
  }

  let files: [InputFile]
  let textField: String
  private(set) var documents: [Document]
  /// Bytes outside valid UTF-8 that were let through.
  let invalidBytes: Int
  /// Whether few, large documents were cut into pieces.
  private(set) var isCut = false

  /// Bytes of all documents.
  var byteCount: Int { documents.reduce(0) { $0 + $1.part.count } }

  /// Finds the documents of all files, which are read once and checked for being text.
  ///
  /// - Parameters:
  ///   - files: Text and JSON Lines files.
  ///   - textField: Member of a JSON object that holds the text.
  ///   - threads: Files are read in parallel.
  ///   - progress: Called with the share of files that is done.
  /// - Throws: ``DataError`` `binaryText`, `malformedLine` or `unreadableFile`.
  init(
    files: [InputFile], textField: String, threads: Int, progress: (Double) throws -> Void
  ) throws {
    self.files = files
    self.textField = textField
    var documents: [Document] = []
    var invalidBytes = 0
    var done = 0
    while done < files.count {
      let group = done..<min(files.count, done + 16 * threads)
      let found = try ParallelWork.map(pieces: group.count, threads: threads) { _, piece in
        try Self.scan(files[group.lowerBound + piece], index: group.lowerBound + piece, textField)
      }
      for part in found {
        documents += part.documents
        invalidBytes += part.invalidBytes
      }
      done = group.upperBound
      try progress(Double(done) / Double(files.count))
    }
    self.documents = documents
    self.invalidBytes = invalidBytes
  }

  private static func scan(
    _ file: InputFile, index: Int, _ textField: String
  ) throws -> (documents: [Document], invalidBytes: Int) {
    try FileBytes(path: file.path).withBytes { try scan($0, of: file, index: index, textField) }
  }

  private static func scan(
    _ content: UnsafeRawBufferPointer, of file: InputFile, index: Int, _ textField: String
  ) throws -> (documents: [Document], invalidBytes: Int) {
    let check = try TextCheck(content, path: file.path)
    var documents: [Document] = []
    switch file.format {
    case .text(let rule):
      rule.forEachDocument(in: content) { range in
        documents.append(Document(file: index, place: range, part: 0..<range.count))
      }
    case .jsonLines:
      var text: [UInt8] = []
      var number = 0
      let start = content.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
      try LineReader.forEachLine(in: content, from: start) { line in
        number += 1
        let bytes = UnsafeRawBufferPointer(rebasing: content[line])
        if bytes.allSatisfy({ $0 == 0x20 || ($0 >= 0x09 && $0 <= 0x0D) }) { return }
        try readLine(bytes, number: number, path: file.path, textField, into: &text)
        guard !text.isEmpty else { return }
        documents.append(Document(file: index, place: line, part: 0..<text.count))
      }
    case .tokens:
      preconditionFailure("'\(file.path)' holds tokens, not text")
    }
    return (documents, check.invalidBytes)
  }

  private static func readLine(
    _ bytes: UnsafeRawBufferPointer, number: Int?, path: String, _ textField: String,
    into text: inout [UInt8]
  ) throws(DataError) {
    do {
      try JSONLine.read(bytes, field: textField, into: &text)
    } catch {
      let place = number.map { "line \($0)" } ?? "a line"
      throw DataError(
        .malformedLine,
        "'\(path)' \(place): \(error.reason). Every line must be a JSON object with the text in "
          + "'\(textField)'; choose another field if the text has another name.")
    }
  }

  // MARK: Reading documents

  /// Ranges of consecutive documents with about a megabyte of text each.
  var chunks: [Range<Int>] {
    var chunks: [Range<Int>] = []
    var begin = 0
    var bytes = 0
    for (index, document) in documents.enumerated() {
      bytes += document.part.count
      if bytes >= 1 << 20 {
        chunks.append(begin..<index + 1)
        begin = index + 1
        bytes = 0
      }
    }
    if begin < documents.count { chunks.append(begin..<documents.count) }
    return chunks
  }

  /// Calls `body` with the text of the documents of a range, in order.
  func forEachDocument(
    in range: Range<Int>, _ body: (_ index: Int, UnsafeRawBufferPointer) throws -> Void
  ) throws {
    var open: (file: Int, content: FileBytes)?
    var text: [UInt8] = []
    for index in range {
      let document = documents[index]
      let file = files[document.file]
      let content: FileBytes
      if let open, open.file == document.file {
        content = open.content
      } else {
        content = try FileBytes(path: file.path)
        open = (document.file, content)
      }
      try content.withBytes { bytes in
        guard document.place.upperBound <= bytes.count else { throw changed(file) }
        let place = UnsafeRawBufferPointer(rebasing: bytes[document.place])
        guard file.format == .jsonLines else {
          return try body(index, UnsafeRawBufferPointer(rebasing: place[document.part]))
        }
        try Self.readLine(place, number: nil, path: file.path, textField, into: &text)
        guard document.part.upperBound <= text.count else { throw changed(file) }
        try text.withUnsafeBytes {
          try body(index, UnsafeRawBufferPointer(rebasing: $0[document.part]))
        }
      }
    }
  }

  private func changed(_ file: InputFile) -> DataError {
    DataError(.unreadableFile, "'\(file.path)' changed while it was read. Start again.")
  }

  // MARK: Cutting

  /// Below this many documents, large ones are cut, so that some text can be held out.
  static let fewDocuments = 10
  static let smallestPiece = 512

  /// Cuts large documents into pieces when there are fewer than ten documents.
  ///
  /// A piece has about a hundredth of all text (less when a smaller share is to be held out), at least 512
  /// bytes, and ends after a line break, or else after white space, or else anywhere between
  /// characters. Pieces are documents of their own; joined they are the document, byte for byte.
  ///
  /// - Parameter validationFraction: Share of the text that will be held out.
  /// - Throws: ``DataError`` when a file cannot be read again.
  mutating func cutIfFew(validationFraction: Double) throws {
    guard documents.count < Self.fewDocuments else { return }
    let share = Int(Double(byteCount) * min(0.01, validationFraction / 2))
    let size = max(share, Self.smallestPiece)
    var pieces: [Document] = []
    try forEachDocument(in: documents.indices) { index, text in
      var begin = 0
      while text.count - begin > 2 * size {
        let end = Self.cut(text, after: begin + size, limit: begin + 2 * size)
        var piece = documents[index]
        piece.part = begin..<end
        pieces.append(piece)
        begin = end
      }
      var last = documents[index]
      last.part = begin..<text.count
      pieces.append(last)
    }
    isCut = pieces.count > documents.count
    documents = pieces
  }

  private static func cut(_ text: UnsafeRawBufferPointer, after start: Int, limit: Int) -> Int {
    if let line = text[start..<limit].firstIndex(of: 0x0A) { return line + 1 }
    let isSpace = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
    if let space = text[start..<limit].firstIndex(where: isSpace) { return space + 1 }
    return text[start..<limit].firstIndex { $0 & 0xC0 != 0x80 } ?? limit
  }
}
