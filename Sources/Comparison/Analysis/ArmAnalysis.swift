// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import RunRecords
public import Statistics

/// One arm within a variant.
public struct ArmAnalysis: Codable, Equatable, Sendable {
  /// The arm's name.
  public var name: String
  /// The base method's name.
  public var method: String
  /// Keys it sets.
  public var changes: [String: String]
  /// Contract fields in which it declared to differ.
  public var declaredDifferences: [FairnessContract.Field]
  /// What was tuned or swept, with the values it reports at.
  public var knobs: [KnobChoice]
  /// Whether the best of an axis lies on an edge of what was tried: more tuning would find a lower loss.
  public var isUndertuned: Bool
  /// Trials that tuned it, whatever became of them.
  public var tuningTrials: Int
  /// What tuning did, in order.
  public var tuningHistory: [TuningStep]
  /// One curve for each tuned axis, on tuning seeds: it says where the optimum lies, never how low the arm gets.
  public var tuningCurves: [KnobCurve]
  /// One curve for each sweep, on reporting seeds.
  public var sweeps: [KnobCurve]
  /// The replicates that report.
  public var replicates: [Replicate]
  /// Validation loss over steps.
  public var lossCurve: CourseAnalysis?
  /// Recorded statistics over steps, for example quantiles of effective learning rates.
  public var statistics: [StatisticAnalysis]
  /// What fewer tuning trials would have found, one seed each; empty for an arm that is not tuned.
  public var budgetCurve: [BudgetCurve.Point]
}

/// A knob's value in an arm.
public struct KnobChoice: Codable, Equatable, Sendable {
  /// The sides of a grid.
  public enum Edge: String, Codable, CaseIterable, Sendable {
    /// The lowest value tried.
    case lowest
    /// The highest value tried.
    case highest
  }
  /// The axis' name, for example `learning rate`.
  public var name: String
  /// The configuration keys.
  public var keys: [String]
  /// The value that the arm reports at.
  public var value: KnobValue
  /// Whether tuning chose it.
  public var isTuned: Bool
  /// The edge of the tried values on which it lies, if it does and nothing certifies the edge: a value beyond it would have to be
  /// tried.
  public var edge: Edge?
}

/// Something that tuning tried or decided.
public struct TuningStep: Codable, Equatable, Sendable {
  /// The part of tuning.
  public var phase: StudyPhase
  /// The values of the tuned keys that were tried; of a decision the value that was kept or taken.
  public var knobs: [String: KnobValue]
  /// The mean loss that counted, over tuning seeds; nil for a stopped trial, and for a decision.
  public var loss: Double?
  /// The tuning seeds it was tried with.
  public var seeds: [Int]
  /// What was decided, in words; nil where nothing was.
  public var decision: String?
}

/// Loss against a knob.
public struct KnobCurve: Codable, Equatable, Sendable {
  /// The axis' or the sweep's name.
  public var name: String
  /// The configuration keys.
  public var keys: [String]
  /// How values lie on the axis: areas and widths are taken on it.
  public var axis: SweepAxis
  /// Which seeds it is made of.
  public var purpose: SeedPurpose
  /// Ascending values.
  public var points: [KnobPoint]
  /// The value that tuning chose, or that the arm reports at.
  public var chosen: KnobValue?
  /// Where the optimum lies, by several fits with the union of their intervals; nil below three numeric points.
  public var optimum: OptimumFit?
  /// How much a wrong value costs; nil below two numeric points.
  public var sensitivity: SensitivityAnalysis?
  /// How wide the good values are, one for each tolerance.
  public var basins: [BasinAnalysis]
  /// The lowest value at which at least half of the replicates fail, with the next lower one; nil when there is none.
  public var divergence: DivergenceAnalysis?
}

/// A value of a knob with its replicates.
public struct KnobPoint: Codable, Equatable, Sendable {
  /// The value.
  public var value: KnobValue
  /// The value over the tuned one, for sweeps by factors.
  public var factor: Double?
  /// The replicates.
  public var replicates: [Replicate]
  /// Mean loss over replicates that have one, capped.
  public var loss: Estimate
  /// Replicates that diverged.
  public var diverged: Int
  /// Replicates that ended by an error.
  public var failed: Int
  /// Whether it is the value that the arm reports at.
  public var isChosen: Bool
}

/// How much a wrong value costs: mean of min(loss, initial loss) - lowest loss over a window, uniform in the axis (Wortsman et al.,
/// *Small-scale proxies for large-scale Transformer training instabilities*, 2023).
public struct SensitivityAnalysis: Codable, Equatable, Sendable {
  /// The window's ends.
  public var from: Double
  /// The window's ends.
  public var to: Double
  /// Whether the window was cut by the values tried.
  public var isCut: Bool
  /// In nats per token; intervals over replicates, whole curves together.
  public var whole: Estimate
  /// The half below the optimum: slow.
  public var left: Estimate
  /// The half above the optimum: stability.
  public var right: Estimate
  /// `whole` over (initial loss - lowest loss), without unit.
  public var normalized: Estimate
}

/// How wide the good values are.
public struct BasinAnalysis: Codable, Equatable, Sendable {
  /// Nats above the lowest loss that are still good.
  public var tolerance: Double
  /// Why this tolerance, for example `margin`.
  public var name: String
  /// Decades (for an axis that is not logarithmic: units) of values within the tolerance; at least so many when it ends at an edge.
  public var width: CensoredEstimate
  /// The lowest good value.
  public var from: Double?
  /// The highest good value.
  public var to: Double?
}

/// From where on a knob's values fail.
public struct DivergenceAnalysis: Codable, Equatable, Sendable {
  /// The lowest value at which at least half of the replicates fail.
  public var from: Double
  /// The share that fails there.
  public var share: Double
  /// The share's Clopper-Pearson interval.
  public var interval: ConfidenceInterval?
}

/// Something that is measured at several steps, over replicates.
public struct CourseAnalysis: Codable, Equatable, Sendable {
  /// Steps, ascending; all lists are equally long.
  public var steps: [Int]
  /// Mean over the replicates that have the step.
  public var mean: [Double]
  /// Lower end of the t interval; nil below two replicates.
  public var lower: [Double?]
  /// Upper end of the t interval.
  public var upper: [Double?]
  /// Replicates that have the step.
  public var counts: [Int]
  /// Tokens trained on at that step, where recorded.
  public var tokens: [Double?]
}

/// A recorded statistic over steps.
public struct StatisticAnalysis: Codable, Equatable, Sendable {
  /// The metric's name, for example `effectiveRate.head.q10`.
  public var metric: String
  /// What is measured, for example `effectiveRate`.
  public var quantity: String
  /// Parameters of which role, for example `head`; empty where there is none.
  public var role: String
  /// The statistic, for example `q10`; empty where there is none.
  public var statistic: String
  /// Its course over reporting seeds.
  public var course: CourseAnalysis
}
