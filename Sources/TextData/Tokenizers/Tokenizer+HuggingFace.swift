// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

extension Tokenizer {
  private static let splitPattern =
    #"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
  private static let splitPatternOfHuggingFace =
    #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

  /// Contents under which tokenizers name their end of text, most specific first.
  private static let endOfTextNames = [
    endOfTextContent, "<|end_of_text|>", "<|eot_id|>", "</s>", "<eos>", "<|im_end|>",
  ]

  /// Reads a Hugging Face `tokenizer.json` that holds a byte-level BPE model split by GPT-2's pattern.
  ///
  /// Supported: model `BPE`; pre-tokenizer `ByteLevel` with its pattern, or a `Split` by GPT-2's pattern
  /// followed by `ByteLevel` without one. Refused, by name: other models (WordPiece, Unigram,
  /// WordLevel), normalizers, other split patterns, `add_prefix_space`, `byte_fallback`, `dropout`,
  /// `ignore_merges`, prefixes and suffixes of subwords. Ignored, because documents are encoded without
  /// special tokens: post-processor, truncation, padding.
  ///
  /// - Parameter object: The parsed file.
  /// - Returns: The tokenizer, with all added tokens as special tokens.
  /// - Throws: ``DataError`` `unsupportedTokenizer` or `malformedTokenizer`.
  static func huggingFace(_ object: JSONObject) throws(DataError) -> Tokenizer {
    func unsupported(_ what: String) -> DataError {
      DataError(
        .unsupportedTokenizer,
        "'\(object.path)': \(what) is not supported. Supported are byte-level BPE models with GPT-2's "
          + "split pattern and nothing before it.")
    }
    guard let model = object.object("model") else {
      throw DataError(
        .malformedTokenizer, "'\(object.path)' is no tokenizer file: it has no object 'model'.")
    }
    // Files from before the type was written hold BPE when there are merges.
    let type = model.optional("type", as: String.self) ?? (model.isAbsent("merges") ? "?" : "BPE")
    guard type == "BPE" else { throw unsupported("a model of type '\(type)'") }
    guard object.isAbsent("normalizer") else {
      let name = object.object("normalizer")?.optional("type", as: String.self) ?? "?"
      throw unsupported("the normalizer '\(name)'")
    }
    for key in ["byte_fallback", "ignore_merges"] where model.optional(key, as: Bool.self) == true {
      throw unsupported("'model.\(key)'")
    }
    if let dropout = model.optional("dropout", as: Double.self), dropout != 0 {
      throw unsupported("'model.dropout'")
    }
    for key in ["continuing_subword_prefix", "end_of_word_suffix"]
    where !(model.optional(key, as: String.self) ?? "").isEmpty {
      throw unsupported("'model.\(key)'")
    }
    if let reason = unsupportedSplit(object.object("pre_tokenizer")) { throw unsupported(reason) }
    return try huggingFace(model, addedTokens: addedTokens(object), path: object.path)
  }

  private static func huggingFace(
    _ model: JSONObject, addedTokens: [SpecialToken], path: String
  ) throws(DataError) -> Tokenizer {
    guard let table = model.object("vocab") else {
      throw DataError(.malformedTokenizer, "'\(path)': 'model.vocab' is missing.")
    }
    let vocabulary = try table.vocabulary()
    let pairs: [(Substring, Substring)]
    if let lines = model.optional("merges", as: [String].self) {
      pairs = lines.compactMap { line in
        line.firstIndex(of: " ").map { (line[..<$0], line[line.index(after: $0)...]) }
      }
    } else {
      pairs = try model.required("merges", as: [[String]].self)
        .compactMap { $0.count == 2 ? (Substring($0[0]), Substring($0[1])) : nil }
    }
    guard pairs.count == model.optional("merges", as: [Any].self)?.count else {
      throw DataError(.malformedTokenizer, "'\(path)': a merge is not a pair of tokens.")
    }
    guard
      let endOfText = endOfTextNames.lazy.compactMap({ name in
        addedTokens.first { $0.content == name }
      }).first
    else {
      throw DataError(
        .unsupportedTokenizer,
        "'\(path)': no added token marks the end of text (looked for "
          + endOfTextNames.joined(separator: ", ") + ").")
    }
    let largest = max(vocabulary.values.max() ?? 0, addedTokens.map(\.token).max() ?? 0)
    let size = Int(largest) + 1
    guard size <= 1 << 24 else {
      throw DataError(
        .malformedTokenizer, "'\(path)': token id \(largest) is beyond any vocabulary.")
    }
    let byteLevel = try BytePairModel(
      byteTokens: ByteLevelAlphabet.byteTokens(in: vocabulary, place: "'\(path)'"),
      merges: ByteLevelAlphabet.merges(pairs, vocabulary: vocabulary, place: "'\(path)'"),
      vocabularySize: size, place: "'\(path)'")
    return try Tokenizer(
      kind: .huggingFace, model: byteLevel, vocabularySize: size, endOfText: endOfText.token,
      specialTokens: addedTokens, place: "'\(path)'")
  }

  private static func addedTokens(_ object: JSONObject) throws(DataError) -> [SpecialToken] {
    var tokens: [SpecialToken] = []
    for added in object.objects("added_tokens") {
      let number = try added.required("id", as: Int.self)
      guard let token = Int32(exactly: number) else {
        throw DataError(.malformedTokenizer, "'\(object.path)': added token id \(number).")
      }
      tokens.append(SpecialToken(content: try added.required("content"), token: token))
    }
    return tokens
  }

  /// Why the pre-tokenizer is not GPT-2's split, or nil when it is.
  private static func unsupportedSplit(_ preTokenizer: JSONObject?) -> String? {
    guard let preTokenizer else { return "a file without pre-tokenizer" }
    var steps = [preTokenizer]
    if preTokenizer.optional("type", as: String.self) == "Sequence" {
      steps = preTokenizer.objects("pretokenizers")
    }
    var splits = 0
    for (index, step) in steps.enumerated() {
      let type = step.optional("type", as: String.self) ?? "?"
      switch type {
      case "Split":
        let pattern = step.object("pattern")?.optional("Regex", as: String.self) ?? "?"
        guard pattern == splitPattern || pattern == splitPatternOfHuggingFace else {
          return "the split pattern '\(pattern)'"
        }
        guard step.optional("behavior", as: String.self) == "Isolated",
          step.optional("invert", as: Bool.self) != true
        else { return "a 'Split' that does not keep every piece ('Isolated', not inverted)" }
        splits += 1
      case "ByteLevel":
        guard index == steps.count - 1 else { return "a step after 'ByteLevel'" }
        // Absent means true for both.
        if step.optional("add_prefix_space", as: Bool.self) ?? true { return "'add_prefix_space'" }
        if step.optional("use_regex", as: Bool.self) ?? true { splits += 1 }
      default:
        return "the pre-tokenizer '\(type)'"
      }
    }
    guard steps.last?.optional("type", as: String.self) == "ByteLevel" else {
      return "a pre-tokenizer that does not end with 'ByteLevel'"
    }
    return splits == 1 ? nil : "a pre-tokenizer with \(splits) splits"
  }
}
