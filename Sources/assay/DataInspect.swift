// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Downloads
import TextData

/// `assay data inspect`.
struct DataInspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "Shows counts, bytes per token and decoded samples.",
    discussion: """
      All tokens are read: checksums of a prepared data set are compared, and those that 'assay data fetch' left beside llm.c \
      shards. Samples of llm.c shards need a tokenizer.json beside them.

      With --context-length it is told what training with data.order = "documents" would use of the text in one pass.
      """)

  @Argument(
    help:
      "A folder that 'assay data prepare', 'synthesize', 'fetch' or 'export' made, or any of llm.c shards."
  )
  var folder: String

  @Option(help: ArgumentHelp("Samples of each part.", valueName: "count"))
  var samples = 3

  @Option(help: ArgumentHelp("Tokens of a sample.", valueName: "count"))
  var sampleTokens = 64

  @Option(
    help: ArgumentHelp("Tokens of a sequence made of documents; none is made.", valueName: "count"))
  var contextLength: Int?

  @Option(help: ArgumentHelp("Sequences of a batch made of documents; 8.", valueName: "count"))
  var sequences: Int?

  @Option(
    help: ArgumentHelp("Tokens of a document that are used, at most; 2,048.", valueName: "count"))
  var documentLimit: Int?

  @Flag(help: "Print one JSON object.")
  var json = false

  func validate() throws {
    guard contextLength == nil else { return }
    for (name, value) in [("sequences", sequences), ("document-limit", documentLimit)] {
      guard let value else { continue }
      throw ValidationError(
        "--\(name) \(value) is about sequences made of documents; give their --context-length too")
    }
  }

  /// What training on documents would use; nil where nobody asked.
  private func survey() throws -> DocumentSurvey? {
    try contextLength.map {
      try DocumentSurvey(
        TokenDataset(folder: folder, checksums: .never).train, sequences: sequences ?? 8,
        contextLength: $0, documentLimit: documentLimit ?? 2048)
    }
  }

  func run() throws {
    guard LLMCFolder.isOne(folder) else {
      var inspection = try DatasetInspection(
        folder: folder, samples: samples, sampleTokens: sampleTokens)
      inspection.documents = try survey()
      return Console.write(try json ? inspection.json() : inspection.text)
    }
    var inspection = try LLMCInspection(
      folder: folder, samples: samples, sampleTokens: sampleTokens)
    inspection.documents = try survey()
    let list = try ChecksumList(folder: folder)
    let progress = ProgressLine()
    let verified = try list.verify(folder: folder) {
      progress.show("comparing the checksum of \($0)", event: $0)
    }
    progress.end()
    Console.write(try json ? inspection.json() : inspection.text)
    let missing = list.missing(folder: folder)
    let gone =
      missing.isEmpty
      ? "" : ", and \(missing.count) that it lists \(missing.count == 1 ? "is" : "are") not there"
    Console.say(
      list.digests.isEmpty
        ? "no \(ChecksumList.fileName) beside the shards: headers, sizes and ids were checked, nothing else"
        : "\(verified) file\(verified == 1 ? "" : "s") agree with \(ChecksumList.fileName)\(gone)")
  }
}
