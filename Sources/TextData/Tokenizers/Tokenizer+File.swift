// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

extension Tokenizer {
  private static let fileFormat = "assay-tokenizer"
  private static let fileVersion = 1

  /// Reads a tokenizer file: Assay's own, as it lies in a data set, or Hugging Face's `tokenizer.json`.
  ///
  /// - Parameter path: Path of the JSON file.
  /// - Returns: The tokenizer.
  /// - Throws: ``DataError`` when the file cannot be read, is neither, is damaged or asks for something
  ///   unsupported (named in the message).
  public static func file(_ path: String) throws(DataError) -> Tokenizer {
    let object = try JSONObject.read(path, code: .malformedTokenizer)
    guard object.optional("format", as: String.self) == fileFormat else {
      return try huggingFace(object)
    }
    let version: Int = try object.required("version")
    guard version == fileVersion else {
      throw DataError(
        .wrongVersion,
        "'\(path)' has version \(version) of the tokenizer format; this Assay reads \(fileVersion)."
      )
    }
    let kindName: String = try object.required("kind")
    guard let kind = Kind(rawValue: kindName) else {
      throw DataError(.malformedTokenizer, "'\(path)': unknown kind '\(kindName)'.")
    }
    let size: Int = try object.required("vocabulary_size")
    if kind == .synthetic {
      let tokenizer = try synthetic(vocabularySize: size)
      try tokenizer.checkHash(object, path)
      return tokenizer
    }
    guard size >= 257, size <= 1 << 24 else {
      throw DataError(.malformedTokenizer, "'\(path)': vocabulary size \(size).")
    }
    func token(_ number: Int) throws(DataError) -> Int32 {
      guard number >= 0, number < size else {
        throw DataError(
          .malformedTokenizer, "'\(path)': id \(number) is outside the vocabulary of \(size).")
      }
      return Int32(number)
    }
    var merges: [BytePairModel.Merge] = []
    for triple in try object.required("merges", as: [[Int]].self) {
      guard triple.count == 3 else {
        throw DataError(.malformedTokenizer, "'\(path)': merge \(triple) is not three ids.")
      }
      merges.append(
        .init(
          left: try token(triple[0]), right: try token(triple[1]), result: try token(triple[2])))
    }
    var byteTokens: [Int32] = []
    for number in try object.required("byte_tokens", as: [Int].self) {
      byteTokens.append(try token(number))
    }
    var specialTokens: [SpecialToken] = []
    for special in object.objects("special_tokens") {
      specialTokens.append(
        SpecialToken(
          content: try special.required("content"), token: try token(special.required("token"))))
    }
    let tokenizer = try Tokenizer(
      kind: kind,
      model: BytePairModel(
        byteTokens: byteTokens, merges: merges, vocabularySize: size, place: "'\(path)'"),
      vocabularySize: size, endOfText: token(object.required("end_of_text")),
      specialTokens: specialTokens, place: "'\(path)'")
    try tokenizer.checkHash(object, path)
    return tokenizer
  }

  private func checkHash(_ object: JSONObject, _ path: String) throws(DataError) {
    let hash: String = try object.required("hash")
    guard hash == hashText else {
      throw DataError(
        .corruptData,
        "'\(path)': its content hashes to \(hashText), but it says \(hash); the file was "
          + "altered. Prepare the data again.")
    }
  }

  /// Writes the tokenizer as JSON, atomically.
  ///
  /// - Parameter path: Path of the file; an existing one is replaced.
  /// - Throws: ``DataError`` when it cannot be written.
  public func write(to path: String) throws(DataError) {
    try AtomicFile.write(json.utf8, to: path)
  }

  /// The content of ``write(to:)``: one merge a line, so that two vocabularies can be compared.
  var json: String {
    func quoted(_ text: String) -> String {
      var result = "\""
      for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "\u{0}"..."\u{1F}":
          let digits = String(scalar.value, radix: 16)
          result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: result.unicodeScalars.append(scalar)
        }
      }
      return result + "\""
    }
    let specials = specialTokens.map {
      "    {\"content\": \(quoted($0.content)), \"token\": \($0.token)}"
    }
    let merges = model.merges.map { "    [\($0.left), \($0.right), \($0.result)]" }
    return """
      {
        "format": "\(Self.fileFormat)",
        "version": \(Self.fileVersion),
        "kind": "\(kind.rawValue)",
        "hash": "\(hashText)",
        "vocabulary_size": \(vocabularySize),
        "end_of_text": \(endOfText),
        "special_tokens": [
      \(specials.joined(separator: ",\n"))
        ],
        "byte_tokens": [\(model.byteTokens.map(String.init).joined(separator: ", "))],
        "merges": [
      \(merges.joined(separator: ",\n"))
        ]
      }

      """
  }
}
