// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import RunRecords

/// What the protocol needs of one trial: which it is, how it ended, what it reached.
public struct TrialResult: Equatable, Sendable {
  /// A validation loss on the way.
  public struct Evaluation: Equatable, Sendable {
    /// Updates made before it.
    public let step: Int
    /// Nats per token; may be not finite.
    public let loss: Double

    /// Notes a loss.
    public init(step: Int, loss: Double) {
      self.step = step
      self.loss = loss
    }
  }

  /// Which trial of the study.
  public let point: TrialPoint
  /// The name of its folder.
  public let identity: String
  /// Whether it repeats, to the end, a trial that a rule had stopped; such a result decides nothing.
  public let isAudit: Bool
  /// How it stands or ended.
  public let status: RunOutcome.Status
  /// Why it ended, in words.
  public let reason: String?
  /// Updates made.
  public let steps: Int
  /// The last numbers by name.
  public let finalNumbers: [String: Double]
  /// All validation losses, the one before the first update among them.
  public let evaluations: [Evaluation]
  /// The path of its folder; empty for a result that was not read from one.
  public let folder: String

  /// Describes a trial's result.
  public init(
    point: TrialPoint, identity: String, isAudit: Bool = false, status: RunOutcome.Status,
    reason: String? = nil, steps: Int, finalNumbers: [String: Double] = [:],
    evaluations: [Evaluation], folder: String = ""
  ) {
    self.point = point
    self.identity = identity
    self.isAudit = isAudit
    self.status = status
    self.reason = reason
    self.steps = steps
    self.finalNumbers = finalNumbers
    self.evaluations = evaluations
    self.folder = folder
  }

  /// Whether it ended in a way that counts: finished, diverged, or stopped by a rule.
  ///
  /// One that is running, interrupted or failed is run again.
  public var hasEnded: Bool {
    switch status {
    case .finished, .diverged, .stopped: true
    case .running, .interrupted, .failed: false
    }
  }

  /// Whether it is a failure of the method: divergence, or an end that is not finite.
  public var isDiverged: Bool {
    status == .diverged || (status == .finished && finalLoss?.isFinite != true)
  }

  /// Whether it ended at least 0.1 nats below its initial loss: less than that is no recovery from a divergence.
  public var hasLearned: Bool {
    guard let capped = cappedLoss, let initial = initialLoss, initial.isFinite else { return false }
    return capped <= initial - 0.1
  }

  /// The loss before the first update; nil before that was measured.
  public var initialLoss: Double? { evaluations.first?.loss }

  /// The last validation loss: that of the whole run where it finished.
  public var finalLoss: Double? { finalNumbers["validationLoss"] ?? evaluations.last?.loss }

  /// The loss that counts: the final one, and the initial one for a trial that diverged or ended above it.
  ///
  /// A divergence is a result and never a missing value, so that a mean over replicates is one over all of them. Nil while the
  /// trial has not ended, or when it was stopped: what it would have reached is unknown.
  public var cappedLoss: Double? {
    switch status {
    case .running, .interrupted, .failed, .stopped: return nil
    case .diverged: return initialLoss
    case .finished:
      guard let final = finalLoss, final.isFinite else { return initialLoss }
      guard let initial = initialLoss, initial.isFinite else { return final }
      return min(final, initial)
    }
  }
}
