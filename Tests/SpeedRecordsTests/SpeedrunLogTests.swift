// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import SpeedRecords
import Testing

/// Logs are read as they are, written back to the byte, and refused where they are damaged.
@Suite struct SpeedrunLogTests {
  @Test func aLogOfTrack1IsReadAndWrittenBackByteForByte() throws {
    let folder = try Folder()
    let data = LogFixture.track1("a.txt", loss: 3.2793, milliseconds: 122_066).data
    let path = try folder.write(data, to: "a.txt")
    let log = try SpeedrunLog(reading: path, scope: .everything)
    #expect(log.data == data)
    #expect(log.separatorCount == 2)
    #expect(log.events.count == 25)
    #expect(log.events[0].step == 0 && log.events[0].validationLoss?.decimals == 4)
    let last = try #require(log.last)
    #expect(last.description == "step:20/20 val_loss:3.2793 train_time:122066ms step_avg:6103.30ms")
    #expect(log.isComplete && log.peakMemory == LogFixture.peakMemory)
    #expect(log.machine.devices == ["NVIDIA H100 80GB HBM3", "NVIDIA H100 80GB HBM3"])
    #expect(log.machine.driver == "560.35.03")
    #expect(log.machine.software.count == 3)
    #expect(
      log.machine.description.hasPrefix(
        "2 x NVIDIA H100 80GB HBM3, driver 560.35.03, Python 3.12.12"))
  }

  @Test func aLogOfTrack3IsReadAndWrittenBackByteForByte() throws {
    let folder = try Folder()
    let data = LogFixture.track3("a.txt", loss: 3.27765).data
    let log = try SpeedrunLog(reading: try folder.write(data, to: "a.txt"), scope: .everything)
    #expect(log.data == data)
    let last = try #require(log.last)
    #expect(last.description == "step:20/20 val_loss:3.27765 train_time:3.020s step_avg:151.00ms")
    #expect(last.seconds == 3.02)
    #expect(log.peakMemory == nil)
  }

  @Test func windowsLineEndsAndAMissingLastLineEndSurvive() throws {
    let folder = try Folder()
    let unix = String(decoding: LogFixture.track1("a.txt", loss: 3.2793).data, as: UTF8.self)
    let windows = Data(unix.replacingOccurrences(of: "\n", with: "\r\n").utf8)
    let open = Data(unix.dropLast().utf8)
    for data in [windows, open] {
      let log = try SpeedrunLog(reading: try folder.write(data, to: "a.txt"), scope: .everything)
      #expect(log.data == data)
      #expect(log.last?.validationLoss?.value == 3.2793)
      #expect(log.isComplete && log.machine.devices.count == 2)
    }
    #expect(try !SpeedrunLog(reading: folder.path + "/a.txt").endsWithLineEnd)
  }

  @Test func oldFormsAreReadAndWrittenBack() throws {
    let folder = try Folder()
    let line = SpeedrunLog.separator
    // Three separators, train_loss, a step average that is not a number, memory under another name, fields of a contributor.
    let text = """
      source
      \(line)
      Running pytorch 2.6.0
      \(line)
      Training DataLoader: total number of tokens: 1000000000 across 10 files
      \(line)
      step:0/2 val_loss:10.8258 train_time:0ms step_avg:nanms
      step:1/2 train_loss:7.1 train_time:29159ms step_avg:nanms
      step:2/2 val_loss:3.2752 train_time:231460ms step_avg:157.46ms ema_beta:0.5  x:-1e-3
      peak memory consumption: 34239 MiB

      """
    let path = try folder.write(text, to: "a.txt")
    let log = try SpeedrunLog(reading: path, scope: .everything)
    #expect(String(decoding: log.data, as: UTF8.self) == text)
    #expect(log.separatorCount == 3 && log.last?.validationLoss?.value == 3.2752)
    #expect(log.events[0].validationLoss?.description == "10.8258")
  }

  @Test func onlyTheLinesAfterTheSourceTextCount() throws {
    let folder = try Folder()
    let source = """
      a = "
      step:5/9 val_loss:1.0000 train_time:5ms step_avg:1.00ms
      step:x
      step:1/7 val_loss:2.0000 train_time:5ms step_avg:1.00ms
      step:9 no such line
      "
      """
    let path = try folder.write(
      LogFixture.track1("a.txt", loss: 3.28, source: source).data, to: "a.txt")
    let log = try SpeedrunLog(reading: path)
    #expect(log.last?.validationLoss?.value == 3.28)
    #expect(log.events.allSatisfy { $0.plannedSteps == 20 })
  }

  @Test func aLossThatIsNotANumberIsAnOutcome() throws {
    let folder = try Folder()
    let log = LogFixture.track1("a.txt", loss: .nan)
    let path = try folder.write(log.data, to: "a.txt")
    let run = try RecordedRun(SpeedrunLog(reading: path))
    #expect(run.loss?.isNaN == true)
    #expect(run.note == "its loss is nan")
    #expect(try SpeedrunLog(reading: path, scope: .everything).data == log.data)
  }

  @Test(arguments: [
    ("", "is empty"),
    ("some text\nof another kind\n", "is no log of the speedrun"),
    ("source\n\(SpeedrunLog.separator)\nRunning Python 3\n", ":3: ends in its header"),
    (
      "source\n\(SpeedrunLog.separator)\nv\n\(SpeedrunLog.separator)\nstep:1/9 train_time:5ms step_avg:5.00ms\n",
      "no validation loss"
    ),
    (first + "step:5/9 val_loss:3.", ":2: the file ends within the line"),
    (first + "step:5/9 val_loss:3.x9 train_time:1ms step_avg:1.00ms\n", ":2: "),
    (first + "step:5 val_loss:3.9\n", "form step:DONE/ALL"),
    (
      first + "step:5/9 train_time:9ms step_avg:1.00ms\nstep:3/9 train_time:9ms step_avg:1.00ms\n",
      ":3: step 3 after step 5: lines of several runs are mixed"
    ),
    (first + "step:3/8 val_loss:3.9 train_time:9ms step_avg:1.00ms\n", "8 steps within one of 9"),
    ("step:0/9 val_loss:10.8 train_time:0 step_avg:0.02ms\n", "its train_time is '0'"),
    ("step:0/9 val_loss:10.8 train_time:0ms\n", "it has no step_avg"),
  ])
  func damagedLogsAreRefusedWithFileLineAndRemedy(text: String, says: String) throws {
    let folder = try Folder()
    let path = try folder.write(text, to: "a.txt")
    let said = message { _ = try SpeedrunLog(reading: path) }
    #expect(said.hasPrefix(path) && said.contains(says), "\(said)")
  }

  static let first = "step:0/9 val_loss:10.8 train_time:0ms step_avg:0.02ms\n"

  @Test func aRunThatDidNotReachItsLastStepIsRefusedUnlessAStepIsChosen() throws {
    let folder = try Folder()
    var log = LogFixture.track1("a.txt", loss: 3.2793)
    log.lines = log.lines.filter { line in
      if case .event(let event) = line { event.step <= 15 } else { false }
    }
    let path = try folder.write(log.data, to: "a.txt")
    let read = try SpeedrunLog(reading: path)
    #expect(!read.isComplete)
    let said = message { _ = try RecordedRun(read) }
    #expect(said.contains("step 15 of 20") && said.contains("--at-step 15"), "\(said)")
    #expect(try RecordedRun(read, at: 15).steps == 15)
    #expect(message { _ = try RecordedRun(read, at: 12) }.contains("the nearest is at 10"))
  }

  @Test func severalRunsOneAfterTheOtherInOneLogAreSeveralRuns() throws {
    let folder = try Folder()
    var log = LogFixture.track3("a.txt", loss: 3.2790)
    log.lines += LogFixture.track3("a.txt", loss: 3.2780, steps: 25).lines
    let path = try folder.write(log.data, to: "logs/a.txt")
    let read = try SpeedrunLog(reading: path, scope: .everything)
    #expect(read.data == log.data && read.runs.count == 2)
    let runs = try RecordedRun.all(of: read)
    #expect(runs.map(\.loss) == [3.279, 3.278] && runs.map(\.steps) == [20, 25])
    #expect(runs.map(\.name) == ["a#1", "a#2"] && runs[0].checksum != runs[1].checksum)
    #expect(runs[1].curve.count == 6)
  }

  @Test func aMissingFileIsSaid() {
    #expect(message { _ = try SpeedrunLog(reading: "/nowhere/a.txt") }.contains("check the path"))
  }

  @Test func theLineOfARegistrationIsRead() throws {
    let folder = try Folder()
    let path = try folder.logs(
      "set", [3.27, 3.28], source: "# preregistered: runs=12, rule=t target=3.28 level=0.01\nx = 1")
    let registration = try #require(try SpeedrunLog(reading: path + "/0.txt").registration)
    #expect(registration.runs == 12 && registration.rule == "t")
    #expect(registration.target == 3.28 && registration.level == 0.01)
  }

  @Test func aFolderOfLogsIsOneSet() throws {
    let folder = try Folder()
    let path = try folder.logs("Baseline", (0..<40).map { 3.27 + 0.0001 * Double($0) })
    try folder.write("torch\nnumpy\n", to: "Baseline/requirements.txt")
    var reader = SetReader()
    let sets = try reader.sets([path])
    #expect(sets.map(\.name) == ["Baseline"] && sets[0].count == 40)
    #expect(reader.skipped == [path + "/requirements.txt"])
    #expect(sets[0].steps == 20)
    try folder.write("source\n\(SpeedrunLog.separator)\n", to: "Baseline/cut.txt")
    try folder.write("source\n\(SpeedrunLog.separator)\n", to: "Baseline/deep/cut.log")
    let said = message {
      var reader = SetReader()
      _ = try reader.sets([path])
    }
    #expect(
      said.contains("2 of 43 logs cannot be used") && said.contains("deep/cut.log:2"), "\(said)")
  }
}
