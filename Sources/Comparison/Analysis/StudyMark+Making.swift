// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import RunRecords
import Statistics

extension StudyMark {
  /// What a reader has to know, the gravest first.
  static func all(of analysis: StudyAnalysis, problems: [String]) -> [StudyMark] {
    ofRecords(analysis.trials, problems: problems) + ofProgress(analysis) + ofMeasurement(analysis)
  }

  private static func ofRecords(_ trials: [TrialAnalysis], problems: [String]) -> [StudyMark] {
    func marked(_ marks: Set<TrialMark>) -> [String] {
      trials.filter { !marks.isDisjoint(with: $0.marks) }.map(\.identity)
    }
    var result: [StudyMark] = []
    func add(_ kind: Kind, _ marks: Set<TrialMark>, _ text: (Int) -> String) {
      let identities = marked(marks)
      if !identities.isEmpty {
        result.append(StudyMark(kind: kind, text: text(identities.count), trials: identities))
      }
    }
    add(.edited, [.edited]) {
      "\(trialCount($0)) changed after the end of the run: the numbers are not what was written"
    }
    add(.edited, [.damaged]) { "\(trialCount($0)) with files that are missing or cannot be read" }
    add(.edited, [.unsealed]) {
      "\(trialCount($0)) without a seal: nothing shows that the files are as they were written"
    }
    add(.other, [.noContract]) {
      "\(trialCount($0)) without a contract: nothing shows equal conditions"
    }
    add(.other, [.foreign]) {
      "\(trialCount($0)) of no arm, variant or study of this name: not used"
    }
    add(.machines, [.otherMachine]) {
      "\(trialCount($0)) from another machine than the rest: times are not comparable, and bits need not be equal"
    }
    add(.revisions, [.otherRevision]) {
      "\(trialCount($0)) from another revision of the code than the rest"
    }
    add(.revisions, [.uncommitted]) {
      "\(trialCount($0)) from code with changes that no revision names"
    }
    add(.incomplete, [.abandoned]) {
      "\(trialCount($0)) cut off: running by their record, but nobody runs them"
    }
    let known = Set(result.flatMap(\.trials))
    let rest = problems.filter { problem in !known.contains { problem.contains($0) } }
    result += rest.map { StudyMark(kind: .edited, text: $0, trials: []) }
    return result
  }

  private static func ofProgress(_ analysis: StudyAnalysis) -> [StudyMark] {
    let completion = analysis.completion
    var result: [StudyMark] = []
    if !completion.isComplete {
      result.append(
        StudyMark(
          kind: .incomplete,
          text:
            "the study is not finished: \(trialCount(completion.missing)) can be run now; the same command goes on",
          trials: []))
    }
    let failed = analysis.trials.filter { $0.status == .failed }.map(\.identity)
    if !failed.isEmpty {
      result.append(
        StudyMark(
          kind: .incomplete, text: "\(trialCount(failed.count)) ended by an error", trials: failed))
    }
    let regrets = analysis.stops.compactMap(\.regret).filter { $0 > 0 }
    if !analysis.stops.isEmpty {
      let audited = analysis.stops.count { $0.auditedLoss != nil }
      let cost =
        regrets.max().map { "; at least one stop cost \(MarginAnalysis.text($0)) nats" }
        ?? (audited > 0 ? "; no audited stop cost anything" : "")
      result.append(
        StudyMark(
          kind: .other,
          text:
            "\(trialCount(analysis.stops.count)) ended early by a rule, \(audited) of them run to the end as an audit\(cost)",
          trials: analysis.stops.map(\.trial)))
    }
    return result
  }

  private static func ofMeasurement(_ analysis: StudyAnalysis) -> [StudyMark] {
    var result: [StudyMark] = []
    for variant in analysis.variants {
      let place = analysis.variants.count > 1 ? " in \(variant.name)" : ""
      for arm in variant.arms where arm.isUndertuned {
        let edges = arm.knobs.compactMap { knob in
          knob.edge.map { "\(knob.name) \(knob.value) is the \($0.rawValue) that was tried" }
        }
        result.append(
          StudyMark(
            kind: .undertuned,
            text: "\(arm.name)\(place) is undertuned: \(edges.joined(separator: ", "))",
            trials: []))
      }
      for row in variant.leaderboard where row.diverged > 0 {
        let total = row.loss.count
        result.append(
          StudyMark(
            kind: .diverged,
            text:
              "\(row.arm)\(place): \(row.diverged) of \(total) replicates diverged and count as the loss at initialisation",
            trials: []))
      }
      if variant.noise.source != .calibration {
        result.append(
          StudyMark(
            kind: .uncalibrated,
            text: variant.noise.source == .residuals
              ? "the noise\(place) is that of the study itself: no calibration was made, so nothing is compared in pairs by calibration"
              : "the noise\(place) is not known: no calibration was made, and there are not enough replicates",
            trials: []))
      }
      if variant.noise.source == .calibration, let residual = variant.noise.residualDeviation,
        let most = variant.noise.interval?.upper, residual > most
      {
        result.append(
          StudyMark(
            kind: .uncalibrated,
            text:
              "reporting seeds are noisier\(place) than calibration found: a deviation of \(MarginAnalysis.text(residual)) within arms, "
              + "at most \(MarginAnalysis.text(most)) by calibration; power is reckoned with the larger one",
            trials: []))
      }
    }
    let count = analysis.study.reportingSeeds.count
    if count < 5 {
      result.append(
        StudyMark(
          kind: .fewSeeds,
          text:
            "\(count) reporting \(count == 1 ? "seed" : "seeds"): at least five are advised, eight for what is to be claimed",
          trials: []))
    }
    return result
  }

  /// That a calibration was measured under other conditions than the study; nil where it was not.
  init?(calibration: Calibration?, of variant: VariantMeasurement) {
    let baseline = variant.arm(named: variant.study.baseline)
    guard let setup = calibration?.setup[variant.name],
      let contract = baseline?.reporting.compactMap(\.trial?.contract).first,
      contract.setupHash != setup
    else { return nil }
    self.init(
      kind: .uncalibrated,
      text:
        "the calibration of \(variant.name) was measured under other conditions than the study's runs: "
        + "its noise and correlations may not be theirs",
      trials: [])
  }

  private static func trialCount(_ count: Int) -> String {
    count == 1 ? "1 trial" : "\(count) trials"
  }
}
