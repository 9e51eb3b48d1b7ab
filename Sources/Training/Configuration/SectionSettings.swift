// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
public import TextData

/// Section `[data]`.
public struct DataSettings: Sendable {
  /// Choices of `order`.
  public enum Order: String, Sendable, CaseIterable {
    /// Windows of the text in a shuffled order that depends on the seed.
    case windows
    /// Sequences that begin with documents, in the order of the text.
    case documents
    /// The same in an order that depends on the seed.
    case shuffledDocuments = "shuffled-documents"
  }

  /// `path`: the folder that `assay data prepare` made, or one of llm.c shards; required.
  public let path: String
  /// `order`: what training sequences are cut from, and in which order they come; windows.
  public let order: Order
  /// `document_limit`: with documents, tokens of each that are used at most; 2048.
  public let documentLimit: Int
  /// `document_mask`: whether attention stays inside documents; false.
  public let masksDocuments: Bool

  init(_ section: ConfigurationSection) {
    path = section.string(
      "path",
      doc:
        "the folder that 'assay data prepare' made, or one of llm.c shards (*_train_*.bin, *_val_*.bin)"
    )
    order = section.choice(
      "order", default: .windows,
      doc:
        "windows: of the text, shuffled by the seed; documents: each sequence begins with one, in the order of the text; "
        + "shuffled-documents: in an order of the seed"
    )
    documentLimit = section.integer(
      "document_limit", default: 2048, in: 1...1_000_000_000,
      doc: "with order = \"documents\": tokens of a document that are used, at most")
    masksDocuments = section.boolean(
      "document_mask", default: false, doc: "attention stays inside documents")
  }
}

/// Section `[training]`.
public struct StepSettings: Sendable {
  /// `steps`: optimizer updates of the run; 1000.
  public let steps: Int
  /// `batch_tokens`: tokens of one update; 4096, a multiple of context_length x accumulation_steps.
  public let batchTokens: Int
  /// `accumulation_steps`: micro-batches of one update; 1.
  public let accumulationSteps: Int
  /// `seed`: of the initial weights; 1.
  public let seed: Int
  /// `data_seed`: of the order of the data; the seed.
  public let dataSeed: Int
  /// `skip_limit`: skipped steps in a row that end the run as diverged; 10.
  public let skipLimit: Int
  /// `divergence_margin`: nats above the first validation loss; three evaluations in a row after the warm-up that lie higher
  /// end the run as diverged; nil: none do.
  public let divergenceMargin: Double?
  /// `loss_divisor`: what the sum of all targets' losses is divided by before gradients are taken; nil: targets that count.
  ///
  /// A constant makes gradients grow with the batch, as in code that adds losses up; what is reported is a mean anyway.
  public let lossDivisor: Double?

  init(_ section: ConfigurationSection) {
    let sizes = 1...1_000_000_000
    steps = section.integer("steps", default: 1000, in: sizes, doc: "optimizer updates")
    batchTokens = section.integer(
      "batch_tokens", default: 4096, in: sizes, doc: "tokens of one update")
    accumulationSteps = section.integer(
      "accumulation_steps", default: 1, in: 1...1_000_000, doc: "micro-batches of one update")
    seed = section.integer("seed", default: 1, in: 0...Int.max, doc: "of the initial weights")
    dataSeed = section.integer(
      "data_seed", default: seed, in: 0...Int.max, doc: "of the order of the data; the seed")
    skipLimit = section.integer(
      "skip_limit", default: 10, in: 1...1_000_000,
      doc: "steps in a row with a loss or gradient that is not finite, until the run is 'diverged'")
    divergenceMargin = section.optionalNumber(
      "divergence_margin", in: .nonNegative,
      doc:
        "nats above the first validation loss; after the warm-up, 3 evaluations in a row that lie higher: 'diverged'"
    )
    lossDivisor = section.optionalNumber(
      "loss_divisor", in: .above(0),
      doc: "what the summed losses of a step are divided by for the gradients; its targets")
  }
}

/// Section `[evaluation]`.
public struct EvaluationSettings: Sendable {
  /// `every`: steps between evaluations; a tenth of the steps, and 0: only before the first and after the last step.
  public let every: Int
  /// `tokens`: targets of the validation part, always the same ones; 65536, and 0: all.
  public let tokens: Int
  /// `selection`: which ones, where there are more; spread.
  public let selection: ValidationWindows.Selection
  /// `context_length`: tokens of an evaluated sequence; nil: the model's.
  public let contextLength: Int?
  /// `[evaluation.final]`: scalars of the model that are different in the evaluation after the last step, by name.
  public let final: [String: Double]

  init(_ section: ConfigurationSection, steps: Int) {
    every = section.integer(
      "every", default: max(1, steps / 10), in: 0...1_000_000_000,
      doc: "steps between evaluations; 0: only at start and end")
    tokens = section.integer(
      "tokens", default: 65536, in: 0...1_000_000_000_000,
      doc: "validation tokens, always the same ones; 0: all")
    selection = section.choice(
      "selection", default: .spread,
      doc: "which validation tokens: sequences spread evenly over all, or the first ones")
    contextLength = section.optionalInteger(
      "context_length", in: 1...1_000_000_000, doc: "tokens of a sequence; the model's")
    var final: [String: Double] = [:]
    if section.givenNames.contains("final") {
      let table = section.section("final")
      for scalar in SchedulableScalar.evaluated where table.isGiven(scalar.name) {
        let value = table.number(
          scalar.name, in: scalar.range, doc: "its value after the last step")
        if let refusal = scalar.refusal(of: value) { table.refuse(scalar.name, message: refusal) }
        final[scalar.name] = value
      }
    }
    self.final = final
  }
}

/// Section `[checkpoint]`.
public struct CheckpointSettings: Sendable {
  /// What stays of a run that has ended.
  public enum Final: String, Sendable, CaseIterable {
    /// No checkpoint.
    case none
    /// The weights, and whatever else evaluation reads.
    case weights
    /// Everything, and the newest checkpoints before.
    case full
  }

  /// `every`: steps between checkpoints; 500, and 0: only at the end or when interrupted.
  public let every: Int
  /// `seconds`: a checkpoint when so many have passed since the last; 0: never.
  public let seconds: Double
  /// `keep`: how many of the newest stay; 2.
  public let keep: Int
  /// `final`: what stays when all steps are made, or the run diverged; full.
  public let final: Final

  init(_ section: ConfigurationSection) {
    every = section.integer(
      "every", default: 500, in: 0...1_000_000_000,
      doc: "steps between checkpoints; 0: only at the end or when interrupted")
    seconds = section.number(
      "seconds", default: 0, in: .nonNegative,
      doc: "also a checkpoint when so many have passed since the last; 0: never")
    keep = section.integer("keep", default: 2, in: 1...1_000_000, doc: "newest checkpoints kept")
    final = section.choice(
      "final", default: .full,
      doc: "what stays of a run that has ended: nothing, weights for use, or everything")
  }
}

/// Section `[metrics]`.
public struct MetricSettings: Sendable {
  /// Choices of `trajectories`.
  public enum Trajectories: String, Sendable, CaseIterable {
    /// Nothing.
    case none
    /// Small parameters other than norm gains: lambdas, gates.
    case scalars
    /// Small parameters, norm gains among them.
    case small
  }

  /// `every`: steps between lines of metrics; 1.
  public let every: Int
  /// `statistics_every`: steps between weight norms and update sizes by role; 100, and 0: never.
  public let statisticsEvery: Int
  /// `effective_rates_every`: steps between quantiles of effective learning rates by role; 0: never.
  public let effectiveRatesEvery: Int
  /// `trajectories`: which parameters below 1,024 values are recorded with all their values, the others by norms and quantiles;
  /// scalars, for the gains of norms are by far the most such values and seldom what is looked for.
  public let trajectories: Trajectories
  /// `trajectories_every`: steps between records of these values; 1.
  public let trajectoriesEvery: Int

  init(_ section: ConfigurationSection) {
    every = section.integer(
      "every", default: 1, in: 1...1_000_000_000, doc: "steps between lines of metrics")
    statisticsEvery = section.integer(
      "statistics_every", default: 100, in: 0...1_000_000_000,
      doc: "steps between weight norms and update sizes by role; 0: never")
    effectiveRatesEvery = section.integer(
      "effective_rates_every", default: 0, in: 0...1_000_000_000,
      doc: "steps between quantiles of effective learning rates by role; 0: never")
    trajectories = section.choice(
      "trajectories", default: .scalars,
      doc:
        "parameters below 1,024 values that are recorded whole: none, all but norm gains, or all; the others by norm and quantiles "
        + "every statistics_every steps")
    trajectoriesEvery = section.integer(
      "trajectories_every", default: 1, in: 1...1_000_000_000,
      doc: "steps between records of these values")
  }
}

/// Section `[run]`.
public struct RunSettings: Sendable {
  /// `folder`: where the run lies; runs/latest.
  public let folder: String

  init(_ section: ConfigurationSection) {
    folder = section.string("folder", default: "runs/latest", doc: "where the run lies")
  }
}
