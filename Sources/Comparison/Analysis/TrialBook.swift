// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import RunRecords
import Statistics

/// One replicate that reports, with the trial behind it.
///
/// There is no way to make one of a tuning seed.
struct Measured {
  let seed: ReportingSeed
  let replicate: Replicate
  let trial: LoadedTrial?

  var loss: Double? { replicate.loss }
}

extension [Measured] {
  /// The losses there are, in the order of seeds.
  var losses: [Double] { compactMap(\.loss) }

  /// The losses by the seed's number.
  var lossesBySeed: [Int: Double] {
    Dictionary(
      compactMap { measured in measured.loss.map { (measured.seed.number, $0) } },
      uniquingKeysWith: { first, _ in first })
  }

  /// How many are in a state.
  func count(_ state: Replicate.State) -> Int { count { $0.replicate.state == state } }

  /// How many have no loss because they are not done.
  var missingCount: Int { count(.missing) + count(.unfinished) + count(.stopped) }

  /// Trials that trained to the end.
  var finished: [LoadedTrial] {
    compactMap { $0.replicate.state == .finished ? $0.trial : nil }
  }
}

/// The trials of one variant by what was asked for.
struct TrialBook {
  let plan: StudyPlan
  let variant: StudyRecord.Variant
  /// Mean validation loss before the first step; nil while none is known.
  let initialLoss: Double?
  private let byPoint: [TrialPoint: LoadedTrial]
  private let tuningTrials: [String: [(seed: TuningSeed, trial: LoadedTrial)]]

  init(_ plan: StudyPlan, variant: StudyRecord.Variant, trials: [LoadedTrial]) {
    self.plan = plan
    self.variant = variant
    var byPoint: [TrialPoint: LoadedTrial] = [:]
    var tuning: [String: [(seed: TuningSeed, trial: LoadedTrial)]] = [:]
    var initial: [Double] = []
    // Sorted by identity: of two folders with one point the first that has ended counts, as for the protocol.
    for trial in trials {
      guard let result = trial.result, result.point.variant == variant.name else { continue }
      if let loss = result.initialLoss, loss.isFinite { initial.append(loss) }
      if result.isAudit { continue }
      if let other = byPoint[result.point]?.result, other.hasEnded || !result.hasEnded { continue }
      byPoint[result.point] = trial
    }
    for trial in trials {
      guard let result = trial.result, byPoint[result.point]?.folder == trial.folder,
        let typed = plan.seeds.tuning(result)
      else { continue }
      tuning[result.point.arm, default: []].append((typed.seed, trial))
    }
    self.byPoint = byPoint
    tuningTrials = tuning
    initialLoss = Sample(initial).mean
  }

  /// The trial of a point, as far as it is.
  subscript(point: TrialPoint) -> LoadedTrial? { byPoint[point] }

  /// All trials of an arm on tuning seeds.
  func tuning(_ arm: String) -> [(seed: TuningSeed, trial: LoadedTrial)] { tuningTrials[arm] ?? [] }

  /// The replicates of trials on reporting seeds.
  func measured(_ points: [TrialPoint]) -> [Measured] {
    points.compactMap { point in
      guard let seed = plan.seeds.reporting.first(where: { $0.trialSeed == point.seed }) else {
        return nil
      }
      let trial = byPoint[point]
      return Measured(seed: seed, replicate: replicate(seed.number, trial), trial: trial)
    }
  }

  /// What became of a trial.
  func replicate(_ seed: Int, _ trial: LoadedTrial?) -> Replicate {
    guard let trial, let result = trial.result else {
      return Replicate(seed: seed, loss: nil, state: .missing, trial: trial?.identity)
    }
    let state: Replicate.State =
      switch result.status {
      case .finished: endsDiverged(result) ? .diverged : .finished
      case .diverged: .diverged
      case .stopped: .stopped
      case .failed: .failed
      case .running, .interrupted: .unfinished
      }
    var loss = result.cappedLoss
    // Where a run failed before its first evaluation, the loss at initialisation is that of its neighbours.
    if state == .diverged, loss?.isFinite != true { loss = initialLoss }
    return Replicate(
      seed: seed, loss: loss.flatMap { $0.isFinite ? $0 : nil }, state: state,
      trial: trial.identity)
  }

  private func endsDiverged(_ result: TrialResult) -> Bool {
    guard let loss = result.finalLoss, loss.isFinite else { return true }
    guard let initial = result.initialLoss ?? initialLoss else { return false }
    return loss > initial
  }
}

extension Estimate {
  /// The mean of replicates with its t interval.
  init(_ values: [Double], level: Double) {
    let sample = Sample(values)
    self.init(value: sample.mean, interval: sample.interval(level: level), count: values.count)
  }

  /// The mean of replicates where there are any that were measured.
  init(_ values: [Double]?, level: Double) { self.init(values ?? [], level: level) }
}
