// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import RunRecords

/// Which trials measure a chosen cell: the protocol asks for them, and analysis finds them again.
///
/// Every function that measures takes reporting seeds, which only ``StudySeeds`` makes.
public struct StudyPlan: Sendable {
  /// The study.
  public let study: StudyRecord
  /// Its seeds.
  public let seeds: StudySeeds

  /// Prepares a study's plan.
  ///
  /// - Throws: ``ProtocolError`` when seeds serve twice.
  public init(_ study: StudyRecord) throws(ProtocolError) {
    self.study = study
    seeds = try StudySeeds(study)
  }

  /// All arms in all their variants, variant by variant.
  public var cells: [ArmInVariant] {
    study.variants.flatMap { variant in
      study.arms(in: variant.name).map { ArmInVariant(arm: $0.name, variant: variant.name) }
    }
  }

  /// What an arm starts from in a variant.
  public func defaults(_ cell: ArmInVariant) -> [String: KnobValue] {
    study.arm(named: cell.arm)?.defaults(in: cell.variant) ?? [:]
  }

  /// The trials that measure values on the first reporting seeds.
  ///
  /// - Parameters:
  ///   - cell: the arm and variant.
  ///   - knobs: the values of all swept and tuned keys.
  ///   - count: how many seeds; nil: all.
  ///   - horizon: the length as a fraction of a full run.
  /// - Returns: one trial for each seed, in their order.
  public func measurements(
    _ cell: ArmInVariant, knobs: [String: KnobValue], count: Int? = nil, horizon: Double = 1
  ) -> [TrialPoint] {
    seeds.reporting.prefix(count ?? seeds.reporting.count).map { seed in
      TrialPoint(
        variant: cell.variant, arm: cell.arm, seed: seed.trialSeed, knobs: knobs, horizon: horizon)
    }
  }

  // MARK: - Sweeps

  /// One value of a sweep around a tuned cell.
  public struct SweepCell: Equatable, Sendable {
    /// The value that the sweep's keys get.
    public let value: KnobValue
    /// What the tuned value was multiplied with, where the sweep is one of factors.
    public let factor: Double?
    /// The values of all swept and tuned keys.
    public let knobs: [String: KnobValue]
  }

  /// Whether a sweep runs for an arm in a variant.
  public func sweeps(_ sweep: StudyRecord.Sweep, _ cell: ArmInVariant) -> Bool {
    sweep.keys[cell.arm] != nil && sweep.variants.contains(cell.variant)
      && study.arm(named: cell.arm)?.variants.contains(cell.variant) == true
  }

  /// The values of a sweep around a tuned cell.
  ///
  /// - Parameters:
  ///   - sweep: one of the study's.
  ///   - cell: the arm and variant.
  ///   - tuned: the values that tuning chose.
  /// - Returns: ascending; none when the sweep does not concern the arm or the variant.
  public func sweepCells(
    _ sweep: StudyRecord.Sweep, _ cell: ArmInVariant, tuned: [String: KnobValue]
  ) -> [SweepCell] {
    guard sweeps(sweep, cell), let keys = sweep.keys[cell.arm], let first = keys.first else {
      return []
    }
    func knobs(_ value: KnobValue) -> [String: KnobValue] {
      tuned.merging(keys.map { ($0, value) }) { _, new in new }
    }
    switch sweep.values {
    case .absolute(let values):
      return values.map { SweepCell(value: $0, factor: nil, knobs: knobs($0)) }
    case .factors(let factors):
      guard let center = tuned[first]?.number else { return [] }
      return factors.map { factor in
        // A whole number times a factor may have to stay one: batches, layers.
        let product = center * factor
        let isWhole = factor == 1 || product == product.rounded()
        let value = KnobValue.number(isWhole ? product : KnobScale.rounded(product))
        return SweepCell(value: value, factor: factor, knobs: knobs(value))
      }
    }
  }

  /// The trials of a sweep around a tuned cell: for each of its seeds every value.
  public func sweepTrials(
    _ sweep: StudyRecord.Sweep, _ cell: ArmInVariant, tuned: [String: KnobValue]
  ) -> [TrialPoint] {
    let byValue = sweepCells(sweep, cell, tuned: tuned).map {
      measurements(cell, knobs: $0.knobs, count: sweep.seedCount)
    }
    return (byValue.first ?? []).indices.flatMap { seed in byValue.map { $0[seed] } }
  }

  // MARK: - Ladder

  /// The trials of every length on the way to a target, the full one among them.
  public func ladderTrials(
    _ cell: ArmInVariant, tuned: [String: KnobValue]
  ) -> [(horizon: Double, trials: [TrialPoint])] {
    guard let targets = study.targets else { return [] }
    return targets.ladder.map { horizon in
      (
        horizon,
        measurements(cell, knobs: tuned, count: targets.seedCount, horizon: horizon)
      )
    }
  }
}
