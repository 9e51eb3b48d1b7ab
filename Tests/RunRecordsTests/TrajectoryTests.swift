// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import RunRecords

@Suite struct TrajectoryTests {
  static let header = TrajectoryHeader(
    steps: 20, every: 1,
    stages: [.init(name: "a", firstStep: 0), .init(name: "b", firstStep: 8)],
    pauses: [.init(group: "scalars", from: 8, to: 10)],
    parameters: [
      .init(name: "lambdas", role: "scalar", group: "scalars", shape: [3]),
      .init(name: "skip", role: "scalar", group: "rest", shape: [1]),
    ], numbers: ["batch_tokens"],
    summarized: [.init(name: "head", role: "head", group: "rest", shape: [4000, 8])])

  /// Values that say which step and which place they are of.
  static func value(_ step: Int, _ place: Int) -> Float { Float(step) + Float(place) / 8 }

  static func write(_ steps: Range<Int>, to writer: TrajectoryWriter) throws {
    for step in steps {
      let lambdas = (0..<3).map { value(step, $0) }
      try lambdas.withUnsafeBufferPointer { lambdas in
        try [value(step, 3)].withUnsafeBufferPointer {
          try writer.append(step: step, numbers: [Float(100 * step)], values: [lambdas, $0])
        }
      }
      if step % 4 == 0 {
        try writer.append(step: step, summaries: [(0..<7).map { value(step, $0) }])
      }
    }
  }

  static func record(_ folder: TemporaryFolder) throws -> TrajectoryRecord {
    try #require(try TrajectoryRecord.read(run: folder.path))
  }

  static func writer(
    _ folder: TemporaryFolder, _ header: TrajectoryHeader = header, keeping: Int = 0
  ) throws -> TrajectoryWriter {
    try TrajectoryWriter(
      path: folder.path + "/trajectories.bin", header: header, keepingBytes: keeping)
  }

  @Test("What was written comes back, with what it is")
  func roundTrip() throws {
    let folder = try TemporaryFolder()
    #expect(try TrajectoryRecord.read(run: folder.path) == nil)
    let writer = try Self.writer(folder)
    try Self.write(0..<20, to: writer)
    let record = try Self.record(folder)
    #expect(record.header == Self.header)
    #expect(record.header.transitions == [8])
    #expect(record.steps == Array(0..<20))
    #expect(record.course("lambdas", 2) == (0..<20).map { Self.value($0, 2) })
    #expect(record.course("skip") == (0..<20).map { Self.value($0, 3) })
    #expect(record.course("skip", 1) == nil)
    #expect(record.course("head") == nil)
    #expect(record.values("lambdas", at: 5).map(Array.init) == (0..<3).map { Self.value(5, $0) })
    #expect(record.number("batch_tokens")?.last == 1900)
    #expect(record.summarySteps == [0, 4, 8, 12, 16])
    #expect(record.summary("head", "q10")?.last == Self.value(16, 1))
    #expect(record.summary("head", "other") == nil)
  }

  @Test(
    "A record of 60 values at 2,000 steps has four bytes for each value, and a few more for each step"
  )
  func size() throws {
    let folder = try TemporaryFolder()
    let header = TrajectoryHeader(
      steps: 2000, every: 1, stages: [.init(name: "a", firstStep: 0)],
      parameters: [.init(name: "w", role: "scalar", group: "g", shape: [60])])
    let writer = try Self.writer(folder, header)
    let start = writer.position
    let values = [Float](repeating: 1, count: 60)
    for step in 0..<2000 {
      try values.withUnsafeBufferPointer {
        try writer.append(step: step, numbers: [], values: [$0])
      }
    }
    #expect(start < 1000)
    #expect(writer.position - start == 2000 * (60 * 4 + 16))
    let attributes = try FileManager.default.attributesOfItem(atPath: writer.path)
    #expect(attributes[.size] as? Int == writer.position)
  }

  @Test(
    "Wherever a process is killed, all whole records are there, and going on gives the same file")
  func killed() throws {
    let whole = try TemporaryFolder()
    let writer = try Self.writer(whole)
    try Self.write(0..<6, to: writer)
    let kept = writer.position
    try Self.write(6..<9, to: writer)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: writer.path))
    for length in kept...bytes.count {
      let folder = try TemporaryFolder()
      let path = folder.path + "/trajectories.bin"
      try bytes.prefix(length).write(to: URL(fileURLWithPath: path))
      let steps = try Self.record(folder).steps
      #expect(steps == Array(0..<steps.count) && steps.count >= 6, "\(length) bytes")
      try Self.write(6..<9, to: try Self.writer(folder, keeping: kept))
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == bytes, "\(length) bytes")
    }
  }

  @Test(
    "A file that is cut off in its first record holds nothing, and one that was changed is refused")
  func damage() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/trajectories.bin"
    let writer = try Self.writer(folder)
    let start = writer.position
    try Self.write(0..<5, to: writer)
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    for length in [0, 4, 8, 20, start - 1] {
      try bytes.prefix(length).write(to: URL(fileURLWithPath: path))
      #expect(try TrajectoryRecord.read(run: folder.path) == nil)
    }
    bytes[start + 10] ^= 1
    try bytes.write(to: URL(fileURLWithPath: path))
    #expect(failure { _ = try TrajectoryRecord.read(run: folder.path) }?.code == .damaged)
    #expect(
      failure { _ = try Self.writer(folder, keeping: bytes.count) }?.code == .damaged)
    #expect(
      failure { _ = try Self.writer(folder, keeping: bytes.count + 4) }?.code == .damaged)
    #expect(failure { _ = try Self.writer(folder, keeping: start + 3) }?.code == .damaged)
    // The record that is not sound is the last one: it was about to be written.
    bytes[start + 10] ^= 1
    bytes[bytes.count - 6] ^= 1
    try bytes.write(to: URL(fileURLWithPath: path))
    #expect(try Self.record(folder).steps == [0, 1, 2, 3, 4])
    #expect(try Self.record(folder).summarySteps == [0])
  }

  @Test(
    "A damaged length is an error wherever records follow it, and hides none of them",
    arguments: [0, 1, 2, 3])
  func damagedLength(byte: Int) throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/trajectories.bin"
    let writer = try Self.writer(folder)
    let start = writer.position
    try Self.write(0..<5, to: writer)
    let sound = try Data(contentsOf: URL(fileURLWithPath: path))
    // The first header, the values of step 0, its summary.
    let values = 12 + 4 + 4 * 5
    for place in [8, start, start + values] {
      var bytes = sound
      bytes[place + 4 + byte] ^= 0x40
      try bytes.write(to: URL(fileURLWithPath: path))
      #expect(
        failure { _ = try TrajectoryRecord.read(run: folder.path) }?.code == .damaged, "\(place)")
      #expect(failure { _ = try Self.writer(folder, keeping: sound.count) }?.code == .damaged)
    }
    // In the last record it is one that was not yet whole: step 4 has values and a summary.
    var bytes = sound
    bytes[sound.count - 12 - 4 - 4 * 7 + 4 + byte] ^= 0x40
    try bytes.write(to: URL(fileURLWithPath: path))
    #expect(try Self.record(folder).summarySteps == [0])
  }

  @Test("A run that goes on with other parameters in its record keeps what it had, with gaps")
  func otherHeader() throws {
    let folder = try TemporaryFolder()
    let writer = try Self.writer(folder)
    try Self.write(0..<4, to: writer)
    var header = Self.header
    header.parameters = [
      Self.header.parameters[1], .init(name: "gain", role: "norm_gain", group: "rest", shape: [2]),
    ]
    header.numbers = []
    let next = try Self.writer(folder, header, keeping: writer.position)
    try [Float(1), 2].withUnsafeBufferPointer { gain in
      try [Float(7)].withUnsafeBufferPointer {
        try next.append(step: 4, numbers: [], values: [$0, gain])
      }
    }
    let record = try Self.record(folder)
    #expect(record.header == header)
    #expect(record.parameters.map(\.name) == ["lambdas", "skip", "gain"])
    #expect(record.steps == [0, 1, 2, 3, 4])
    #expect(record.course("skip")?.last == 7)
    #expect(record.course("lambdas", 1)?.map(\.isNaN) == [false, false, false, false, true])
    #expect(record.course("gain", 1)?.map(\.isNaN) == [true, true, true, true, false])
    #expect(record.number("batch_tokens")?[3] == 300)
  }

  @Test(
    "Values have the names that people look for",
    arguments: [
      ([1], 0, "p"), ([], 0, "p"), ([11], 3, "p[3]"), ([1, 12], 4, "p[4]"),
      ([6, 12], 29, "p[2,5]"),
    ])
  func names(shape: [Int], index: Int, expected: String) {
    let parameter = TrajectoryHeader.Parameter(
      name: "p", role: "scalar", group: "g", shape: shape)
    #expect(parameter.valueName(index) == expected)
  }

  @Test("A full disk is an error that leaves whole records", .enabled(if: hasTinyDisk))
  func fullDisk() throws {
    try withTinyDisk(kilobytes: 16) { path in
      let header = TrajectoryHeader(
        steps: 100, every: 1, stages: [],
        parameters: [.init(name: "w", role: "scalar", group: "g", shape: [900])])
      let writer = try TrajectoryWriter(
        path: path + "/trajectories.bin", header: header, keepingBytes: 0)
      let values = [Float](repeating: 1, count: 900)
      let error = failure {
        for step in 0..<100 {
          try values.withUnsafeBufferPointer {
            try writer.append(step: step, numbers: [], values: [$0])
          }
        }
      }
      #expect(error?.code == .diskFull)
      let record = try #require(try TrajectoryRecord.read(run: path))
      #expect(!record.steps.isEmpty && record.steps == Array(0..<record.steps.count))
    }
  }

  @Test("What a head in 8-bit floating point did is a line of metrics, and comes back")
  func float8() throws {
    let folder = try TemporaryFolder()
    func measurement(_ scale: Double, _ limit: Double) -> Float8Record.Measurement {
      Float8Record.Measurement(
        scale: scale, limit: limit, saturated: 0.125, quantiles: [0.1, 0.2, 0.5, 1.5, 3])
    }
    let records = [
      Float8Record(
        step: 10,
        tensors: [.x: measurement(0.25, 448), .gradient: measurement(0.75 / 448, 57344)]),
      Float8Record(step: 20, tensors: [.weight: measurement(1.5 / 448, 448)]),
    ]
    let writer = try MetricsWriter(path: folder.path + "/metrics.jsonl", keeping: .all)
    try writer.append(step: 9, [("loss", .number(3))])
    for record in records { try writer.append(record) }
    try writer.append(Float8Record(step: 30, tensors: [:]))
    #expect(try Float8Record.read(run: folder.path) == records)
    #expect(records[0].tensors[.x]?.scaledQuantiles == [0.4, 0.8, 2, 6, 12])
    let line = try text(writer.path).split(separator: "\n")[2]
    #expect(line.hasPrefix(#"{"step":20,"float8.weight.scale":0.00334"#))
  }
}
