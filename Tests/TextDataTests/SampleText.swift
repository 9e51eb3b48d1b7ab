// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import RandomStreams
import TextData

/// Text made of random words, for tests that need some.
enum SampleText {
  static let words = [
    "learning", "rate", "momentum", "of", "the", "gradient", "a", "step", "loss", "falls", "and",
    "rises",
    "weights", "decay", "Über", "naïve", "42", "1,000", "it's", "we'll", "done.", "(maybe)", "--",
    "猫",
  ]

  /// A document of `words` words on several lines, without blank lines.
  static func document(_ index: Int, words count: Int = 40) -> String {
    let random = RandomStream(seed: 5, name: "sample-text/\(index)")
    var text = "Document \(index)"
    for place in 0..<count {
      text += place % 9 == 8 ? "\n" : " "
      text += words[random.integer(below: words.count, at: place)]
    }
    return text
  }

  /// Documents separated by blank lines.
  static func documents(_ count: Int, words: Int = 40) -> String {
    (0..<count).map { document($0, words: words) }.joined(separator: "\n\n") + "\n"
  }
}

/// Bytes of the end-of-text tokens and documents of a stream, for comparing with the sources.
func documents(of stream: TokenStream, with tokenizer: Tokenizer) throws -> [String] {
  let tokens = stream.tokens(0..<stream.count)
  return try tokens.split(separator: tokenizer.endOfText, omittingEmptySubsequences: false)
    .dropFirst().map { String(decoding: try tokenizer.decode($0), as: UTF8.self) }
}
