// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import RunRecords

@Suite struct MetricsTests {
  func records(_ path: String) throws -> [MetricsRecord] {
    let reader = try MetricsReader(path: path)
    var result: [MetricsRecord] = []
    while let record = try reader.next() { result.append(record) }
    return result
  }

  @Test func linesLookAsDocumented() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/m"
    let writer = try MetricsWriter(path: path, keeping: .all)
    try writer.append(
      step: 12,
      [
        ("loss", .single(3.2)), ("rate", .number(0.1)), ("tokens", .integer(-5)),
        ("norm", .number(.nan)), ("up", .single(.infinity)), ("down", .number(-.infinity)),
        ("skipped", .boolean(false)), ("a \"b\"", .string("x\\y\n\u{1}é")),
      ])
    try writer.append(step: 13, [])
    let first =
      #"{"step":12,"loss":3.2,"rate":0.1,"tokens":-5,"norm":"nan","up":"inf","down":"-inf","#
      + #""skipped":false,"a \"b\"":"x\\y\n\u0001é"}"#
    #expect(try text(path) == first + "\n{\"step\":13}\n")
    #expect(writer.position == (try text(path)).utf8.count)
    for line in try text(path).split(separator: "\n") {
      _ = try JSONSerialization.jsonObject(with: Data(line.utf8))
    }
  }

  @Test func valuesComeBackExactly() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/m"
    let writer = try MetricsWriter(path: path, keeping: .all)
    let doubles: [Double] = [
      0, 0.1, -1e-300, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 1e16, 123456.789,
    ]
    for (step, value) in doubles.enumerated() {
      try writer.append(step: step, [("x", .number(value)), ("y", .single(Float(value) / 3))])
    }
    try writer.append(step: 7, [("x", .integer(.max)), ("t", .string("é\n\"\\\u{2}"))])
    try writer.synchronize()
    let all = try records(path)
    #expect(all.map(\.step) == Array(0...7))
    for (step, value) in doubles.enumerated() {
      #expect(all[step].number("x") == value)
      #expect(all[step].number("y").map { Float($0) } == Float(value) / 3)
    }
    #expect(all[7].integer("x") == .max)
    #expect(all[7].string("t") == "é\n\"\\\u{2}")
    #expect(all[7].number("none") == nil)
  }

  @Test func numbersThatAreNotFiniteComeBackAsNumbers() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/m"
    let writer = try MetricsWriter(path: path, keeping: .all)
    try writer.append(
      step: 0, [("a", .number(.nan)), ("b", .single(.infinity)), ("c", .number(-.infinity))])
    let record = try #require(try records(path).first)
    #expect(record.number("a")?.isNaN == true)
    #expect(record.number("b") == .infinity)
    #expect(record.number("c") == -.infinity)
  }

  @Test func seriesSkipRecordsWithoutTheName() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      "m", "{\"step\":0,\"a\":1}\n{\"step\":1,\"b\":2}\n{\"step\":2,\"a\":\"inf\"}\n")
    let series = try MetricsReader(path: path).series("a")
    #expect(series.map(\.step) == [0, 2])
    #expect(series.map(\.value) == [1, .infinity])
  }

  static let five = (0..<5).map { "{\"step\":\($0),\"x\":\($0)}\n" }.joined()

  @Test(arguments: [
    (MetricsRetention.all, 5), (.stepsBelow(3), 3), (.stepsBelow(0), 0), (.stepsBelow(99), 5),
    (.bytes(0), 0), (.bytes(five.utf8.count / 5 * 2), 2), (.bytes(five.utf8.count), 5),
  ])
  func resumingKeepsWhatItIsTold(retention: MetricsRetention, count: Int) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("m", Self.five)
    let writer = try MetricsWriter(path: path, keeping: retention)
    #expect(writer.position == Self.five.utf8.count / 5 * count)
    #expect(try records(path).count == count)
    try writer.append(step: 77, [])
    #expect(try records(path).map(\.step) == Array(0..<count) + [77])
  }

  @Test func resumedMetricsAreThoseOfAnUninterruptedRun() throws {
    let folder = try TemporaryFolder()
    func train(_ writer: MetricsWriter, _ steps: Range<Int>) throws {
      for step in steps { try writer.append(step: step, [("loss", .single(1 / Float(step + 1)))]) }
    }
    let whole = folder.path + "/whole"
    try train(try MetricsWriter(path: whole, keeping: .all), 0..<20)
    let parts = folder.path + "/parts"
    try train(try MetricsWriter(path: parts, keeping: .all), 0..<13)
    try train(try MetricsWriter(path: parts, keeping: .stepsBelow(8)), 8..<20)
    #expect(try text(parts) == text(whole))
  }

  @Test(arguments: [1, 5, 16, 17, 18])
  func aTornLastLineIsDropped(cut: Int) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("m", String(Self.five.dropLast(cut)))
    let left = cut <= 17 ? 4 : 3
    #expect(try records(path).count == left)
    let writer = try MetricsWriter(path: path, keeping: .all)
    try writer.append(step: 9, [])
    #expect(try records(path).map(\.step) == Array(0..<left) + [9])
  }

  @Test func zerosThatALostMachineLeavesAreDropped() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("m", Self.five + "\0\0\0\0\n")
    #expect(try records(path).count == 5)
    let writer = try MetricsWriter(path: path, keeping: .all)
    #expect(writer.position == Self.five.utf8.count)
    #expect(try text(path) == Self.five)
  }

  @Test(arguments: [
    "garbage", "{}", "{\"x\":1}", "{\"step\":1.5}", "{\"step\":\"1\"}", "{\"step\":1}x",
    "{\"step\":1,}", "{\"step\":1,\"a\":[1]}", "{\"step\":1,\"a\":0x10}", "{\"step\":1,\"a\":nan}",
    "{\"step\":1,\"a\":1e999}", "{\"step\":1,\"a\":\"\\q\"}", "", "{\"step\":1", "{\"step\":1,\"a",
  ])
  func aDamagedLineBeforeTheLastIsAnErrorWithItsNumber(line: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("m", "{\"step\":0}\n\(line)\n{\"step\":2}\n")
    let reading = failure { _ = try records(path) }
    #expect(reading?.code == .damaged)
    #expect(reading?.message.contains(":2:") == true)
    let writing = failure { _ = try MetricsWriter(path: path, keeping: .all) }
    #expect(writing?.code == .damaged)
    #expect(try text(path).hasSuffix("{\"step\":2}\n"))
    let last = try folder.write("n", "{\"step\":0}\n\(line)\n")
    #expect(try records(last).count == 1)
  }

  @Test func bytesToKeepMustBeThereAndEndALine() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("m", Self.five)
    for count in [3, Self.five.utf8.count + 1, 100_000] {
      let error = failure { _ = try MetricsWriter(path: path, keeping: .bytes(count)) }
      #expect(error?.code == .damaged)
      #expect(error?.message.contains("\(count)") == true)
    }
    #expect(try text(path) == Self.five)
  }

  @Test func longFilesAreReadAcrossBuffers() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/m"
    let writer = try MetricsWriter(path: path, keeping: .all)
    let long = String(repeating: "y", count: 70_000)
    for step in 0..<60 {
      try writer.append(
        step: step, [("a", .string(String(repeating: "x", count: step * 37 % 3000)))])
    }
    try writer.append(step: 60, [("a", .string(long))])
    let reader = try MetricsReader(path: path)
    for step in 0..<60 {
      let record = try #require(try reader.next())
      #expect(record.step == step)
      #expect(record.string("a")?.count == step * 37 % 3000)
    }
    #expect(try reader.next()?.string("a") == long)
    #expect(try reader.next() == nil)
    #expect(reader.position == writer.position)
  }

  @Test func aReaderFollowsAWriter() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/m"
    let writer = try MetricsWriter(path: path, keeping: .all)
    let reader = try MetricsReader(path: path)
    #expect(try reader.next() == nil)
    try writer.append(step: 0, [])
    #expect(try reader.next()?.step == 0)
    #expect(try reader.next() == nil)
    try writer.append(step: 1, [])
    #expect(try reader.next()?.step == 1)
  }

  #if os(Linux)
    @Test func aFullDiskIsSaid() throws {
      let writer = try MetricsWriter(devicePath: "/dev/full")
      let error = failure { try writer.append(step: 0, []) }
      #expect(error?.code == .diskFull)
      #expect(error?.message.contains("/dev/full") == true)
      #expect(writer.position == 0)
    }
  #endif

  @Test func missingMetricsAreNamed() throws {
    let folder = try TemporaryFolder()
    let error = failure { _ = try MetricsReader(path: folder.path + "/none") }
    #expect(error?.message.contains("/none") == true)
  }
}
