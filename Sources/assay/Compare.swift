// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Comparison
import Foundation
import Reports
import RunRecords
import Studies
import Training

/// `assay compare`.
struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Runs a study and says which arm is better, and how sure that is.",
    discussion: """
      STUDY.toml: shows the price, runs the trials that are missing, checks that all arms ran under equal conditions, writes \
      the report, and prints leaderboard and verdicts. Ctrl-C saves the trials under way and exits with 4; the same command \
      goes on, with the same bits as an uninterrupted study.

      The folder of a study: the same from its records alone; nothing is run. Several folders of runs: compares them, arm by \
      optimizer.

      Arms that differ in a condition which they did not declare are refused with 2.
      """)

  @Argument(
    help: ArgumentHelp(
      "A study file, the folder of a study, or the folders of runs.", valueName: "study"))
  var targets: [String]

  @OptionGroup var choice: StudyChoice

  @Flag(name: .long, help: "Show the price and stop; nothing is run or written.")
  var dryRun = false

  @Option(help: ArgumentHelp("Trials at a time; without it what is fastest here.", valueName: "n"))
  var jobs: Int?

  @Flag(help: "Print the analysis, or with --dry-run the price, as one JSON object.")
  var json = false

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The folder of the report; STUDY-FOLDER/report.", valueName: "folder"))
  var output: String?

  func validate() throws {
    if let jobs, jobs < 1 { throw ValidationError("--jobs is \(jobs); give 1 or more") }
  }

  func run() throws {
    if targets.count == 1, StudyFolder.isStudy(targets[0]) {
      try show(StudyResults(folder: targets[0]), command: Self.report(targets[0]))
    } else if targets.allSatisfy(RunFolder.isRun) {
      let command = commandLine(["assay", "compare"] + targets)
      try show(StudyResults(runs: targets, command: command), command: command, isAdHoc: true)
    } else if targets.count == 1 {
      try runStudy(targets[0])
    } else {
      let other = targets.first { !RunFolder.isRun($0) } ?? ""
      throw CommandFailure(
        .usage, "\(other) holds no run; give one study, or folders of runs alone")
    }
  }

  // MARK: - A study file

  private func runStudy(_ path: String) throws {
    let stop = StopRequest.onSignals()
    let declaration = try choice.declaration(path, jobs: jobs, stop: stop)
    let session = try StudySession(
      declaration.record, text: declaration.text, requests: declaration, at: declaration.folder)
    if !dryRun, try session.isComplete {
      Console.say("\(declaration.folder): every trial is done; nothing is run")
      return try show(
        StudyResults(folder: declaration.folder), command: Self.report(declaration.folder))
    }
    guard let throughput = try session.throughput(jobs: jobs, stop: stop, note: { Console.say($0) })
    else { throw ExitStatus.interrupted.exit }
    let price = try session.price(throughput)
    if dryRun, json { return try Console.json(price) }
    if dryRun { return Console.data(price.text) }
    Console.say(price.text)
    Console.say("")
    let view = LiveView(declaration.record)
    var watch = ContractWatch(session)
    let end: StudyEnd
    do {
      defer { view.end() }
      (end, _) = try session.run(throughput, stop: stop) { event in
        view.show(event)
        if case .ended(let result, _, _) = event, watch.isTimeToLook(after: result) {
          watch.look(stop)
        }
      }
    }
    if let refusal = watch.refusal { throw refusal }
    if end == .interrupted {
      Console.say("interrupted, and saved; the same command goes on")
      throw ExitStatus.interrupted.exit
    }
    try show(StudyResults(folder: declaration.folder), command: Self.report(declaration.folder))
    if case .incomplete(let failures) = end {
      let trials = failures.count == 1 ? "a trial" : "\(failures.count) trials"
      throw CommandFailure(
        .failed,
        "\(trials) failed, and what needs them could not be run; the same command tries again. "
          + "The first: \(failures.first.map { "\($0.identity): \($0.reason)" } ?? "")")
    }
  }

  // MARK: - What came out

  /// What makes a study's report again.
  private static func report(_ folder: String) -> String {
    commandLine(["assay", "report", folder])
  }

  /// Analysis, report, leaderboard; the path of the report last.
  private func show(_ results: StudyResults, command: String, isAdHoc: Bool = false) throws {
    let analysis = try StudyAnalysis(results, command: command)
    let folder =
      output ?? (isAdHoc ? nil : StudyFolder(results.folder).file(StudyFolder.FileName.report))
    let report = Report(analysis, scalars: ScalarComparison.all(of: analysis, results))
    if let folder { try report.write(to: folder) }
    if json {
      Console.write(String(decoding: try analysis.json(), as: UTF8.self))
    } else {
      Console.data(report.terminalText)
      Console.data("")
      for line in report.verdictLines { Console.data(line) }
    }
    guard let folder else { return }
    let page = folder + "/index.html"
    if json { Console.say(page) } else { Console.data("\n" + page) }
  }
}

/// Looks at the contracts as soon as every arm has a trial, so that a study that will be refused does not run for hours first.
struct ContractWatch {
  private(set) var refusal: ComparisonError?
  private let folder: String
  private let command: String
  private var waiting: Set<ArmInVariant>

  init(_ session: StudySession) {
    folder = session.folder.path
    command = session.record.command
    waiting = Set(session.costs.keys)
  }

  /// Whether the trial was the first of the last arm that had none.
  mutating func isTimeToLook(after result: TrialResult) -> Bool {
    guard !waiting.isEmpty else { return false }
    waiting.remove(ArmInVariant(arm: result.point.arm, variant: result.point.variant))
    return waiting.isEmpty
  }

  /// Ends the study when its arms must not be compared.
  mutating func look(_ stop: StopRequest) {
    do {
      _ = try StudyAnalysis(StudyResults(folder: folder, checksSeals: false), command: command)
    } catch let error as ComparisonError where error.code == .unequalContracts {
      refusal = error
      stop.request()
    } catch {
      // Whatever else is wrong is said at the end, when everything is there.
    }
  }
}
