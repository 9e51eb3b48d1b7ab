// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import Comparison
public import RunRecords

/// How long trials take: measured speeds at first, then what trials of the same arm took.
public struct TrialClock: Sendable {
  /// Seconds of a full trial by arm and variant.
  private var full: [ArmInVariant: Double]
  private var learned: [ArmInVariant: (seconds: Double, count: Int)] = [:]

  /// Starts with estimates.
  ///
  /// - Parameter full: seconds of a full trial.
  public init(_ full: [ArmInVariant: Double] = [:]) { self.full = full }

  /// Seconds that a trial is expected to take; 0 where nothing is known.
  public func seconds(_ point: TrialPoint) -> Double {
    let cell = ArmInVariant(arm: point.arm, variant: point.variant)
    let whole = learned[cell].map { $0.seconds / Double($0.count) } ?? full[cell] ?? average
    return whole * point.horizon
  }

  /// Learns from a trial that ran from its first step to its last in one go.
  mutating func note(_ result: TrialResult, seconds: Double) {
    guard result.status == .finished, result.point.horizon > 0 else { return }
    let cell = ArmInVariant(arm: result.point.arm, variant: result.point.variant)
    let before = learned[cell] ?? (0, 0)
    learned[cell] = (before.seconds + seconds / result.point.horizon, before.count + 1)
  }

  private var average: Double {
    full.isEmpty ? 0 : full.values.reduce(0, +) / Double(full.count)
  }

  /// Seconds until a study is done; nil where nothing is known.
  func secondsLeft(
    _ agenda: TrialAgenda, running: [StudyView.Trial], slots: Int
  ) -> Double? {
    let busy = Set(running.map(\.point))
    let open = (agenda.needed + agenda.audits).filter { !busy.contains($0) }
    let known = open.reduce(0) { $0 + seconds($1) }
    let all = agenda.needed.count + agenda.audits.count
    let later = max(0, agenda.expected.expected - agenda.ended - all)
    let mean = mean
    guard known > 0 || mean > 0 || open.isEmpty else { return nil }
    let rest = running.reduce(0) { $0 + ($1.secondsLeft ?? seconds($1.point)) }
    let shared = (known + Double(later) * mean + rest) / Double(slots)
    // The longest trial under way is a bound of its own.
    return max(shared, running.map { $0.secondsLeft ?? 0 }.max() ?? 0)
  }

  /// Seconds of a trial of any arm.
  private var mean: Double {
    let cells = Set(full.keys).union(learned.keys)
    guard !cells.isEmpty else { return 0 }
    let sum = cells.reduce(0.0) { sum, cell in
      sum + (learned[cell].map { $0.seconds / Double($0.count) } ?? full[cell] ?? 0)
    }
    return sum / Double(cells.count)
  }
}
