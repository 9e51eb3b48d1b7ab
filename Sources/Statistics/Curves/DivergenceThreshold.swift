// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// The smallest value above the best at which at least half of the replicates fail.
public struct DivergenceThreshold: Codable, Equatable, Sendable {
  /// The value.
  public var value: Double
  /// The grid value below it, where fewer than half fail.
  public var lastStable: Double
  /// Replicates that failed there.
  public var failures: Int
  /// Replicates there.
  public var count: Int
  /// Clopper-Pearson interval of the share that fails there.
  public var shareInterval: ConfidenceInterval

  /// Whether a run failed: its loss is not finite, above the loss at initialisation, or has not come `recovery` below it at the end.
  ///
  /// - Parameters:
  ///   - loss: Final loss, in nats per token.
  ///   - initialLoss: Loss at initialisation.
  ///   - recovery: Nats that a run which learns has gained at least.
  /// - Returns: Whether it counts as diverged.
  public static func isFailure(loss: Double, initialLoss: Double, recovery: Double = 0.1) -> Bool {
    !(loss <= initialLoss - recovery) || loss == -.infinity
  }

  /// Looks for the threshold above the value with the lowest mean loss.
  ///
  /// nil where no value of the grid reaches half: the threshold is above the grid, if anywhere.
  ///
  /// - Parameters:
  ///   - curves: Losses over the grid; the cap is the loss at initialisation.
  ///   - recovery: See ``isFailure(loss:initialLoss:recovery:)``.
  ///   - level: Coverage of the interval.
  public init?(_ curves: SweepCurves, recovery: Double = 0.1, level: Double = 0.95) {
    let best = curves.bestIndex
    for column in curves.values.indices where column > best {
      let failures = curves.losses.count {
        Self.isFailure(loss: $0[column], initialLoss: curves.cap, recovery: recovery)
      }
      guard 2 * failures >= curves.replicateCount else { continue }
      value = curves.values[column]
      lastStable = curves.values[column - 1]
      self.failures = failures
      count = curves.replicateCount
      shareInterval = Binomial.clopperPearson(
        successes: failures, of: curves.replicateCount, level: level)
      return
    }
    return nil
  }
}
