// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords
import Statistics

@testable import Comparison

extension SyntheticStudy {
  private func variant(_ variant: Int) -> VariantAnalysis {
    let arms = armNames.indices.map { arm(variant, $0) }
    var rows = arms.enumerated().map { index, arm in
      let losses = arm.replicates.compactMap(\.loss)
      return LeaderboardRow(
        arm: arm.name, rank: nil, tiedWith: [], isBaseline: index == 0, loss: estimate(losses),
        standardDeviation: Sample(losses).standardDeviation, median: Sample(losses).median,
        diverged: arm.replicates.filter { $0.state == .diverged }.count, failed: 0, missing: 0,
        bitsPerByte: nil,
        aboveFloor: nil,
        cost: CostAnalysis(
          steps: 400, tokens: 819_200, chargedTokens: 819_200,
          gradientEvaluations: index == 4 ? 440 : 400,
          flops: 3.1e12, seconds: 42 + Double(index), millisecondsPerStep: 104 + 3 * Double(index),
          millisecondsPerUpdate: 2 + 3 * Double(index), stateBytes: 4e5 * Double(2 - index % 3),
          parameters: 5e4 + 2e4 * Double(variant), peakBytes: 3e8))
    }
    rows.sort { ($0.loss.value ?? .infinity) < ($1.loss.value ?? .infinity) }
    for index in rows.indices where rows[index].loss.value != nil { rows[index].rank = index + 1 }
    var differences: [DifferenceAnalysis] = []
    if let baseline = arms.first {
      differences += arms.dropFirst().map { difference($0, baseline, isInFamily: true) }
    }
    for (index, arm) in arms.enumerated().dropFirst() {
      for other in arms[(index + 1)...] {
        differences.append(difference(arm, other, isInFamily: false))
      }
    }
    let conditions = FairnessContract.Field.allCases.map { field in
      let isEqual = field != .schedule || armNames.count < 4
      let equal = ContractAnalysis.Value(
        arms: armNames, value: "value of \(field.rawValue)", isDeclared: false)
      let odd = armNames.count > 3 ? [armNames[3]] : []
      return ContractAnalysis.Condition(
        field: field, isEqual: isEqual, dependsOnSeed: field == .initialWeights,
        values: isEqual
          ? [equal]
          : [
            .init(
              arms: armNames.filter { !odd.contains($0) }, value: "warm-up and cosine",
              isDeclared: false),
            .init(arms: odd, value: "warm-up and constant", isDeclared: true),
          ])
    }
    return VariantAnalysis(
      name: variantNames[variant], changes: ["model.width": "64"], entropyFloor: nil,
      initialLoss: initialLoss,
      contract: ContractAnalysis(
        conditions: conditions, tuningTrials: arms.map { _ in Self.gridSize }, tuningSeeds: [101],
        reportingSeeds: reportingSeeds,
        declaredDifferences: armNames.count > 3
          ? "schedule differs for \(armNames[3]) (declared)" : nil), arms: arms,
      leaderboard: rows, margin: MarginAnalysis(value: 0.012, explanation: "declared"),
      noise: NoiseAnalysis(
        source: .residuals, deviation: seedCount > 1 ? 0.0061 : nil,
        interval: ConfidenceInterval(lower: 0.0045, upper: 0.0092, level: 0.95),
        degreesOfFreedom: 20,
        correlations: [
          ArmCorrelation(arm: "lion", other: "adamw", value: 0.21, interval: nil, count: seedCount)
        ]),
      differences: differences, targets: targets(variant, arms))
  }

  /// Every trial that the analysis stands on, the ones of grids and sweeps left out.
  private func trials(_ variants: [VariantAnalysis]) -> [TrialAnalysis] {
    var trials: [TrialAnalysis] = []
    for variant in variants {
      for arm in variant.arms {
        trials += arm.replicates.compactMap { trial($0, variant.name, arm) }
      }
    }
    return trials.sorted { $0.identity < $1.identity }
  }

  private func trial(_ replicate: Replicate, _ variant: String, _ arm: ArmAnalysis)
    -> TrialAnalysis?
  {
    guard let identity = replicate.trial else { return nil }
    let isDiverged = replicate.state == .diverged
    let point = TrialPoint(
      variant: variant, arm: arm.name, seed: TrialSeed(.reporting, replicate.seed),
      knobs: ["optimizer.learning_rate": arm.knobs[0].value])
    return TrialAnalysis(
      identity: identity, point: point, status: isDiverged ? .diverged : .finished,
      reason: isDiverged ? "the loss is not finite at step 17" : nil, loss: replicate.loss,
      isDiverged: isDiverged,
      initialLoss: initialLoss, steps: 400, seconds: 42.3, folder: "trials/" + identity,
      revision: "3f2c1e9",
      machine: "a processor, 2 cores", contractHash: "abc", isAudit: false, marks: [], problems: [])
  }

  private func claims() -> [ClaimResult] {
    guard armNames.count > 2 else { return [] }
    return ClaimResult.Outcome.allCases.enumerated().map { index, outcome in
      let claim = Claim(
        name: "E\(index + 1)",
        statement: "\(armNames[1]) is \(index == 0 ? "as good as" : "better than") \(armNames[0])",
        left: .init(kind: .loss, arm: armNames[1]), relation: index == 0 ? .equivalent : .below,
        right: .init(kind: .loss, arm: armNames[0]), family: "E")
      return ClaimResult(
        name: claim.name, claim: claim, variant: variantNames[0], outcome: outcome,
        left: estimate([1.52, 1.523, 1.519]), right: estimate([1.517, 1.52, 1.522]),
        difference: Estimate(
          value: 0.001, interval: ConfidenceInterval(lower: -0.006, upper: 0.008, level: 0.95),
          count: 3),
        threshold: 0.012, pValue: 0.003, adjustedPValue: 0.012, oppositePValue: 0.9,
        adjustedOppositePValue: 1,
        method: .welch, text: "the difference lies within 0.012")
    }
  }

  func analysis() -> StudyAnalysis {
    let variants = variantNames.indices.map { variant($0) }
    let trials = trials(variants)
    let odd = armNames.count > 3 ? ", declared differences: schedule (\(armNames[3]))" : ""
    return StudyAnalysis(
      study: record(), isDeclared: true, folder: "studies/six",
      madeAt: Date(timeIntervalSince1970: 1_790_086_400),
      command: "assay report studies/six", title: "six-optimizers" + odd,
      completion: StudyCompletion(
        done: trials.count, unfinished: 0, failed: 0, missing: isComplete ? 0 : 7,
        total: TrialCount(trials.count),
        phases: Dictionary(uniqueKeysWithValues: variantNames.map { ($0, StudyPhase.done) }),
        isComplete: isComplete),
      calibration: nil, variants: variants, claims: claims(), trials: trials,
      stops: trials.prefix(2).enumerated().map { index, trial in
        StopAnalysis(
          trial: trial.identity, variant: variantNames[0], arm: armNames[0],
          reason: "three evaluations above 5.61",
          step: 120, loss: 5.8, auditedLoss: index == 0 ? 5.9 : nil, regret: index == 0 ? 0 : nil)
      },
      marks: [
        StudyMark(
          kind: .uncalibrated,
          text: "No noise floor was measured; the study's own residuals stand in.", trials: []),
        StudyMark(
          kind: .undertuned, text: "sgd's optimum lies on the edge of its grid.",
          trials: trials.prefix(3).map(\.identity)),
      ])
  }
}
