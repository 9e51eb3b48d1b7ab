// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What `trajectories.bin` holds, read also while it is being written: every value of small parameters over the steps of a run, and
/// norms and quantiles of the others.
public struct TrajectoryRecord: Sendable {
  /// Rows of numbers that have a name, one row for each step.
  struct Table: Sendable {
    var steps: [Int] = []
    private var columns: [String: (width: Int, values: [Float])] = [:]

    func row(_ name: String, _ index: Int) -> ArraySlice<Float>? {
      guard let column = columns[name] else { return nil }
      return column.values[(index * column.width)..<((index + 1) * column.width)]
    }

    func column(_ name: String, _ place: Int) -> [Float]? {
      guard let column = columns[name], place < column.width else { return nil }
      return steps.indices.map { column.values[$0 * column.width + place] }
    }

    /// Adds a row; what has no value in it is NaN.
    mutating func add(
      _ step: Int, _ names: [(name: String, width: Int)], _ bytes: UnsafeRawBufferPointer,
      from start: Int
    ) {
      steps.append(step)
      var place = start
      for (name, width) in names {
        var column = columns.removeValue(forKey: name) ?? (width, [])
        // A parameter of another width under the same name is another parameter, of which the first is kept.
        let missing = (steps.count - 1) * column.width - column.values.count
        column.values.append(contentsOf: repeatElement(.nan, count: max(0, missing)))
        for index in 0..<column.width {
          column.values.append(
            index < width
              ? Float(bitPattern: TrajectoryChunk.number(bytes, at: place + 4 * index)) : .nan)
        }
        columns[name] = column
        place += 4 * width
      }
    }

    /// Gives all columns the same length.
    mutating func finish() {
      for (name, column) in columns {
        let missing = steps.count * column.width - column.values.count
        if missing > 0 {
          columns[name] = (column.width, column.values + [Float](repeating: .nan, count: missing))
        }
      }
    }
  }

  /// What was recorded, as the last session of the run had it.
  public let header: TrajectoryHeader
  /// Parameters whose values were recorded by any session.
  public let parameters: [TrajectoryHeader.Parameter]
  /// Parameters of which norms and quantiles were recorded by any session.
  public let summarized: [TrajectoryHeader.Parameter]
  private let table: Table
  private let summaries: Table

  /// The steps of the values, rising.
  public var steps: [Int] { table.steps }
  /// The steps of norms and quantiles, rising.
  public var summarySteps: [Int] { summaries.steps }

  /// All values of a parameter after one of the ``steps``.
  ///
  /// - Parameters:
  ///   - parameter: its name.
  ///   - index: a place in ``steps``.
  /// - Returns: the values, row by row; nil when it was not recorded.
  public func values(_ parameter: String, at index: Int) -> ArraySlice<Float>? {
    table.row(parameter, index)
  }

  /// One value of a parameter over the ``steps``.
  ///
  /// - Parameters:
  ///   - parameter: its name.
  ///   - place: which of its values.
  /// - Returns: a number for each step, NaN where a session did not record it; nil when none did.
  public func course(_ parameter: String, _ place: Int = 0) -> [Float]? {
    table.column(parameter, place)
  }

  /// A number that steps were made with, such as `batch_tokens`, over the ``steps``; nil when it was not recorded.
  public func number(_ name: String) -> [Float]? { table.column(Self.key(number: name), 0) }

  /// Norm or quantile of a parameter over ``summarySteps``.
  ///
  /// - Parameters:
  ///   - parameter: its name.
  ///   - statistic: one of ``TrajectoryHeader/summaryNames``.
  /// - Returns: a number for each step; nil when it was not recorded.
  public func summary(_ parameter: String, _ statistic: String) -> [Float]? {
    guard let place = TrajectoryHeader.summaryNames.firstIndex(of: statistic) else { return nil }
    return summaries.column(parameter, place)
  }

  /// Reads a run's trajectories.
  ///
  /// The last record may be incomplete after a crash, or because it is being written; it is left out.
  ///
  /// - Parameter path: the folder of a run.
  /// - Returns: the record; nil when the run has none.
  /// - Throws: ``RunRecordError`` when it is damaged before its last record.
  public static func read(run path: String) throws(RunRecordError) -> TrajectoryRecord? {
    let file = path + "/" + RunFolder.FileName.trajectories
    guard access(file, F_OK) == 0 else { return nil }
    return try TrajectoryRecord(path: file)
  }

  /// Reads a file; nil when it ends before its first header.
  init?(path: String) throws(RunRecordError) {
    let data = try readFile(path)
    var reading = Reading()
    let isSound = data.withUnsafeBytes { reading.read($0) }
    guard isSound else {
      throw RunRecordError(
        .damaged,
        "\(path): byte \(reading.place) begins no record of trajectories; the file was changed. Resume the run, "
          + "or remove the file to do without it")
    }
    guard let header = reading.header else { return nil }
    self.header = header
    parameters = reading.parameters
    summarized = reading.summarized
    reading.values.finish()
    reading.summaries.finish()
    table = reading.values
    summaries = reading.summaries
  }

  /// Numbers and parameters have separate names.
  fileprivate static func key(number name: String) -> String { "/" + name }

  private struct Reading {
    var header: TrajectoryHeader?
    var parameters: [TrajectoryHeader.Parameter] = []
    var summarized: [TrajectoryHeader.Parameter] = []
    var values = Table()
    var summaries = Table()
    var place = 0
    private var lengths: TrajectoryChunk.Lengths?
    private var valueNames: [(name: String, width: Int)] = []
    private var summaryNames: [(name: String, width: Int)] = []

    /// Reads everything; false when something is there that was never written.
    mutating func read(_ bytes: UnsafeRawBufferPointer) -> Bool {
      guard bytes.starts(with: TrajectoryChunk.magic) else {
        return bytes.count < TrajectoryChunk.magic.count
      }
      place = TrajectoryChunk.magic.count
      while place < bytes.count {
        do throws(TrajectoryChunk.Missing) {
          let found = try TrajectoryChunk.find(bytes, at: place, lengths)
          guard take(found, bytes) else { return false }
          place = found.end
        } catch {
          return error == .end
        }
      }
      return true
    }

    private mutating func take(
      _ found: TrajectoryChunk.Found, _ bytes: UnsafeRawBufferPointer
    ) -> Bool {
      let content = UnsafeRawBufferPointer(rebasing: bytes[found.content])
      if found.kind == .header {
        guard let header = try? TrajectoryChunk.header(content) else { return false }
        take(header)
        return true
      }
      let names = found.kind == .values ? valueNames : summaryNames
      if header == nil { return false }
      let step = Int(TrajectoryChunk.number(content, at: 0))
      if found.kind == .values {
        values.add(step, names, content, from: 4)
      } else {
        summaries.add(step, names, content, from: 4)
      }
      return true
    }

    private mutating func take(_ new: TrajectoryHeader) {
      header = new
      lengths = TrajectoryChunk.Lengths(new)
      valueNames =
        new.numbers.map { (TrajectoryRecord.key(number: $0), 1) }
        + new.parameters.map { ($0.name, $0.count) }
      summaryNames = new.summarized.map { ($0.name, TrajectoryHeader.summaryNames.count) }
      for parameter in new.parameters
      where !parameters.contains(where: { $0.name == parameter.name }) {
        parameters.append(parameter)
      }
      for parameter in new.summarized
      where !summarized.contains(where: { $0.name == parameter.name }) {
        summarized.append(parameter)
      }
    }
  }
}
