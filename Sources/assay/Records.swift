// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import SpeedRecords

/// `assay records`.
struct RecordsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "records",
    abstract:
      "Says what runs prove of a claimed speed record; packs, verifies and replicates them.",
    discussion: """
      assay records BASELINE... --against CANDIDATE...     compares sets of runs
      assay records SET... --track 1                       tests sets against a target

      A set is SOURCE or NAME=SOURCE; sources without a name are one set, several with one name too. A source is the folder of a \
      run, of a study (FOLDER#ARM for one arm), of the speedrun's logs, a log, a CSV file, a pack, or numbers: \
      3.2762,3.2788 (losses), 3.2762@124.25,3.2788@124.31 (losses and seconds), n:9,mean:3.27763,sd:0.00125,steps:2035 (a table's \
      row).
      """,
    subcommands: [
      RecordsCompareCommand.self, RecordsPowerCommand.self, RecordsPackCommand.self,
      RecordsVerifyCommand.self, RecordsReplicateCommand.self,
    ],
    defaultSubcommand: RecordsCompareCommand.self, aliases: ["record"])
}

/// By which rules sets are judged.
struct RecordRuleOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The published rules of a track of the speedrun: 1 (3.28, t test), 2 (2.92, t test), 3 (3.28, z rule).",
      valueName: "track"))
  var track: Int?

  @Option(help: ArgumentHelp("The loss to reach, in nats per token.", valueName: "loss"))
  var target: Double?

  @Option(help: ArgumentHelp("Level of the one-sided t test; 0.01.", valueName: "level"))
  var level: Double?

  @Option(
    help: ArgumentHelp(
      "Threshold of the z and the pairwise rule in nats; track 3 has 0.004.", valueName: "nats"))
  var threshold: Double?

  @Option(
    help: ArgumentHelp(
      "The known deviation of a run's loss; without --threshold the z rule takes its 99.9 % point.",
      valueName: "nats"))
  var deviation: Double?

  @Option(help: ArgumentHelp("Coverage of intervals; 0.95.", valueName: "share"))
  var confidence: Double?

  @Option(
    help: ArgumentHelp("Chance of passing that required runs are for; 0.8.", valueName: "share"))
  var power: Double?

  func validate() throws {
    if let track, RecordRules(track: track) == nil {
      throw ValidationError("--track is \(track); give 1, 2 or 3")
    }
    for (name, value) in [("level", level), ("confidence", confidence), ("power", power)] {
      if let value, !(value > 0 && value < 1) {
        throw ValidationError("--\(name) is \(value); give a number between 0 and 1")
      }
    }
    for (name, value) in [("threshold", threshold), ("deviation", deviation)] {
      if let value, !(value > 0 && value.isFinite) {
        throw ValidationError("--\(name) is \(value); give a number above 0")
      }
    }
    if let target, !target.isFinite { throw ValidationError("--target is \(target); give a loss") }
  }

  /// The rules, without what is about single sets.
  var rules: RecordRules {
    var rules = track.flatMap { RecordRules(track: $0) } ?? RecordRules()
    if let target { rules.target = target }
    if let level { rules.level = level }
    if let confidence { rules.confidence = confidence }
    if let power { rules.power = power }
    if let deviation {
      rules.deviation = deviation
      rules.threshold = RecordRules.threshold(deviation: deviation)
    }
    if let threshold { rules.threshold = threshold }
    return rules
  }
}

/// Which runs are judged.
struct RecordSetOptions: ParsableArguments {
  @Argument(help: ArgumentHelp("The baseline, or all sets where there is none.", valueName: "set"))
  var sets: [String] = []

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("What is compared with the baseline.", valueName: "set"))
  var against: [String] = []

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      """
      What 100 steps are worth: two sets of one recipe at two lengths, from which it is measured; a number of nats; or 'published' \
      (0.0045, track 3).
      """, valueName: "set"))
  var exchange: [String] = []

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "How many runs were fixed beforehand: COUNT for every set, or NAME=COUNT.", valueName: "count"
    ))
  var planned: [String] = []

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Seeds on which hyperparameters were chosen.", valueName: "seed"))
  var tunedOn: [Int] = []

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Steps of sets of numbers: COUNT for every set, or NAME=COUNT.", valueName: "count"))
  var steps: [String] = []

  @Option(
    help: ArgumentHelp(
      "Compare all runs at this step, chosen for all of them; without it at their ends.",
      valueName: "step"))
  var atStep: Int?

  func validate() throws {
    if sets.isEmpty && against.isEmpty {
      throw ValidationError("Missing expected argument '<set>': name runs, logs or numbers")
    }
    if sets.isEmpty { throw ValidationError("--against needs a baseline before it") }
    if exchange.count > 2 {
      throw ValidationError(
        "--exchange has \(exchange.count) values; give two sets, a number, or 'published'")
    }
  }

  /// What is to be judged.
  struct Request {
    let baseline: RunSet?
    let candidates: [RunSet]
    let rules: RecordRules
  }

  /// Reads the sets and judges them.
  ///
  /// - Throws: `SpeedRecordError`, or a usage error.
  func analysis(_ options: RecordRuleOptions) throws -> RecordAnalysis {
    let request = try request(options)
    return try RecordAnalysis(
      baseline: request.baseline, candidates: request.candidates, request.rules)
  }

  /// Reads the sets.
  ///
  /// - Throws: `SpeedRecordError`, or a usage error.
  func request(_ options: RecordRuleOptions) throws -> Request {
    var rules = options.rules
    var reader = SetReader(step: atStep)
    var baselines = try reader.sets(sets)
    var candidates = try reader.sets(against)
    try apply(steps, to: &baselines, &candidates)
    for path in reader.skipped { Console.say("note: \(path) is no log and was passed over") }
    let all = baselines + candidates
    rules.tunedOn = Set(tunedOn.map { RunSeed($0) })
    for text in planned {
      for (name, count) in try Self.counts(text, "planned", all) { rules.plannedRuns[name] = count }
    }
    try setExchange(&rules, all, &reader)
    try requireUse(all, rules)
    guard !against.isEmpty else {
      return Request(baseline: nil, candidates: baselines, rules: rules)
    }
    guard baselines.count == 1 else {
      throw CommandFailure(
        .usage,
        "there are \(baselines.count) baselines (\(baselines.map(\.name).joined(separator: ", "))); give one before --against, or "
          + "one name to all: NAME=SOURCE")
    }
    return Request(baseline: baselines[0], candidates: candidates, rules: rules)
  }

  /// Seeds and names that no run and no set has are mistakes.
  private func requireUse(_ sets: [RunSet], _ rules: RecordRules) throws {
    var all = sets
    if case .measured(let first, let second) = rules.exchange { all += [first, second] }
    let seeds = Set(all.flatMap { $0.runs.compactMap { $0.seed?.initial } })
    if let seed = tunedOn.first(where: { !seeds.contains($0) }) {
      let known = seeds.sorted().prefix(20).map(String.init).joined(separator: ", ")
      throw CommandFailure(
        .usage,
        "--tuned-on names seed \(seed), and no run has it; "
          + (known.isEmpty ? "the runs say no seeds" : "there are \(known)"))
    }
    let names = all.map(\.name)
    for text in steps {
      guard let equals = text.firstIndex(of: "="), !names.contains(String(text[..<equals])) else {
        continue
      }
      throw CommandFailure(
        .usage, "--steps names '\(text[..<equals])'; the sets are \(names.joined(separator: ", "))")
    }
  }

  private func setExchange(
    _ rules: inout RecordRules, _ all: [RunSet], _ reader: inout SetReader
  ) throws {
    guard let first = exchange.first else { return }
    if exchange.count == 1 {
      if first == "published" {
        rules.exchange = RecordRules.publishedExchange
      } else if let rate = Double(first) {
        rules.exchange = .given(perHundredSteps: rate, origin: "given on the command line")
      } else {
        throw CommandFailure(
          .usage,
          "--exchange is '\(first)'; give two sets, a number of nats for 100 steps, or 'published'")
      }
      return
    }
    var pair: [RunSet] = []
    for text in exchange {
      if let known = all.first(where: { $0.name == text }) {
        pair.append(known)
        continue
      }
      var read = try reader.sets([text])
      guard read.count == 1 else {
        throw CommandFailure(.usage, "--exchange '\(text)' is \(read.count) sets; give one")
      }
      var none: [RunSet] = []
      try apply(steps.filter { $0.contains("=") }, to: &read, &none, isPartial: true)
      pair.append(read[0])
    }
    rules.exchange = .measured(shorter: pair[0], longer: pair[1])
  }

  private func apply(
    _ texts: [String], to first: inout [RunSet], _ second: inout [RunSet], isPartial: Bool = false
  ) throws {
    for text in texts {
      let all = first + second
      if isPartial, let name = text.split(separator: "=").first,
        !all.contains(where: { $0.name == name })
      {
        continue
      }
      // Names of the exchange rate's own sets are looked at when these are read.
      let isForOthers =
        text.contains("=") && !exchange.isEmpty
        && !all.contains { text.hasPrefix($0.name + "=") }
      if isForOthers { continue }
      for (name, count) in try Self.counts(text, "steps", all) {
        for at in first.indices where first[at].name == name { first[at].setSteps(count) }
        for at in second.indices where second[at].name == name { second[at].setSteps(count) }
      }
    }
  }

  /// `COUNT` for all sets, or `NAME=COUNT`.
  private static func counts(
    _ text: String, _ option: String, _ sets: [RunSet]
  ) throws -> [(String, Int)] {
    let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
    guard let count = parts.last.flatMap({ Int($0) }), (1...1_000_000).contains(count),
      parts.count <= 2
    else {
      throw CommandFailure(
        .usage, "--\(option) is '\(text)'; give COUNT or NAME=COUNT, 1 to 1,000,000")
    }
    guard parts.count == 2 else { return sets.map { ($0.name, count) } }
    guard sets.contains(where: { $0.name == parts[0] }) else {
      throw CommandFailure(
        .usage,
        "--\(option) names '\(parts[0])'; the sets are \(sets.map(\.name).joined(separator: ", "))")
    }
    return [(parts[0], count)]
  }
}

/// The forms of output.
struct RecordForm: ParsableArguments {
  @Flag(help: "Print Markdown.")
  var markdown = false

  @Flag(help: "Print comma-separated values with all digits.")
  var csv = false

  @Flag(help: "Print one JSON object.")
  var json = false

  @Flag(help: "Print the table alone, in the layout of the speedrun's pull requests.")
  var table = false

  func validate() throws {
    if [markdown, csv, json, table].count(where: \.self) > 1 {
      throw ValidationError("--markdown, --csv, --json and --table exclude each other; give one")
    }
  }

  /// Prints an analysis.
  func show(_ analysis: RecordAnalysis) throws {
    let text = RecordTable(analysis)
    if json { return try Console.json(analysis) }
    if csv { return Console.write(text.csv) }
    if markdown { return Console.data(text.markdown) }
    Console.data(table ? text.table : text.text)
  }
}

/// `assay records compare`, the default.
struct RecordsCompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Prints the record table of sets of runs, with tests, rules, power and doubts.",
    discussion: """
      A set alone is tested against --target or by a --track; with --against it is the baseline of others. Runs that count twice \
      (a seed, a file, equal losses all along) are refused with 2.
      """)

  @OptionGroup var sets: RecordSetOptions
  @OptionGroup var rules: RecordRuleOptions
  @OptionGroup var form: RecordForm

  func run() throws { try form.show(sets.analysis(rules)) }
}

/// `assay records power`.
struct RecordsPowerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "power",
    abstract: "Says how many runs a claim needs, before any are run.",
    discussion: """
      For a mean that lies --margin below the target, with --deviation between runs: the runs that the t test, the z rule and a \
      comparison of two sets need. The numbers that are fixed here belong into the log's header or a pack: \
      '# preregistered: runs=17 rule=t target=3.28 level=0.01'.
      """)

  @Option(
    help: ArgumentHelp(
      "How far the mean lies below the target, or below the other set.", valueName: "nats"))
  var margin: Double

  @Option(help: ArgumentHelp("Standard deviation between runs.", valueName: "nats"))
  var deviation: Double

  @Option(help: ArgumentHelp("Level of the one-sided t test.", valueName: "level"))
  var level = 0.01

  @Option(help: ArgumentHelp("Threshold of the z rule in nats.", valueName: "nats"))
  var threshold = 0.004

  @Option(help: ArgumentHelp("Chance of passing.", valueName: "share"))
  var power = 0.8

  @Option(
    help: ArgumentHelp(
      "Correlation of runs that share seeds, for a paired comparison.", valueName: "r"))
  var correlation: Double?

  @Flag(help: "Print one JSON object.")
  var json = false

  func validate() throws {
    for (name, value) in [("margin", margin), ("deviation", deviation), ("threshold", threshold)] {
      if !(value > 0 && value.isFinite) {
        throw ValidationError("--\(name) is \(value); give a number above 0")
      }
    }
    if !(level > 0 && level < 0.5) { throw ValidationError("--level is \(level); give 0 to 0.5") }
    if !(power > level && power < 1) {
      throw ValidationError("--power is \(power); give a share between the level and 1")
    }
    if let correlation, !(correlation > -1 && correlation < 1) {
      throw ValidationError("--correlation is \(correlation); give a number between -1 and 1")
    }
  }

  func run() throws {
    let plan = RecordPlan(
      margin: margin, deviation: deviation, level: level, threshold: threshold, power: power,
      correlation: correlation)
    if json { return try Console.json(plan) }
    Console.data(plan.text)
  }
}
