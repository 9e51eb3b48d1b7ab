// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import Statistics

/// Everything that can be said of a claimed record: the table, the rules, the differences, and the doubts.
public struct RecordAnalysis: Codable, Equatable, Sendable {
  /// One row of the record table.
  public struct Row: Codable, Equatable, Sendable {
    /// The set.
    public let name: String
    /// Number of runs.
    public let count: Int
    /// Steps of each run; nil when they differ or are not known.
    public let steps: Int?
    /// Count, mean and deviation of the time in seconds.
    public let seconds: SampleSummary?
    /// Mean time minus the baseline's; nil without a baseline or times.
    public let secondsDifference: Double?
    /// Count, mean and deviation of the loss.
    public let loss: SampleSummary?
    /// Mean loss minus the baseline's; nil without a baseline or losses.
    public let lossDifference: Double?
    /// The test against the target; nil when there is none.
    public let target: TargetTest?
  }

  /// The version of the form.
  public private(set) var schema = 1
  /// The rules.
  public let rules: Rules
  /// The rows: the baseline first.
  public let rows: [Row]
  /// What steps are worth; nil when nobody said.
  public let exchangeRate: ExchangeRate?
  /// Each candidate against the baseline; empty without candidates.
  public let comparisons: [RecordComparison]
  /// Doubts.
  public let flags: [RecordFlag]
  /// The runs, as they were read.
  public let sets: [RunSet]

  /// The numbers of the rules, without the runs that an exchange rate was measured on.
  public struct Rules: Codable, Equatable, Sendable {
    /// The loss to reach; nil: sets are only compared with each other.
    public let target: Double?
    /// Level of the one-sided t tests.
    public let level: Double
    /// Coverage of intervals.
    public let confidence: Double
    /// Threshold of the z and pairwise rules in nats; nil: not asked for.
    public let threshold: Double?
    /// The deviation that the threshold assumes; nil: not known.
    public let deviation: Double?
    /// Chance of passing that required numbers of runs are for.
    public let power: Double
  }

  /// Analyses sets.
  ///
  /// - Parameters:
  ///   - baseline: What the others are compared with; nil: every set stands for itself.
  ///   - candidates: The other sets, or all of them.
  ///   - rules: By which rules.
  /// - Throws: ``SpeedRecordError``: `duplicate` when a run, seed or file counts twice; `incomparable` when losses were measured on
  ///   different tokens, or an exchange rate cannot be measured; `malformed` when two sets have one name, those of
  ///   the exchange rate among them.
  public init(
    baseline: RunSet?, candidates: [RunSet], _ rules: RecordRules
  ) throws(SpeedRecordError) {
    var all = (baseline.map { [$0] } ?? []) + candidates
    for set in all where !all.isEmpty {
      guard all.count(where: { $0.name == set.name }) == 1 else {
        throw SpeedRecordError(
          .malformed, "two sets are called '\(set.name)'; name them: NAME=SOURCE")
      }
    }
    for at in all.indices {
      for run in all[at].runs.indices {
        if let seed = all[at].runs[run].seed,
          rules.tunedOn.contains(where: { $0.initial == seed.initial })
        {
          all[at].runs[run].isTunedOn = true
        }
      }
    }
    var checked = all
    for set in rules.exchange.sets where !all.contains(where: { $0.name == set.name }) {
      checked.append(set)
    }
    let numbers =
      rules.problem
      ?? (checked + rules.exchange.sets).lazy.compactMap { set in
        set.problem.map { "'\(set.name)': \($0)" }
      }.first
    if let numbers { throw SpeedRecordError(.malformed, "\(numbers); give a possible number") }
    try DuplicateCheck.require(checked)
    try Self.requireOneEvaluation(all)
    let rate = try ExchangeRate(rules.exchange, confidence: rules.confidence)
    try Self.requireOneSetForAName((baseline.map { [$0] } ?? []) + candidates, rules.exchange)
    let first = baseline == nil ? nil : all[0]
    var flags = RecordFlags(rules)
    var rows: [Row] = []
    for set in all {
      let test = TargetTest(set, rules)
      let seconds = set.seconds
      let loss = set.losses
      func difference(_ own: SampleSummary?, _ other: SampleSummary??) -> Double? {
        guard let mean = own?.mean, let base = other??.mean else { return nil }
        return mean - base
      }
      rows.append(
        Row(
          name: set.name, count: set.count, steps: set.steps, seconds: seconds,
          secondsDifference: difference(seconds, first.map(\.seconds)), loss: loss,
          lossDifference: difference(loss, first.map(\.losses)), target: test))
      flags.look(at: set, test)
    }
    var comparisons: [RecordComparison] = []
    if let first {
      for set in all.dropFirst() {
        let comparison = RecordComparison(baseline: first, candidate: set, rules, rate)
        comparisons.append(comparison)
        flags.look(at: comparison, first, set, rate)
      }
    }
    if let rate { flags.look(at: rate, checked) }
    self.rules = Rules(
      target: rules.target, level: rules.level, confidence: rules.confidence,
      threshold: rules.threshold, deviation: rules.deviation, power: rules.power)
    self.rows = rows
    exchangeRate = rate
    self.comparisons = comparisons
    self.flags = flags.flags
    sets = all
  }

  /// A set of the exchange rate that is called as another one has to be that very set: cells of the gain go by names.
  private static func requireOneSetForAName(
    _ sets: [RunSet], _ exchange: RecordRules.Exchange
  ) throws(SpeedRecordError) {
    guard case .measured(let first, let second) = exchange else { return }
    for (set, others) in [(first, sets + [second]), (second, sets + [first])]
    where others.contains(where: { $0.name == set.name && $0 != set }) {
      throw SpeedRecordError(
        .malformed,
        "a set of the exchange rate is called '\(set.name)', as another set is; name it otherwise: NAME=SOURCE"
      )
    }
  }

  /// Losses on different held-out tokens are not numbers of one thing.
  private static func requireOneEvaluation(_ sets: [RunSet]) throws(SpeedRecordError) {
    let known = sets.flatMap { set in set.runs.map { (set.name, $0) } }
      .filter { $0.1.evaluation != nil }
    guard let first = known.first else { return }
    for (name, run) in known where run.evaluation != first.1.evaluation {
      throw SpeedRecordError(
        .incomparable,
        "\(run.label) of '\(name)' was evaluated on other tokens than \(first.1.label) of '\(first.0)' "
          + "(\(run.evaluation ?? "") against \(first.1.evaluation ?? "")); compare runs of one data set and evaluation"
      )
    }
  }
}
