// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import Statistics

/// One set against the baseline: differences are candidate minus baseline, so a lower loss and a shorter time are negative.
public struct RecordComparison: Codable, Equatable, Sendable {
  /// Which test stands first.
  public enum Method: String, Codable, CaseIterable, Sendable {
    /// Independent runs.
    case welch
    /// Runs that share seeds, and whose losses go together.
    case paired
  }

  /// Why the paired test is taken or not, in numbers.
  public struct Pairing: Codable, Equatable, Sendable {
    /// Seeds that both sets have.
    public let sharedSeeds: Int
    /// Correlation of their losses.
    public let correlation: Correlation
    /// The test on the shared seeds.
    public let test: DifferenceTest
  }

  /// p of the difference without one of the runs.
  public struct Influence: Codable, Equatable, Sendable {
    /// The set that loses the run.
    public let set: String
    /// The run.
    public let run: String
    /// Two-sided p of Welch's test without it.
    public let pValue: Double
  }

  /// A gain at equal length.
  public struct EqualisedGain: Codable, Equatable, Sendable {
    /// (baseline loss - candidate loss) + (baseline steps - candidate steps) x rate, in nats; above 0 is better.
    public let gain: Double?
    /// Its interval, with the uncertainty of a measured rate.
    public let interval: ConfidenceInterval?
    /// One-sided p-value that it is above 0, likewise.
    public let pValue: Double
    /// The pairwise rule: gain / sqrt(1 / n1 + 1 / n2), in nats; nil without a mean.
    public let statistic: Double?
    /// Whether it reaches the threshold; nil when the rule was not asked for.
    public let passesPairwiseRule: Bool?
    /// The gain in steps; nil without a rate.
    public let steps: Double?
    /// Fieller's interval of that where the rate was measured; nil where the rate cannot be told from 0.
    public let stepsInterval: ConfidenceInterval?
    /// The gain in seconds, by the candidate's seconds for a step; nil without times.
    public let seconds: Double?
  }

  /// The baseline's name.
  public let baseline: String
  /// The candidate's name.
  public let candidate: String
  /// Welch's test of the losses; nil where a side has none.
  public let welch: DifferenceTest?
  /// The paired view; nil where fewer than two seeds are shared, or a run of either side diverged.
  public let pairing: Pairing?
  /// Which of both stands first.
  ///
  /// Paired where every run of the smaller set has a partner, at least three seeds are shared and their correlation is at least 0.5.
  /// It is decided by the seeds and the correlation, never by which p is smaller.
  public let method: Method
  /// The difference of losses by that test.
  public var loss: DifferenceTest? { method == .paired ? pairing?.test : welch }
  /// Welch's test of the times in seconds; nil where a side has none.
  public let time: DifferenceTest?
  /// Whether the times are known to be from machines of one description.
  public let isTimeOnOneMachine: Bool
  /// Candidate's steps minus baseline's; nil where they are not known.
  public let stepDifference: Int?
  /// The gain at equal length; nil where lengths differ and nobody said what a step is worth, or a side has no losses.
  public let equalised: EqualisedGain?
  /// p without each run; empty below three runs on a side and for tables.
  public let influence: [Influence]
  /// The chance to find this difference with these counts, were it the true one, at the two-sided level 1 - confidence.
  public let power: Double?
  /// Runs on each side that finding it would need; nil for no difference.
  public let requiredRuns: Int?

  /// The correlation from which on pairing gains.
  public static let leastCorrelation = 0.5
  /// The shared seeds from which on a correlation is worth looking at.
  public static let leastSharedSeeds = 3
}

extension RecordComparison {
  /// Compares two sets.
  init(baseline: RunSet, candidate: RunSet, _ rules: RecordRules, _ rate: ExchangeRate?) {
    self.baseline = baseline.name
    self.candidate = candidate.name
    let level = rules.confidence
    let (old, new) = (baseline.losses, candidate.losses)
    let test = old.flatMap { old in new.map { Tests.welch($0, old, level: level) } }
    welch = test
    let pairs = Self.pairs(candidate, baseline)
    let pairing =
      pairs.a.count >= 2
      ? Pairing(
        sharedSeeds: pairs.a.count, correlation: Correlation(pairs.a, pairs.b, level: level),
        test: Tests.paired(pairs.a, pairs.b, level: level)) : nil
    self.pairing = pairing
    let isWhole = pairs.a.count == min(baseline.count, candidate.count)
    let pays = pairing?.correlation.coefficient.map { $0 >= Self.leastCorrelation } ?? false
    method = isWhole && pays && pairs.a.count >= Self.leastSharedSeeds ? .paired : .welch
    time = baseline.seconds.flatMap { old in
      candidate.seconds.map { Tests.welch($0, old, level: level) }
    }
    isTimeOnOneMachine = Self.haveOneMachine(baseline, candidate)
    stepDifference = candidate.steps.flatMap { steps in baseline.steps.map { steps - $0 } }
    equalised = Self.equalised(baseline, candidate, rules, rate)
    influence = Self.influence(baseline, candidate)
    let chosen = method == .paired ? pairing?.test : test
    let correlation = method == .paired ? pairing?.correlation.coefficient : nil
    if let estimate = chosen?.estimate, let deviation = Self.pooledDeviation(old, new),
      deviation > 0, let old, let new
    {
      let counts =
        method == .paired
        ? pairs.a.count
        : max(Int((2 / (1 / Double(old.count) + 1 / Double(new.count))).rounded(.down)), 1)
      power = Power.power(
        difference: estimate / deviation, count: counts, correlation: correlation,
        level: 1 - level)
      requiredRuns = Power.requiredCount(
        difference: estimate / deviation, correlation: correlation, level: 1 - level,
        power: rules.power)
    } else {
      (power, requiredRuns) = (nil, nil)
    }
  }

  /// Losses of the seeds that both have, in order; none where a run diverged, for a test of the others would leave it out.
  private static func pairs(_ a: RunSet, _ b: RunSet) -> (a: [Double], b: [Double]) {
    guard (a.lossValues + b.lossValues).allSatisfy(\.isFinite) else { return ([], []) }
    let (first, second) = (a.lossesBySeed, b.lossesBySeed)
    let seeds = first.keys.filter { second[$0] != nil }
      .sorted { ($0.initial, $0.data) < ($1.initial, $1.data) }
    return (seeds.compactMap { first[$0] }, seeds.compactMap { second[$0] })
  }

  private static func haveOneMachine(_ a: RunSet, _ b: RunSet) -> Bool {
    let all = (a.runs + b.runs).filter { $0.seconds != nil }
    guard let first = all.first?.machine, a.printed == nil, b.printed == nil else { return false }
    return all.allSatisfy { $0.machine == first }
  }

  private static func pooledDeviation(_ a: SampleSummary?, _ b: SampleSummary?) -> Double? {
    guard let a, let b, let first = a.variance, let second = b.variance else { return nil }
    let sum = Double(a.count - 1) * first + Double(b.count - 1) * second
    return (sum / Double(a.count + b.count - 2)).squareRoot()
  }

  private static func influence(_ baseline: RunSet, _ candidate: RunSet) -> [Influence] {
    let (old, new) = (baseline.lossValues, candidate.lossValues)
    guard min(old.count, new.count) >= 3 else { return [] }
    var result: [Influence] = []
    for (set, isOld) in [(baseline, true), (candidate, false)] {
      for (index, run) in set.runs.filter({ $0.loss != nil }).enumerated() {
        var rest = isOld ? old : new
        rest.remove(at: index)
        let test = isOld ? Tests.welch(new, rest) : Tests.welch(rest, old)
        result.append(Influence(set: set.name, run: run.name, pValue: test.pValue))
      }
    }
    return result
  }

  private static func equalised(
    _ baseline: RunSet, _ candidate: RunSet, _ rules: RecordRules, _ rate: ExchangeRate?
  ) -> EqualisedGain? {
    guard let old = baseline.losses, let new = candidate.losses else { return nil }
    let fewer = candidate.steps.flatMap { steps in baseline.steps.map { Double($0 - steps) } }
    // Where nobody told any steps, lengths are taken as equal only if nobody says otherwise.
    let isLengthKnown = fewer != nil || !(baseline.hasSteps || candidate.hasSteps)
    let steps = fewer ?? 0
    guard isLengthKnown, steps == 0 || rate != nil else { return nil }
    // On the very pair that the rate was measured on, steps make up for the losses by construction.
    if let rate, steps != 0, Set(rate.sets) == [baseline.name, candidate.name] { return nil }
    let slope = (rate?.perHundredSteps ?? 0) / 100

    // Baseline, candidate, and the sets of the rate: a set that stands in two places is one cell.
    var cells = LinearCells([(baseline.name, old), (candidate.name, new)])
    var gain = cells.weights([(baseline.name, 1), (candidate.name, -1)])
    var slopeWeights: [Double]?
    if case .measured(let first, let second) = rules.exchange, let rate, rate.steps.count == 2,
      let a = first.losses, let b = second.losses
    {
      cells.add(first.name, a)
      cells.add(second.name, b)
      let unit = 1 / Double(rate.steps[1] - rate.steps[0])
      let perStep = cells.weights([(rate.sets[0], unit), (rate.sets[1], -unit)])
      gain = cells.weights([(baseline.name, 1), (candidate.name, -1)])
      gain = zip(gain, perStep).map { $0 + steps * $1 }
      slopeWeights = perStep
    }
    let combinations = LinearCombinations(cells.samples)
    let test = combinations.test(gain, level: rules.confidence)
    // A given rate has no uncertainty: it moves the difference and its interval.
    let shift = slopeWeights == nil ? steps * slope : 0
    let estimate = test.estimate.map { $0 + shift }
    let verdict = SpeedrunRules.pairwise(
      new: new, newSteps: Double(candidate.steps ?? 0), old: old,
      oldSteps: Double(baseline.steps ?? candidate.steps ?? 0), slope: slope,
      threshold: rules.threshold ?? SpeedrunRules.publishedThreshold)
    var equivalent: (estimate: Double?, interval: ConfidenceInterval?) = (nil, nil)
    if let slopeWeights {
      equivalent = combinations.ratio(gain, over: slopeWeights, level: rules.confidence)
    } else if rate != nil, slope > 0 {
      equivalent.estimate = estimate.map { $0 / slope }
      equivalent.interval = test.interval?.mapped { ($0 + shift) / slope }
    }
    return EqualisedGain(
      gain: estimate, interval: test.interval?.mapped { $0 + shift },
      pValue: test.pValueAbove(-shift), statistic: verdict?.statistic,
      passesPairwiseRule: rules.threshold == nil ? nil : verdict?.passes,
      steps: equivalent.estimate, stepsInterval: equivalent.interval,
      seconds: candidate.secondsPerStep.flatMap { pace in equivalent.estimate.map { $0 * pace } })
  }
}

/// Samples by name, each once.
private struct LinearCells {
  private var names: [String] = []
  private(set) var samples: [SampleSummary] = []

  init(_ cells: [(String, SampleSummary)]) { for (name, sample) in cells { add(name, sample) } }

  mutating func add(_ name: String, _ sample: SampleSummary) {
    if let at = names.firstIndex(of: name), samples[at] == sample { return }
    names.append(name)
    samples.append(sample)
  }

  func weights(_ given: [(String, Double)]) -> [Double] {
    var result = [Double](repeating: 0, count: names.count)
    for (name, weight) in given {
      if let at = names.firstIndex(of: name) { result[at] += weight }
    }
    return result
  }
}
