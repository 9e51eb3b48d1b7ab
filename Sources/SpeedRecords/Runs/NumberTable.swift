// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Runs as a CSV file: one line a run, or one line a set.
///
/// ```
/// set,loss,seconds,steps,seed,tuned          one line a run; loss or seconds are enough
/// A,3.2762,124.252,2035,,
///
/// set,n,mean,sd,time,time_sd,steps           one line a set, as a table says it
/// A,5,3.2785,0.0021,124.36,0.15,2035
/// ```
///
/// Empty cells are not known. Lines that begin with `#` are comments; `# preregistered: ...` counts for all sets.
enum NumberTable {
  private static let runColumns = ["set", "name", "loss", "seconds", "steps", "seed", "tuned"]
  private static let setColumns = ["set"] + NumberList.keys

  /// Reads a file into sets, in the order of their first lines.
  ///
  /// - Throws: ``SpeedRecordError`` with file, line and remedy.
  static func sets(_ path: String, name: String) throws(SpeedRecordError) -> [RunSet] {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw SpeedRecordError(.unreadable, "\(path): cannot be read; check the path")
    }
    let text = String(decoding: data, as: UTF8.self)
    var columns: [String]?
    var sets: [RunSet] = []
    var registration: Registration?
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .enumerated()
    {
      let place = "\(path):\(index + 1)"
      let bare = String(line).trimmed
      if bare.isEmpty { continue }
      if bare.hasPrefix("#") {
        registration = registration ?? Registration(line: bare, origin: path)
        continue
      }
      let cells = bare.split(separator: ",", omittingEmptySubsequences: false).map {
        String($0).trimmed
      }
      guard let known = columns else {
        columns = try title(cells, place)
        continue
      }
      guard cells.count == known.count else {
        throw SpeedRecordError(
          .malformed, "\(place): \(cells.count) cells under \(known.count) columns; give as many")
      }
      var values: [String: String] = [:]
      for (column, cell) in zip(known, cells) where !cell.isEmpty { values[column] = cell }
      let owner = values["set"] ?? name
      if known.contains("n") {
        var set = try NumberList.printed(values, name: owner, place: place)
        set.registration = registration
        sets.append(set)
        continue
      }
      let run = try run(values, place, index)
      if let at = sets.firstIndex(where: { $0.name == owner }) {
        sets[at].runs.append(run)
      } else {
        sets.append(RunSet(name: owner, runs: [run], registration: registration))
      }
    }
    guard !sets.isEmpty else {
      throw SpeedRecordError(
        .malformed, "\(path): has no runs; give a line of titles and one line for each run or set")
    }
    return sets
  }

  private static func title(_ cells: [String], _ place: String) throws(SpeedRecordError) -> [String]
  {
    let names = cells.map { $0.lowercased() }
    let known = names.contains("n") ? setColumns : runColumns
    if let other = names.first(where: { !known.contains($0) }) {
      throw SpeedRecordError(
        .malformed,
        "\(place): '\(other)' is no column; there are \(known.joined(separator: ", "))")
    }
    guard names.contains("loss") || names.contains("seconds") || names.contains("n") else {
      throw SpeedRecordError(
        .malformed, "\(place): the first line has to name the columns, with loss or n among them")
    }
    return names
  }

  private static func run(
    _ values: [String: String], _ place: String, _ index: Int
  ) throws(SpeedRecordError) -> RecordedRun {
    func number(_ column: String) throws(SpeedRecordError) -> Double? {
      guard let text = values[column] else { return nil }
      guard let number = Double(text) else {
        throw SpeedRecordError(.malformed, "\(place): \(column) is '\(text)'; give a number")
      }
      return number
    }
    func whole(_ column: String) throws(SpeedRecordError) -> Int? {
      guard let text = values[column] else { return nil }
      guard let number = Int(text) else {
        throw SpeedRecordError(.malformed, "\(place): \(column) is '\(text)'; give a whole number")
      }
      return number
    }
    var run = RecordedRun(
      name: values["name"] ?? "line \(index + 1)", origin: .number, loss: try number("loss"),
      seconds: try number("seconds"), steps: try whole("steps"),
      seed: try whole("seed").map { RunSeed($0) })
    guard run.loss != nil || run.seconds != nil else {
      throw SpeedRecordError(.malformed, "\(place): has neither loss nor seconds; give one")
    }
    run.lossDecimals = values["loss"].flatMap { NumberList.decimals($0) }
    if let steps = run.steps, !RunSet.stepRange.contains(steps) {
      throw SpeedRecordError(.malformed, "\(place): steps is '\(steps)'; give a number from 0")
    }
    switch values["tuned"]?.lowercased() {
    case nil, "no", "false", "0": break
    case "yes", "true", "1": run.isTunedOn = true
    default:
      throw SpeedRecordError(
        .malformed, "\(place): tuned is '\(values["tuned"] ?? "")'; give yes or no")
    }
    return run
  }
}
