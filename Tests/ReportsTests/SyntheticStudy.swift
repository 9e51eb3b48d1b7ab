// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords
import Statistics

@testable import Comparison

/// A study that was never run: losses are basins in the logarithm of a learning rate with noise, everything else follows by the real
/// statistics.
struct SyntheticStudy {
  var armNames = ["adamw", "lion", "muon", "schedule-free-adamw", "signum", "sgd"]
  var variantNames = ["150m-plain", "150m-qk-norm"]
  var seedCount = 5
  var initialLoss = 4.61
  /// The arm that diverges on one reporting seed.
  var fragileArm: String? = "signum"
  var hasTargets = true
  var hasTelemetry = true
  var hasNamedSweep = true
  var isComplete = true

  static let gridSize = 9

  /// Nats above the best arm, by the arm's number.
  func handicap(_ arm: Int) -> Double {
    [0.031, 0.034, 0, 0.029, 0.06, 0.42][arm % 6] + 0.01 * Double(arm / 6)
  }

  /// Reproducible noise of standard deviation near 1.
  func noise(_ keys: Int...) -> Double {
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    for key in keys {
      state = (state ^ UInt64(truncatingIfNeeded: key &+ 77)) &* 0xBF58_476D_1CE4_E5B9
      state ^= state >> 29
      state = state &* 0x94D0_49BB_1331_11EB
      state ^= state >> 31
    }
    // The sum of four uniform numbers.
    let parts = (0..<4).map { Double((state >> ($0 * 16)) & 0xFFFF) / 65_535 }
    return (parts.reduce(0, +) - 2) * 1.73
  }

  func baseLoss(_ variant: Int) -> Double { 1.487 + 0.05 * Double(variant) }

  /// The final loss of an arm at so many grid steps from its optimum.
  func loss(_ variant: Int, _ arm: Int, offset: Double, seed: Int) -> Double {
    let width = offset < 0 ? 0.012 : 0.03 / Double(1 + variant)
    let loss =
      baseLoss(variant) + handicap(arm) + width * offset * offset + 0.006
      * noise(variant, arm, seed)
    return offset > 3.2 ? .infinity : loss
  }

  func optimum(_ arm: Int) -> Double { pow(10, -3.5 + 0.5 * Double(arm % 4)) }

  func grid(_ arm: Int) -> [Double] {
    (0..<Self.gridSize).map { optimum(arm) * pow(10, 0.5 * Double($0 - 4)) }
  }

  var reportingSeeds: [Int] { seedCount > 0 ? Array(1...seedCount) : [] }

  // MARK: - The declaration

  func record() -> StudyRecord {
    let arms = armNames.enumerated().map { index, name in
      StudyRecord.Arm(
        name: name, method: "method-\(index)",
        changes: ["optimizer.name": name, "optimizer.beta2": "0.95"],
        differences: index == 3 ? [.schedule] : [], variants: variantNames,
        steps: Dictionary(uniqueKeysWithValues: variantNames.map { ($0, 400) }),
        defaults: ["optimizer.learning_rate": .number(optimum(index))])
    }
    let axis = StudyRecord.Axis(
      name: "learning rate",
      keys: Dictionary(uniqueKeysWithValues: armNames.map { ($0, ["optimizer.learning_rate"]) }),
      grids: Dictionary(
        uniqueKeysWithValues: armNames.enumerated().map { ($1, grid($0).map(KnobValue.number)) }),
      isLogarithmic: true, isAutomatic: true, extensionFactor: 3.16)
    let baseline = armNames.first ?? ""
    return StudyRecord(
      name: "six-optimizers", question: "Which of six optimizers trains this decoder best?",
      variants: variantNames.map { StudyRecord.Variant(name: $0, changes: ["model.width": "64"]) },
      arms: arms,
      baseline: baseline,
      tuning: StudyRecord.Tuning(seeds: [101], axes: [axis], extensionLimit: 4, refines: false),
      sweeps: [],
      reportingSeeds: reportingSeeds, budget: .init(unit: .steps, amount: 400),
      targets: hasTargets
        ? .init(losses: [1.55], includesBaseline: true, ladder: [0.5, 0.7, 1], seedCount: 3) : nil,
      rule: .init(
        level: 0.05, margin: .absolute(0.012), pairing: .calibrated,
        family: armNames.dropFirst().map { [$0, baseline] }, exploresAllPairs: false),
      stopping: .init(divergenceMargin: 1, races: false, auditShare: 0.05), claims: [],
      declaredAt: Date(timeIntervalSince1970: 1_790_000_000), revision: "3f2c1e9",
      command: "assay compare studies/six.toml", hash: "0123456789abcdef0123456789abcdef")
  }

  // MARK: - Results

  func replicates(_ variant: Int, _ arm: Int, offset: Double = 0, seeds: [Int]) -> [Replicate] {
    seeds.map { seed in
      var loss = loss(variant, arm, offset: offset, seed: seed)
      if offset == 0, armNames[arm] == fragileArm, seed == 3 { loss = .infinity }
      let isDiverged = !loss.isFinite || loss > initialLoss
      return Replicate(
        seed: seed, loss: isDiverged ? initialLoss : loss,
        state: isDiverged ? .diverged : .finished,
        trial:
          "\(variantNames[variant]).\(armNames[arm]).\(String(format: "%012x", 977 * seed + arm))")
    }
  }

  func estimate(_ values: [Double]) -> Estimate {
    let sample = Sample(values)
    return Estimate(value: sample.mean, interval: sample.interval(level: 0.95), count: values.count)
  }

  func exact(
    _ value: Double?, spread: Double = 0, count: Int = 3, _ bound: CensoredEstimate.Bound = .exact
  )
    -> CensoredEstimate
  {
    CensoredEstimate(
      value: value, bound: bound,
      interval: spread > 0
        ? value.map {
          ConfidenceInterval(lower: $0 / (1 + spread), upper: $0 * (1 + spread), level: 0.95)
        } : nil,
      count: count)
  }

  func curve(
    _ name: String, _ variant: Int, _ arm: Int, values: [Double], offsets: [Double],
    factors: [Double]? = nil,
    axis: SweepAxis, seeds: [Int], purpose: SeedPurpose, chosen: Double
  ) -> KnobCurve {
    let points = values.indices.map { index in
      let own = replicates(variant, arm, offset: offsets[index], seeds: seeds)
      return KnobPoint(
        value: .number(values[index]), factor: factors?[index], replicates: own,
        loss: estimate(own.compactMap(\.loss)),
        diverged: own.filter { $0.state == .diverged }.count, failed: 0,
        isChosen: values[index] == chosen)
    }
    let curves = try? SweepCurves(
      values: values,
      replicates: seeds.indices.map { seed in points.map { $0.replicates[seed].loss ?? initialLoss }
      },
      cap: initialLoss, axis: axis)
    let sensitivity = curves.map { curves in
      let measured = Sensitivity(curves)
      return SensitivityAnalysis(
        from: measured.lower, to: measured.upper, isCut: measured.isClippedAbove,
        whole: estimate(measured.whole ?? []), left: estimate(measured.left ?? []),
        right: estimate(measured.right ?? []), normalized: estimate(measured.normalizedWhole ?? []))
    }
    return KnobCurve(
      name: name, keys: ["optimizer." + ReportKeys.key(name)], axis: axis, purpose: purpose,
      points: points,
      chosen: .number(chosen),
      optimum: curves.flatMap { try? OptimumFit($0, noiseFloor: 0.006, resamples: 49) },
      sensitivity: sensitivity,
      basins: [
        BasinAnalysis(
          tolerance: 0.012, name: "margin", width: exact(1.2 - 0.1 * Double(arm), spread: 0.2),
          from: 1e-4, to: 1e-3),
        BasinAnalysis(
          tolerance: 0.05, name: "0.05 nats", width: exact(2, count: 1, .atLeast), from: 1e-5,
          to: 1e-2),
      ],
      divergence: points.first { $0.diverged * 2 >= max($0.loss.count, 1) }.flatMap { point in
        point.value.number.map { DivergenceAnalysis(from: $0, share: 1, interval: nil) }
      })
  }

  private func course(_ value: (Double) -> Double, spread: Double, isSingle: Bool) -> CourseAnalysis
  {
    let steps = Array(stride(from: 0, through: 400, by: 10))
    let mean = steps.map { value(Double($0) / 400) }
    return CourseAnalysis(
      steps: steps, mean: mean, lower: mean.map { isSingle ? nil : $0 - spread },
      upper: mean.map { isSingle ? nil : $0 + spread }, counts: steps.map { _ in seedCount },
      tokens: steps.map { Double($0) * 2048 })
  }

  private func statistics(_ arm: Int) -> [StatisticAnalysis] {
    guard hasTelemetry, arm == 0 else { return [] }
    return ["head", "attentionQuery", "normGain"].enumerated().flatMap { role, name in
      ["min", "q10", "q25", "q50", "q75", "q90", "max", "frequencySlope"].enumerated().map {
        index, statistic in
        StatisticAnalysis(
          metric: "effectiveRate.\(name).\(statistic)", quantity: "effectiveRate", role: name,
          statistic: statistic,
          course: course(
            { pow(10, -3 - 0.7 * Double(role) + 0.3 * Double(index - 3) + 0.2 * sin(6 * $0)) },
            spread: 0,
            isSingle: true))
      }
    }
  }

  func arm(_ variant: Int, _ arm: Int) -> ArmAnalysis {
    let center = optimum(arm)
    let grid = grid(arm)
    let offsets = grid.indices.map { Double($0 - 4) }
    let momenta = [0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99]
    let decays = [0, 0.01, 0.03, 0.1, 0.3]
    var sweeps = [
      curve(
        "momentum", variant, arm, values: momenta, offsets: [-3, -1.5, -0.6, 0, 0.3, 0.8, 1.7],
        axis: .complement,
        seeds: reportingSeeds, purpose: .reporting, chosen: 0.9),
      curve(
        "weight decay", variant, arm, values: decays, offsets: [-0.4, -0.2, 0, 0.5, 1.6],
        axis: .logarithmic,
        seeds: reportingSeeds, purpose: .reporting, chosen: 0.03),
      curve(
        "learning rate around the optimum", variant, arm, values: grid, offsets: offsets,
        factors: grid.map { $0 / center }, axis: .logarithmic, seeds: reportingSeeds,
        purpose: .reporting,
        chosen: center),
    ]
    if hasNamedSweep {
      var named = sweeps[0]
      named.name = "schedule"
      named.points = ["cosine", "linear", "constant"].enumerated().map { index, name in
        var point = sweeps[0].points[index + 2]
        point.value = .text(name)
        return point
      }
      named.optimum = nil
      named.sensitivity = nil
      named.basins = []
      named.divergence = nil
      sweeps.append(named)
    }
    let tuning = curve(
      "learning rate", variant, arm, values: grid, offsets: offsets, axis: .logarithmic,
      seeds: [101],
      purpose: .tuning, chosen: center)
    let losses = tuning.points.compactMap(\.loss.value)
    let isUndertuned = armNames[arm] == "sgd"
    let start = initialLoss
    let end = baseLoss(variant) + handicap(arm)
    return ArmAnalysis(
      name: armNames[arm], method: "method-\(arm)", changes: ["optimizer.name": armNames[arm]],
      declaredDifferences: arm == 3 ? [.schedule] : [],
      knobs: [
        KnobChoice(
          name: "learning rate", keys: ["optimizer.learning_rate"], value: .number(center),
          isTuned: true,
          edge: isUndertuned ? .highest : nil)
      ], isUndertuned: isUndertuned, tuningTrials: Self.gridSize,
      tuningHistory: zip(grid, losses).map { value, loss in
        TuningStep(
          phase: .coarse, knobs: ["optimizer.learning_rate": .number(value)], loss: loss,
          seeds: [101], decision: nil)
      }, tuningCurves: [tuning], sweeps: sweeps,
      replicates: replicates(variant, arm, seeds: reportingSeeds),
      lossCurve: course(
        { end + (start - end) * exp(-7 * $0) }, spread: 0.01, isSingle: seedCount < 2),
      statistics: statistics(arm),
      budgetCurve: BudgetCurve(losses: losses, cap: initialLoss, resamples: 19).points)
  }

  private func verdict(_ test: DifferenceTest, _ equivalence: EquivalenceTest) -> Verdict {
    guard test.interval != nil else { return Verdict(word: .unknown, text: "too few replicates") }
    if test.pValue < 0.05 {
      return (test.estimate ?? 0) < 0
        ? Verdict(word: .better, text: "better") : Verdict(word: .worse, text: "worse")
    }
    if equivalence.isEquivalent {
      return Verdict(word: .equivalent, text: "equivalent within 0.012")
    }
    return Verdict(word: .undecided, text: "undecided; about 14 seeds for each arm would decide it")
  }

  func difference(_ arm: ArmAnalysis, _ other: ArmAnalysis, isInFamily: Bool)
    -> DifferenceAnalysis
  {
    let (a, b) = (arm.replicates.compactMap(\.loss), other.replicates.compactMap(\.loss))
    let test = Tests.welch(a, b)
    let equivalence = Tests.equivalence(a, b, margin: 0.012, level: 0.05)
    return DifferenceAnalysis(
      arm: arm.name, other: other.name, isInFamily: isInFamily, test: test,
      adjustment: isInFamily ? .family : .allPairs, adjustedPValue: test.pValue,
      permutation: Tests.permutation(a, b), equivalence: seedCount > 1 ? equivalence : nil,
      adjustedEquivalencePValue: equivalence.pValue, secondOpinion: nil,
      pairing: "not paired: there was no calibration", verdict: verdict(test, equivalence),
      power: PowerAnalysis(
        power: 0.8, detectableDifference: seedCount > 1 ? 0.0121 : nil, detectableDeviations: 2.02,
        countForHalf: 17,
        countForObserved: 40, countForEquivalence: 12))
  }

  func targets(_ variant: Int, _ arms: [ArmAnalysis]) -> [TargetAnalysis] {
    guard hasTargets else { return [] }
    return [(1.55, "1.55"), (1.53, "median of adamw")].map { loss, name in
      TargetAnalysis(
        loss: loss, name: name,
        arms: arms.enumerated().map { index, arm in
          let reaches = index != 5
          let fraction = 0.62 + 0.07 * Double(index)
          let bound: CensoredEstimate.Bound = reaches ? .exact : .atLeast
          func times(_ scale: Double) -> CensoredEstimate {
            exact((reaches ? fraction : 1) * scale, spread: reaches ? 0.08 : 0, bound)
          }
          let speedUp =
            index == 0
            ? nil : reaches ? exact(0.62 / fraction, spread: 0.1) : exact(0.62, count: 3, .atMost)
          return ArmTarget(
            arm: arm.name, fraction: times(1), steps: times(400), tokens: times(819_200),
            flops: times(3e12),
            seconds: times(42), reached: reaches ? 3 : 0, count: 3,
            replicates: [1, 2, 3].map { .init(seed: $0, fraction: reaches ? fraction : nil) },
            speedUpInSteps: speedUp, speedUpInFlops: speedUp, speedUpInSeconds: speedUp,
            rungs: [0.5, 0.7, 1].map { length in
              ArmTarget.Rung(
                fraction: length,
                loss: estimate(
                  (1...3).map {
                    baseLoss(variant) + handicap(index) + 0.15 * (1 - length) + 0.006
                      * noise(index, $0)
                  }))
            })
        })
    }
  }
}

/// Keys as they stand in a configuration.
private enum ReportKeys {
  static func key(_ name: String) -> String { name.replacingOccurrences(of: " ", with: "_") }
}
