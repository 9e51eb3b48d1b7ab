// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import LanguageModels
import Optimizers
import Schedules

/// What a token costs at each step of a run and in each evaluation: with the windows and the length of sequences in force there.
///
/// Programs are compiled for the largest window that a schedule reaches, and do no more than the one that they read asks for.
struct TokenCosts {
  /// What the cost of a token follows from.
  struct Conditions: Hashable {
    /// T.
    var contextLength: Int
    /// Keys that a query sees; nil: all.
    var window: Int?
    /// The same for layers with a short window.
    var shortWindow: Int?
  }

  /// Tokens, by what one of them costs.
  typealias Tokens = [Conditions: Double]

  private let configuration: TrainingConfiguration
  private let model: ModelConfiguration
  private var known: [Conditions: ModelCost] = [:]

  /// - Parameters:
  ///   - configuration: of the run.
  ///   - model: its model, with the largest windows.
  init(_ configuration: TrainingConfiguration, _ model: ModelConfiguration) {
    self.configuration = configuration
    self.model = model
  }

  // MARK: - Tokens

  /// Tokens of all gradient evaluations of some steps.
  ///
  /// - Parameters:
  ///   - steps: of the run.
  ///   - groups: whose methods may take extra gradients.
  /// - Returns: tokens of batches, once for every evaluation.
  func charged(_ steps: some Sequence<Int>, _ groups: [ParameterGroup]) -> Tokens {
    var tokens: Tokens = [:]
    for step in steps {
      let evaluations = groups.reduce(1) { $0 + $1.extraEvaluations(at: step) }
      let count = evaluations * configuration.batchTokens(at: step)
      tokens[conditions(at: step), default: 0] += Double(count)
    }
    return tokens
  }

  /// Tokens of all evaluations: before the first step, every so many steps, and after the last.
  ///
  /// - Parameter count: tokens of one.
  /// - Returns: tokens, once for every evaluation.
  func evaluated(_ count: Int) -> Tokens {
    let (steps, every) = (configuration.training.steps, configuration.evaluation.every)
    var ends = every > 0 ? Array(stride(from: 0, to: steps, by: every)) : [0]
    ends.append(steps)
    return ends.reduce(into: [:]) {
      $0[conditions(evaluatedAfter: $1), default: 0] += Double(count)
    }
  }

  /// Whether a token costs the same at all steps.
  var isConstant: Bool {
    let first = conditions(at: 0)
    return (1..<max(1, configuration.training.steps)).allSatisfy { conditions(at: $0) == first }
  }

  private func conditions(at step: Int) -> Conditions {
    conditions(contextLength: configuration.contextLength(at: step)) {
      configuration.schedule.run.ownValue(of: $0, at: step)
    }
  }

  private func conditions(evaluatedAfter step: Int) -> Conditions {
    let last = configuration.training.steps - 1
    let final = step > last ? configuration.evaluation.final : [:]
    return conditions(contextLength: configuration.evaluationContextLength) {
      final[$0] ?? configuration.schedule.run.ownValue(of: $0, at: min(step, last))
    }
  }

  /// Attention rounds a window that it reads, and sees at least the query itself.
  private func conditions(
    contextLength: Int, _ scheduled: (String) -> Double?
  ) -> Conditions {
    func window(_ name: String, _ largest: Int?) -> Int? {
      scheduled(name).map { max(1, Int($0.rounded())) } ?? largest
    }
    return Conditions(
      contextLength: contextLength, window: window("attention_window", model.attentionWindow),
      shortWindow: window("attention_window_short", model.shortAttentionWindow))
  }

  /// Stretches of steps whose batches cost the same, extra gradients left out.
  mutating func stretches() -> [RunEstimate.Stretch] {
    var stretches: [RunEstimate.Stretch] = []
    var last: (conditions: Conditions, tokens: Int)?
    for step in 0..<configuration.training.steps {
      let now = (conditions: conditions(at: step), tokens: configuration.batchTokens(at: step))
      if let last, last == now { continue }
      last = now
      stretches.append(
        RunEstimate.Stretch(
          firstStep: step, gradientFLOPs: trainingFLOPs([now.conditions: Double(now.tokens)])))
    }
    return stretches
  }

  // MARK: - FLOPs

  /// FLOPs of gradients: forward and backward pass.
  mutating func trainingFLOPs(_ tokens: Tokens) -> Double {
    sum(tokens) { $0.trainingFLOPsPerToken }
  }

  /// FLOPs of forward passes.
  mutating func forwardFLOPs(_ tokens: Tokens) -> Double {
    sum(tokens) { $0.forwardFLOPsPerToken }
  }

  /// The share of attention that is left of what programs do that were planned at the largest windows, from 0 to 1.
  mutating func attentionShare(_ tokens: Tokens) -> Double {
    let actual = sum(tokens) { $0.attentionFLOPsPerToken }
    let largest = tokens.reduce(into: Tokens()) { result, entry in
      let conditions = Conditions(
        contextLength: entry.key.contextLength, window: model.attentionWindow,
        shortWindow: model.shortAttentionWindow)
      result[conditions, default: 0] += entry.value
    }
    let planned = sum(largest) { $0.attentionFLOPsPerToken }
    return planned > 0 ? actual / planned : 1
  }

  private mutating func sum(_ tokens: Tokens, _ value: (ModelCost) -> Double) -> Double {
    // In an order of their own, so that a sum has the same bits whenever it is made.
    let ordered = tokens.sorted { a, b in
      (a.key.contextLength, a.key.window ?? .max, a.key.shortWindow ?? .max)
        < (b.key.contextLength, b.key.window ?? .max, b.key.shortWindow ?? .max)
    }
    return ordered.reduce(0) { sum, entry in
      let cost = known[entry.key] ?? made(entry.key)
      known[entry.key] = cost
      return sum + value(cost) * entry.value
    }
  }

  private func made(_ conditions: Conditions) -> ModelCost {
    ModelCost(
      model.variant(contextLength: conditions.contextLength, looksUpInHead: false)
        .withWindows(conditions.window, short: conditions.shortWindow).makeModel())
  }
}

extension TrainingConfiguration {
  /// FLOPs of the gradients of a run's first steps, each at its own windows, length of sequences and batch.
  ///
  /// - Parameters:
  ///   - model: of the run.
  ///   - groups: whose methods may take extra gradients.
  ///   - count: steps made.
  ///   - chargedTokens: targets that the run was charged for in them; where some did not count, FLOPs fall with them.
  /// - Returns: 0 for no steps.
  func trainingFLOPs(
    _ model: ModelConfiguration, _ groups: [ParameterGroup], firstSteps count: Int,
    chargedTokens: Int
  ) -> Double {
    var costs = TokenCosts(self, model)
    let tokens = costs.charged(0..<max(0, min(count, training.steps)), groups)
    let planned = tokens.values.reduce(0, +)
    if planned == 0 { return 0 }
    let flops = costs.trainingFLOPs(tokens)
    return planned == Double(chargedTokens) ? flops : flops / planned * Double(chargedTokens)
  }

  /// Whether a token costs the same at all steps: neither windows nor the length of sequences change.
  ///
  /// - Parameter model: of the run.
  /// - Returns: whether FLOPs follow from tokens alone.
  public func hasConstantTokenCost(_ model: ModelConfiguration) -> Bool {
    TokenCosts(self, model).isConstant
  }
}
