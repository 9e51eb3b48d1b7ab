// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TensorFiles

extension SpeedrunLog {
  /// Reads a log in one sweep; the file is mapped, not copied.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - scope: What to keep.
  /// - Throws: ``SpeedRecordError``: `unreadable`; `damaged-log` with the number of a line that is no measurement, goes back in steps, or
  ///   belongs to a run of another length; `truncated-log` where the file ends in its header or within a line. A log whose last validation
  ///   is not that of the last step is read, see ``isComplete``.
  public init(reading path: String, scope: Scope = .validations) throws(SpeedRecordError) {
    let data: Data
    do {
      data = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
    } catch {
      throw SpeedRecordError(
        .unreadable, "\(path): cannot be read: \(error.localizedDescription); check the path")
    }
    self.init(path: path)
    var scanner = LogScanner(path: path, scope: scope)
    let result: Result<Void, SpeedRecordError> = data.withUnsafeBytes { bytes in
      do throws(SpeedRecordError) {
        try scanner.scan(bytes)
        return .success(())
      } catch {
        return .failure(error)
      }
    }
    try result.get()
    lines = scanner.lines
    lineEnd = scanner.hasWindowsLineEnds ? "\r\n" : "\n"
    endsWithLineEnd = scanner.endsWithLineEnd
    machine = scanner.machine
    registration = scanner.registration
    peakMemory = scanner.peakMemory
    separatorCount = scanner.separatorCount
    if scope == .everything { head = Data(data[..<(data.startIndex + scanner.headEnd)]) }
    var whole = FileChecksum()
    var source = FileChecksum()
    data.withUnsafeBytes { bytes in
      whole.update(bytes)
      if let end = scanner.sourceEnd { source.update(.init(rebasing: bytes[..<end])) }
    }
    checksum = whole.hexadecimal
    if scanner.sourceEnd ?? 0 > 0 { sourceChecksum = source.hexadecimal }
  }
}

/// Goes through the lines of a log, and makes texts only of those that somebody needs.
struct LogScanner {
  let path: String
  let scope: SpeedrunLog.Scope

  private(set) var lines: [SpeedrunLog.Line] = []
  private(set) var machine = LogMachine()
  private(set) var registration: Registration?
  private(set) var peakMemory: String?
  private(set) var separatorCount = 0
  private(set) var hasWindowsLineEnds = false
  private(set) var endsWithLineEnd = true
  /// Where the source text ends: the first separator.
  private(set) var sourceEnd: Int?
  /// Where the first event begins.
  private(set) var headEnd = 0
  private var hasEvents = false
  private var eventCount = 0
  private var previous: (step: Int, planned: Int)?
  /// What was wrong in a file without separators, as far as is known.
  private var firstProblem: SpeedRecordError?

  init(path: String, scope: SpeedrunLog.Scope) {
    self.path = path
    self.scope = scope
  }

  mutating func scan(_ bytes: UnsafeRawBufferPointer) throws(SpeedRecordError) {
    guard bytes.count > 0 else {
      throw SpeedRecordError(
        .truncatedLog, "\(path): is empty; take the log from the run again, or leave it out")
    }
    var start = 0
    var number = 0
    while start < bytes.count {
      number += 1
      let end = Self.newline(bytes, from: start) ?? bytes.count
      endsWithLineEnd = end < bytes.count
      var stop = end
      if stop > start, bytes[stop - 1] == 0x0D {
        stop -= 1
        hasWindowsLineEnds = true
      }
      let line = UnsafeRawBufferPointer(rebasing: bytes[start..<stop])
      try read(line, number: number, at: start)
      start = end + 1
    }
    if let firstProblem { throw firstProblem }
    guard hasEvents else {
      if separatorCount > 0 {
        throw SpeedRecordError(
          .truncatedLog,
          "\(path):\(number): ends in its header, before the first line 'step:S/T ...': the run stopped before "
            + "its first step; take the log of a run that ended, or leave it out")
      }
      throw SpeedRecordError(
        .damagedLog,
        "\(path): is no log of the speedrun: no line has the form "
          + "'step:S/T val_loss:F train_time:Mms step_avg:Fms'; check the path")
    }
    guard
      lines.contains(where: { line in
        if case .event(let event) = line { event.validationLoss != nil } else { false }
      })
    else {
      throw SpeedRecordError(
        .truncatedLog,
        "\(path): \(eventCount) steps and no validation loss: the run stopped before its first validation; "
          + "take the log of a run that ended, or leave it out")
    }
  }

  private mutating func read(
    _ line: UnsafeRawBufferPointer, number: Int, at start: Int
  ) throws(SpeedRecordError) {
    if LogEvent.isEvent(line) { return try readEvent(line, number: number, at: start) }
    if Self.isSeparator(line) {
      separatorCount += 1
      if sourceEnd == nil {
        sourceEnd = start
        // Lines that look like events before it belong to the source text.
        (lines, hasEvents, eventCount, previous, firstProblem) = ([], false, 0, nil, nil)
        return
      }
    }
    if hasEvents {
      if line.starts(with: Self.peak) { peakMemory = String(decoding: line, as: UTF8.self) }
      if scope == .everything { lines.append(.text(String(decoding: line, as: UTF8.self))) }
      return
    }
    let isHeader = sourceEnd != nil
    guard let first = line.first else { return }
    if isHeader || first == UInt8(ascii: "#") {
      let text = String(decoding: line.prefix(400), as: UTF8.self)
      if isHeader { machine.read(text) }
      if registration == nil { registration = Registration(line: text, origin: path) }
    }
  }

  private mutating func readEvent(
    _ line: UnsafeRawBufferPointer, number: Int, at start: Int
  ) throws(SpeedRecordError) {
    let event: LogEvent
    do throws(LogEvent.Damage) {
      event = try LogEvent(line)
    } catch {
      let text = String(decoding: line.prefix(80), as: UTF8.self)
      guard endsWithLineEnd else {
        throw SpeedRecordError(
          .truncatedLog,
          "\(path):\(number): the file ends within the line '\(text)'; copy the whole log, or leave it out"
        )
      }
      try fail(
        SpeedRecordError(
          .damagedLog,
          "\(path):\(number): '\(text)' is damaged: \(error.reason); take the log from the run again"
        ))
      return
    }
    // Step 0 begins another run: track 3's script may make several, one after the other, into one file.
    if let previous, event.step > 0 || previous.step == 0 {
      if event.step < previous.step {
        try fail(
          SpeedRecordError(
            .damagedLog,
            "\(path):\(number): step \(event.step) after step \(previous.step): lines of several runs are mixed, or "
              + "out of order; give one file for each run, or one after the other from step 0"))
      }
      if event.plannedSteps != previous.planned {
        try fail(
          SpeedRecordError(
            .damagedLog,
            "\(path):\(number): a run of \(event.plannedSteps) steps within one of \(previous.planned); give one file "
              + "for each run"))
      }
    }
    previous = (event.step, event.plannedSteps)
    if !hasEvents { headEnd = start }
    hasEvents = true
    eventCount += 1
    if scope == .everything || event.validationLoss != nil { lines.append(.event(event)) }
  }

  /// Before the first separator it may be the source text that has such lines, which is known only once a separator comes.
  private mutating func fail(_ error: SpeedRecordError) throws(SpeedRecordError) {
    guard sourceEnd == nil else { throw error }
    if firstProblem == nil { firstProblem = error }
  }

  private static let peak = Array("peak memory".utf8)

  private static func isSeparator(_ line: UnsafeRawBufferPointer) -> Bool {
    line.count == 100 && line.allSatisfy { $0 == UInt8(ascii: "=") }
  }

  private static func newline(_ memory: UnsafeRawBufferPointer, from start: Int) -> Int? {
    guard let base = memory.baseAddress, start < memory.count,
      let found = memchr(base + start, 0x0A, memory.count - start)
    else { return nil }
    return UnsafeRawPointer(found) - base
  }
}
