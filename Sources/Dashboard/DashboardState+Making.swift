// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Comparison
import Foundation
import RunRecords
import Statistics

extension DashboardState {
  /// Puts together what is known.
  ///
  /// - Parameters:
  ///   - analysis: The last one that was made; nil: none yet.
  ///   - record: The study's declaration.
  ///   - live: Trials that somebody writes.
  ///   - isRunning: Whether somebody runs the study.
  ///   - problem: Why the last analysis failed.
  ///   - chartsRevision: Of the drawings.
  init(
    analysis: StudyAnalysis?, record: StudyRecord?, live: [LiveTrial], isRunning: Bool,
    problem: String?, chartsRevision: Int
  ) {
    let study = analysis?.study ?? record
    title = analysis?.title ?? study?.name ?? ""
    question = study?.question ?? ""
    command = study?.command ?? ""
    running = live.map { RunningTrial($0, study) }.sorted { $0.identity < $1.identity }
    variants = analysis?.variants.map { Variant($0, analysis?.completion.phases[$0.name]) } ?? []
    marks = analysis.map(Self.unequal) ?? []
    marks += analysis?.marks.map { Mark(kind: $0.kind.rawValue, text: $0.text) } ?? []
    ended = analysis.map(Self.ended) ?? []
    self.problem = problem
    self.chartsRevision = chartsRevision
    progress = Progress(isRunning: isRunning)
    if let completion = analysis?.completion {
      progress.done = completion.done
      progress.failed = completion.failed
      progress.expected = max(completion.total.expected, completion.done)
      progress.isComplete = completion.isComplete
      progress.secondsLeft = Self.secondsLeft(analysis, running, progress)
    }
  }

  /// The trials to come at the mean time of those that finished, as many at once as run now, and what those still need.
  private static func secondsLeft(
    _ analysis: StudyAnalysis?, _ running: [RunningTrial], _ progress: Progress
  ) -> Double? {
    guard progress.isRunning, !progress.isComplete, !running.isEmpty else { return nil }
    let times = (analysis?.trials ?? []).filter { $0.status == .finished }.compactMap(\.seconds)
    let now = running.compactMap(\.secondsLeft)
    let mean = times.isEmpty ? nil : times.reduce(0, +) / Double(times.count)
    let coming = max(0, progress.expected - progress.done - running.count)
    guard coming == 0 || mean != nil, now.count == running.count else { return nil }
    return (Double(coming) * (mean ?? 0) + now.reduce(0, +)) / Double(running.count)
  }

  /// Conditions in which arms differ without having said so.
  private static func unequal(_ analysis: StudyAnalysis) -> [Mark] {
    analysis.variants.flatMap { variant in
      variant.contract.conditions.filter { condition in
        !condition.isEqual && condition.values.count { !$0.isDeclared } > 1
      }.map { condition in
        let arms = condition.values.map { $0.arms.joined(separator: ", ") }
        return Mark(
          kind: "contract",
          text:
            "\(variant.name): \(condition.field.rawValue) differs between \(arms.joined(separator: " and ")), which no arm "
            + "declared; a comparison of these is refused")
      }
    }
  }

  /// The newest trials that ended, by the time of their outcomes' files.
  private static func ended(_ analysis: StudyAnalysis) -> [EndedTrial] {
    let finals: Set<RunOutcome.Status> = [.finished, .diverged, .stopped, .failed]
    func time(_ trial: TrialAnalysis) -> Date {
      let path = analysis.folder + "/" + trial.folder + "/" + RunFolder.FileName.outcome
      let attributes = try? FileManager.default.attributesOfItem(atPath: path)
      return attributes?[.modificationDate] as? Date ?? .distantPast
    }
    let trials = analysis.trials.filter { $0.status.map(finals.contains) ?? false }
      .map { (time($0), $0) }.sorted { ($1.0, $0.1.identity) < ($0.0, $1.1.identity) }
    return trials.prefix(40).map { _, trial in
      EndedTrial(
        identity: trial.identity, arm: trial.point?.arm ?? "", seed: trial.point?.seed.initial ?? 0,
        purpose: trial.point?.seed.purpose.rawValue ?? "",
        knobs: Words.knobs(trial.point?.knobs ?? [:]),
        status: trial.isDiverged ? "diverged" : trial.status?.rawValue ?? "",
        loss: trial.loss.flatMap(Words.finite), seconds: trial.seconds.flatMap(Words.finite),
        reason: trial.reason)
    }
  }
}

extension DashboardState.RunningTrial {
  init(_ trial: LiveTrial, _ study: StudyRecord?) {
    let point = trial.record.point
    identity = trial.record.identity
    variant = point.variant
    arm = point.arm
    seed = point.seed.initial
    purpose = point.seed.purpose.rawValue
    knobs = Words.knobs(point.knobs)
    step = trial.tail.steps
    let full = study?.arms.first { $0.name == point.arm }?.steps[point.variant]
    steps = full.map { max(1, Int((Double($0) * point.horizon).rounded())) }
    loss = trial.tail.losses.last.flatMap { Words.finite($0.value) }
    validationLoss = trial.tail.validations.last.flatMap { Words.finite($0.value) }
    tokensPerSecond = trial.tail.tokensPerSecond.flatMap(Words.finite)
    secondsLeft = steps.flatMap { trial.tail.seconds(for: $0 - trial.tail.steps) }
  }
}

extension DashboardState.Variant {
  init(_ variant: VariantAnalysis, _ phase: StudyPhase?) {
    name = variant.name
    self.phase = phase.map(Words.phase) ?? ""
    entropyFloor = variant.entropyFloor
    rows = variant.leaderboard.map { row in
      DashboardState.Row(row, variant)
    }
  }
}

extension DashboardState.Row {
  init(_ row: LeaderboardRow, _ variant: VariantAnalysis) {
    let analysis = variant.arms.first { $0.name == row.arm }
    arm = row.arm
    rank = row.rank
    isBaseline = row.isBaseline
    loss = row.loss.value.flatMap(Words.finite)
    halfWidth = row.loss.interval.flatMap { Words.finite(($0.upper - $0.lower) / 2) }
    level = row.loss.interval.map { $0.level * 100 }
    seeds = row.loss.count
    missing = row.missing
    diverged = row.diverged
    failed = row.failed
    tuningTrials = analysis?.tuningTrials ?? 0
    let tuned = analysis?.tuningCurves.flatMap(\.points).compactMap(\.loss.value) ?? []
    tuningLoss = tuned.min().flatMap(Words.finite)
    knobs = Words.choices(analysis?.knobs ?? [])
    isUndertuned = analysis?.isUndertuned ?? false
    let difference = variant.differences.first { difference in
      difference.arm == row.arm
        && variant.leaderboard.contains { $0.isBaseline && $0.arm == difference.other }
    }
    verdict = difference.map { $0.verdict.text }
    millisecondsPerStep = row.cost.millisecondsPerStep.flatMap(Words.finite)
    stateBytes = row.cost.stateBytes.flatMap(Words.finite)
  }
}

/// How things are said on the page.
enum Words {
  /// The number, if it is one.
  static func finite(_ number: Double) -> Double? { number.isFinite ? number : nil }

  /// `learning_rate 0.01, beta1 0.9`.
  static func knobs(_ knobs: [String: KnobValue]) -> String {
    knobs.sorted { $0.key < $1.key }.map { "\(short($0.key)) \(value($0.value))" }
      .joined(separator: ", ")
  }

  /// The values that an arm reports at.
  static func choices(_ choices: [KnobChoice]) -> String {
    choices.map { "\(short($0.keys.first ?? $0.name)) \(value($0.value))" }.joined(separator: ", ")
  }

  /// A value with the digits that count.
  static func value(_ value: KnobValue) -> String {
    guard let number = value.number else { return value.description }
    return String(format: "%.4g", number)
  }

  /// The last part of a key.
  private static func short(_ key: String) -> String {
    key.split(separator: ".").last.map(String.init) ?? key
  }

  /// The part of the study that a variant is in.
  static func phase(_ phase: StudyPhase) -> String {
    switch phase {
    case .coarse: "tuning: coarse grid"
    case .extending: "tuning: extending grids"
    case .refining: "tuning: around the best"
    case .axes: "tuning: other knobs"
    case .reporting: "reporting seeds"
    case .sweeps: "sweeps"
    case .ladder: "runs of other lengths"
    case .audit: "audit of stopped trials"
    case .done: "complete"
    }
  }
}
