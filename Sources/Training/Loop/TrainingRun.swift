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
import XLARuntime

/// A run: its configuration, data, weights and records, ready to step.
///
/// `train` is what a command calls. Making a run checks everything that can be checked before work, takes up the newest
/// sound checkpoint if the folder has one, and compiles; `run` is the loop.
public final class TrainingRun {
  /// What defines the run.
  public let configuration: TrainingConfiguration
  /// How far it has come.
  public private(set) var progress: TrainingProgress
  /// Evaluations in a row above the limit that certify divergence.
  static let evaluationsOfDivergence = 3

  let start: TrainingStart
  let source: any BatchSource
  let steps: TrainingSteps
  let evaluators: Evaluators
  private let statistics: WeightStatistics
  /// Nil where the head is not in float8.
  private let float8Statistics: Float8Statistics?
  /// Nil where nobody asked.
  private let effectiveRates: EffectiveRates?
  /// Nil where nothing is to be recorded.
  let trajectories: TrajectoryRecording?
  let tensors: KeptTensors
  let schedule: Schedule
  let store: CheckpointStore
  let recorder: RunRecorder
  let observer: (TrainingEvent) -> Void
  let runtime: any Runtime
  let initialWeights: String?
  let cost: ModelCost
  let optimizerStateBytes: Int
  var pace = StepPace()
  var lastEvaluation: EvaluationReport?
  /// Validation losses above which the run is stopped, by step.
  var limits: [Int: Double] = [:]
  var lastCheckpoint: (step: Int, folder: String)?
  var lastSave: ContinuousClock.Instant
  /// What time it is where saving is decided; runs that share programs have one clock, so that they save after the same step.
  let now: () -> ContinuousClock.Instant
  /// What was done ahead of time, or is still to be done, because a device computes meanwhile.
  var ahead = WorkAhead()
  /// Where a process that is not the first of its run puts what it must not write.
  let follower: FollowerFolder?

  // MARK: - Making a run

  /// Trains: a new run, or the rest of one that was interrupted; a run that has ended is only reported.
  ///
  /// - Parameters:
  ///   - configuration: what defines the run.
  ///   - trial: which trial of a study the run is; nil: of none.
  ///   - limits: validation losses above which a rule of its study ends the run as `stopped`.
  ///   - initialWeights: a safetensors file of first weights; nil: from the seed.
  ///   - runtime: what executes it; nil: what the configuration asks for.
  ///   - source: the data; nil: the data set of `data.path`.
  ///   - stop: asked after every step, and between the batches of an evaluation.
  ///   - observer: is told what happens.
  ///   - now: the time by which `checkpoint.seconds` are counted.
  /// - Returns: how it ended.
  /// - Throws: `ConfigurationError`, ``TrainingError`` and the errors of data, tensor files and run records; before any work
  ///   where that is possible.
  @discardableResult
  public static func train(
    _ configuration: TrainingConfiguration, trial: TrialRecord? = nil,
    limits: [TrialLimit] = [], initialWeights: String? = nil, runtime: RuntimeProvider? = nil,
    source: (any BatchSource)? = nil, stop: StopRequest = StopRequest(),
    observer: @escaping (TrainingEvent) -> Void = { _ in },
    now: @escaping () -> ContinuousClock.Instant = { .now }
  ) throws -> TrainingSummary {
    if case .ended(let summary) = try earlier(configuration, trial) {
      observer(.ended(summary))
      return summary
    }
    let run = try TrainingRun(
      configuration, trial: trial, initialWeights: initialWeights, runtime: runtime,
      source: source, observer: observer, now: now)
    run.limits = Dictionary(limits.map { ($0.step, $0.loss) }, uniquingKeysWith: min)
    return try run.run(stop: stop)
  }

  /// Makes a run ready to step, see `train`.
  ///
  /// - Throws: as `train` does.
  public init(
    _ configuration: TrainingConfiguration, trial: TrialRecord? = nil,
    initialWeights: String? = nil, runtime given: RuntimeProvider? = nil,
    source givenSource: (any BatchSource)? = nil,
    observer: @escaping (TrainingEvent) -> Void = { _ in },
    now: @escaping () -> ContinuousClock.Instant = { .now }
  ) throws {
    self.now = now
    lastSave = now()
    let source = try givenSource ?? TextSource(configuration)
    let processes = configuration.machine.usesXLA ? try ProcessGroup.read() : nil
    let provider = given ?? RuntimeProvider(configuration.machine, processes: processes)
    let model = try configuration.modelConfiguration(
      vocabularySize: source.vocabularySize
    ).makeModel()
    let optimizer = try configuration.optimizer(for: model.parameters)
    let precision = provider.precision(configuration.machine.precision)
    let initial = try initialWeights.map { try FileChecksum.ofFile($0).hexadecimal }
    schedule = try configuration.learningRateSchedule()

    _ = try Self.earlier(configuration, trial)
    store = CheckpointStore(folder: configuration.run.folder + "/checkpoints")
    var checkpoint = try store.newest { observer(.warning($0)) }
    try checkpoint?.manifest.check(
      configuration, precision: precision, fingerprint: source.fingerprint, initialWeights: initial)

    let threads = configuration.machine.threads
    runtime = try provider.make(precision, threads > 0 ? threads : nil)
    follower = runtime.isFirstProcess ? nil : try FollowerFolder()
    let start = try runtime.agreed("checkpoint", on: checkpoint?.manifest.progress.step ?? -1)
    if !runtime.isFirstProcess {
      checkpoint = start < 0 ? nil : try store.checkpoint(step: start)
    }
    steps = try TrainingSteps(
      configuration, model: model.configuration, optimizer: optimizer, precision: precision,
      runtime: runtime)
    let table = OptimizerTable(optimizer)
    optimizerStateBytes = table.stateBytes
    trajectories = TrajectoryRecording(configuration, optimizer, runtime: runtime)
    recorder = try RunRecorder(
      configuration, at: follower?.path ?? configuration.run.folder, trial: trial,
      machine: configuration.machineDetails(runtime, precision),
      firstStep: checkpoint?.manifest.progress.step ?? 0, optimizer: table,
      trajectories: trajectories?.header,
      kept: follower == nil ? checkpoint?.manifest.records ?? RecordBytes() : RecordBytes())

    if follower == nil { try store.removeRemains() }
    let definition = steps.definition
    let step = steps.prepared(at: 0)
    evaluators = try Evaluators(configuration, definition, source: source, runtime: runtime)
    statistics = WeightStatistics(model.parameters, runtime: runtime)
    float8Statistics = try Float8Statistics(configuration, definition, runtime: runtime)
    effectiveRates =
      configuration.metrics.effectiveRatesEvery > 0
      ? EffectiveRates(
        optimizer,
        frequencies: try TokenFrequencies(source, step.batch, targets: configuration.totalTokens),
        runtime: runtime) : nil
    tensors = KeptTensors(definition, runtime: runtime)
    if let checkpoint {
      try checkpoint.load(into: tensors)
      try source.move(to: checkpoint.manifest.dataPosition)
      progress = checkpoint.manifest.progress
      step.state = checkpoint.manifest.stepState
      self.initialWeights = checkpoint.manifest.initialWeights
      lastCheckpoint = (progress.step, checkpoint.folder)
      lastEvaluation = checkpoint.manifest.evaluation
    } else {
      if let initialWeights {
        try tensors.loadWeights(initialWeights)
      } else {
        try tensors.initialize(seed: UInt64(configuration.training.seed))
      }
      progress = TrainingProgress()
      step.state.spikes = configuration.optimizer.spikes
      self.initialWeights = initial
      try recorder.write(
        RunContract(configuration: configuration, definition: definition).made(
          source, tensors, trial: trial))
    }
    if follower == nil, !recorder.hasContract {
      observer(
        .warning(
          "contract.json is missing and cannot be made again, for the first weights are gone: restore it, or this run cannot be "
            + "compared with others"))
    }
    cost = ModelCost(model)
    self.start = TrainingStart(
      folder: configuration.run.folder, runtime: runtime.summary, precision: precision,
      parameters: cost.parameters, nonEmbeddingParameters: cost.nonEmbeddingParameters,
      batchTokens: configuration.training.batchTokens, steps: configuration.training.steps,
      firstStep: progress.step,
      validationTokens: source.validationTokens)
    self.configuration = configuration
    self.source = source
    self.observer = observer
  }

  /// What lies in the run's folder; to a process that is not the first of its run, errors say only that the first has begun to write.
  private static func earlier(
    _ configuration: TrainingConfiguration, _ trial: TrialRecord?
  ) throws -> RunRecorder.Earlier? {
    let processes = configuration.machine.usesXLA ? try ProcessGroup.read() : nil
    if processes?.isFirst == false {
      return try? RunRecorder.earlier(configuration, trial: trial)
    }
    return try RunRecorder.earlier(configuration, trial: trial)
  }

  // MARK: - The loop

  /// Trains until the last step, until the run diverges, or until somebody asks for the end.
  ///
  /// A run ends as diverged after `training.skip_limit` steps in a row whose loss or gradients are not finite (each of them
  /// left weights and state alone), when the validation loss is not finite, or when it stays above the limit that
  /// `training.divergence_margin` sets.
  ///
  /// - Parameter stop: asked after every step, and between the batches of an evaluation; then a checkpoint is saved and the outcome is `interrupted` or `stopped`.
  /// - Returns: how it ended.
  /// - Throws: errors of files and data; records and older checkpoints stay as they are.
  public func run(stop: StopRequest = StopRequest()) throws -> TrainingSummary {
    do {
      return try loop(stop)
    } catch {
      try? writeReport()
      recorder.fail(error, step: progress.step)
      throw error
    }
  }

  private func loop(_ stop: StopRequest) throws -> TrainingSummary {
    observer(.started(start))
    if isEvaluationDue, try !evaluate(stop) { return try finish(stop.kind) }
    if progress.step == 0 { try observeFirstBatches() }
    // Killed between its last checkpoint and its outcome, a run ends as it would have.
    if progress.step > 0, progress.step < configuration.training.steps {
      if let divergence { return try finish(.diverged, reason: divergence) }
      if let lostRace { return try finish(.stopped, reason: lostRace) }
    }
    while progress.step < configuration.training.steps {
      try takeStep()
      if isEvaluationDue, try !evaluate(stop) { return try finish(stop.kind) }
      if let divergence { return try finish(.diverged, reason: divergence) }
      if progress.step == configuration.training.steps { break }
      if let lostRace { return try finish(.stopped, reason: lostRace) }
      switch try wish(stop) {
      case .end(let kind): return try finish(kind)
      case .save: try save()
      case .none: break
      }
    }
    if lastEvaluation?.step != progress.step, try !evaluate(stop) { return try finish(stop.kind) }
    if let divergence { return try finish(.diverged, reason: divergence) }
    return try finish(.finished)
  }

  /// What is to be done between two steps.
  private enum Wish {
    case end(StopRequest.Kind)
    case save
    case none
  }

  /// What clock and signals ask for, in all processes of a run what they ask of the first.
  private func wish(_ stop: StopRequest) throws -> Wish {
    let own = stop.kind.map(\.rawValue) ?? (isSaveDue ? -1 : 0)
    let agreed = try runtime.agreed("after step \(progress.step)", on: own)
    return agreed < 0 ? .save : StopRequest.Kind(rawValue: agreed).map { .end($0) } ?? .none
  }

  /// One step: next batch, forward, backward, update, report.
  private func takeStep() throws {
    let clock = ContinuousClock.now
    let index = progress.step
    let step = steps.prepared(at: index)
    let measures = isMultiple(index, configuration.metrics.statisticsEvery)
    if measures { try statistics.rememberWeights() }
    if ahead.position == nil { try source.fill(step.batch) }
    ahead.position = nil
    let settings = settings(at: index)
    let measuresRates = isMultiple(index, configuration.metrics.effectiveRatesEvery)
    // Before the step, for afterwards the clock has gone on.
    let numbers = measuresRates ? step.numbers(settings).values : [:]
    // Of the weights before the step, and outside its time.
    let beforeMeasuring = ContinuousClock.now
    let float8 = measures ? try float8Statistics?.measure(step, settings) : nil
    let measuringSeconds = (ContinuousClock.now - beforeMeasuring).seconds
    let result = try step.run(settings, meanwhile: { try self.workAhead(of: index + 1) })

    progress.step += 1
    progress.tokens += result.countedTargets
    progress.gradientEvaluations += result.gradientEvaluations
    progress.chargedTokens += result.gradientEvaluations * result.countedTargets
    progress.updates += result.isUpdated ? 1 : 0
    progress.skippedSteps += result.isUpdated ? 0 : 1
    progress.consecutiveSkips = result.isUpdated ? 0 : progress.consecutiveSkips + 1
    let seconds = (ContinuousClock.now - clock).seconds - measuringSeconds
    progress.seconds += seconds
    pace.add(seconds)
    ahead.report = stepReport(result, index: index, seconds: seconds)
    // Where more is written about the step, its own report comes first.
    if !step.runsAhead || measures || measuresRates { try writeReport() }
    try trajectories?.record(index, settings, isMeasured: measures, to: recorder)
    if measures, result.isUpdated {
      let measured = try statistics.measure()
      try recorder.statistics(measured, step: index)
      observer(.statistics(step: index, measured))
    }
    if let float8 { try recorder.float8(Float8Record(step: index, tensors: float8)) }
    if measuresRates, result.isUpdated, let measured = try effectiveRates?.measure(numbers) {
      try recorder.effectiveRates(measured, step: index)
      observer(.effectiveRates(step: index, measured))
    }
    try untieIfDue()
  }

  /// What the host does while a device computes: it reports the step before, and reads the text of the next.
  private func workAhead(of index: Int) throws {
    try writeReport()
    guard index < configuration.training.steps else { return }
    ahead.position = source.position
    try source.fill(steps.prepared(at: index).batch)
  }

  /// Shows the first batches of the run to methods that start their statistics from them, and goes back to the first: they are
  /// charged for, and every arm of a comparison still trains on the same tokens.
  private func observeFirstBatches() throws {
    let clock = ContinuousClock.now
    let first = source.position
    var count = 0
    let step = steps.prepared(at: 0)
    while step.batchesBeforeTraining(settings(at: 0)) > 0 {
      try source.fill(step.batch)
      progress.gradientEvaluations += try step.observe(settings(at: 0))
      progress.chargedTokens += step.batch.countedTargets
      count += 1
    }
    if count == 0 { return }
    try source.move(to: first)
    progress.seconds += (ContinuousClock.now - clock).seconds
  }

  /// The compiled step of the next index, its batch set to the size that it takes.
  var step: TrainingStep { steps.prepared(at: progress.step) }

  /// The numbers of a step; after the last step, those of the last.
  func settings(at step: Int) -> TrainingStep.Settings {
    configuration.settings(
      at: min(step, configuration.training.steps - 1), steps.definition.optimizer)
  }

  /// Where the next step is the first that looks tokens up in their own table: fills that from the head.
  private func untieIfDue() throws {
    guard let untie = configuration.schedule.untie, untie.step == progress.step else { return }
    try steps.untie(tensors, untie.state)
  }

  /// Whether there is an evaluation before the next step that has not been made.
  private var isEvaluationDue: Bool {
    lastEvaluation?.step != progress.step
      && (progress.step == 0 || isMultiple(progress.step, configuration.evaluation.every))
  }

  /// Evaluates; one that is asked to end leaves no trace, and is made when the run goes on.
  ///
  /// - Returns: whether it came to its end.
  private func evaluate(_ stop: StopRequest) throws -> Bool {
    try writeReport()
    let clock = ContinuousClock.now
    var numbers = configuration.evaluationNumbers(after: progress.step)
    numbers.scalars.merge(step.numbers(settings(at: progress.step)).values) { own, _ in own }
    // Processes that form a run see signals at different batches: they heed them after the step.
    let stop = runtime.process.count == 1 ? stop : StopRequest()
    guard let result = try evaluators.run(numbers, after: progress.step, stop) else { return false }
    let report = EvaluationReport(
      step: progress.step, tokens: progress.tokens, loss: result.crossEntropy,
      bitsPerByte: result.bitsPerByte, evaluatedTokens: result.tokens,
      seconds: (ContinuousClock.now - clock).seconds)
    lastEvaluation = report
    note(report)
    try recorder.evaluation(report)
    observer(.evaluation(report))
    return true
  }

  /// Counts evaluations that speak for divergence.
  private func note(_ evaluation: EvaluationReport) {
    let first = progress.initialLoss ?? evaluation.loss
    progress.initialLoss = first
    guard let margin = configuration.training.divergenceMargin,
      evaluation.step > configuration.schedule.warmupSteps
    else { return }
    let isAbove = !(evaluation.loss <= first + margin)
    progress.evaluationsAboveLimit = isAbove ? progress.evaluationsAboveLimit + 1 : 0
  }

  /// Why the run has diverged, in words; nil: it has not.
  private var divergence: String? {
    if progress.consecutiveSkips >= configuration.training.skipLimit {
      return
        "loss or gradients of \(progress.consecutiveSkips) steps in a row were not finite, or out of line"
    }
    if let lastEvaluation, !lastEvaluation.loss.isFinite {
      return "the validation loss after \(lastEvaluation.step) steps was \(lastEvaluation.loss)"
    }
    if progress.evaluationsAboveLimit >= Self.evaluationsOfDivergence,
      let first = progress.initialLoss, let margin = configuration.training.divergenceMargin
    {
      return
        "the validation loss of \(progress.evaluationsAboveLimit) evaluations in a row after the warm-up lay more than "
        + "\(margin) nats above the first, \(first)"
    }
    return nil
  }

  /// Why a rule of the study ends the run here, in words; nil: none does.
  private var lostRace: String? {
    guard let lastEvaluation, lastEvaluation.step == progress.step,
      let limit = limits[progress.step], !(lastEvaluation.loss <= limit)
    else { return nil }
    return
      "lost a race: the validation loss after \(progress.step) steps, \(lastEvaluation.loss), lay above \(limit)"
  }

  func isMultiple(_ step: Int, _ every: Int) -> Bool { every > 0 && step % every == 0 }
}
