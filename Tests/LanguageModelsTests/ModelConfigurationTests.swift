// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import LanguageModels
import Testing

@Suite struct ModelConfigurationTests {
  struct Mistake: Sendable, CustomTestStringConvertible {
    var name: String
    var code: ModelError.Code
    var key: String
    /// What the message must contain.
    var parts: [String]
    var make: @Sendable () throws -> ModelConfiguration
    var testDescription: String { name }
  }

  static let mistakes = [
    Mistake(
      name: "width not divisible by heads", code: .contradiction, key: "heads", parts: ["100", "3"]
    ) {
      try ModelConfiguration(vocabularySize: 10, width: 100, layers: 1, heads: 3, contextLength: 8)
    },
    Mistake(name: "odd head width", code: .contradiction, key: "heads", parts: ["5", "even"]) {
      try ModelConfiguration(vocabularySize: 10, width: 10, layers: 1, heads: 2, contextLength: 8)
    },
    Mistake(
      name: "odd given head width", code: .contradiction, key: "head_width", parts: ["15", "even"]
    ) {
      try ModelConfiguration(
        vocabularySize: 10, width: 30, layers: 1, headWidth: 15, contextLength: 8)
    },
    Mistake(
      name: "width not a multiple of the default head width", code: .contradiction, key: "width",
      parts: ["100", "64"]
    ) {
      try ModelConfiguration(vocabularySize: 10, width: 100, layers: 1, contextLength: 8)
    },
    Mistake(
      name: "heads not a multiple of key/value heads", code: .contradiction,
      key: "key_value_heads", parts: ["4", "3"]
    ) {
      try ModelConfiguration(
        vocabularySize: 10, width: 16, layers: 1, heads: 4, keyValueHeads: 3, contextLength: 8)
    },
    Mistake(name: "no layers", code: .size, key: "layers", parts: ["0"]) {
      try ModelConfiguration(vocabularySize: 10, width: 16, layers: 0, heads: 2, contextLength: 8)
    },
    Mistake(name: "no vocabulary", code: .size, key: "vocabulary_size", parts: ["0"]) {
      try ModelConfiguration(vocabularySize: 0, width: 16, layers: 1, heads: 2, contextLength: 8)
    },
    Mistake(name: "negative width", code: .size, key: "width", parts: ["-4"]) {
      try ModelConfiguration(vocabularySize: 10, width: -4, layers: 1, heads: 2, contextLength: 8)
    },
    Mistake(name: "no heads", code: .size, key: "heads", parts: ["0"]) {
      try ModelConfiguration(vocabularySize: 10, width: 16, layers: 1, heads: 0, contextLength: 8)
    },
    Mistake(name: "no context", code: .size, key: "context_length", parts: ["0"]) {
      try ModelConfiguration(vocabularySize: 10, width: 16, layers: 1, heads: 2, contextLength: 0)
    },
    Mistake(name: "empty window", code: .size, key: "attention_window", parts: ["0"]) {
      try ModelConfiguration(
        vocabularySize: 10, width: 16, layers: 1, heads: 2, contextLength: 8, attentionWindow: 0)
    },
    Mistake(name: "infinite z-loss", code: .value, key: "z_loss", parts: ["inf"]) {
      try ModelConfiguration(
        vocabularySize: 10, width: 16, layers: 1, heads: 2, contextLength: 8, zLoss: .infinity)
    },
  ]

  @Test("Sizes that cannot be are refused, with values and key", arguments: mistakes)
  func refuses(_ mistake: Mistake) throws {
    let error = try #require(throws: ModelError.self) { try mistake.make() }
    #expect(error.code == mistake.code)
    #expect(error.key == mistake.key)
    for part in mistake.parts { #expect(error.message.contains(part), "\(error.message)") }
  }

  @Test("Defaults are those of each family")
  func defaults() throws {
    let decoder = try ModelConfiguration(
      vocabularySize: 100, width: 256, layers: 2, contextLength: 32)
    #expect(decoder.heads == 4)
    #expect(decoder.headWidth == 64)
    #expect(decoder.keyValueHeads == 4)
    #expect(decoder.feedForwardWidth == 1024)
    #expect(decoder.hasQueryKeyNorm)
    #expect(decoder.zLoss == 1e-4)
    #expect(!decoder.isTied)
    let llama = try ModelConfiguration(
      architecture: .llama, vocabularySize: 100, width: 256, layers: 2, heads: 8,
      keyValueHeads: 2, contextLength: 32)
    #expect(llama.headWidth == 32)
    #expect(llama.feedForwardWidth == 704)
    #expect(!llama.hasQueryKeyNorm)
    #expect(llama.zLoss == 0)
  }

  @Test(
    "8C/3 is rounded up to a multiple of 64",
    arguments: [(24, 64), (25, 128), (48, 128), (768, 2048), (100, 320)])
  func feedForwardWidth(width: Int, expected: Int) throws {
    let llama = try ModelConfiguration(
      architecture: .llama, vocabularySize: 8, width: width, layers: 1, heads: 1, headWidth: 2,
      contextLength: 4)
    #expect(llama.feedForwardWidth == expected)
  }
}
