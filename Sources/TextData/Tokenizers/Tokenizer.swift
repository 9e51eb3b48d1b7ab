// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A byte-level tokenizer: splits text into pieces by GPT-2's pattern and merges pairs within them.
///
/// Any bytes can be encoded, and `decode(encode(bytes)) == bytes`. Text that spells a special token, for
/// example `<|endoftext|>`, is encoded as ordinary text, so no document can end another.
public struct Tokenizer: Sendable {
  /// Where the vocabulary comes from.
  public enum Kind: String, Codable, Sendable {
    /// One token per byte.
    case bytes
    /// Byte pairs trained by Assay.
    case bpe
    /// GPT-2's vocabulary.
    case gpt2
    /// A byte-level model in a Hugging Face `tokenizer.json`.
    case huggingFace = "hugging-face"
    /// Ids of synthetic text, which stand for no bytes.
    case synthetic
  }

  /// A token that stands for no bytes of text.
  public struct SpecialToken: Hashable, Sendable {
    /// What is shown for it, for example `<|endoftext|>`.
    public var content: String
    /// Its id.
    public var token: Int32

    /// Makes a special token.
    ///
    /// - Parameters:
    ///   - content: What is shown for it.
    ///   - token: Its id.
    public init(content: String, token: Int32) {
      self.content = content
      self.token = token
    }
  }

  /// Where the vocabulary comes from.
  public let kind: Kind
  /// Number of ids: every id is below it.
  public let vocabularySize: Int
  /// The token that stands before every document.
  public let endOfText: Int32
  /// All special tokens, the end of text among them, by id.
  public let specialTokens: [SpecialToken]
  /// 64 bits over everything that decides an encoding; equal hashes mean equal ids for equal text.
  public let hash: UInt64
  let model: BytePairModel

  static let endOfTextContent = "<|endoftext|>"

  init(
    kind: Kind, model: BytePairModel, vocabularySize: Int, endOfText: Int32,
    specialTokens: [SpecialToken], place: String
  ) throws(DataError) {
    for special in specialTokens {
      guard special.token >= 0, special.token < vocabularySize,
        model.bytes(of: special.token).isEmpty
      else {
        throw DataError(
          .malformedTokenizer,
          "\(place): special token '\(special.content)' has id \(special.token), which is outside the "
            + "vocabulary of \(vocabularySize) or an ordinary token.")
      }
    }
    guard specialTokens.contains(where: { $0.token == endOfText }) else {
      throw DataError(
        .malformedTokenizer, "\(place): end of text \(endOfText) is not among the special tokens.")
    }
    self.kind = kind
    self.model = model
    self.vocabularySize = vocabularySize
    self.endOfText = endOfText
    self.specialTokens = specialTokens.sorted { $0.token < $1.token }
    var numbers: [Int32] = [1, Int32(vocabularySize), endOfText]
    numbers += model.byteTokens
    for merge in model.merges { numbers += [merge.left, merge.right, merge.result] }
    if kind == .synthetic { numbers[0] = 2 }
    hash = numbers.withUnsafeBytes { Checksum.of($0) }
  }

  /// The tokenizer of plain bytes: 256 bytes and the end of text, 257 tokens.
  public static let bytes: Tokenizer = {
    do {
      return try Tokenizer(trained: [], kind: .bytes)
    } catch {
      preconditionFailure("the byte tokenizer is inconsistent: \(error)")
    }
  }()

  /// The tokenizer of merges trained here: bytes 0 ..< 256, then the new tokens in order of their
  /// first merge, then the end of text.
  init(trained merges: [BytePairModel.Merge], kind: Kind) throws(DataError) {
    let size = 257 + Set(merges.map(\.result)).count
    let model = try BytePairModel(
      byteTokens: (0..<256).map { Int32($0) }, merges: merges, vocabularySize: size,
      place: "trained tokenizer")
    let end = Int32(size - 1)
    try self.init(
      kind: kind, model: model, vocabularySize: size, endOfText: end,
      specialTokens: [SpecialToken(content: Self.endOfTextContent, token: end)],
      place: "trained tokenizer")
  }

  /// ``hash`` as sixteen hexadecimal digits, as manifests show it.
  public var hashText: String { Checksum.hexadecimal(hash) }

  /// An encoder with its own cache, for many documents from one thread.
  ///
  /// - Returns: A fresh encoder.
  public func makeEncoder() -> TokenEncoder { TokenEncoder(model: model) }

  /// Encodes one text.
  ///
  /// - Parameter text: Any text.
  /// - Returns: Its tokens, without end of text.
  public func encode(_ text: String) -> [Int32] { encode(Array(text.utf8)) }

  /// Encodes bytes, which need not be valid UTF-8: a byte outside a valid sequence counts as a
  /// character that is neither a letter, a number nor white space.
  ///
  /// A synthetic vocabulary has no text to encode; see ``encodePrompt(_:)``.
  ///
  /// - Parameter bytes: Any bytes.
  /// - Returns: Their tokens, without end of text.
  public func encode(_ bytes: [UInt8]) -> [Int32] {
    precondition(kind != .synthetic, "text cannot be encoded with a synthetic vocabulary")
    var tokens: [Int32] = []
    let encoder = makeEncoder()
    bytes.withUnsafeBytes { encoder.encode($0, into: &tokens) }
    return tokens
  }

  /// The bytes that tokens stand for; special tokens stand for none.
  ///
  /// - Parameter tokens: Ids below ``vocabularySize``.
  /// - Returns: The bytes, of which a part of a text may begin or end within a character.
  /// - Throws: ``DataError`` `vocabularyMismatch` for an id outside the vocabulary.
  public func decode(_ tokens: some Sequence<Int32>) throws(DataError) -> [UInt8] {
    var bytes: [UInt8] = []
    for token in tokens { bytes += try self.bytes(of: token) }
    return bytes
  }

  /// The text of tokens for people: special tokens show their content, broken characters U+FFFD, ids of a synthetic
  /// vocabulary their numbers.
  ///
  /// - Parameter tokens: Ids below ``vocabularySize``.
  /// - Returns: Text to print.
  /// - Throws: ``DataError`` `vocabularyMismatch` for an id outside the vocabulary.
  public func decodeText(_ tokens: some Sequence<Int32>) throws(DataError) -> String {
    var bytes: [UInt8] = []
    for token in tokens {
      if let special = specialTokens.first(where: { $0.token == token }) {
        bytes += special.content.utf8
      } else {
        let known = try self.bytes(of: token)
        bytes += kind == .synthetic ? Array("\(token) ".utf8)[...] : known
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// How many bytes of text a token stands for: 0 for special tokens.
  ///
  /// - Parameter token: An id.
  /// - Returns: Number of bytes.
  /// - Throws: ``DataError`` `vocabularyMismatch` for an id outside the vocabulary.
  public func byteCount(of token: Int32) throws(DataError) -> Int {
    try bytes(of: token).count
  }

  private func bytes(of token: Int32) throws(DataError) -> ArraySlice<UInt8> {
    guard token >= 0, token < vocabularySize else {
      throw DataError(
        .vocabularyMismatch,
        "token \(token) is outside this tokenizer's vocabulary of \(vocabularySize); "
          + "use the tokenizer that the tokens were made with.")
    }
    return model.bytes(of: token)
  }
}
