// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import CPURuntime
import LanguageModels
import Optimizers
import TensorGraph
import TextData
import Training

/// `assay plan`.
struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Shows what a run would do, and what it costs, before it starts.",
    discussion: """
      The table says which method updates which parameter, with which rates and decay, and what state it keeps. It is stored \
      with every run as optimizer.json.
      """)

  @Argument(help: ArgumentHelp("A TOML file, or the name of a preset.", valueName: "config"))
  var path: String

  @OptionGroup var overrides: Overrides

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() throws {
    let configuration = try TrainingConfiguration(overrides.source(path))
    let plan = try RunPlan(configuration)
    if json { try Console.json(plan) } else { Console.data(plan.text) }
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
  let optimizer: OptimizerTable

  /// Plans a run; reads no more of the data than their description.
  ///
  /// - Throws: errors of configuration and data.
  init(_ configuration: TrainingConfiguration) throws {
    let vocabularySize =
      try configuration.model.vocabularySize
      ?? TokenDataset(folder: configuration.data.path).vocabularySize
    let model = try configuration.modelConfiguration(vocabularySize: vocabularySize).makeModel()
    let optimizer = try configuration.optimizer(for: model.parameters)
    let cost = ModelCost(model)
    let run = configuration.training.steps
    self.optimizer = OptimizerTable(optimizer)
    parameters = cost.parameters
    trainedParameters = optimizer.trainedParameters.reduce(0) { $0 + $1.shape.count }
    steps = run
    tokens = configuration.totalTokens
    let extra = optimizer.trained.reduce(0) { $0 + Self.extraEvaluations($1, steps: run) }
    let charged = configuration.totalTokens + extra * configuration.training.batchTokens
    gradientEvaluations = run + extra
    chargedTokens = charged
    trainingFLOPs = cost.trainingFLOPsPerToken * Double(charged)
    optimizerFLOPsPerStep = try optimizer.trained.reduce(0) { try $0 + MethodCost(of: $1).flops }
  }

  /// Extra gradient evaluations of a whole run.
  private static func extraEvaluations(_ group: ParameterGroup, steps: Int) -> Int {
    switch group.card?.observation {
    case .firstBatches(let count): return Int(group.hyperparameters[count] ?? 0)
    case .sampledLabels(let every):
      let interval = max(1, Int(group.hyperparameters[every] ?? 1)) * group.settings.every
      return (steps + interval - 1) / interval
    case nil: return 0
    }
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
    lines.append(
      "\(Numbers.grouped(parameters)) parameters, \(Numbers.grouped(trainedParameters)) trained; "
        + "optimizer state \(Numbers.bytes(optimizer.stateBytes))")
    lines.append(
      "\(Numbers.grouped(steps)) steps, \(Numbers.grouped(tokens)) tokens; "
        + "\(Numbers.grouped(gradientEvaluations)) gradient evaluations over \(Numbers.grouped(chargedTokens)) tokens"
    )
    lines.append(
      "\(Numbers.short(trainingFLOPs))FLOP for gradients, \(Numbers.short(optimizerFLOPsPerStep))FLOP in each update"
    )
    return lines.joined(separator: "\n")
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
