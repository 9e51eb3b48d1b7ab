// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Foundation
import LanguageModels
import Optimizers
public import RunRecords
import Schedules
import TensorFiles
import TensorGraph
import TextData

/// What a run's fairness contract is filled from: what the run is about to do, not the keys that asked for it.
///
/// Two ways of writing the same thing agree, and a default that changed does not go unnoticed. Learning rates, momentum, the
/// strength of decay and the method itself are what studies compare, and are not in it.
struct RunContract {
  let configuration: TrainingConfiguration
  let definition: StepDefinition

  /// The contract; reads the weights and the held-out tokens once.
  ///
  /// - Parameters:
  ///   - source: the data.
  ///   - tensors: before the first step.
  ///   - trial: which trial of a study the run is; nil: of none.
  /// - Returns: the sealed contract.
  /// - Throws: an error when the data cannot be read.
  func made(
    _ source: any BatchSource, _ tensors: KeptTensors, trial: TrialRecord? = nil
  ) throws -> FairnessContract {
    var values = forecast
    values[.tuning] = trial?.tuning ?? "none"
    values[.initialWeights] = try initialWeights(tensors)
    values[.data] = source.fingerprint
    values[.evaluationTokens] = try evaluationTokens(source)
    return FairnessContract(values) { SHA256.hexadecimal(of: $0) }
  }

  /// What is known without weights and data.
  var forecast: [FairnessContract.Field: String] {
    [
      .model: model,
      .tokenOrder: tokenOrder,
      .batchTokens: batchTokens,
      .trainingTokens: "\(configuration.totalTokens)",
      .clipping: clipping,
      .decayRoles: decayRoles,
      .schedule: schedule,
      .precision: precision,
      .auxiliaryLoss: auxiliaryLoss,
    ]
  }

  // MARK: - Model and data

  private var model: String {
    let model = definition.model.configuration
    let window =
      model.schedulesAttentionWindow
      ? "attention window " + course(of: "attention_window")
      : model.attentionWindow.map { "attention window \($0)" } ?? "attention to all earlier tokens"
    let words = [
      model.architecture.rawValue, "vocabulary \(model.vocabularySize)", "width \(model.width)",
      "layers \(model.layers)", "heads \(model.heads)", "key/value heads \(model.keyValueHeads)",
      "head width \(model.headWidth)", "feed-forward width \(model.feedForwardWidth)",
      "context length \(contextLength)", model.isTied ? "tied head" : "own head",
      model.hasQueryKeyNorm ? "query and key norms" : "no query and key norms", window,
    ]
    return (words + shortWindow + parts + untying).joined(separator: ", ")
  }

  private var shortWindow: [String] {
    let name = "attention_window_short"
    if isScheduled(name) { return ["short attention window " + course(of: name)] }
    return definition.model.configuration.shortAttentionWindow.map {
      ["short attention window \($0)"]
    } ?? []
  }

  /// The switches of an architecture that has some of its own, all of them.
  private var parts: [String] {
    guard var options = definition.model.configuration.speedrun else { return [] }
    // Which of two tables a program looks up in is a matter of its step, not of the run.
    options.looksUpInHead = true
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let json = try? encoder.encode(options) else { return [] }
    return ["parts " + String(decoding: json, as: UTF8.self)]
  }

  private var untying: [String] {
    guard let untie = configuration.schedule.untie else { return [] }
    let state = untie.state == .copy ? "with a copy of its state" : "with new state"
    return ["lookups in the head before step \(untie.step), then in a copy of it \(state)"]
  }

  /// Tokens of a sequence, of all steps in turn where they differ.
  private var contextLength: String {
    guard configuration.schedulesContextLength else {
      return "\(configuration.model.contextLength)"
    }
    return inTurn((0..<configuration.training.steps).map(configuration.contextLength))
  }

  private func isScheduled(_ scalar: String) -> Bool {
    configuration.schedule.run.ownValue(of: scalar, at: 0) != nil
  }

  /// Over all parameters by name, trained or frozen: names and bytes.
  private func initialWeights(_ tensors: KeptTensors) throws -> String {
    var checksum = FileChecksum()
    for parameter in definition.model.parameters.sorted(by: { $0.name < $1.name }) {
      Array("\(parameter.name) \(parameter.shape)\n".utf8).withUnsafeBytes { checksum.update($0) }
      if let bytes = try tensors.bytes(parameter.name, for: .reading) {
        checksum.update(UnsafeRawBufferPointer(bytes))
      }
    }
    return checksum.hexadecimal
  }

  private var tokenOrder: String {
    let data = configuration.data
    // Documents come in the order of the text, whatever the seed.
    let order =
      switch data.order {
      case .windows: "data seed \(configuration.training.dataSeed)"
      case .documents:
        "sequences from documents in the order of the text, at most \(data.documentLimit) tokens of each"
      case .shuffledDocuments:
        "sequences from documents in the order of data seed \(configuration.training.dataSeed), "
          + "at most \(data.documentLimit) tokens of each"
      }
    return order + ", context length \(contextLength), "
      + "attention \(data.masksDocuments ? "inside documents" : "across documents")"
  }

  private var batchTokens: String {
    guard configuration.schedule.run.ownValue(of: "batch_tokens", at: 0) != nil else {
      return "\(configuration.training.batchTokens)"
    }
    return inTurn((0..<configuration.training.steps).map(configuration.batchTokens))
  }

  /// `2048 for 100 steps, then 4096 for 50 steps`.
  private func inTurn(_ sizes: [Int]) -> String {
    var runs: [(size: Int, count: Int)] = []
    for size in sizes {
      if runs.last?.size == size { runs[runs.count - 1].count += 1 } else { runs.append((size, 1)) }
    }
    if runs.count == 1 { return "\(runs[0].size)" }
    let words = runs.map { "\($0.size) for \($0.count) steps" }.joined(separator: ", then ")
    return runs.count <= 8
      ? words : "\(runs.count) sizes in turn, \(Curve.checksum(sizes.map(Double.init)))"
  }

  /// The held-out tokens themselves, each with its target.
  private func evaluationTokens(_ source: any BatchSource) throws -> String {
    let contextLength = configuration.evaluationContextLength
    let batch = StepBatch(
      tokens: max(1, Evaluator.batchTokens / contextLength) * contextLength,
      contextLength: contextLength,
      hasDocuments: configuration.data.masksDocuments)
    var checksum = FileChecksum()
    var count = 0
    source.restartValidation()
    while case let counted = try source.fillValidation(batch), counted > 0 {
      count += counted
      for position in batch.targets.indices where batch.targets[position] >= 0 {
        let document = batch.documents?[position] ?? 0
        withUnsafeBytes(of: (batch.tokens[position], batch.targets[position], document)) {
          checksum.update($0)
        }
      }
    }
    source.restartValidation()
    return "\(count) targets, context length \(contextLength), \(checksum.hexadecimal)"
      + finalScalars
  }

  /// What is known of the held-out tokens without reading them.
  ///
  /// - Parameter available: targets that the data hold out; nil: unknown.
  /// - Returns: how many of them, chosen how, in sequences of which length; and what differs after the last step.
  fileprivate func evaluationForecast(available: Int?) -> String {
    let evaluation = configuration.evaluation
    // Where all are taken there is nothing to choose, however that was written.
    let takesAll = evaluation.tokens == 0 || available.map { evaluation.tokens >= $0 } ?? false
    let targets =
      takesAll
      ? "all targets" : "\(evaluation.tokens) targets, selection \(evaluation.selection.rawValue)"
    let mask = configuration.data.masksDocuments ? "inside documents" : "across documents"
    return "\(targets), context length \(configuration.evaluationContextLength), attention \(mask)"
      + finalScalars
  }

  private var finalScalars: String {
    configuration.evaluation.final.sorted { $0.key < $1.key }
      .map { ", \($0.key) \($0.value) after the last step" }.joined()
  }

  // MARK: - The update

  private var clipping: String {
    var words: [String] = []
    if configuration.schedule.run.ownValue(of: "gradient_clip", at: 0) != nil {
      words.append("global norm " + course(of: "gradient_clip"))
    } else {
      let clip = configuration.optimizer.gradientClip
      words.append(clip > 0 ? "global norm \(clip)" : "no global norm")
    }
    for group in definition.optimizer.trained {
      guard let clip = group.settings.gradientClip else { continue }
      let own = configuration.schedule.run.ownValue(of: "gradient_clip", group: group.name, at: 0)
      let value = own == nil ? "\(clip)" : course(of: "gradient_clip", group: group.name)
      words.append("norm \(value) of \(roles(of: group.members))")
    }
    words.append("\(configuration.training.skipLimit) skipped steps in a row end the run")
    if let spikes = configuration.optimizer.spikes {
      words.append(
        "steps above mean + \(spikes.deviations) deviations of \(spikes.window) are skipped")
    }
    return words.joined(separator: ", ")
  }

  private var decayRoles: String {
    let all = definition.optimizer.groups.flatMap { group in
      group.members.map { (parameter: $0, decays: group.decays($0)) }
    }
    let words = ParameterRole.allCases.compactMap { role -> String? in
      let members = all.filter { $0.parameter.role == role }
      let decaying = members.filter(\.decays).map(\.parameter.name)
      if decaying.isEmpty { return nil }
      if decaying.count == members.count { return role.key }
      return role.key + " (only \(decaying.sorted().joined(separator: ", ")))"
    }
    return words.isEmpty ? "none" : words.joined(separator: ", ")
  }

  private func roles(of parameters: [Parameter]) -> String {
    let present = Set(parameters.map(\.role))
    return ParameterRole.allCases.filter(present.contains).map(\.key).joined(separator: " + ")
  }

  // MARK: - Numbers

  private var precision: String {
    let products = definition.precision == .bf16 ? "bf16 products" : "fp32 products"
    let words = [products, "fp32 weights"] + definition.optimizer.trained.compactMap(unusualState)
    return words.joined(separator: ", ")
  }

  /// State that a group keeps in another type than its method's card has it; nil: none.
  private func unusualState(_ group: ParameterGroup) -> String? {
    guard let method = group.method, let options = group.options else { return nil }
    let standard = ParameterGroup(
      name: group.name, method: type(of: method), hyperparameters: group.hyperparameters,
      settings: group.settings, members: group.members)
    guard standard.options != options else { return nil }
    let usual = Dictionary(
      Optimizer(groups: [standard]).stateDeclarations.map { ($0.label, $0.elementType) },
      uniquingKeysWith: { first, _ in first })
    let unusual = Optimizer(groups: [group]).stateDeclarations.filter { state in
      usual[state.label].map { $0 != state.elementType } ?? false
    }
    guard let first = unusual.first else { return nil }
    return "state of \(roles(of: group.members)) in \(first.elementType)"
  }

  private var auxiliaryLoss: String {
    var words: [String] = []
    let weight = definition.model.configuration.zLoss
    if configuration.schedulesZLoss {
      words.append("z-loss " + course(of: "z_loss"))
    } else if weight > 0 {
      words.append("z-loss \(weight)")
    }
    for distance in [2, 3] where isScheduled("prediction_weight_\(distance)") {
      words.append(
        "token \(distance) ahead " + course(of: "prediction_weight_\(distance)"))
    }
    if let divisor = configuration.training.lossDivisor {
      words.append("gradients of the summed loss divided by \(divisor)")
    }
    return words.isEmpty ? "none" : words.joined(separator: ", ")
  }

  /// A scheduled scalar's values, from the first to the last, with a checksum of all.
  private func course(of scalar: String, group: String? = nil) -> String {
    let steps = configuration.training.steps
    let values = Curve.steps(of: steps).map {
      configuration.schedule.run.ownValue(of: scalar, group: group, at: $0) ?? 0
    }
    return "from \(values.first ?? 0) to \(values.last ?? 0), \(Curve.checksum(values))"
  }
}

extension TrainingConfiguration {
  /// What the contract of a run of this configuration will say, as far as it does not depend on weights and data.
  ///
  /// - Parameters:
  ///   - vocabularySize: of the data.
  ///   - validationTokens: held-out tokens of the data; nil: unknown.
  ///   - provider: decides what `precision = "auto"` means; nil: the device that the configuration asks for.
  /// - Returns: values by field; weights and data are missing, and of held-out tokens only how they are chosen and evaluated is told.
  /// - Throws: `ConfigurationError` when the configured vocabulary is smaller, or the policy does not fit the model.
  public func contractForecast(
    vocabularySize: Int, validationTokens: Int? = nil, provider: RuntimeProvider? = nil
  ) throws -> [FairnessContract.Field: String] {
    let model = try modelConfiguration(vocabularySize: vocabularySize).makeModel()
    let definition = StepDefinition(
      model: model, optimizer: try optimizer(for: model.parameters), sequences: sequences,
      precision: (provider ?? RuntimeProvider(machine)).precision(machine.precision))
    let contract = RunContract(configuration: self, definition: definition)
    var forecast = contract.forecast
    // The first token is nobody's target.
    forecast[.evaluationTokens] = contract.evaluationForecast(
      available: validationTokens.map { $0 - 1 })
    return forecast
  }
}
