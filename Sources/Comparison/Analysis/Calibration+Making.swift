// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
public import Foundation
public import RunRecords
import Statistics

extension Calibration {
  /// Measures the noise floor on runs with calibration seeds; others are passed over.
  ///
  /// Replicates whose seeds have equal numbers for weights and data vary both. The others share one number, the anchor, in one
  /// place: (x, anchor) varies the weights only and (anchor, x) the order of the data; the run (anchor, anchor) belongs to all three.
  ///
  /// - Parameters:
  ///   - study: what the runs are of; its baseline's noise is the unit.
  ///   - trials: runs of any purpose.
  ///   - command: the command that measured it.
  ///   - measuredAt: when.
  ///   - level: coverage of intervals.
  /// - Throws: ``ComparisonError`` with code `noRecords` when no calibration run has ended.
  public init(
    _ study: StudyRecord, trials: [LoadedTrial], command: String, measuredAt: Date = Date(),
    level: Double = 0.95
  ) throws(ComparisonError) {
    let ended = trials.filter { trial in
      guard let result = trial.result else { return false }
      return result.point.seed.purpose == .calibration && result.hasEnded && !result.isAudit
    }
    guard !ended.isEmpty else {
      throw ComparisonError(
        .noRecords,
        "study '\(study.name)': no run with a calibration seed has ended; 'assay calibrate' makes them"
      )
    }
    var spreads: [Spread] = []
    var pairs: [Pair] = []
    var setup: [String: String] = [:]
    for variant in study.variants {
      var both: [(arm: String, losses: [Int: Double])] = []
      for arm in study.arms(in: variant.name) {
        let runs = ended.filter {
          $0.result?.point.variant == variant.name && $0.result?.point.arm == arm.name
        }
        guard !runs.isEmpty else { continue }
        let kinds = Self.kinds(runs.compactMap(\.result?.point.seed))
        for varied in Varied.allCases {
          let chosen = runs.filter { run in
            run.result.map { kinds[$0.point.seed]?.contains(varied) == true } ?? false
          }
          guard varied == .both || chosen.count > 1 else { continue }
          spreads.append(
            Spread(variant: variant.name, arm: arm.name, varied: varied, chosen, level: level))
          if varied == .both {
            both.append(
              (
                arm.name,
                Dictionary(
                  chosen.compactMap { run in
                    run.sound.map { (run.result?.point.seed.initial ?? 0, $0) }
                  }, uniquingKeysWith: { first, _ in first })
              ))
          }
        }
        if setup[variant.name] == nil || arm.name == study.baseline,
          let contract = runs.compactMap(\.contract).first
        {
          setup[variant.name] = contract.setupHash
        }
      }
      for (index, first) in both.enumerated() {
        for second in both.dropFirst(index + 1) {
          let correlation = ArmCorrelation(
            first.arm, first.losses, second.arm, second.losses, level: level)
          if correlation.count >= 3 {
            pairs.append(Pair(variant: variant.name, correlation: correlation))
          }
        }
      }
    }
    self.init(
      name: study.name, spreads: spreads, pairs: pairs,
      seeds: Set(
        ended.flatMap { trial in
          trial.result.map { [$0.point.seed.initial, $0.point.seed.data] } ?? []
        }
      ).sorted(),
      setup: setup, measuredAt: measuredAt,
      revision: ended.compactMap(\.record?.revision).first ?? "unknown", command: command)
  }

  /// What each seed varies.
  static func kinds(_ seeds: [TrialSeed]) -> [TrialSeed: Set<Varied>] {
    let mixed = seeds.filter { $0.initial != $0.data }
    let numbers = Set(mixed.flatMap { [$0.initial, $0.data] }).sorted()
    let anchors = numbers.filter { number in
      mixed.allSatisfy { $0.initial == number || $0.data == number }
    }
    let anchor =
      anchors.first { number in seeds.contains { ($0.initial, $0.data) == (number, number) } }
      ?? anchors.first
    var kinds: [TrialSeed: Set<Varied>] = [:]
    for seed in seeds {
      if seed.initial == seed.data {
        kinds[seed] = seed.initial == anchor ? [.both, .initial, .data] : [.both]
      } else if let anchor {
        kinds[seed] = [seed.data == anchor ? .initial : .data]
      }
    }
    return kinds
  }

  /// Stores it in a study's folder.
  ///
  /// - Parameter folder: the study's.
  /// - Throws: `RunRecordError` when the disk is full or read-only.
  public func write(to folder: StudyFolder) throws(RunRecordError) {
    try RecordFile.write(self, to: folder.file(StudyFolder.FileName.calibration))
  }

  /// The calibration of a study's folder; nil when there is none.
  ///
  /// - Parameter folder: the study's.
  /// - Returns: what was measured.
  /// - Throws: `RunRecordError` when the file is damaged.
  public static func read(from folder: StudyFolder) throws(RunRecordError) -> Calibration? {
    try RecordFile.read(Calibration.self, at: folder.file(StudyFolder.FileName.calibration))
  }
}

extension Calibration.Spread {
  fileprivate init(
    variant: String, arm: String, varied: Calibration.Varied, _ runs: [LoadedTrial], level: Double
  ) {
    let losses = runs.compactMap(\.sound)
    let sample = Sample(losses)
    self.init(
      variant: variant, arm: arm, varied: varied, deviation: sample.standardDeviation,
      interval: sample.deviationInterval(level: level), losses: losses, mean: sample.mean,
      failures: runs.count - losses.count)
  }
}

extension LoadedTrial {
  /// The final loss of a run that finished below its loss at initialisation.
  fileprivate var sound: Double? {
    guard let result, result.status == .finished, let loss = result.finalLoss, loss.isFinite,
      result.initialLoss.map({ loss <= $0 }) ?? true
    else { return nil }
    return loss
  }
}

extension FairnessContract {
  /// A hash of the conditions that do not depend on seeds.
  var setupHash: String {
    let fields = Field.allCases.filter { $0 != .initialWeights && $0 != .tokenOrder }
    return SHA256.hexadecimal(
      of: fields.map { "\($0.rawValue)=\(values[$0] ?? "")\n" }.joined())
  }
}
