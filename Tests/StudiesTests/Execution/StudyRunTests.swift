// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Comparison
import Foundation
import RunRecords
import Testing
import Training

@testable import Studies

/// The executor's loop over trials that succeed, fail, diverge, are killed and are interrupted.
@Suite(.timeLimit(.minutes(20)), .serialized) struct StudyRunTests {
  private func names(_ study: FakeStudy) -> [String] {
    StudyFolder(study.study).trials().map { String($0.split(separator: "/").last ?? "") }
  }

  @Test func everyTrialRunsOnceAndAgainMeansNothingToDo() throws {
    let study = try FakeStudy(seeds: 3)
    var started: [TrialPoint] = []
    var busiest = 0
    let run = try study.open("echo x >> \(study.folder)/starts; finish finished") { event in
      if case .started(let point, let view) = event {
        started.append(point)
        busiest = max(busiest, view.running.count)
      }
    }
    #expect(try run.run(stop: StopRequest()) == .complete)
    #expect(started.count == 6 && Set(started).count == 6 && busiest == 2)
    #expect(names(study).count == 6)
    #expect(run.agenda.isComplete && run.agenda.ended == 6)
  }

  @Test func aSecondSessionRunsOnlyWhatIsMissing() throws {
    let study = try FakeStudy(seeds: 2)
    try {
      let run = try study.open("finish finished")
      #expect(try run.run(stop: StopRequest()) == .complete)
    }()
    try FileManager.default.removeItem(
      atPath: study.study + "/trials/main.b.2-2-0.01-0")
    var started: [TrialPoint] = []
    let again = try study.open("finish finished") { event in
      if case .started(let point, _) = event { started.append(point) }
    }
    #expect(try again.run(stop: StopRequest()) == .complete)
    #expect(started.map(\.arm) == ["b"] && started.map(\.seed.initial) == [2])
  }

  @Test func aDivergenceIsAnOutcomeAndAFailureIsTriedTwiceWhileTheOthersGoOn() throws {
    let study = try FakeStudy(seeds: 2, arms: ["good", "diverges", "fails", "dies"])
    let script = """
      case $arm in
      good) finish finished ;;
      diverges) finish diverged; exit 3 ;;
      fails) echo x >> \(study.folder)/fails; echo 'error: the disk is full' >&2; exit 1 ;;
      dies) record running; kill -9 $$ ;;
      esac
      """
    var lines: [String] = []
    let run = try study.open(script) { event in
      if case .failed(let point, let reason, _) = event { lines.append("\(point.arm): \(reason)") }
    }
    guard case .incomplete(let failures) = try run.run(stop: StopRequest()) else {
      Issue.record("the study cannot be complete")
      return
    }
    #expect(failures.map(\.point.arm).sorted() == ["dies", "dies", "fails", "fails"])
    #expect(lines.contains("fails: the disk is full"))
    #expect(run.trials.count { $0.hasEnded } == 4, "two good ones and two divergences")
    let starts = try String(contentsOfFile: study.folder + "/fails", encoding: .utf8)
    #expect(starts.split(separator: "\n").count == 4, "two trials, each twice")
    let outcome = try RunOutcome(folder: study.study + "/trials/main.dies.1-1-0.01-0")
    #expect(outcome.status == .failed && outcome.reason?.contains("signal 9") == true)
  }

  @Test func anInterruptedStudySavesAndGoesOn() throws {
    let study = try FakeStudy(seeds: 2)
    let script = """
      if [ -e $run/outcome.json ]; then finish finished; exit 0; fi
      trap 'record interrupted; exit 4' TERM
      echo '{"event":"started","firstStep":0,"steps":40}'
      while :; do sleep 0.02; done
      """
    let stop = StopRequest()
    try {
      let run = try study.open(script) { event in
        // Both have begun: ready to be interrupted.
        if case .progress(let view) = event, view.running.count == 2 { stop.request() }
      }
      #expect(try run.run(stop: stop) == .interrupted)
    }()
    let again = try study.open("finish finished")
    #expect(try again.run(stop: StopRequest()) == .complete)
  }

  @Test func oneRunnerAtATime() throws {
    let study = try FakeStudy()
    let run = try study.open("finish finished")
    let error = #expect(throws: RunRecordError.self) { _ = try study.open("finish finished") }
    #expect(error?.code == .locked)
    #expect(error?.message.contains("is running this study") == true, "\(error?.message ?? "")")
    #expect(try run.run(stop: StopRequest()) == .complete)
  }

  @Test func aChangedDeclarationIsRefusedByName() throws {
    let study = try FakeStudy()
    try { _ = try study.open("finish finished") }()
    study.record.hash = "second"
    study.record.arms[1].steps["main"] = 50
    study.record.reportingSeeds = [1, 2, 3, 4]
    let error = #expect(throws: StudyRefusal.self) { _ = try study.open("finish finished") }
    let text = error?.description ?? ""
    #expect(text.contains("arms.b.steps.main: 40 before, 50 now"), "\(text)")
    #expect(text.contains("reportingSeeds: [1, 2, 3] before, [1, 2, 3, 4] now"), "\(text)")
    #expect(text.contains("another 'folder'"), "\(text)")
    #expect(try StudyFolder(study.study).record().hash == "first", "nothing was touched")
  }

  @Test func theDeclarationInTheFolderKeepsItsDate() throws {
    let study = try FakeStudy()
    try { _ = try study.open("finish finished") }()
    study.record.declaredAt = Date(timeIntervalSince1970: 2_000_000)
    let run = try study.open("finish finished")
    #expect(run.record.declaredAt == Date(timeIntervalSince1970: 1_000_000))
  }

  @Test func trialsOfAnotherBaseAreRefused() throws {
    let study = try FakeStudy(seeds: 1)
    try {
      let run = try study.open("finish finished")
      _ = try run.run(stop: StopRequest())
    }()
    let error = #expect(throws: StudyRefusal.self) {
      _ = try study.open("finish finished", seed: 1)
    }
    #expect(error?.description.contains("the study's base has changed") == true)
  }

  @Test func aTrialOfAnotherStudyIsLeftAloneAndSaid() throws {
    let study = try FakeStudy(seeds: 1)
    try {
      let run = try study.open("finish finished")
      _ = try run.run(stop: StopRequest())
    }()
    let trials = study.study + "/trials"
    let name = try #require(FileManager.default.contentsOfDirectory(atPath: trials).sorted().first)
    try FileManager.default.copyItem(atPath: "\(trials)/\(name)", toPath: trials + "/foreign")
    let path = trials + "/foreign/trial.json"
    let text = String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    try text.replacing(/"arm" ?: ?"[ab]"/, with: "\"arm\":\"stranger\"")
      .write(toFile: path, atomically: true, encoding: .utf8)
    let run = try study.open("finish finished")
    #expect(run.agenda.isComplete)
    #expect(run.trials.count == 2)
  }

  /// Of arms whose trials take about as long the protocol's order decides, whichever was measured to be a little slower.
  @Test(arguments: [(2.0, ["b", "a"]), (1.1, ["a", "b"])])
  func theLongestTrialsStartFirstAndEqualOnesInOrder(seconds: Double, order: [String]) throws {
    let study = try FakeStudy(seeds: 1)
    let clock = TrialClock([
      ArmInVariant(arm: "a", variant: "main"): 1, ArmInVariant(arm: "b", variant: "main"): seconds,
    ])
    let frozen = try FrozenStudy(study.record, text: "", at: study.study)
    var options = StudyRun.Options(slots: 1, threads: 1)
    options.program = TrialProcess.Program(
      executable: "/bin/sh", arguments: ["-c", FakeStudy.preamble + "finish finished"])
    var started: [String] = []
    let run = try StudyRun(
      frozen.record, in: frozen.folder, lock: frozen.lock, requests: FakeRequests(), clock: clock,
      options: options
    ) { event in
      if case .started(let point, _) = event { started.append(point.arm) }
    }
    #expect(try run.run(stop: StopRequest()) == .complete)
    #expect(started == order)
  }

  // MARK: - Calibration

  @Test func aCalibrationVariesBothSeedsEitherAndNone() throws {
    let study = try FakeStudy(seeds: 3)
    let plan = try CalibrationPlan(study.record)
    let baseline = plan.points.filter { $0.arm == "a" }
    #expect(baseline.count == 8 + 5 + 5 - 2, "the first replicate belongs to all three")
    #expect(Set(plan.points.filter { $0.arm == "b" }.map(\.seed)).count == 8)
    #expect(plan.points.allSatisfy { $0.seed.purpose == .calibration })
    let used = Set(plan.points.flatMap { [$0.seed.initial, $0.seed.data] })
    #expect(used.isDisjoint(with: study.record.reportingSeeds))
    #expect(try CalibrationPlan(study.record, arms: []).points == baseline)
    #expect(throws: StudyMistake.self) { _ = try CalibrationPlan(study.record, arms: ["c"]) }

    let run = try study.open("finish finished", plan: plan.agenda)
    #expect(try run.run(stop: StopRequest()) == .complete)
    #expect(run.trials.count == 16 + 8 + 1)
    #expect(run.trials.filter(\.isAudit).map(\.point) == [plan.repeated])
  }
}
