// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Optimizers
import RunRecords
import Schedules
import TensorGraph

/// Records the values of small parameters after every step, and norms and quantiles of the others now and then.
///
/// It only reads what lies in the runtime: recording can change no bit of a run.
final class TrajectoryRecording {
  /// A parameter of fewer values is small.
  static let smallCount = 1024

  /// What is recorded.
  let header: TrajectoryHeader

  private let configuration: TrainingConfiguration
  private let runtime: any Runtime

  /// Decides what to record; nil: nothing.
  init?(_ configuration: TrainingConfiguration, _ optimizer: Optimizer, runtime: any Runtime) {
    let settings = configuration.metrics
    if settings.trajectories == .none { return nil }
    self.configuration = configuration
    self.runtime = runtime
    var (small, large): ([TrajectoryHeader.Parameter], [TrajectoryHeader.Parameter]) = ([], [])
    for group in optimizer.groups {
      for parameter in group.members {
        let isGain = [.normGain, .queryKeyNormGain].contains(parameter.role)
        let isWhole =
          parameter.shape.count < Self.smallCount && (settings.trajectories == .small || !isGain)
        let entry = TrajectoryHeader.Parameter(
          name: parameter.name, role: parameter.role.key, group: group.name,
          shape: parameter.shape.dimensions)
        if isWhole { small.append(entry) } else { large.append(entry) }
      }
    }
    if settings.statisticsEvery == 0 { large = [] }
    let run = configuration.schedule.run
    let stages =
      [TrajectoryHeader.Stage(name: run.stage(at: 0), firstStep: 0)]
      + run.events.map { TrajectoryHeader.Stage(name: $0.to, firstStep: $0.step) }
    let pauses = run.pausedGroups.flatMap { group in
      run.pauses(of: group).map {
        TrajectoryHeader.Pause(group: group, from: $0.lowerBound, to: $0.upperBound)
      }
    }
    let numbers = small.isEmpty ? [] : configuration.effectiveNumbers(at: 0, optimizer).map(\.name)
    header = TrajectoryHeader(
      steps: configuration.training.steps, every: settings.trajectoriesEvery, stages: stages,
      pauses: pauses, parameters: small, numbers: numbers, summarized: large)
  }

  /// Records a step that was made or skipped.
  ///
  /// - Parameters:
  ///   - step: zero-based.
  ///   - settings: the numbers that it was made with.
  ///   - isMeasured: whether norms and quantiles are due.
  ///   - recorder: writes it.
  /// - Throws: `RunRecordError` when the disk is full, or what the runtime throws.
  func record(
    _ step: Int, _ settings: TrainingStep.Settings, isMeasured: Bool, to recorder: RunRecorder
  ) throws {
    if !header.parameters.isEmpty, step % header.every == 0 {
      let effective = Dictionary(
        configuration.effectiveNumbers(settings, at: step), uniquingKeysWith: { $1 })
      let numbers = header.numbers.map { effective[$0].map { Float($0) } ?? .nan }
      let values = try header.parameters.map { try memory($0.name) }
      try recorder.trajectory(step: step, numbers: numbers, values: values)
    }
    if isMeasured, !header.summarized.isEmpty {
      let rows = try header.summarized.map { MagnitudeSummary(try memory($0.name)).row }
      try recorder.summaries(rows, step: step)
    }
  }

  private func memory(_ name: String) throws -> UnsafeBufferPointer<Float> {
    guard let bytes = try runtime.kept(name, for: .reading) else {
      preconditionFailure("'\(name)' is not kept")
    }
    return UnsafeBufferPointer(bytes.bindMemory(to: Float.self))
  }
}

extension TrainingConfiguration {
  /// What a step is made with, after schedules: tokens, scalars of the model, and of every group what its schedule says.
  fileprivate func effectiveNumbers(
    _ settings: TrainingStep.Settings, at step: Int
  ) -> [(name: String, value: Double)] {
    func sorted(_ numbers: [String: Double]) -> [(name: String, value: Double)] {
      numbers.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
    let groups = settings.conditions.hyperparameters.sorted { $0.key < $1.key }
    return [("batch_tokens", Double(batchTokens(at: step)))] + sorted(settings.modelScalars)
      + groups.flatMap { group, numbers in
        sorted(numbers).map { ("\(group).\($0.name)", $0.value) }
      }
  }

  fileprivate func effectiveNumbers(
    at step: Int, _ optimizer: Optimizer
  ) -> [(name: String, value: Double)] {
    effectiveNumbers(settings(at: step, optimizer), at: step)
  }
}
