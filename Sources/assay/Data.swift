// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import TextData

/// `assay data`.
struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data",
    abstract: "Prepares or fetches text for training, and shows what there is.",
    subcommands: [
      DataPrepare.self, DataSynthesize.self, DataFetch.self, DataInspect.self, DataExport.self,
    ])
}

/// `assay data prepare`.
struct DataPrepare: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prepare",
    abstract: "Turns text into a folder of tokens, with a part held out for validation.",
    discussion: """
      Reads .txt, .jsonl and .bin (llm.c shards) files, and others as plain text when their extension is named. The same \
      inputs and options give the same bytes. The folder appears only when it is whole.
      """)

  @Argument(help: "Files, and folders that are searched for files.")
  var inputs: [String]

  @Option(
    help: ArgumentHelp(
      "bytes, bpe:SIZE (trained on this text), gpt2:FOLDER (encoder.json and vocab.bpe), or a tokenizer.json.",
      valueName: "tokenizer"))
  var tokenizer: String

  @Option(name: .shortAndLong, help: ArgumentHelp("The folder to make.", valueName: "folder"))
  var output: String

  @Option(
    name: .customLong("validation"),
    help: ArgumentHelp(
      "Files or folders to hold out whole, in place of a share of the documents; may be repeated.",
      valueName: "path"))
  var validationInputs: [String] = []

  @Option(help: ArgumentHelp("The share of documents to hold out.", valueName: "share"))
  var validationFraction = 0.05

  @Option(help: ArgumentHelp("Which documents are held out.", valueName: "number"))
  var seed: UInt64 = 0

  @Option(
    help: ArgumentHelp(
      "Extensions to read, without dots, separated by commas.", valueName: "list"))
  var extensions = "txt,jsonl,bin"

  @Option(help: ArgumentHelp("The member of JSON lines that holds the text.", valueName: "name"))
  var field = "text"

  @Option(
    help: ArgumentHelp(
      "Where documents end in plain text: blank-lines, whole-file or separator:TEXT.",
      discussion: "By default blank lines in .txt, and the whole file otherwise.",
      valueName: "rule"))
  var documents: String?

  @Option(help: ArgumentHelp("Threads; by default one for every core.", valueName: "count"))
  var threads: Int?

  @Flag(help: "Replace the data set that is in the folder.")
  var replace = false

  @Flag(help: "Print one JSON object instead of text.")
  var json = false

  func run() throws {
    let specification = try TokenizerSpecification(parsing: tokenizer)
    var preparation = DatasetPreparation(inputs: inputs, output: output, tokenizer: specification)
    preparation.validationInputs = validationInputs
    preparation.validationFraction = validationFraction
    preparation.seed = seed
    preparation.extensions = extensions.split(separator: ",").map(String.init)
    preparation.textField = field
    preparation.documentRule = try documents.map(DocumentRule.init(parsing:))
    if let threads { preparation.threads = threads }
    preparation.replacesExisting = replace

    let progress = ProgressLine()
    let start = ContinuousClock.now
    let manifest = try preparation.run { state in
      let stage = state.stage.rawValue
      progress.show("\(stage) \(Int(state.fraction * 100)) %", event: stage)
    }
    progress.end()
    if json {
      Console.write(
        try DatasetInspection(folder: output, samples: 0, verifyingChecksums: false).json())
      return
    }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    Console.say(
      "prepared \(output) in \(Numbers.fixed(seconds, 1)) s: "
        + "\(Numbers.grouped(manifest.train.tokens)) tokens to train on, "
        + "\(Numbers.grouped(manifest.validation.tokens)) held out, "
        + "\(Numbers.grouped(manifest.tokenizer.vocabularySize)) entries in the vocabulary, "
        + "\(Numbers.fixed(manifest.train.bytesPerToken, 2)) bytes a token")
  }
}
