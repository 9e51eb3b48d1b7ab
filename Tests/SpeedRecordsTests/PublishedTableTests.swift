// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import SpeedRecords
import Statistics
import Testing

/// Tables of two pull requests of the speedrun, and the tests computed from them, to their last printed digit.
@Suite struct PublishedTableTests {
  /// The runs behind the tables of #175 and #177, and of #172 and #178 beside them, as their pull requests list them
  /// (KellerJordan/modded-nanogpt, December 2025).
  static let retied =
    "3.2777@123.853,3.2790@123.969,3.2776@123.929,3.2792@123.933,3.2760@123.914,3.2792@123.906,"
    + "3.2767@123.970,3.2763@123.914,3.2770@123.964"
  static let retiedBefore = "@127.051,@127.139,@127.049,@127.147,@127.163,@127.161"
  static let scalesAlone = "3.2754,3.2756,3.2779,3.2746,3.2740"
  static let smoothBaseline =
    "3.2762@124.252,3.2788@124.305,3.2773@124.351,3.2817@124.617,3.2786@124.298"
  static let smooth =
    "3.2790@122.131,3.2782@122.140,3.2784@122.007,3.2793@122.066,3.2786@122.104,3.2804@122.045,"
    + "3.2783@122.108"
  static let cautious =
    "3.2746,3.2769,3.2760,3.2776,3.2771,3.2722,3.2740,3.2779,3.2765,3.2870,3.2773,3.2754"
  static let multiToken =
    "3.2783,3.2809,3.2784,3.2783,3.2787,3.2776,3.2781,3.2780,3.2768,3.2798,3.2789,3.2797,3.2795,3.2794"

  private func sets(_ arguments: String...) throws -> [RunSet] {
    var reader = SetReader()
    return try reader.sets(arguments)
  }

  private func analysis(
    _ sets: [RunSet], hasBaseline: Bool = true, _ change: (inout RecordRules) -> Void = { _ in }
  ) throws -> RecordAnalysis {
    var rules = RecordRules()
    rules.target = 3.28
    change(&rules)
    return try RecordAnalysis(
      baseline: hasBaseline ? sets[0] : nil,
      candidates: hasBaseline ? Array(sets.dropFirst()) : sets, rules)
  }

  @Test func theTableOf177ComesOutToTheLetter() throws {
    let sets = try sets(
      "12-19-Baseline=" + Self.smoothBaseline, "12-21-Smooth-Scalars-stps.2000=" + Self.smooth)
    let table = RecordTable(try analysis(sets))
    #expect(
      table.table == """
                                           Runs   Time \u{3BC}  Time \u{3C3}  Time +/-  Loss \u{3BC}  Loss \u{3C3}  Loss +/-        p
        12-19-Baseline                        5 124.3646  0.1454    0.0000  3.2785  0.0021    0.0000   0.0922
        12-21-Smooth-Scalars-stps.2000        7 122.0859  0.0484   -2.2787  3.2789  0.0008    0.0004   0.0045
        """)
    #expect(
      table.runLists == """
        12-19-Baseline:
          losses = [3.2762, 3.2788, 3.2773, 3.2817, 3.2786]
          times  = [124.2520, 124.3050, 124.3510, 124.6170, 124.2980]
          (n = 5)

        12-21-Smooth-Scalars-stps.2000:
          losses = [3.2790, 3.2782, 3.2784, 3.2793, 3.2786, 3.2804, 3.2783]
          times  = [122.1310, 122.1400, 122.0070, 122.0660, 122.1040, 122.0450, 122.1080]
          (n = 7)
        """)
  }

  @Test func theTableOf177ComesOutOfItsPublicLogs() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Fixtures/speedrun/logs-177").path
    let names = ["12-19-Baseline", "12-21-Smooth-Scalars-stps.2000"]
    let fromLogs = try names.map { try sets($0 + "=" + folder + "/" + $0)[0] }
    let fromLists = try sets(
      names[0] + "=" + Self.smoothBaseline, names[1] + "=" + Self.smooth)
    #expect(RecordTable(try analysis(fromLogs)).table == RecordTable(try analysis(fromLists)).table)
    var lines: Set<Int> = []
    for name in names {
      for file in try FileManager.default.contentsOfDirectory(atPath: folder + "/" + name) {
        let path = folder + "/" + name + "/" + file
        let log = try SpeedrunLog(reading: path, scope: .everything)
        #expect(try log.data == Data(contentsOf: URL(fileURLWithPath: path)), "\(file)")
        #expect(log.isComplete && log.machine.devices.count == 8, "\(file)")
        lines.insert(log.events.count)
      }
    }
    #expect(lines.max() == 2009, "one log has the lines of all its steps")
  }

  @Test func theSecondTableOf177ComesOutFromItsPrintedRow() throws {
    let sets = try sets(
      "12-19-Baseline=" + Self.smoothBaseline,
      "12-21-Smooth-Scalars-stps.2035=n:5,mean:3.2765,sd:0.0015,time:124.2794,time_sd:0.0447,steps:2035"
    )
    let result = try analysis(sets)
    let row = result.rows[1]
    // Its p, 0.0031, was computed from runs that are not listed: it lies within what four digits of mean and deviation allow. Its
    // differences were too: 3.2765 - 3.27852 is -0.0020.
    #expect(
      RecordTable(result).table.hasSuffix(
        "12-21-Smooth-Scalars-stps.2035        5 124.2794  0.0447   -0.0852  3.2765  0.0015   -0.0020   0.0032"
      ))
    let range = try #require(row.target?.pValueRange)
    #expect(range[0] < 0.0031 && 0.0031 < range[1])
    #expect(result.flags.contains { $0.code == .roundedNumbers })
    // The claim at equal steps: Welch t = 1.73, df 7.2, two-sided p = 0.125.
    let welch = Tests.welch(
      SampleSummary(count: 5, mean: 3.2785, deviation: 0.0021),
      SampleSummary(count: 5, mean: 3.2765, deviation: 0.0015))
    let t = (welch.estimate ?? 0) / (welch.standardError ?? 1)
    #expect(String(format: "%.2f", t) == "1.73")
    #expect(String(format: "%.1f", welch.degreesOfFreedom ?? 0) == "7.2")
    #expect(String(format: "%.3f", welch.pValue) == "0.125")
  }

  @Test func theNumbersOf175ComeOutToTheirLastDigit() throws {
    let sets = try sets(
      "before=" + Self.retiedBefore, "retied=" + Self.retied, "scales=" + Self.scalesAlone)
    let result = try analysis(sets)
    // The deviation of the nine is 0.00125 exactly, which a pull request prints as 0.0013: ties go up, whatever the last bit.
    func printed(_ number: Double?) -> String { RecordTable.fixed(number ?? .nan, 4) }
    #expect(printed(result.rows[1].target?.pValue) == "0.0002")
    #expect(printed(result.rows[1].loss?.mean) == "3.2776")
    #expect(printed(result.rows[1].loss?.standardDeviation) == "0.0013")
    #expect(printed(result.rows[1].seconds?.mean) == "123.9280")
    #expect(printed(result.rows[1].seconds?.standardDeviation) == "0.0375")
    #expect(printed(result.rows[0].seconds?.mean) == "127.1183")
    #expect(printed(result.rows[0].seconds?.standardDeviation) == "0.0537")
    #expect(printed(result.rows[2].loss?.mean) == "3.2755")
    #expect(printed(result.rows[2].loss?.standardDeviation) == "0.0015")
    #expect(String(format: "%.1f", result.rows[1].secondsDifference ?? 0) == "-3.2")
    #expect(result.rows[0].loss == nil && result.rows[0].target == nil)
  }

  /// Sets with the digits that the runs give: n, mean, sd, t, p, (3.28 - mean) sqrt(n).
  @Test(arguments: [
    (retied, "9 3.27763 0.00125 5.680 0.00023 0.0071"),
    (scalesAlone, "5 3.27550 0.00149 6.769 0.0012 0.0101"),
    (cautious, "12 3.27687 0.00360 3.006 0.0060 0.0108"),
    (smoothBaseline, "5 3.27852 0.00207 1.602 0.0922 0.0033"),
    (smooth, "7 3.27889 0.00078 3.801 0.0045 0.0029"),
    (multiToken, "14 3.27874 0.00105 4.489 0.0003 0.0047"),
  ])
  func testsFromRunsHaveEveryDigit(runs: String, row: String) throws {
    let result = try analysis(try sets("set=" + runs), hasBaseline: false)
    let test = try #require(result.rows[0].target)
    let loss = try #require(result.rows[0].loss)
    let digits = row.split(separator: " ")[4].count - 2
    let text = String(
      format: "%d %.5f %.5f %.3f %.\(digits)f %.4f", test.count, loss.mean ?? 0,
      loss.standardDeviation ?? 0, test.t ?? 0, test.pValue, test.zStatistic ?? 0)
    #expect(text == row)
  }

  /// From n, mean and deviation alone: what was published lies within what the rounding of these inputs allows.
  @Test(arguments: [
    ("n:9,mean:3.27763,sd:0.00125", 5.680, 0.00023, 0.0071),
    ("n:5,mean:3.27550,sd:0.00149", 6.769, 0.0012, 0.0101),
    ("n:7,mean:3.27777,sd:0.00176", 3.342, 0.0078, 0.0059),
    ("n:12,mean:3.27687,sd:0.00360", 3.006, 0.0060, 0.0108),
    ("n:5,mean:3.27852,sd:0.00207", 1.602, 0.0922, 0.0033),
    ("n:7,mean:3.27889,sd:0.00078", 3.801, 0.0045, 0.0029),
    ("n:14,mean:3.27874,sd:0.00105", 4.489, 0.0003, 0.0047),
  ])
  func testsFromPrintedMomentsAgreeWithinTheirRounding(
    printed: String, t: Double, p: Double, z: Double
  ) throws {
    let result = try analysis(try sets("set=" + printed), hasBaseline: false)
    let test = try #require(result.rows[0].target)
    let loss = try #require(result.rows[0].loss)
    let corners = loss.roundings(mean: 0.000005, deviation: 0.000005).map {
      (3.28 - ($0.mean ?? 0)) / ($0.standardError ?? 1)
    }
    #expect((corners.min() ?? 9) - 0.0005 <= t && t <= (corners.max() ?? 0) + 0.0005)
    let range = try #require(test.pValueRange)
    let digit = p == 0.00023 ? 0.000005 : 0.00005
    #expect(range[0] - digit <= p && p <= range[1] + digit, "\(range) \(p)")
    #expect(
      abs((test.zStatistic ?? 0) - z) <= 0.00005 + 0.000005 * Double(test.count).squareRoot())
  }

  @Test func theExchangeRateOf177ComesOutOfItsTwoLengths() throws {
    let sets = try sets(
      "short=n:7,mean:3.27889,sd:0.00078,steps:2000", "long=n:5,mean:3.2765,sd:0.0015,steps:2035")
    let result = try analysis(sets) { $0.exchange = .measured(shorter: sets[0], longer: sets[1]) }
    // On the two sets that it was measured on, the gain at equal length is 0 by construction, so none is told.
    #expect(result.comparisons[0].equalised == nil)
    let rate = try #require(result.exchangeRate)
    #expect(abs(rate.perHundredSteps - 0.0069) < 0.0002)
    #expect(rate.sets == ["short", "long"] && rate.steps == [2000, 2035])
    let interval = try #require(rate.interval)
    #expect(interval.lower < 0.0069 && 0.0069 < interval.upper)
  }
}
