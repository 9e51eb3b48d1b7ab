// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Comparison
import Foundation
import RunRecords
import Statistics
import Studies
import Training

/// `assay calibrate`.
struct CalibrateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "calibrate",
    abstract: "Measures the noise floor of a study's setup, at the values that its tuning chose.",
    discussion: """
      The study's tuning runs first where it has not yet: noise far from an arm's optimum says nothing about the noise there. \
      Then, on seeds of their own, the baseline runs 8 times with both seeds varied, 5 times with only the initial weights varied and 5 times with only \
      the order of the data varied; every other arm on the same 8 replicates, so that the correlation between arms is known. \
      One replicate runs twice and has to come out the same to the last byte.

      The result is calibration.json in the study's folder; margins in standard deviations and the choice of paired tests \
      follow it. Ctrl-C saves; the same command goes on.
      """)

  @Argument(help: ArgumentHelp("A study file.", valueName: "study.toml"))
  var path: String

  @OptionGroup var choice: StudyChoice

  @Option(
    help: ArgumentHelp(
      "Arms beside the baseline, with commas between them; all. 'none': the baseline alone.",
      valueName: "names"))
  var arms: String?

  @Option(help: ArgumentHelp("Replicates with both seeds varied.", valueName: "n"))
  var replicates: Int?

  @Option(help: ArgumentHelp("Trials at a time; without it what is fastest here.", valueName: "n"))
  var jobs: Int?

  @Flag(help: "Print the calibration as one JSON object.")
  var json = false

  func validate() throws {
    if let jobs, jobs < 1 { throw ValidationError("--jobs is \(jobs); give 1 or more") }
    if let replicates, replicates < 2 {
      throw ValidationError("--replicates is \(replicates); a deviation needs 2 or more")
    }
  }

  func run() throws {
    let stop = StopRequest.onSignals()
    let declaration = try choice.declaration(path, jobs: jobs, stop: stop)
    let study = declaration.record
    var counts = CalibrationPlan.Counts()
    if let replicates {
      counts.both = replicates
      counts.initial = min(counts.initial, replicates)
      counts.data = min(counts.data, replicates)
    }
    let chosen = arms.map { text in
      text == "none"
        ? [] : text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    }
    _ = try CalibrationPlan(study, arms: chosen, counts: counts)
    let tuning = try StudySession(
      study, text: declaration.text, requests: declaration, at: declaration.folder)
    guard let throughput = try tuning.throughput(jobs: jobs, stop: stop, note: { Console.say($0) })
    else { throw ExitStatus.interrupted.exit }
    let tuned = try Self.run(
      tuning, throughput, stop, plan: { TrialAgenda(tuningOf: try StudyProtocol.next(study, $0)) })
    let plan = try CalibrationPlan(
      study, tuned: try StudyProtocol.next(study, tuned).tuned, arms: chosen, counts: counts)

    let folder = StudyFolder(declaration.folder + "/calibration")
    let session = try StudySession(
      study, text: declaration.text, requests: declaration, at: folder.path)
    let seconds = session.seconds(of: plan.points + [plan.repeated], throughput)
    Console.say(
      "calibrating \(study.name): \(plan.points.count + 1) trials of \(plan.arms.joined(separator: ", ")), "
        + (seconds.map { "about " + Numbers.duration($0) } ?? "nobody knows how long"))
    let trials = try Self.run(session, throughput, stop, plan: plan.agenda)
    let isRepeated = try Self.hasEqualBytes(trials, plan.repeated)
    // Those of an earlier calibration at other values stay where they are.
    let planned = Set(plan.points)
    let loaded = folder.trials().map { LoadedTrial(folder: $0) }.filter { trial in
      trial.result.map { planned.contains($0.point) } ?? false
    }
    let command = "assay calibrate \(path)"
    let calibration = try Calibration(study, trials: loaded, command: command)
    try calibration.write(to: StudyFolder(declaration.folder))
    if json { return try Console.json(calibration) }
    Console.data(calibration.text)
    Console.data(
      isRepeated
        ? "\nthe replicate that ran twice is the same to the last byte: seeds are the only noise"
        : "\nthe replicate that ran twice did not finish: nothing shows that seeds are the only noise"
    )
  }

  /// Runs the trials of a plan to the last.
  private static func run(
    _ session: StudySession, _ throughput: ThroughputRecord, _ stop: StopRequest,
    plan: @escaping ([TrialResult]) throws -> TrialAgenda
  ) throws -> [TrialResult] {
    let view = LiveView(session.record)
    defer { view.end() }
    let (end, trials) = try session.run(throughput, plan: plan, stop: stop, observer: view.show)
    switch end {
    case .complete: return trials
    case .interrupted:
      view.end()
      Console.say("interrupted, and saved; the same command goes on")
      throw ExitStatus.interrupted.exit
    case .incomplete(let failures):
      throw CommandFailure(
        .failed,
        "\(failures.count) trials failed; the same command tries again. The first: "
          + (failures.first.map { "\($0.identity): \($0.reason)" } ?? ""))
    }
  }

  /// Whether the replicate that ran twice has the same metrics, byte for byte; false where one of the two did not finish.
  private static func hasEqualBytes(_ trials: [TrialResult], _ point: TrialPoint) throws -> Bool {
    let twins = trials.filter { $0.point == point }
    // The repetition runs to the end, whatever ended the other.
    if twins.contains(where: { $0.status != .finished }) { return false }
    let bytes = twins.map {
      FileManager.default.contents(atPath: $0.folder + "/" + RunFolder.FileName.metrics)
    }
    guard bytes.count == 2, let first = bytes[0], first == bytes[1] else {
      throw CommandFailure(
        .failed,
        "the same trial gave other bytes when it ran again (\(twins.map(\.folder).joined(separator: ", "))): this machine or build "
          + "makes noise of its own, and no comparison on it can be believed. Where the build has changed between the two, delete both folders"
      )
    }
    return true
  }
}

extension Calibration {
  /// Deviations and correlations as a person reads them.
  var text: String {
    let isPlural = Set(spreads.map(\.variant)).count > 1
    var table = Table([
      ("arm", .left), ("varied", .left), ("runs", .right), ("mean loss", .right), ("sigma", .right),
      ("95 % interval", .right), ("failures", .right),
    ])
    for spread in spreads {
      table.add(
        isPlural ? "\(spread.variant) \(spread.arm)" : spread.arm, spread.varied.words,
        "\(spread.losses.count)", spread.mean.map { Numbers.fixed($0, 4) } ?? "-",
        // The deviation of eight runs is known to a third: two digits are one too many already.
        spread.deviation.map { Self.short($0) } ?? "-",
        spread.interval.map { "\(Self.short($0.lower)) to \(Self.short($0.upper))" } ?? "-",
        "\(spread.failures)")
    }
    guard !pairs.isEmpty else { return table.text }
    var correlations = Table([
      ("arms", .left), ("correlation", .right), ("95 % interval", .right), ("pairs", .right),
    ])
    for pair in pairs {
      let found = pair.correlation
      correlations.add(
        (isPlural ? pair.variant + " " : "") + "\(found.arm), \(found.other)",
        found.value.map { Numbers.fixed($0, 2) } ?? "-",
        found.interval.map { "\(Numbers.fixed($0.lower, 2)) to \(Numbers.fixed($0.upper, 2))" }
          ?? "-", "\(found.count)")
    }
    return table.text + "\n\n" + correlations.text
  }

  private static func short(_ number: Double) -> String { String(format: "%.2g", number) }
}

extension Calibration.Varied {
  /// As a person reads it.
  var words: String {
    switch self {
    case .both: "both seeds"
    case .initial: "initial weights"
    case .data: "order of the data"
    }
  }
}
