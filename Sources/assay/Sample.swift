// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import TextData
import Training

/// `assay sample`.
struct SampleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample", abstract: "Continues a text with a trained model.")

  @OptionGroup var options: WeightOptions

  @Option(help: "The text to continue; nothing: a new document.")
  var prompt = ""

  @Option(help: "Tokens to make, at most.")
  var tokens = 200

  @Option(help: "1: the model's own distribution; 0: always the likeliest token.")
  var temperature = 0.8

  @Option(help: "Another seed, another text.")
  var seed: UInt64 = 1

  func validate() throws {
    guard tokens > 0 else { throw ValidationError("--tokens is \(tokens); give at least 1") }
    guard temperature >= 0, temperature.isFinite else {
      throw ValidationError("--temperature is \(temperature); give 0 or more")
    }
  }

  func run() throws {
    let model = try options.open()
    let dataset = try TokenDataset(folder: model.configuration.data.path)
    let tokenizer = try dataset.loadTokenizer()
    let generation = try TextGeneration(model, temperature: temperature, seed: seed)
    let start = try tokenizer.encodePrompt(prompt)
    // A document begins after the end of another.
    var made: [Int32] = []
    try generation.run(
      after: [tokenizer.endOfText] + start, count: tokens,
      end: tokenizer.endOfText
    ) { made.append($0) }
    if made.last == tokenizer.endOfText { made.removeLast() }
    guard tokenizer.kind != .synthetic else {
      return Console.data(
        [prompt, try tokenizer.decodeText(made)].filter { !$0.isEmpty }.joined(separator: " "))
    }
    Console.data(prompt + String(decoding: try tokenizer.decode(made), as: UTF8.self))
  }
}
