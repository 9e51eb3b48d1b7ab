// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords
import Testing

@Suite struct MetricsScanTests {
  private func scan(
    _ text: String, names: [String] = ["loss"], prefixes: [String] = [], companions: [String] = []
  ) throws -> MetricsScan {
    let folder = try TemporaryFolder()
    return try MetricsScan(
      path: folder.write("metrics.jsonl", text), names: names, prefixes: prefixes,
      companions: companions)
  }

  @Test func whatWasAskedForIsReadAndNothingElse() throws {
    let found = try scan(
      """
      {"step":0,"tokens":0,"loss":6.5}
      {"step":1,"tokens":8,"other":2}
      {"step":2,"rate.head.q10":1e-3,"note":"loss","tokens":16,"isLast":true}

      """, prefixes: ["rate."], companions: ["tokens"])
    #expect(found.lines.map(\.step) == [0, 2])
    #expect(found.lines[0].numbers.map(\.name) == ["tokens", "loss"])
    #expect(found.lines[0].number("loss") == 6.5)
    #expect(found.lines[1].number("rate.head.q10") == 1e-3)
    #expect(found.lines[1].number("tokens") == 16)
    #expect(found.lines[1].number("loss") == nil)
    #expect(found.damagedLines == 0)
  }

  @Test func itReadsTheNumbersThatTheReaderReads() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/metrics.jsonl"
    let writer = try MetricsWriter(path: path, keeping: .all)
    let values = [0.1, -3.25e-17, 5e300, .nan, .infinity, -.infinity, 0, -0.0, 12345678.9]
    for (step, value) in values.enumerated() {
      try writer.append(
        step: step,
        [
          ("loss", .number(value)), ("single", .single(Float(value))), ("whole", .integer(step)),
          ("text", .string("a \"quoted\" text\n")),
        ])
    }
    let found = try MetricsScan(path: path, names: ["loss", "single", "whole"])
    let reader = try MetricsReader(path: path)
    for line in found.lines {
      let record = try #require(try reader.next())
      #expect(record.step == line.step)
      for name in ["loss", "single", "whole"] {
        let (read, scanned) = try (
          #require(record.number(name)), #require(line.number(name))
        )
        #expect(read.bitPattern == scanned.bitPattern || (read.isNaN && scanned.isNaN))
      }
    }
    #expect(found.lines.count == values.count)
  }

  @Test(arguments: [
    "{\"step\":1,\"loss\":}", "{\"step\":1,\"loss\":abc}", "{\"loss\":1}", "{\"step\":1,\"loss\":2",
    "{\"step\":1,\"loss\":2}x", "", "{\"step\":1.5,\"loss\":2}", "{\"step\":1 \"loss\":2}",
  ])
  func aDamagedLineIsCountedWhereItIsNotTheLast(line: String) throws {
    let sound = "{\"step\":2,\"loss\":3}\n"
    let found = try scan(line + "\n" + sound)
    #expect(found.damagedLines == 1)
    #expect(found.lines.map(\.step) == [2])
    #expect(try scan(sound + line + "\n").damagedLines == 0)
    #expect(try scan(sound + line).damagedLines == 0)
  }

  @Test func spacesAndEscapesAreUnderstood() throws {
    let found = try scan("{ \"step\" : 3 , \"lo\\u0073s\" : 4 }\n")
    #expect(found.lines.map { $0.number("loss") } == [4])
  }

  @Test func aFileThatIsNotThereIsAnError() {
    #expect(throws: RunRecordError.self) {
      try MetricsScan(path: "/nowhere/metrics.jsonl", names: ["loss"])
    }
  }
}
