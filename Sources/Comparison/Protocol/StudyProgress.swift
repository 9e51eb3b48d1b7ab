// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import RunRecords

/// An arm in one variant: what is tuned and reported as a unit.
public struct ArmInVariant: Hashable, Sendable, CustomStringConvertible {
  /// The arm's name.
  public let arm: String
  /// The variant's name.
  public let variant: String

  /// Names an arm in a variant.
  public init(arm: String, variant: String) {
    self.arm = arm
    self.variant = variant
  }

  /// `lion in 150m`.
  public var description: String { "\(arm) in \(variant)" }
}

/// The parts of a study, in their order within a variant.
public enum StudyPhase: String, Codable, CaseIterable, Comparable, Sendable {
  /// Every arm's grid with the first tuning seed.
  case coarse
  /// Grids that grow while somebody's best lies on an edge.
  case extending
  /// Points between around the best, and all tuning seeds on its neighbourhood.
  case refining
  /// Other knobs, one at a time.
  case axes
  /// The tuned cells on reporting seeds.
  case reporting
  /// Knobs turned around the tuned cells.
  case sweeps
  /// Full runs of other lengths.
  case ladder
  /// Stopped trials, run again to the end.
  case audit
  /// Nothing is left to run.
  case done

  /// In the order of running.
  public static func < (first: StudyPhase, second: StudyPhase) -> Bool {
    (allCases.firstIndex(of: first) ?? 0) < (allCases.firstIndex(of: second) ?? 0)
  }
}

/// What tuning chose for an arm in a variant, and how it came to that.
public struct TunedCell: Equatable, Sendable {
  /// Where the chosen value of the first axis lies among all that were tried.
  public enum Edge: String, Codable, Sendable {
    /// Between worse values: the best was found.
    case none
    /// It is the smallest that was tried: undertuned.
    case lower
    /// It is the largest that was tried: undertuned.
    case upper
    /// The next larger value diverges: there is nothing to look for above.
    case certified
  }

  /// A set of values that was tried.
  public struct Tried: Equatable, Sendable {
    /// The values of the swept and tuned keys.
    public let knobs: [String: KnobValue]
    /// The part of tuning that first asked for it.
    public let phase: StudyPhase
    /// The loss that counted, by tuning seed; a stopped trial counts as infinite.
    public let losses: [TuningSeed: Double]

    /// Their mean.
    public var meanLoss: Double { losses.values.reduce(0, +) / Double(losses.count) }

    init(knobs: [String: KnobValue], phase: StudyPhase, losses: [TuningSeed: Double]) {
      self.knobs = knobs
      self.phase = phase
      self.losses = losses
    }
  }

  /// What was decided about a further axis.
  public struct Move: Equatable, Sendable {
    /// The axis.
    public let axis: String
    /// The value that was kept or taken.
    public let value: KnobValue
    /// Whether it was taken; otherwise no value was better by more than noise.
    public let isAccepted: Bool
    /// How much lower the best other value was, in nats, mean over tuning seeds; negative: it was higher.
    public let gain: Double
    /// One-sided p value of that gain, Student's t on differences by seed.
    public let pValue: Double

    init(axis: String, value: KnobValue, isAccepted: Bool, gain: Double, pValue: Double) {
      self.axis = axis
      self.value = value
      self.isAccepted = isAccepted
      self.gain = gain
      self.pValue = pValue
    }
  }

  /// The chosen values of all swept and tuned keys.
  public let knobs: [String: KnobValue]
  /// Everything that was tried, in the order of asking.
  public let history: [Tried]
  /// What was decided about further axes, in their order.
  public let moves: [Move]
  /// Where the chosen value of the first axis lies.
  public let edge: Edge
  /// How often the grid grew for this arm.
  public let extensions: Int
  /// Tuning trials in all: the same number for every arm of a variant that has the same axes.
  public let trials: Int

  init(
    knobs: [String: KnobValue], history: [Tried], moves: [Move], edge: Edge, extensions: Int,
    trials: Int
  ) {
    self.knobs = knobs
    self.history = history
    self.moves = moves
    self.edge = edge
    self.extensions = extensions
    self.trials = trials
  }

  /// Whether more tuning could find a better value.
  public var isUndertuned: Bool { edge == .lower || edge == .upper }
}

/// How far a study is, and what it needs next.
public struct StudyProgress: Equatable, Sendable {
  /// Trials that can be run now, in running order, without duplicates and without those that have ended.
  public let needed: [TrialPoint]
  /// Stopped trials that are to be run again to the end, without rules that stop.
  public let audits: [TrialPoint]
  /// What tuning chose, for every arm of the variants whose tuning is done.
  public let tuned: [ArmInVariant: TunedCell]
  /// The part of the study that each variant is in: the earliest that still needs a trial.
  public let phases: [String: StudyPhase]
  /// Trials of the study that have ended, audits included.
  public let endedCount: Int
  /// Trials in all, as far as they are known by now: those that have ended, those needed, and what is to follow.
  public let expectedTotal: TrialCount

  init(
    needed: [TrialPoint], audits: [TrialPoint], tuned: [ArmInVariant: TunedCell],
    phases: [String: StudyPhase], endedCount: Int, expectedTotal: TrialCount
  ) {
    self.needed = needed
    self.audits = audits
    self.tuned = tuned
    self.phases = phases
    self.endedCount = endedCount
    self.expectedTotal = expectedTotal
  }

  /// Whether nothing is left to run.
  public var isComplete: Bool { needed.isEmpty && audits.isEmpty }
}

/// A number of trials that depends on what will come out.
public struct TrialCount: Equatable, Codable, Sendable {
  /// No study of this declaration runs fewer.
  public var least: Int
  /// A guess.
  public var expected: Int
  /// No study of this declaration runs more.
  public var most: Int

  /// A number with its bounds.
  public init(least: Int, expected: Int, most: Int) {
    self.least = least
    self.expected = expected
    self.most = most
  }

  /// A number that is known.
  public init(_ count: Int) { self.init(least: count, expected: count, most: count) }

  /// The sum, bound by bound.
  public static func + (first: TrialCount, second: TrialCount) -> TrialCount {
    TrialCount(
      least: first.least + second.least, expected: first.expected + second.expected,
      most: first.most + second.most)
  }
}
