// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

extension Tokenizer {
  /// Reads GPT-2's vocabulary: `encoder.json` (text to id) and `vocab.bpe` (merges) in a folder.
  ///
  /// Encodes exactly as tiktoken does. tiktoken merges any two neighbours that together spell a token,
  /// these merge only the pairs of `vocab.bpe`; in GPT-2's vocabulary every token is what its own bytes
  /// encode to, and then the two rules are the same.
  ///
  /// - Parameter folder: Folder of the two files.
  /// - Returns: 50,257 tokens for the original files; `<|endoftext|>` is 50256.
  /// - Throws: ``DataError`` when a file is missing, malformed or has no `<|endoftext|>`.
  public static func gpt2(folder: String) throws(DataError) -> Tokenizer {
    let encoderPath = folder + "/encoder.json"
    let mergesPath = folder + "/vocab.bpe"
    let vocabulary = try JSONObject.read(encoderPath, code: .malformedTokenizer).vocabulary()
    let text = try FileBytes(path: mergesPath).withBytes { String(decoding: $0, as: UTF8.self) }
    var pairs: [(Substring, Substring)] = []
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    where !line.isEmpty && !(number == 0 && line.hasPrefix("#version")) {
      let parts = line.split(separator: " ", omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
        throw DataError(
          .malformedTokenizer, "'\(mergesPath)' line \(number + 1): not two tokens: '\(line)'.")
      }
      pairs.append((parts[0], parts[1]))
    }
    guard let endOfText = vocabulary[endOfTextContent] else {
      throw DataError(
        .malformedTokenizer, "'\(encoderPath)' has no token '\(endOfTextContent)'.")
    }
    let size = Int(vocabulary.values.max() ?? 0) + 1
    let model = try BytePairModel(
      byteTokens: ByteLevelAlphabet.byteTokens(in: vocabulary, place: "'\(encoderPath)'"),
      merges: ByteLevelAlphabet.merges(pairs, vocabulary: vocabulary, place: "'\(mergesPath)'"),
      vocabularySize: size, place: "'\(folder)'")
    return try Tokenizer(
      kind: .gpt2, model: model, vocabularySize: size, endOfText: endOfText,
      specialTokens: [SpecialToken(content: endOfTextContent, token: endOfText)],
      place: "'\(folder)'")
  }
}
