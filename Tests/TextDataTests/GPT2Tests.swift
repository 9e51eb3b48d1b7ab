// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import TextData

/// GPT-2's own vocabulary against tiktoken: needs its files, which are not part of the project.
///
/// `ASSAY_GPT2_FOLDER` names the folder of `encoder.json` and `vocab.bpe`; `ASSAY_GPT2_TEXTS` what
/// `Scripts/fixtures/gpt2_tokenizer.py --texts` wrote.
struct GPT2Tests {
  static let folder = ProcessInfo.processInfo.environment["ASSAY_GPT2_FOLDER"]
  static let texts = ProcessInfo.processInfo.environment["ASSAY_GPT2_TEXTS"]

  @Test(.enabled(if: folder != nil, "set ASSAY_GPT2_FOLDER"))
  func awkwardTextsEncodeAsTiktokenDoes() throws {
    let tokenizer = try Tokenizer.gpt2(folder: try #require(Self.folder))
    #expect(tokenizer.vocabularySize == 50257)
    #expect(tokenizer.endOfText == 50256)
    for text in try AwkwardText.all() {
      #expect(tokenizer.encode(text.text) == text.gpt2, "\(text.text.debugDescription)")
    }
  }

  /// Why merging only listed pairs equals tiktoken's rule: every token is what its bytes encode to.
  @Test(.enabled(if: folder != nil, "set ASSAY_GPT2_FOLDER"))
  func everyTokenIsWhatItsBytesEncodeTo() throws {
    let tokenizer = try Tokenizer.gpt2(folder: try #require(Self.folder))
    // Without splitting first: 17 tokens stand for more than one piece of text.
    var merger = PieceMerger()
    for token in 0..<Int32(50256) {
      var tokens: [Int32] = []
      try tokenizer.decode([token]).withUnsafeBufferPointer { bytes in
        merger.encode(
          try #require(bytes.baseAddress), bytes.count, model: tokenizer.model, into: &tokens)
      }
      #expect(tokens == [token])
    }
  }

  @Test(.enabled(if: folder != nil && texts != nil, "set ASSAY_GPT2_FOLDER and ASSAY_GPT2_TEXTS"))
  func wholeTextsEncodeAsTiktokenDoes() throws {
    let tokenizer = try Tokenizer.gpt2(folder: try #require(Self.folder))
    let folder = URL(fileURLWithPath: try #require(Self.texts))
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
      .filter { $0.hasSuffix(".ids") }
    #expect(!names.isEmpty)
    for name in names {
      let ids = try Data(contentsOf: folder.appendingPathComponent(name))
      let text = try Data(
        contentsOf: folder.appendingPathComponent(String(name.dropLast(4)) + ".txt"))
      let expected = ids.withUnsafeBytes { Array($0.bindMemory(to: Int32.self)) }
      #expect(tokenizer.encode([UInt8](text)) == expected, "\(name)")
    }
  }
}
