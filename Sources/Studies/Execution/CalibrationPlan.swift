// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import Comparison
public import RunRecords

/// Which trials measure the noise of a setup.
///
/// The baseline runs with both seeds varied, with only that of the initial weights and with only that of the order of the data;
/// every other arm runs on the replicates in which both vary, so that their correlation is known; and one replicate runs twice, to
/// show that nothing but seeds makes noise. Arms run at the values that tuning chose, for noise depends on them; nothing is tuned on
/// these seeds, and nothing else ever runs on them.
public struct CalibrationPlan: Sendable {
  /// How many replicates there are of each kind.
  public struct Counts: Equatable, Sendable {
    /// With both seeds varied.
    public var both = 8
    /// With only the initial weights varied.
    public var initial = 5
    /// With only the order of the data varied.
    public var data = 5

    /// 8, 5 and 5.
    public init() {}
  }

  /// The arms, the baseline first.
  public let arms: [String]
  /// The numbers of all seeds.
  public let seeds: [Int]
  /// The trials, without the repetition.
  public let points: [TrialPoint]
  /// The trial that runs twice.
  public let repeated: TrialPoint

  /// Plans a calibration.
  ///
  /// - Parameters:
  ///   - study: what is calibrated.
  ///   - tuned: the values of arms that are tuned; others run as declared.
  ///   - wanted: the arms beside the baseline; nil: all.
  ///   - counts: how many replicates.
  /// - Throws: ``ProtocolError`` when an arm is not in the study, or the study has no trial to calibrate.
  public init(
    _ study: StudyRecord, tuned: [ArmInVariant: TunedCell] = [:], arms wanted: [String]? = nil,
    counts: Counts = Counts()
  ) throws {
    for name in wanted ?? [] where study.arm(named: name) == nil {
      throw StudyMistake(
        "the study has no arm '\(name)'; it has " + study.arms.map(\.name).joined(separator: ", "))
    }
    let others = study.arms.map(\.name).filter { $0 != study.baseline }
    let arms =
      [study.baseline] + others.filter { wanted?.contains($0) ?? true }
    // Beyond every seed that chooses or reports.
    let used = study.reportingSeeds + (study.tuning?.seeds ?? [])
    let first = max(9000, used.max() ?? 0) + 1
    let count = max(counts.both, counts.initial, counts.data, 1)
    let seeds = (0..<count).map { first + $0 }

    let plan = try StudyPlan(study)
    var points: [TrialPoint] = []
    for variant in study.variants {
      for arm in arms {
        guard let record = study.arm(named: arm), record.variants.contains(variant.name) else {
          continue
        }
        let cell = ArmInVariant(arm: arm, variant: variant.name)
        let knobs = tuned[cell]?.knobs ?? plan.defaults(cell)
        func point(_ initial: Int, _ data: Int) -> TrialPoint {
          TrialPoint(
            variant: variant.name, arm: arm,
            seed: TrialSeed(.calibration, seeds[initial], data: seeds[data]), knobs: knobs)
        }
        points += (0..<counts.both).map { point($0, $0) }
        guard arm == study.baseline else { continue }
        points += (0..<counts.initial).map { point($0, 0) }
        points += (0..<counts.data).map { point(0, $0) }
      }
    }
    var seen: Set<TrialPoint> = []
    points = points.filter { seen.insert($0).inserted }
    guard let repeated = points.first else {
      throw StudyMistake(
        "the baseline '\(study.baseline)' runs in no variant; there is nothing to calibrate")
    }
    self.arms = arms
    self.seeds = seeds
    self.points = points
    self.repeated = repeated
  }

  /// What is left to run.
  public func agenda(_ results: [TrialResult]) -> TrialAgenda {
    let ended = Set(results.filter { $0.hasEnded && !$0.isAudit }.map(\.point))
    let isRepeated = results.contains { $0.hasEnded && $0.isAudit && $0.point == repeated }
    let needed = points.filter { !ended.contains($0) }
    let done = points.count - needed.count + (isRepeated ? 1 : 0)
    return TrialAgenda(
      needed: needed, audits: isRepeated ? [] : [repeated], ended: done,
      expected: TrialCount(points.count + 1),
      phase: needed.isEmpty && isRepeated ? .done : .reporting)
  }
}

/// A wish that does not fit a study: what, and what to do.
public struct StudyMistake: Error, Equatable, CustomStringConvertible {
  /// What happened, with the value, and what to do.
  public let description: String

  /// Makes an error with its full message.
  public init(_ description: String) { self.description = description }
}
