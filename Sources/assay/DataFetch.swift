// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Downloads

/// `assay data fetch`.
struct DataFetch: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fetch",
    abstract: "Downloads a public data set of llm.c shards, and checks it.",
    discussion: """
      fineweb10B: FineWeb in GPT-2's tokens, as the NanoGPT speedrun uses it; 200 MB a shard of 100 million tokens, 103 training \
      shards and a held-out one. It may be interrupted at any moment: the same command goes on where it was. Files that are there \
      are compared with SHA256SUMS beside them, and not fetched again.
      """)

  @Argument(help: "The name of the data set: fineweb10B.")
  var name: String

  @Option(help: ArgumentHelp("Training shards, from the first on.", valueName: "count"))
  var shards: Int

  @Option(
    name: [.customShort("o"), .customLong("out"), .customLong("output")],
    help: ArgumentHelp("The folder; by default data/NAME.", valueName: "folder"))
  var output: String?

  @Option(
    help: ArgumentHelp(
      "The address of a folder with the same files, in place of the public one.", valueName: "url"))
  var from: String?

  @Option(
    help: ArgumentHelp(
      "Attempts in a row that bring nothing, until it gives up.", valueName: "count"))
  var attempts = 5

  @Flag(help: "Print one JSON object instead of text.")
  var json = false

  func validate() throws {
    guard attempts >= 1 else {
      throw ValidationError("--attempts is \(attempts); give at least 1")
    }
  }

  func run() throws {
    guard let set = PublicShards.all.first(where: { $0.name == name }) else {
      throw CommandFailure(
        .usage,
        "there is no public data set '\(name)'; known is \(PublicShards.all.map(\.name).joined(separator: ", "))"
      )
    }
    let folder = output ?? "data/" + set.name
    var fetch = ShardFetch(set, count: shards, folder: folder)
    fetch.address = from
    fetch.attempts = attempts

    let line = ProgressLine()
    var pace = FetchPace()
    let result: ShardFetch.Result
    do {
      result = try fetch.run { state in
        line.show(pace.text(state), event: "\(state.number) \(state.stage)")
      }
    } catch {
      line.end()
      throw error
    }
    line.end()
    if json {
      return try Console.json(result)
    }
    Console.say(
      "\(folder): \(result.files.count) shards, \(Numbers.grouped(result.bytes)) bytes, \(result.fetched.count) fetched, all "
        + "in \(ChecksumList.fileName)")
    if !result.unchecked.isEmpty {
      Console.say(
        "the server offers no SHA-256 for \(result.unchecked.count) of them: their sizes and headers were checked"
      )
    }
  }
}

/// A line of progress, with the speed of the file under way.
private struct FetchPace {
  private var number = 0
  private var start = ContinuousClock.now
  private var first: Int?

  mutating func text(_ state: ShardFetch.Progress) -> String {
    if state.number != number {
      number = state.number
      first = nil
    }
    let place = "\(state.file) (\(state.number) of \(state.count))"
    guard state.stage == .fetching else { return "comparing " + place }
    guard let size = state.size, size > 0 else { return "fetching " + place }
    let now = ContinuousClock.now
    guard let first else {
      (start, self.first) = (now, state.bytes)
      return "fetching \(place) \(100 * state.bytes / size) %"
    }
    let seconds = (now - start) / .seconds(1)
    let speed = Double(state.bytes - first) / max(seconds, 1e-3)
    var text =
      "fetching \(place) \(100 * state.bytes / size) %, \(Numbers.fixed(speed / 1e6, 1)) MB/s"
    if speed > 0 {
      text += ", \(Int((Double(size - state.bytes) / speed).rounded(.up))) s left of this file"
    }
    return text
  }
}
