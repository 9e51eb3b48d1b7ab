// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import Comparison
public import RunRecords
import Training

/// What a study costs on this machine, before it runs.
public struct StudyPrice: Codable, Equatable, Sendable {
  /// A quantity that depends on what will come out.
  public struct Bounds: Codable, Equatable, Sendable {
    /// No study of this declaration needs less.
    public var least = 0.0
    /// A guess.
    public var expected = 0.0
    /// No study of this declaration needs more.
    public var most = 0.0

    fileprivate mutating func add(_ amount: Double, _ count: TrialCount) {
      least += amount * Double(count.least)
      expected += amount * Double(count.expected)
      most += amount * Double(count.most)
    }

    fileprivate func divided(by number: Double) -> Bounds {
      Bounds(least: least / number, expected: expected / number, most: most / number)
    }
  }

  /// An arm in one variant.
  public struct Arm: Codable, Equatable, Sendable {
    /// The variant's name.
    public let variant: String
    /// The arm's name.
    public let arm: String
    /// Its trials.
    public let trials: TrialCount
    /// What a full one costs.
    public let cost: TrialCost
    /// Seconds of a full one; nil where nothing is known about its speed.
    public let seconds: Double?
    /// Whether its speed was measured; otherwise it was computed from operations.
    public let isMeasured: Bool
  }

  /// Trials of the whole study.
  public let trials: TrialCount
  /// Trials that have ended already.
  public let done: Int
  /// Tokens trained on.
  public let tokens: Bounds
  /// Floating-point operations of gradients and updates.
  public let flops: Bounds
  /// Seconds of all trials on this machine, those that have ended included; nil where the speed of an arm is not known.
  public let seconds: Bounds?
  /// Trials at a time.
  public let slots: Int
  /// Threads of each.
  public let threads: Int
  /// Bytes of the largest trials that may run at the same time.
  public let memoryBytes: Double
  /// Every arm in every variant.
  public let arms: [Arm]
  /// How trials share programs; nil where each has its own.
  public let sharing: Sharing?

  /// How trials share programs.
  public struct Sharing: Codable, Equatable, Sendable {
    /// What computes them.
    public let device: String
    /// The most trials in one program.
    public let runs: Int
    /// Trials that can start now.
    public let trials: Int
    /// Programs that run those.
    public let programs: Int
  }

  /// Adds up a study.
  ///
  /// - Parameters:
  ///   - estimate: its trials.
  ///   - costs: what a full trial of each arm costs.
  ///   - throughput: how fast they are.
  ///   - done: trials that have ended.
  ///   - sharing: how trials share programs; nil: each has its own.
  public init(
    _ estimate: StudyEstimate, costs: [ArmInVariant: TrialCost], throughput: ThroughputRecord,
    done: Int, sharing: Sharing? = nil
  ) {
    var (tokens, flops, seconds) = (Bounds(), Bounds(), Bounds())
    var isTimed = true
    var cells: [ArmInVariant] = []
    for entry in estimate.entries {
      let cell = ArmInVariant(arm: entry.arm, variant: entry.variant)
      guard let cost = costs[cell] else { continue }
      if !cells.contains(cell) { cells.append(cell) }
      tokens.add(Double(cost.estimate.tokens) * entry.length, entry.trials)
      flops.add(cost.estimate.totalFLOPs * entry.length, entry.trials)
      if let speed = throughput.speed(variant: cell.variant, arm: cell.arm) {
        let steps = Int((Double(cost.steps) * entry.length).rounded())
        let evaluations = cost.evaluations(ofSteps: steps)
        seconds.add(speed.seconds(steps: steps, evaluations: evaluations), entry.trials)
      } else {
        isTimed = false
      }
    }
    trials = estimate.total
    self.done = done
    self.sharing = sharing
    self.tokens = tokens
    self.flops = flops
    self.seconds = isTimed ? seconds.divided(by: Double(throughput.slots)) : nil
    slots = throughput.slots
    threads = throughput.threads
    arms = cells.compactMap { cell in
      guard let cost = costs[cell] else { return nil }
      let speed = throughput.speed(variant: cell.variant, arm: cell.arm)
      let entries = estimate.entries.filter {
        $0.arm == cell.arm && $0.variant == cell.variant
      }
      return Arm(
        variant: cell.variant, arm: cell.arm,
        trials: entries.reduce(TrialCount(0)) { $0 + $1.trials }, cost: cost,
        seconds: speed.map {
          $0.seconds(steps: cost.steps, evaluations: cost.evaluations(ofSteps: cost.steps))
        }, isMeasured: speed?.isMeasured ?? false)
    }
    memoryBytes = Double(
      costs.values.map(\.estimate.memory.total).sorted(by: >).prefix(throughput.slots)
        .reduce(0, +))
  }
}
