// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import RunRecords
import Statistics

/// A claim tested on its replicates, before p-values are corrected over its family.
struct ClaimTest {
  let claim: Claim
  let name: String
  let variant: String
  let left: MeasuredQuantity
  let right: MeasuredQuantity?
  /// What the difference is compared with.
  let threshold: Double?
  let test: DifferenceTest?
  /// Small when the claim holds; nil where it cannot be shown.
  let pValue: Double?
  /// Small when its opposite holds; nil where that cannot be shown.
  let oppositePValue: Double?
  let level: Double
  /// Why there is no test.
  let problem: String?

  /// Tests a claim.
  ///
  /// - Parameters:
  ///   - claim: as declared.
  ///   - name: the claim's, with the variant where there are several.
  ///   - rule: the study's.
  ///   - leftVariant: the variant of the left side; nil: there is none of that name.
  ///   - rightVariant: that of the right side.
  init(
    _ claim: Claim, name: String, rule: StudyRecord.ComparisonRule,
    left leftVariant: VariantMeasurement?, right rightVariant: VariantMeasurement?
  ) {
    let left = MeasuredQuantity(claim.left, in: leftVariant)
    let right = claim.right.map { MeasuredQuantity($0, in: rightVariant) }
    self.claim = claim
    self.name = name
    self.left = left
    self.right = right
    level = rule.level
    variant =
      right.map { $0.variant == left.variant ? left.variant : "\(left.variant), \($0.variant)" }
      ?? left.variant
    let margin = claim.value != 0 ? claim.value : left.margin
    // Compared with a number alone, that number is the threshold; compared with a quantity, `value` shifts it.
    switch claim.relation {
    case .below: threshold = right == nil ? claim.value : 0 - claim.value
    case .above: threshold = claim.value
    case .equivalent, .indistinct: threshold = margin
    case .notAbove: threshold = margin ?? 0
    case .notBelow: threshold = right == nil ? claim.value : -(margin ?? 0)
    }
    var problem = left.problem ?? right?.problem
    if problem == nil, [.equivalent, .indistinct].contains(claim.relation), (threshold ?? 0) <= 0 {
      problem = "it needs a margin: give value"
    }
    if problem == nil, claim.value == 0, left.lacksMargin,
      [.notAbove, .notBelow, .equivalent, .indistinct].contains(claim.relation), right != nil
    {
      problem = "the margin is not known yet"
    }
    let test = problem == nil ? Self.test(left, right, rule: rule, noise: leftVariant?.noise) : nil
    if let test, test.interval == nil {
      problem = "fewer than two replicates"
    }
    self.problem = problem
    self.test = test
    let bounds = Bounds(left, right)
    guard let test, test.interval != nil, let threshold else {
      pValue = nil
      oppositePValue = nil
      return
    }
    let below = bounds.canBeBelow ? test.pValueBelow(threshold) : nil
    let above = bounds.canBeAbove ? test.pValueAbove(threshold) : nil
    func twoSided(_ p: Double?) -> Double? { p.map { min(1, 2 * $0) } }
    switch claim.relation {
    case .below:
      pValue = twoSided(below)
      oppositePValue = twoSided(above)
    case .above:
      pValue = twoSided(above)
      oppositePValue = twoSided(below)
    case .notAbove:
      pValue = below
      oppositePValue = above
    case .notBelow:
      pValue = above
      oppositePValue = below
    case .equivalent:
      let isBounded = bounds.canBeBelow && bounds.canBeAbove
      let outside = [
        bounds.canBeBelow ? test.pValueBelow(-threshold) : nil,
        bounds.canBeAbove ? test.pValueAbove(threshold) : nil,
      ].compactMap { $0 }.min()
      pValue =
        isBounded ? max(test.pValueAbove(-threshold), test.pValueBelow(threshold)) : nil
      oppositePValue = twoSided(outside)
    case .indistinct:
      // Nothing is rejected when it holds, so there is no p-value of that.
      pValue = nil
      oppositePValue = bounds.canBeBelow && bounds.canBeAbove ? test.pValue : nil
    }
  }

  /// Replicates matched as they belong together: those that have an arm in common are the same runs; of two arms as the rule says; of
  /// two variants not at all.
  private static func test(
    _ left: MeasuredQuantity, _ right: MeasuredQuantity?, rule: StudyRecord.ComparisonRule,
    noise: NoiseAnalysis?
  ) -> DifferenceTest {
    let coverage = 1 - rule.level
    func sorted(_ values: [Int: Double]) -> [Double] {
      values.sorted { $0.key < $1.key }.map(\.value)
    }
    guard let right else {
      return Tests.contrast([sorted(left.values)], weights: [1], level: coverage)
    }
    let matched = Tests.matched(left.values, right.values)
    let isPaired: Bool
    if left.variant != right.variant {
      isPaired = false
    } else if !Set([left.arm, left.other].compactMap { $0 })
      .isDisjoint(with: [right.arm, right.other].compactMap { $0 })
    {
      // Both are measured on the same runs, at least in part.
      isPaired = true
    } else {
      isPaired =
        Pairing(
          rule.pairing, correlation: noise?.calibratedCorrelation(left.arm, right.arm),
          count: matched.a.count
        ).isPaired
    }
    return isPaired
      ? Tests.paired(matched.a, matched.b, level: coverage)
      : Tests.welch(sorted(left.values), sorted(right.values), level: coverage)
  }

  /// What censored values still allow to be shown.
  private struct Bounds {
    /// Whether left may be shown to lie below right.
    let canBeBelow: Bool
    /// Whether left may be shown to lie above right.
    let canBeAbove: Bool

    init(_ left: MeasuredQuantity, _ right: MeasuredQuantity?) {
      canBeBelow = !left.hasLowerBounds && !(right?.hasUpperBounds ?? false)
      canBeAbove = !left.hasUpperBounds && !(right?.hasLowerBounds ?? false)
    }
  }

  /// The result, given corrected p-values.
  func result(_ adjusted: Double?, opposite: Double?, familySize: Int) -> ClaimResult {
    let outcome = outcome(adjusted, opposite)
    func estimate(_ quantity: MeasuredQuantity) -> Estimate {
      Estimate(
        quantity.values.sorted { $0.key < $1.key }.map(\.value), level: 1 - level)
    }
    let leftEstimate = estimate(left)
    let rightEstimate = right.map(estimate)
    return ClaimResult(
      name: name, claim: claim, variant: variant, outcome: outcome, left: leftEstimate,
      right: rightEstimate,
      difference: Estimate(
        value: test?.estimate, interval: test?.interval, count: test?.counts.min() ?? 0),
      threshold: threshold, pValue: pValue, adjustedPValue: adjusted,
      oppositePValue: oppositePValue, adjustedOppositePValue: opposite, method: test?.method,
      text: text(outcome, adjusted, opposite, familySize: familySize))
  }

  private func outcome(_ adjusted: Double?, _ opposite: Double?) -> ClaimResult.Outcome {
    guard problem == nil, let test, let interval = test.interval else { return .noData }
    if let adjusted, adjusted <= level { return .holds }
    if let opposite, opposite <= level { return .fails }
    if claim.relation == .indistinct, oppositePValue != nil, interval.contains(0),
      let threshold, interval.width / 2 <= threshold
    {
      return .holds
    }
    return .notDistinguishable
  }

  private func text(
    _ outcome: ClaimResult.Outcome, _ adjusted: Double?, _ opposite: Double?, familySize: Int
  ) -> String {
    if let problem { return "no data: \(problem)" }
    guard let test, let estimate = test.estimate, let interval = test.interval else {
      return "no data"
    }
    let number = MarginAnalysis.text
    let counts = test.counts.map(String.init).joined(separator: " and ")
    let what = right == nil ? "measured" : "difference"
    var text =
      "\(what) \(number(estimate)) [\(number(interval.lower)), \(number(interval.upper))], n = \(counts)"
    if let threshold { text += ", compared with \(number(threshold))" }
    let shown = outcome == .fails ? opposite : adjusted ?? opposite
    if let shown {
      text += ", p = \(number(shown))" + (familySize > 1 ? " (Holm over \(familySize) claims)" : "")
    }
    if left.hasLowerBounds || left.hasUpperBounds || right?.hasLowerBounds == true
      || right?.hasUpperBounds == true
    {
      text += "; some values are only bounds"
    }
    return text
  }
}

/// All claims of a study.
struct ClaimEvaluation {
  let results: [ClaimResult]

  init(_ variants: [VariantMeasurement]) {
    guard let study = variants.first?.study else {
      results = []
      return
    }
    let tests = study.claims.flatMap { Self.tests($0, variants) }
    var adjusted = [Double?](repeating: nil, count: tests.count)
    var opposite = adjusted
    var sizes = [Int](repeating: 1, count: tests.count)
    for family in Set(tests.map(\.claim.family)) {
      let members = tests.indices.filter { tests[$0].claim.family == family }
      // Every claim of the family counts, also one that has no p-value yet: the family was declared, not found.
      let holding = holm(members.map { tests[$0].pValue ?? 1 })
      let failing = holm(members.map { tests[$0].oppositePValue ?? 1 })
      for (place, index) in members.enumerated() {
        adjusted[index] = tests[index].pValue.map { _ in holding[place] }
        opposite[index] = tests[index].oppositePValue.map { _ in failing[place] }
        sizes[index] = members.count
      }
    }
    results = tests.indices.map { index in
      tests[index].result(adjusted[index], opposite: opposite[index], familySize: sizes[index])
    }
  }

  private static func tests(_ claim: Claim, _ variants: [VariantMeasurement]) -> [ClaimTest] {
    guard let rule = variants.first?.study.rule else { return [] }
    if let declared = claim.left.variant ?? claim.right?.variant {
      let left = claim.left.variant ?? declared
      let right = claim.right?.variant ?? declared
      return [
        ClaimTest(
          claim, name: claim.name, rule: rule, left: variants.first { $0.name == left },
          right: variants.first { $0.name == right })
      ]
    }
    return variants.map { variant in
      ClaimTest(
        claim, name: variants.count > 1 ? "\(claim.name)/\(variant.name)" : claim.name,
        rule: rule, left: variant, right: variant)
    }
  }
}
