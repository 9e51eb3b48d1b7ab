// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Which tokenizer to use, as written on the command line.
public enum TokenizerSpecification: Hashable, Sendable, CustomStringConvertible {
  /// `bytes`: one token per byte and the end of text, 257 tokens.
  case bytes
  /// `bpe:4096`: trained on the training documents. The number counts everything: 256 bytes, new tokens
  /// and the end of text, so `bpe:4096` learns 3,839 new tokens.
  case bpe(vocabularySize: Int)
  /// `gpt2:FOLDER`: GPT-2's `encoder.json` and `vocab.bpe`.
  case gpt2(folder: String)
  /// `FILE.json`: a tokenizer that Assay wrote, or a byte-level BPE `tokenizer.json` of Hugging Face.
  case file(String)

  /// Sizes that `bpe:` accepts: no new token at all, up to a million.
  public static let trainedSizes = 257...1_000_000

  /// Parses `bytes`, `bpe:SIZE`, `gpt2:FOLDER` or the path of a `.json` file.
  ///
  /// - Parameter text: What the user wrote.
  /// - Throws: ``DataError`` `unsupportedTokenizer` or `invalidOption` with the forms that are known.
  public init(parsing text: String) throws(DataError) {
    let known = "Known are 'bytes', 'bpe:4096', 'gpt2:FOLDER' and the path of a 'tokenizer.json'."
    if text == "bytes" {
      self = .bytes
    } else if text.hasPrefix("bpe:") {
      let number = text.dropFirst(4)
      guard let size = Int(number), Self.trainedSizes.contains(size) else {
        throw DataError(
          .invalidOption,
          "tokenizer '\(text)': the vocabulary must have \(Self.trainedSizes.lowerBound) to "
            + "\(Self.trainedSizes.upperBound) entries, got '\(number)'.")
      }
      self = .bpe(vocabularySize: size)
    } else if text.hasPrefix("gpt2:"), text.count > 5 {
      self = .gpt2(folder: String(text.dropFirst(5)))
    } else if text.hasSuffix(".json") {
      self = .file(text)
    } else {
      throw DataError(.unsupportedTokenizer, "unknown tokenizer '\(text)'. \(known)")
    }
  }

  /// The form that ``init(parsing:)`` reads.
  public var description: String {
    switch self {
    case .bytes: "bytes"
    case .bpe(let size): "bpe:\(size)"
    case .gpt2(let folder): "gpt2:\(folder)"
    case .file(let path): path
    }
  }

  /// The tokenizer, unless it has to be trained first.
  ///
  /// - Returns: The tokenizer, or nil for ``bpe(vocabularySize:)``.
  /// - Throws: ``DataError`` when its files cannot be used.
  public func load() throws(DataError) -> Tokenizer? {
    switch self {
    case .bytes: .bytes
    case .bpe: nil
    case .gpt2(let folder): try Tokenizer.gpt2(folder: folder)
    case .file(let path): try Tokenizer.file(path)
    }
  }
}
