// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import Configurations
public import LanguageModels
public import Optimizers
public import Schedules
public import TensorGraph

/// Everything that defines a run, read from TOML and checked as a whole before any work.
///
/// Sections: `[model] [data] [training] [optimizer] [schedule] [evaluation] [checkpoint] [metrics] [machine] [run]`. Every key has
/// a default except `data.path`. Keys, ranges and defaults are declared where they are read, in the files `Configuration/`.
public struct TrainingConfiguration: Sendable {
  /// Section `[model]`.
  public let model: ModelSettings
  /// Section `[data]`.
  public let data: DataSettings
  /// Section `[training]`.
  public let training: StepSettings
  /// Section `[optimizer]`.
  public let optimizer: OptimizerSettings
  /// Section `[schedule]`.
  public let schedule: ScheduleSettings
  /// Section `[evaluation]`.
  public let evaluation: EvaluationSettings
  /// Section `[checkpoint]`.
  public let checkpoint: CheckpointSettings
  /// Section `[metrics]`.
  public let metrics: MetricSettings
  /// Section `[machine]`.
  public let machine: MachineSettings
  /// Section `[run]`.
  public let run: RunSettings
  /// Every key with its value and where it comes from.
  public let resolved: ResolvedConfiguration

  /// Reads and checks a configuration.
  ///
  /// - Throws: ``ConfigurationError`` with every problem found: unknown keys with the nearest known one, wrong types, values
  ///   out of range, contradictions.
  public init(_ source: ConfigurationSource) throws(ConfigurationError) {
    let reader = ConfigurationReader(source)
    model = ModelSettings(reader.section("model"))
    data = DataSettings(reader.section("data"))
    training = StepSettings(reader.section("training"))
    optimizer = OptimizerSettings(reader.section("optimizer"))
    let groups = Self.groups(of: optimizer, model, reader)
    let section = reader.section("schedule")
    let changesLength = ScheduleContext.schedulesContextLength(section)
    schedule = ScheduleSettings(
      section,
      ScheduleContext(
        model: model, training: training, optimizer: optimizer, groups: groups,
        schedulesContextLength: changesLength))
    Self.check(schedule, groups ?? [], reader)
    Self.checkWeights(schedule.run, model, reader)
    if let groups {
      schedule.untie?.check(
        section, try? model.configuration(vocabularySize: 2, masksDocuments: false), groups)
    }
    if model.speedrun?.embedding == .tiedThenUntied, schedule.untie == nil,
      !section.isGiven("untie_at")
    {
      reader.contradiction(
        "model.embedding", "schedule.untie_at",
        message:
          "a table that is tied first and untied then needs the step: give schedule.untie_at, or choose tied or untied"
      )
    }
    evaluation = EvaluationSettings(reader.section("evaluation"), steps: training.steps)
    checkpoint = CheckpointSettings(reader.section("checkpoint"))
    metrics = MetricSettings(reader.section("metrics"))
    machine = MachineSettings(reader.section("machine"))
    run = RunSettings(reader.section("run"))

    let perStep = model.contextLength * training.accumulationSteps
    if changesLength {
      Self.checkBatches(schedule.run, model, training, section)
    } else if training.batchTokens % perStep != 0 {
      let lower = training.batchTokens / perStep * perStep
      let choices = lower > 0 ? "\(lower) or \(lower + perStep)" : "\(perStep)"
      reader.contradiction(
        "training.batch_tokens", "model.context_length", "training.accumulation_steps",
        message:
          "batch_tokens must be a multiple of context_length x accumulation_steps = \(perStep), such as \(choices)"
      )
    }
    resolved = try reader.finish()
    try check(devices: machine.devices)
  }

  /// The groups of parameters, nil when there is something wrong with them or the model.
  ///
  /// Roles and shapes do not depend on the data, so a policy that does not fit is known before any are read.
  private static func groups(
    of optimizer: OptimizerSettings, _ model: ModelSettings, _ reader: ConfigurationReader
  ) -> [ParameterGroup]? {
    // Stand-ins for what was refused would only be complained about once more.
    guard !reader.hasProblem(in: "optimizer"),
      let configuration = try? model.configuration(
        vocabularySize: model.vocabularySize ?? 2, masksDocuments: false)
    else { return nil }
    do {
      return try optimizer.policy.optimizer(for: configuration.makeModel().parameters).trained
    } catch {
      reader.contradiction(keys(of: error, reader), message: error.message)
      return nil
    }
  }

  /// The keys that an error about a policy is about, so that its message has their lines.
  private static func keys(
    of error: OptimizerError, _ reader: ConfigurationReader
  ) -> [String] {
    guard let rule = error.rule else { return ["optimizer.name"] }
    let table = reader.section("optimizer").tables("rule")[rule]
    let names = error.code == .unusedRule ? RuleReader.conditions : [error.name, "method"]
    let given = names.filter(table.isGiven).map { table.path + "." + $0 }
    return given.isEmpty ? [table.path] : given
  }

  /// Batches must be whole numbers of sequences, whatever the length of these at a step.
  private static func checkBatches(
    _ run: RunSchedule, _ model: ModelSettings, _ training: StepSettings,
    _ section: ConfigurationSection
  ) {
    for step in 0..<training.steps {
      let length = run.ownValue(of: SchedulableScalar.contextLength, at: step).map { Int($0) }
      let batch = run.ownValue(of: "batch_tokens", at: step).map { Int($0) }
      let size = (length ?? model.contextLength) * training.accumulationSteps
      let tokens = batch ?? training.batchTokens
      guard tokens % size != 0 else { continue }
      section.refuse(
        SchedulableScalar.contextLength,
        message:
          "at step \(step) a batch has \(tokens) tokens, which is no multiple of context_length x accumulation_steps = "
          + "\(size); change batch_tokens or the length of the sequences there")
      return
    }
  }

  /// Every further token that training predicts has a weight in the loss, which only a schedule can give.
  private static func checkWeights(
    _ run: RunSchedule, _ model: ModelSettings, _ reader: ConfigurationReader
  ) {
    let predictions = model.speedrun?.predictions ?? 1
    // What was given and refused has been complained about already.
    guard predictions > 1, !reader.hasProblem(in: "schedule") else { return }
    let missing = (2...predictions).map {
      SchedulableScalar.predictionWeight($0, configured: nil).name
    }.filter { run.ownValue(of: $0, at: 0) == nil }
    guard let first = missing.first else { return }
    reader.contradiction(
      ["model.predictions"] + missing.map { "schedule." + $0 },
      message:
        "training predicts \(predictions) tokens ahead, and not all of them have a weight in the loss; give each, such as "
        + "[schedule.\(first)] with kind = \"constant\" and from = 0.5, or predict fewer")
  }

  /// A learning rate that falls spoils methods that average over all steps; whoever wants it has to say so.
  private static func check(
    _ schedule: ScheduleSettings, _ groups: [ParameterGroup], _ reader: ConfigurationReader
  ) {
    let spoilt = groups.first { group in
      group.card?.wantsConstantRate == true && schedule.run.isDecaying(for: group.name)
    }
    guard let spoilt, let card = spoilt.card, !schedule.allowsDecay else { return }
    reader.contradiction(
      "schedule.kind", "optimizer.name",
      message:
        "\(card.name) (group '\(spoilt.name)') wants a constant learning rate after its warm-up and this one falls; "
        + "use kind = \"constant\", or schedule.allow_decay = true if that is what you want to see")
  }

  /// The model for a data set.
  ///
  /// - Parameter vocabularySize: token ids of the data set.
  /// - Returns: sizes and switches, complete.
  /// - Throws: ``ConfigurationError`` when the configured vocabulary is smaller than that.
  public func modelConfiguration(
    vocabularySize: Int
  ) throws(ConfigurationError) -> ModelConfiguration {
    let size = model.vocabularySize ?? vocabularySize
    guard size >= vocabularySize else {
      throw ConfigurationError(
        .contradiction, keys: ["model.vocabulary_size", "data.path"],
        "model.vocabulary_size is \(size), but the tokens of \(data.path) go up to id \(vocabularySize - 1); "
          + "use \(vocabularySize) or more, or leave the key out")
    }
    do {
      return try model.configuration(
        vocabularySize: size, masksDocuments: data.masksDocuments,
        largestWindow: largest(window: "attention_window"),
        largestShortWindow: largest(window: "attention_window_short"),
        schedulesZLoss: schedulesZLoss)
    } catch {
      throw ConfigurationError(
        .contradiction, keys: ["model.\(error.key)"], "model.\(error.key): \(error.message)")
    }
  }

  /// The optimizer of a model's parameters.
  ///
  /// - Throws: ``ConfigurationError`` when the policy does not fit the model.
  public func optimizer(for parameters: [Parameter]) throws(ConfigurationError) -> Optimizer {
    do {
      return try optimizer.policy.optimizer(
        for: parameters, pausable: schedule.run.pausedGroups(.hold),
        silenceable: schedule.run.pausedGroups(.zeroGradients))
    } catch {
      throw ConfigurationError(.contradiction, keys: ["optimizer"], error.message)
    }
  }

  /// The learning rate as a function of the step.
  ///
  /// - Throws: `ScheduleError`; reading has already refused whatever could cause it.
  public func learningRateSchedule() throws(ScheduleError) -> Schedule {
    try schedule.run.learningRate.scaled(by: optimizer.learningRate)
  }

  /// What has to agree for two runs to be the same run: a hash of all keys that can change numbers.
  public var identity: String {
    resolved.contentHash(excluding: ResolvedConfiguration.keysWithoutInfluence)
  }
}
