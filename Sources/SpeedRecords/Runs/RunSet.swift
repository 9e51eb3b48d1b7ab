// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import Statistics

/// Runs of one recipe, or what a table says of them.
public struct RunSet: Codable, Equatable, Sendable {
  /// Count, mean and deviation as a table prints them, where the runs themselves are not known.
  public struct Printed: Codable, Equatable, Sendable {
    /// Number of runs.
    public var count: Int
    /// Mean and standard deviation of the loss.
    public var loss: Moments?
    /// Mean and standard deviation of the time in seconds.
    public var seconds: Moments?

    /// A mean and a deviation with their printed digits.
    public struct Moments: Codable, Equatable, Sendable {
      /// The mean.
      public var mean: Double
      /// Digits after its point.
      public var meanDecimals: Int
      /// The standard deviation with n - 1; nil when the table has none.
      public var deviation: Double?
      /// Digits after its point.
      public var deviationDecimals: Int

      /// Describes printed moments.
      public init(mean: Double, meanDecimals: Int, deviation: Double?, deviationDecimals: Int) {
        self.mean = mean
        self.meanDecimals = meanDecimals
        self.deviation = deviation
        self.deviationDecimals = deviationDecimals
      }
    }

    /// Describes a row of a table.
    public init(count: Int, loss: Moments?, seconds: Moments?) {
      self.count = count
      self.loss = loss
      self.seconds = seconds
    }
  }

  /// The name in tables.
  public var name: String
  /// The runs, in the order of their names; empty where only a table is known.
  public var runs: [RecordedRun]
  /// The table; nil where the runs are known.
  public var printed: Printed?
  /// Steps of a run, where only a table is known.
  public var printedSteps: Int?
  /// What was fixed beforehand about the set.
  public var registration: Registration?

  /// Makes a set of runs.
  ///
  /// - Parameters:
  ///   - name: The name in tables.
  ///   - runs: The runs.
  ///   - registration: What was fixed beforehand; nil: what the runs say, where they agree.
  public init(name: String, runs: [RecordedRun], registration: Registration? = nil) {
    self.name = name
    self.runs = runs
    let said = runs.compactMap(\.registration)
    self.registration = registration ?? said.first
  }

  /// Makes a set of what a table says.
  ///
  /// - Parameters:
  ///   - name: The name in tables.
  ///   - printed: Count, means and deviations.
  ///   - steps: Steps of each run.
  public init(name: String, printed: Printed, steps: Int? = nil) {
    self.name = name
    runs = []
    self.printed = printed
    printedSteps = steps
  }

  /// Number of runs.
  public var count: Int { printed?.count ?? runs.count }

  /// The losses of the runs that have one.
  public var lossValues: [Double] { runs.compactMap(\.loss) }

  /// The times of the runs that have one, in seconds.
  public var secondsValues: [Double] { runs.compactMap(\.seconds) }

  /// Count, mean and deviation of the loss; nil when no loss is known.
  public var losses: SampleSummary? {
    guard let printed else { return lossValues.isEmpty ? nil : Sample(lossValues).summary }
    return printed.loss.map {
      SampleSummary(count: printed.count, mean: $0.mean, deviation: $0.deviation)
    }
  }

  /// Count, mean and deviation of the time; nil when no time is known.
  public var seconds: SampleSummary? {
    guard let printed else { return secondsValues.isEmpty ? nil : Sample(secondsValues).summary }
    return printed.seconds.map {
      SampleSummary(count: printed.count, mean: $0.mean, deviation: $0.deviation)
    }
  }

  /// The steps of every run; nil when they are not known or differ.
  public var steps: Int? {
    if runs.isEmpty { return printedSteps }
    guard let first = runs[0].steps, runs.allSatisfy({ $0.steps == first }) else { return nil }
    return first
  }

  /// Whether the steps of any run are known, equal or not.
  var hasSteps: Bool { printedSteps != nil || runs.contains { $0.steps != nil } }

  /// Notes the steps of runs that do not know them, as numbers on a command line.
  ///
  /// - Parameter steps: Steps of each run; runs that know theirs keep them.
  public mutating func setSteps(_ steps: Int) {
    if printed != nil { printedSteps = printedSteps ?? steps }
    for at in runs.indices where runs[at].steps == nil { runs[at].steps = steps }
  }

  /// Losses by seed, of the runs whose seed and finite loss are known.
  public var lossesBySeed: [RunSeed: Double] {
    var result: [RunSeed: Double] = [:]
    for run in runs where run.hasFiniteLoss {
      if let seed = run.seed { result[seed] = run.loss }
    }
    return result
  }

  /// Seconds of one step; nil when time or steps are not known.
  public var secondsPerStep: Double? {
    guard let steps, steps > 0, let mean = seconds?.mean else { return nil }
    return mean / Double(steps)
  }
}
