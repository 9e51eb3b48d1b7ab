// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import RunRecords
import Statistics

/// Two arms compared, before p-values are corrected for the number of comparisons.
struct PairComparison {
  let arm: String
  let other: String
  let isInFamily: Bool
  let test: DifferenceTest
  let permutation: ExactTest?
  let equivalence: EquivalenceTest?
  let secondOpinion: ConfidenceInterval?
  let pairing: String
  /// The correlation of the replicates that are compared, where they are in pairs; nil: unpaired.
  let correlation: Double?
  let isTie: Bool
  /// Whether every replicate of both diverged.
  let isAllDiverged: Bool
  /// The noise that its power is reckoned with: the variant's, or the deviation within its two arms where that is larger.
  let deviation: Double?
  let margin: Double?
  let level: Double

  /// Compares two arms on the seeds that report.
  ///
  /// - Parameters:
  ///   - names: the arm and what it is compared with.
  ///   - measured: their replicates.
  ///   - isInFamily: whether the rule names the pair.
  ///   - rule: the study's.
  ///   - noise: the variant's.
  ///   - margin: the variant's, in nats.
  init(
    _ names: (arm: String, other: String), _ measured: (arm: [Measured], other: [Measured]),
    isInFamily: Bool, rule: StudyRecord.ComparisonRule, noise: NoiseAnalysis, margin: Double?
  ) {
    arm = names.arm
    other = names.other
    self.isInFamily = isInFamily
    let own = Pooled([measured.arm.losses, measured.other.losses])
    deviation = [noise.deviation, own.deviation].compactMap { $0 }.max()
    self.margin = margin
    level = rule.level
    let coverage = 1 - rule.level
    let first = measured.arm.lossesBySeed
    let second = measured.other.lossesBySeed
    let matched = Tests.matched(first, second)
    let decision = Pairing(
      rule.pairing, correlation: noise.calibratedCorrelation(names.arm, names.other),
      count: matched.a.count)
    pairing = decision.text
    let a = decision.isPaired ? matched.a : measured.arm.losses
    let b = decision.isPaired ? matched.b : measured.other.losses
    test = Tests.difference(a, b, paired: decision.isPaired, level: coverage)
    let diverged = measured.arm.count(.diverged) + measured.other.count(.diverged)
    isTie = !first.isEmpty && first == second && diverged == 0
    isAllDiverged = diverged > 0 && diverged == first.count + second.count
    correlation = decision.isPaired ? Correlation(matched.a, matched.b).coefficient ?? 0 : nil
    let canTest = test.interval != nil
    permutation = canTest ? Tests.permutation(a, b, paired: decision.isPaired) : nil
    equivalence =
      canTest && (margin ?? 0) > 0
      ? margin.map {
        Tests.equivalence(a, b, margin: $0, paired: decision.isPaired, level: rule.level)
      } : nil
    let samples = decision.isPaired ? [zip(a, b).map { $0 - $1 }] : [a, b]
    let isSkewed = samples.contains { $0.count >= 5 && abs(Sample($0).skewness ?? 0) > 1 }
    secondOpinion =
      canTest && isSkewed
      ? Tests.studentizedBootstrap(a, b, paired: decision.isPaired, level: coverage) : nil
  }

  /// The comparison with its verdict.
  ///
  /// - Parameters:
  ///   - adjustment: how p-values were corrected.
  ///   - pValue: of the difference, corrected.
  ///   - equivalencePValue: of the equivalence, corrected; nil without a test.
  ///   - comparisons: how many share the correction.
  /// - Returns: what a report shows.
  func analysis(
    _ adjustment: Adjustment, pValue: Double, equivalencePValue: Double?, comparisons: Int
  ) -> DifferenceAnalysis {
    // Holm's first step: what a difference has to pass when no other has been found yet.
    let power = PowerAnalysis(
      self, level: adjustment == .exploration ? level : level / Double(max(comparisons, 1)))
    return DifferenceAnalysis(
      arm: arm, other: other, isInFamily: isInFamily, test: test, adjustment: adjustment,
      adjustedPValue: pValue, permutation: permutation, equivalence: equivalence,
      adjustedEquivalencePValue: equivalencePValue, secondOpinion: secondOpinion, pairing: pairing,
      verdict: Verdict(
        self, pValue: pValue, equivalencePValue: equivalencePValue, power: power,
        isExploration: adjustment != .family),
      power: power)
  }
}

/// Whether replicates are compared in pairs, decided without looking at the comparison itself.
struct Pairing {
  let isPaired: Bool
  let text: String

  init(
    _ rule: StudyRecord.ComparisonRule.Pairing, correlation: Double?, count: Int
  ) {
    switch rule {
    case .never:
      isPaired = false
      text = "not paired, as declared"
    case .always:
      isPaired = true
      text = "paired by seed, as declared"
    case .calibrated:
      isPaired = Correlation.favoursPairing(correlation, count: count)
      guard let correlation else {
        text = "not paired: no calibrated correlation"
        return
      }
      let value = MarginAnalysis.text(correlation)
      if isPaired {
        text = "paired by seed: calibrated correlation \(value)"
      } else if correlation >= 0.5 {
        text = "not paired: calibrated correlation \(value), but fewer than five pairs"
      } else {
        text = "not paired: calibrated correlation \(value), below 0.5"
      }
    }
  }
}

extension PowerAnalysis {
  /// What a comparison could have seen at a level.
  init(_ pair: PairComparison, level: Double) {
    let wanted = 0.8
    let count = pair.test.counts.min() ?? 0
    let deviations = Power.detectableDifference(
      count: count, correlation: pair.correlation, level: level, power: wanted)
    let unit = pair.deviation.flatMap { $0 > 0 ? $0 : nil }
    let needed = { (difference: Double) in
      Power.requiredCount(
        difference: difference, correlation: pair.correlation, level: level, power: wanted)
    }
    power = wanted
    detectableDeviations = deviations
    detectableDifference = deviations.flatMap { deviations in
      pair.deviation.map { deviations * $0 }
    }
    countForHalf = deviations.flatMap { $0 > 0 ? needed($0 / 2) : nil }
    let observed = unit.flatMap { unit in pair.test.estimate.map { abs($0) / unit } }
    countForObserved = observed.flatMap { $0 > 0 ? needed($0) : nil }
    countForEquivalence = unit.flatMap { unit in
      pair.margin.flatMap { margin in
        Power.requiredCountForEquivalence(
          margin: margin / unit, correlation: pair.correlation, level: level, power: wanted)
      }
    }
    let left = pair.test.estimate.flatMap { estimate in pair.margin.map { $0 - abs(estimate) } }
    countForObservedEquivalence = unit.flatMap { unit in
      left.flatMap { left in
        left > 0
          ? Power.requiredCountForEquivalence(
            margin: left / unit, correlation: pair.correlation, level: level, power: wanted) : nil
      }
    }
  }
}

extension Verdict {
  /// Words for a comparison.
  init(
    _ pair: PairComparison, pValue: Double, equivalencePValue: Double?, power: PowerAnalysis,
    isExploration: Bool
  ) {
    guard !pair.isAllDiverged else {
      self.init(word: .unknown, text: "unknown: both diverge on every seed")
      return
    }
    guard !pair.isTie else {
      self.init(word: .tie, text: "tie: every replicate is the same to the last bit")
      return
    }
    guard pair.test.interval != nil, let estimate = pair.test.estimate else {
      let count = pair.test.counts.min() ?? 0
      self.init(
        word: .unknown,
        text: count == 0
          ? "unknown: no replicates to compare"
          : "unknown: one replicate says nothing about noise; at least two are needed, five are advised"
      )
      return
    }
    let differs = pValue <= pair.level
    let isAlike = (equivalencePValue ?? 1) <= pair.level
    let suffix = isExploration ? " (exploratory)" : ""
    let margin = pair.margin.map { MarginAnalysis.text($0) } ?? ""
    switch (differs, isAlike, estimate < 0) {
    case (true, false, true): self.init(word: .better, text: "better" + suffix)
    case (true, false, false): self.init(word: .worse, text: "worse" + suffix)
    case (true, true, true):
      self.init(
        word: .slightlyBetter,
        text: "better, by less than the margin of \(margin) nats that matters" + suffix)
    case (true, true, false):
      self.init(
        word: .slightlyWorse,
        text: "worse, by less than the margin of \(margin) nats that matters" + suffix)
    case (false, true, _):
      self.init(word: .equivalent, text: "equivalent within \(margin) nats" + suffix)
    case (false, false, _):
      self.init(word: .undecided, text: "undecided" + Self.remedy(pair, power) + suffix)
    }
  }

  /// What would decide it: the smaller number of seeds of those that show the difference seen, and those that show equivalence if the
  /// difference seen is the true one.
  private static func remedy(_ pair: PairComparison, _ power: PowerAnalysis) -> String {
    guard let unit = pair.deviation, unit > 0 else {
      return "; the noise is not known, so nor is what would decide it"
    }
    let have = pair.test.counts.min() ?? 0
    let counts = [power.countForObserved, power.countForObservedEquivalence].compactMap { $0 }
    guard let count = counts.min() else {
      return "; no number of seeds up to 100000 is likely to decide it"
    }
    guard count > have else {
      return "; \(have) seeds for each arm were likely to be enough, a few more would decide it"
    }
    return "; about \(count) seeds for each arm would decide it"
  }
}

extension [[PairComparison]] {
  /// Comparisons of all variants with corrected p-values and verdicts, in the same order.
  func adjusted(exploresAllPairs: Bool) -> [[DifferenceAnalysis]] {
    let all = joined()
    let family = all.filter(\.isInFamily)
    var familyP = holm(family.map(\.test.pValue)).makeIterator()
    // A pair without a test keeps its place: the family was declared, not found.
    var familyE = holm(family.map { $0.equivalence?.pValue ?? 1 }).makeIterator()
    func corrected(_ pValues: [Double]) -> [Double] {
      exploresAllPairs ? benjaminiHochberg(pValues) : holm(pValues)
    }
    var restP = corrected(all.map(\.test.pValue)).makeIterator()
    var restE = corrected(all.map { $0.equivalence?.pValue ?? 1 }).makeIterator()
    let adjustment: Adjustment = exploresAllPairs ? .exploration : .allPairs
    var result: [[DifferenceAnalysis]] = []
    for pairs in self {
      var analyses: [DifferenceAnalysis] = []
      for pair in pairs {
        let hasEquivalence = pair.equivalence != nil
        let pValue = restP.next() ?? 1
        let equivalence = restE.next()
        if pair.isInFamily {
          let inFamily = (p: familyP.next() ?? 1, equivalence: familyE.next())
          analyses.append(
            pair.analysis(
              .family, pValue: inFamily.p,
              equivalencePValue: hasEquivalence ? inFamily.equivalence : nil,
              comparisons: family.count))
        } else {
          analyses.append(
            pair.analysis(
              adjustment, pValue: pValue, equivalencePValue: hasEquivalence ? equivalence : nil,
              comparisons: all.count))
        }
      }
      result.append(analyses)
    }
    return result
  }
}
