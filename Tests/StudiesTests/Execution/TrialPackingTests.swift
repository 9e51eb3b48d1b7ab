// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Comparison
import Foundation
import RunRecords
import Testing
import Training

@testable import Studies

@Suite struct TrialPackingTests {
  /// One object of a list after the other in `input`, as the preamble takes it apart.
  static let eachTrial = """
    each() {
      printf '%s\\n' "$input" | sed -e 's/^\\[//' -e 's/\\]$//' -e 's/},{"folder"/}\\
    {"folder"/g' | while IFS= read -r input; do
        run=${input#*\\"folder\\":\\"}; run=${run%%\\"*}
        trial=${input#*\\"trial\\":}; trial=${trial%\\}*}
        identity=${trial#*\\"identity\\":\\"}; identity=${identity%%\\"*}
        arm=${trial#*\\"arm\\":\\"}; arm=${arm%%\\"*}
        "$@"
      done
    }
    # done STATUS: the records of a trial, and the word that it has ended
    over() {
      record $1
      echo '{"event":"ended","completedSteps":40,"status":"'$1'","trial":"'$identity'"}'
    }
    case "$input" in \\[*) isPack=1;; *) isPack=;; esac

    """

  private func points(_ run: StudyRun, _ status: RunOutcome.Status) -> Int {
    run.trials.count { $0.status == status }
  }

  @Test("Trials that may share a program are asked for together, up to the number of runs")
  func together() throws {
    let study = try FakeStudy(seeds: 4)
    var started: [String] = []
    let log = study.folder + "/log"
    let run = try study.open(
      Self.eachTrial + """
        printf '%s\\n' "$input" | grep -o '"folder"' | wc -l >> \(log)
        each over finished
        """, slots: 1, sharing: 3
    ) { event in
      if case .started(let point, _) = event { started.append(point.arm) }
    }
    #expect(try run.run(stop: StopRequest()) == .complete)
    #expect(points(run, .finished) == 8)
    // Four of each arm: three and one, twice.
    let sizes = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
      .map { $0.trimmingCharacters(in: .whitespaces) }
    #expect(sizes.sorted() == ["1", "1", "3", "3"])
    #expect(started.count == 8)
  }

  @Test("A trial that fails beside others runs again alone, and they keep what they have")
  func loner() throws {
    let study = try FakeStudy(seeds: 3, arms: ["a"])
    let log = study.folder + "/log"
    var warnings: [String] = []
    let run = try study.open(
      Self.eachTrial + """
        echo "$isPack" >> \(log)
        one() {
          case "$isPack$identity" in
            1*.a.2-*) echo '{"event":"ended","completedSteps":0,"status":"failed","reason":"too wide","trial":"'$identity'"}' ;;
            *) over finished ;;
          esac
        }
        if [ -n "$isPack" ]; then each one; else finish finished; fi
        """, slots: 1, sharing: 3
    ) { event in
      if case .warning(let text) = event { warnings.append(text) }
    }
    #expect(try run.run(stop: StopRequest()) == .complete)
    #expect(points(run, .finished) == 3)
    #expect(try String(contentsOfFile: log, encoding: .utf8) == "1\n\n")
    #expect(
      warnings.count == 1 && warnings[0].contains("too wide") && warnings[0].contains("alone"))
  }

  @Test("A process that dies takes no trial with it that had ended, and the others run alone")
  func killed() throws {
    let study = try FakeStudy(seeds: 3, arms: ["a"])
    let log = study.folder + "/log"
    let run = try study.open(
      Self.eachTrial + """
        echo "$isPack" >> \(log)
        one() { case "$identity" in *.a.1-*) over diverged ;; esac; }
        if [ -n "$isPack" ]; then each one; sleep 0.3; kill -9 $$; else finish finished; fi
        """, slots: 1, sharing: 3)
    #expect(try run.run(stop: StopRequest()) == .complete)
    #expect(points(run, .finished) == 2 && points(run, .diverged) == 1)
    #expect(try String(contentsOfFile: log, encoding: .utf8) == "1\n\n\n")
  }

  @Test("Somebody who asks for the end asks every process once")
  func interrupted() throws {
    let study = try FakeStudy(seeds: 3, arms: ["a"])
    let stop = StopRequest()
    let log = study.folder + "/log"
    let run = try study.open(
      Self.eachTrial + """
        trap 'echo asked >> \(log); each over interrupted; exit 4' TERM
        while :; do sleep 0.05; done
        """, slots: 1, sharing: 3
    ) { event in
      if case .progress = event { stop.request() }
    }
    #expect(try run.run(stop: stop) == .interrupted)
    #expect(try String(contentsOfFile: log, encoding: .utf8) == "asked\n")
  }

  @Test("Programs are counted by what may share them")
  func programs() throws {
    let study = try FakeStudy(seeds: 5)
    let plan = try StudyPlan(study.record)
    let points = plan.cells.flatMap {
      plan.measurements($0, knobs: plan.defaults($0), count: 5)
    }
    let shared = try #require(
      try TrialPacking(FakeRequests(sharing: 4)).programs(points))
    #expect(shared.count == 4 && shared.runs == 4 && shared.device == "xla:cpu")
    #expect(try TrialPacking(FakeRequests()).programs(points) == nil)
    // Fewer where a device gains from fewer.
    let limited = try #require(
      try TrialPacking(FakeRequests(sharing: 4), mostRuns: 2).programs(points))
    #expect(limited.runs == 2 && limited.count == 6)
  }

  @Test("Trials at different steps are not asked for together")
  func positions() throws {
    let study = try FakeStudy(seeds: 3, arms: ["a"])
    let plan = try StudyPlan(study.record)
    let points = plan.measurements(plan.cells[0], knobs: plan.defaults(plan.cells[0]), count: 3)
    let packing = TrialPacking(FakeRequests(sharing: 3))
    let begun = TrialPosition(step: 7, evaluation: 5)
    let pack = try packing.pack(points[0], among: points) { point in
      point == points[1] ? begun : TrialPosition(step: 0, evaluation: nil)
    }
    #expect(pack == [points[0], points[2]])
  }
}
