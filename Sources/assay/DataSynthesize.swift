// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TextData

/// `assay data synthesize`.
struct DataSynthesize: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "synthesize",
    abstract: "Writes synthetic text with a known entropy, as a prepared data set.",
    discussion: """
      Words have Zipf's frequencies, and follow the latent classes of the words before them. The lowest loss that any model can \
      expect is known exactly, and is shown by 'assay data inspect'. The same options give the same bytes.
      """)

  @Option(name: .shortAndLong, help: ArgumentHelp("The folder to make.", valueName: "folder"))
  var output: String

  @Option(help: ArgumentHelp("Tokens to train on.", valueName: "count"))
  var tokens = 2_000_000

  @Option(help: ArgumentHelp("Tokens to hold out.", valueName: "count"))
  var validationTokens = 100_000

  @Option(
    help: ArgumentHelp(
      "Entries of the vocabulary, the end of text included, 8 to 65536.", valueName: "count"))
  var vocabulary = 512

  @Option(help: ArgumentHelp("Latent classes of words, 1 to 256.", valueName: "count"))
  var classes = 64

  @Option(
    help: ArgumentHelp("Words before the next that it depends on, 1 or 2.", valueName: "count"))
  var order = 2

  @Option(
    help: ArgumentHelp(
      "The share of words that follow the classes before them; the others follow their frequency alone.",
      valueName: "share"))
  var share = 0.7

  @Option(help: ArgumentHelp("The exponent of Zipf's law, 0 to 4.", valueName: "exponent"))
  var zipf = 1.0

  @Option(help: ArgumentHelp("Another seed, another language.", valueName: "number"))
  var seed: UInt64 = 0

  @Flag(help: "Replace the data set that is in the folder.")
  var replace = false

  @Flag(help: "Print one JSON object instead of text.")
  var json = false

  func run() throws {
    var synthesis = DatasetSynthesis(output: output)
    synthesis.process.vocabulary = vocabulary
    synthesis.process.classes = classes
    synthesis.process.order = order
    synthesis.process.share = share
    synthesis.process.zipf = zipf
    synthesis.process.seed = seed
    synthesis.tokens = tokens
    synthesis.validationTokens = validationTokens
    synthesis.replacesExisting = replace
    let manifest = try synthesis.run()
    if json {
      return Console.write(
        try DatasetInspection(folder: output, samples: 0, verifyingChecksums: false).json())
    }
    let floor = manifest.synthetic?.entropyRate ?? 0
    Console.say(
      "wrote \(output): \(Numbers.grouped(manifest.train.tokens)) tokens to train on, "
        + "\(Numbers.grouped(manifest.validation.tokens)) held out, "
        + "\(Numbers.grouped(manifest.tokenizer.vocabularySize)) entries in the vocabulary, "
        + "floor \(Numbers.fixed(floor, 4)) nats a token")
  }
}
