// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Configurations
import Foundation
import LanguageModels
import Optimizers
import RunRecords
import Studies
import TensorGraph
import TextData
import Training

/// `assay plan`.
struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Shows what a run or a study would do, and what it costs, before it starts.",
    discussion: """
      The table says which method updates which parameter, with which rates and decay, and what state it keeps. It is stored \
      with every run as optimizer.json. Memory and work follow from the programs of the run, which are compiled but not executed: a \
      plan needs no memory for the model, however large. Time is a rough estimate.

      STUDY.toml: the price of the study; nothing is run or written, and the data need not be there where the vocabulary's size is given.
      """)

  @Argument(
    help: ArgumentHelp(
      "A TOML file of a run or a study, or the name of a preset.", valueName: "config"))
  var path: String

  @OptionGroup var choice: StudyChoice

  @Option(
    help: ArgumentHelp(
      "Estimate time with this speed of a machine, for example 4e12, instead of measuring this one.",
      valueName: "number"))
  var flopsPerSecond: Double?

  @Option(
    help: ArgumentHelp(
      "Also tell the memory on each of so many devices, for example 1,2,4,8.",
      valueName: "numbers"))
  var devices: DeviceCounts?

  @Flag(help: "Print one JSON object.")
  var json = false

  func validate() throws {
    if let flopsPerSecond, !(flopsPerSecond > 0 && flopsPerSecond.isFinite) {
      throw ValidationError(
        "--flops-per-second is \(flopsPerSecond); give a positive number such as 4e12")
    }
  }

  func run() throws {
    if try isStudy {
      if devices != nil {
        throw CommandFailure(
          .usage, "--devices tells the memory of one run, and \(path) is a study; leave it out")
      }
      return try planStudy()
    }
    if let size = choice.size {
      throw CommandFailure(.usage, "--size is '\(size)', but \(path) is no study; leave it out")
    }
    let configuration = try TrainingConfiguration(choice.overrides.source(path))
    var plan = try RunPlan(configuration, flopsPerSecond: flopsPerSecond)
    try plan.add(devices?.numbers ?? [], configuration)
    if json { try Console.json(plan) } else { Console.data(plan.text) }
  }

  // MARK: - A study

  /// Whether the file has arms.
  private var isStudy: Bool {
    get throws {
      guard FileManager.default.fileExists(atPath: path) else { return false }
      let source = try ConfigurationSource(file: path)
      return source.has("arm")
    }
  }

  private func planStudy() throws {
    var surroundings = StudyDeclaration.Surroundings { try Presets.find($0)?.text }
    surroundings.revision = CodeRevision.current()
    surroundings.requiresData = false
    // A budget in seconds becomes steps by what they should take.
    surroundings.stepsPerSecond = { _, configuration, _ in
      let estimate = try RunEstimate(configuration)
      let speed =
        try flopsPerSecond.map { RunEstimate.Speed(flopsPerSecond: $0) }
        ?? .measured(configuration)
      return Double(estimate.steps) / estimate.seconds(at: speed)
    }
    let declaration = try StudyDeclaration(
      file: path, size: choice.size, overrides: choice.overrides.values, surroundings)
    let session = try StudySession(
      declaration.record, text: declaration.text, requests: declaration, at: declaration.folder,
      runs: false)
    let price = try session.price(session.guessedThroughput(flopsPerSecond: flopsPerSecond))
    if json { try Console.json(price) } else { Console.data(price.text) }
  }
}

/// A run before it starts.
struct RunPlan: Encodable {
  let parameters: Int
  let trainedParameters: Int
  let steps: Int
  let tokens: Int
  let gradientEvaluations: Int
  let chargedTokens: Int
  let trainingFLOPs: Double
  let optimizerFLOPsPerStep: Double
  let upkeepFLOPs: Double
  let evaluationFLOPs: Double
  let memory: MemoryEstimate
  let memoryBytes: Int
  /// Where the time comes from.
  let speed: RunEstimate.Speed
  let isSpeedMeasured: Bool
  let seconds: Double
  /// The run's device; memory and time are those of this machine's processor, whatever it is.
  let device: String
  let optimizer: OptimizerTable
  /// On each of several devices, where they were asked for.
  private(set) var deviceMemory: [DeviceMemory] = []

  /// Plans a run; reads no more of the data than their description.
  ///
  /// - Parameters:
  ///   - configuration: The run.
  ///   - flopsPerSecond: The speed that time is estimated with; nil: this machine's, measured now.
  /// - Throws: errors of configuration and data.
  init(_ configuration: TrainingConfiguration, flopsPerSecond: Double? = nil) throws {
    let vocabularySize =
      try configuration.model.vocabularySize
      ?? DatasetDescription(folder: configuration.data.path).vocabularySize
    let estimate = try RunEstimate(configuration, vocabularySize: vocabularySize)
    let model = try configuration.modelConfiguration(vocabularySize: vocabularySize).makeModel()
    optimizer = OptimizerTable(try configuration.optimizer(for: model.parameters))
    parameters = estimate.parameters
    trainedParameters = estimate.trainedParameters
    steps = estimate.steps
    tokens = estimate.tokens
    gradientEvaluations = estimate.gradientEvaluations
    chargedTokens = estimate.chargedTokens
    trainingFLOPs = estimate.gradientFLOPs
    optimizerFLOPsPerStep = estimate.updateFLOPs
    upkeepFLOPs = estimate.upkeepFLOPs
    evaluationFLOPs = estimate.evaluationFLOPs
    memory = estimate.memory
    memoryBytes = estimate.memory.total
    isSpeedMeasured = flopsPerSecond == nil
    speed =
      try flopsPerSecond.map { RunEstimate.Speed(flopsPerSecond: $0) }
      ?? .measured(configuration)
    seconds = estimate.seconds(at: speed)
    device = configuration.machine.device
  }

  /// Adds what each of several devices would hold.
  mutating func add(_ counts: [Int], _ configuration: TrainingConfiguration) throws {
    let data = try? DatasetDescription(folder: configuration.data.path)
    let vocabularySize =
      try configuration.model.vocabularySize
      ?? DatasetDescription(folder: configuration.data.path).vocabularySize
    let asked = configuration.evaluation.tokens
    let held = data.map { $0.validationTokens - 1 } ?? asked
    for count in counts {
      deviceMemory.append(
        try DeviceMemory(
          configuration, devices: count, memory: memory, vocabularySize: vocabularySize,
          evaluationTokens: asked == 0 ? held : min(asked, held)))
    }
  }

  /// What each of several devices would hold.
  private var deviceTable: [String] {
    if deviceMemory.isEmpty { return [] }
    var table = Table([
      ("devices", .right), ("weights", .right), ("state", .right), ("programs", .right),
      ("each device", .right),
    ])
    for entry in deviceMemory {
      table.add(
        "\(entry.devices)", Numbers.bytes(entry.weights), Numbers.bytes(entry.state),
        (entry.isCompiled ? "" : "~") + Numbers.bytes(entry.programs),
        (entry.isCompiled ? "" : "~") + Numbers.bytes(entry.total))
    }
    let guess =
      deviceMemory.allSatisfy(\.isCompiled)
      ? []
      : ["~ the processor's programs divided by the devices: no plugin of \(device) here says more"]
    return ["", table.text] + guess
  }

  var text: String {
    var lines: [String] = []
    for group in optimizer.groups {
      let members = optimizer.rows.filter { $0.group == group.name }
      lines.append("\(group.name): \(group.method ?? "frozen")\(settings(group))")
      var table = Table([
        ("  parameter", .left), ("role", .left), ("shape", .left), ("rate", .right),
        ("decay", .right), ("state", .right),
      ])
      for (name, rows) in merged(members) {
        let count = rows.count > 1 ? " x\(rows.count)" : ""
        table.add(
          "  " + name + count, rows[0].role,
          rows[0].shape.map(String.init).joined(separator: " x "),
          rows[0].learningRate.map(CardPage.number) ?? "-",
          rows[0].weightDecay == 0 ? "-" : CardPage.number(rows[0].weightDecay),
          Numbers.bytes(rows.reduce(0) { $0 + $1.stateBytes }))
      }
      lines.append(table.text)
      lines.append("")
    }
    lines += totals + deviceTable
    return lines.joined(separator: "\n")
  }

  private var totals: [String] {
    let parts = [
      ("weights", memory.weights), ("gradients", memory.gradients),
      ("optimizer state", memory.optimizerState), ("activations", memory.activations),
      ("statistics", memory.statistics), ("scratch", memory.scratch),
    ].filter { $0.1 > 0 }.map { "\($0.0) \(Numbers.bytes($0.1))" }
    let upkeep =
      upkeepFLOPs > 0 ? ", \(Numbers.short(upkeepFLOPs))FLOP for upkeep of its state" : ""
    let source = isSpeedMeasured ? "the speed of this machine, measured now" : "the speed given"
    let other =
      device == MachineSettings.cpu
      ? [] : ["memory and time are told for device = \"cpu\"; the run's is \(device)"]
    return other + [
      "\(Numbers.grouped(parameters)) parameters, \(Numbers.grouped(trainedParameters)) trained; "
        + "optimizer state \(Numbers.bytes(optimizer.stateBytes))",
      "\(Numbers.grouped(steps)) steps, \(Numbers.grouped(tokens)) tokens; "
        + "\(Numbers.grouped(gradientEvaluations)) gradient evaluations over \(Numbers.grouped(chargedTokens)) tokens",
      "\(Numbers.short(trainingFLOPs))FLOP for gradients, \(Numbers.short(optimizerFLOPsPerStep))FLOP in each update"
        + upkeep + ", \(Numbers.short(evaluationFLOPs))FLOP for evaluations",
      "memory \(Numbers.bytes(memoryBytes)): " + parts.joined(separator: ", "),
      "time about \(Numbers.duration(seconds)), at \(Numbers.short(speed.flopsPerSecond))FLOP/s, \(source)",
    ]
  }

  private func settings(_ group: OptimizerTable.Group) -> String {
    let numbers = group.hyperparameters.filter { $0.key != "learning_rate" }
      .map { ($0.key, CardPage.number($0.value)) }
    let all =
      numbers + group.options.map { ($0.key, $0.value) }
      + group.settings.map { ($0.key, $0.value) }
    if all.isEmpty { return "" }
    return ", "
      + all.sorted { $0.0 < $1.0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
  }

  /// Parameters that differ in their layer only, as one line.
  private func merged(_ rows: [OptimizerTable.Row]) -> [(String, [OptimizerTable.Row])] {
    var order: [String] = []
    var byName: [String: [OptimizerTable.Row]] = [:]
    for row in rows {
      let parts = row.parameter.split(separator: ".").map { Int($0) == nil ? String($0) : "*" }
      let name = parts.joined(separator: ".")
      if byName[name] == nil { order.append(name) }
      byName[name, default: []].append(row)
    }
    return order.map { name in
      let rows = byName[name] ?? []
      return (rows.count == 1 ? rows[0].parameter : name, rows)
    }
  }
}

/// Numbers of devices, as a list with commas.
struct DeviceCounts: ExpressibleByArgument {
  let numbers: [Int]

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    numbers = parts.compactMap { Int($0) }.filter { (1...65_536).contains($0) }
    if numbers.count != parts.count || numbers.isEmpty { return nil }
  }
}
