// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TextData

/// `assay data export`.
struct DataExport: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Writes a prepared data set as llm.c shards, for programs that read those.",
    discussion: """
      The shards hold the same tokens in the same order, 16 bits each; tokenizer.json lies beside them. The folder is a data set \
      of its own.
      """)

  @Argument(help: "A folder that 'assay data prepare' or 'assay data synthesize' made.")
  var folder: String

  @Option(name: .shortAndLong, help: ArgumentHelp("The folder to make.", valueName: "folder"))
  var output: String

  @Option(
    help: ArgumentHelp(
      "First part of the names: NAME_train_000001.bin, NAME_val_000000.bin.", valueName: "name"))
  var name = "text"

  @Option(help: ArgumentHelp("Tokens of a shard.", valueName: "count"))
  var shardTokens = 100_000_000

  @Flag(help: "Replace the data set that is in the folder.")
  var replace = false

  @Flag(help: "Print one JSON object instead of text.")
  var json = false

  func run() throws {
    var export = LLMCExport(input: folder, output: output)
    export.name = name
    export.tokensPerShard = shardTokens
    export.replacesExisting = replace
    let line = ProgressLine()
    let result = try export.run { share in
      line.show("writing \(Int(share * 100)) %", event: "writing")
    }
    line.end()
    if json {
      return try Console.json(result)
    }
    Console.say(
      "wrote \(output): \(Numbers.grouped(result.trainTokens)) tokens to train on in \(result.train.count) "
        + "shard\(result.train.count == 1 ? "" : "s"), \(Numbers.grouped(result.validationTokens)) held out"
    )
  }
}
