// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

extension Tokenizer {
  /// The vocabulary of synthetic text: ids that stand for no bytes, and the end of text, which is the last.
  ///
  /// People see an id as its number. There is no text to encode.
  ///
  /// - Parameter vocabularySize: Ids, the end of text included, at least 2.
  /// - Returns: The tokenizer.
  /// - Throws: ``DataError`` `malformedTokenizer` for a size below 2.
  static func synthetic(vocabularySize: Int) throws(DataError) -> Tokenizer {
    guard (2...1 << 24).contains(vocabularySize) else {
      throw DataError(
        .malformedTokenizer,
        "a synthetic vocabulary of \(vocabularySize) entries; at least 2 are needed.")
    }
    let end = Int32(vocabularySize - 1)
    return try Tokenizer(
      kind: .synthetic, model: BytePairModel(withoutText: vocabularySize),
      vocabularySize: vocabularySize, endOfText: end,
      specialTokens: [SpecialToken(content: endOfTextContent, token: end)],
      place: "synthetic vocabulary")
  }

  /// Tokens that a user wrote to start a text with: text, or numbers of a synthetic vocabulary such as `17 4 300`.
  ///
  /// - Parameter text: What the user wrote; may be empty.
  /// - Returns: Its tokens, without end of text.
  /// - Throws: ``DataError`` `vocabularyMismatch` when the vocabulary is synthetic and a word is not one of its ids.
  public func encodePrompt(_ text: String) throws(DataError) -> [Int32] {
    guard kind == .synthetic else { return encode(text) }
    var tokens: [Int32] = []
    for word in text.split(whereSeparator: \.isWhitespace) {
      guard let token = Int32(word), token >= 0, token < vocabularySize else {
        throw DataError(
          .vocabularyMismatch,
          "'\(word)' is not an id of this synthetic vocabulary; write numbers from 0 to \(vocabularySize - 1), for "
            + "example '17 4'.")
      }
      tokens.append(token)
    }
    return tokens
  }
}
