// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import Comparison
public import RunRecords

/// How a study stands at a moment, for whoever watches it.
public struct StudyView: Sendable {
  /// A trial that is running.
  public struct Trial: Sendable {
    /// Which one.
    public let point: TrialPoint
    /// Whether it repeats a stopped trial to the end.
    public let isAudit: Bool
    /// Steps done; nil until the first.
    public let step: Int?
    /// Steps of the whole trial, once they are known.
    public let steps: Int?
    /// The last training loss, in nats per token.
    public let loss: Double?
    /// The last validation loss, in nats per token.
    public let validationLoss: Double?
    /// Estimate of the seconds that remain; nil where nothing is known.
    public let secondsLeft: Double?
  }

  /// The trials that are running, in the order in which they were started.
  public let running: [Trial]
  /// Trials that have ended, those of earlier sessions included.
  public let ended: Int
  /// Trials that failed in this session and were given up.
  public let failed: Int
  /// Trials in all, as far as they are known by now.
  public let expected: TrialCount
  /// What the study is busy with: the earliest part that a variant is in.
  public let phase: StudyPhase
  /// Estimate of the seconds until the end; nil where nothing is known.
  public let secondsLeft: Double?
}

/// What happens while a study runs.
public enum StudyEvent: Sendable {
  /// Something that a person should know, though the study goes on.
  case note(String)
  /// Something that may be wrong, though the study goes on.
  case warning(String)
  /// A trial began.
  case started(TrialPoint, StudyView)
  /// Time passed: some four times a second.
  case progress(StudyView)
  /// A trial ended in a way that counts.
  case ended(TrialResult, seconds: Double, StudyView)
  /// A trial failed twice and was given up; the others go on.
  case failed(TrialPoint, reason: String, StudyView)
}

/// How a study's session ended.
public enum StudyEnd: Equatable, Sendable {
  /// Nothing is left to run.
  case complete
  /// Somebody asked for the end; trials under way were saved, and the same command goes on.
  case interrupted
  /// Trials failed, and what needs them could not be run; the same command tries again.
  case incomplete(failures: [TrialFailure])
}

/// A trial that failed twice.
public struct TrialFailure: Equatable, Sendable {
  /// Which one.
  public let point: TrialPoint
  /// Whether it repeats a stopped trial to the end.
  public let isAudit: Bool
  /// The name of its folder.
  public let identity: String
  /// Why.
  public let reason: String
}

extension TrialPoint {
  /// A trial in a few words: `lion, learning_rate 0.001, seed 101`, with the variant before it where there are several.
  ///
  /// Of its values those are named that are tuned or not the arm's own.
  ///
  /// - Parameter study: the study it belongs to.
  /// - Returns: one line.
  public func summary(in study: StudyRecord) -> String {
    var parts = study.variants.count > 1 ? ["\(variant) \(arm)"] : [arm]
    let own = study.arm(named: arm)?.defaults(in: variant) ?? [:]
    let tuned = Set((study.tuning?.axes ?? []).flatMap { $0.keys[arm] ?? [] })
    parts += knobs.filter { tuned.contains($0.key) || own[$0.key] != $0.value }
      .sorted { $0.key < $1.key }
      .map { key, value in "\(key.split(separator: ".").last ?? "") \(value)" }
    if horizon != 1 { parts.append("length \(horizon)") }
    parts.append(
      seed.initial == seed.data ? "seed \(seed.initial)" : "seeds \(seed.initial) and \(seed.data)")
    return parts.joined(separator: ", ")
  }
}
