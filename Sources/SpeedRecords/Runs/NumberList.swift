// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Runs given as numbers on the command line, so that a published table can be checked without logs.
///
/// ```
/// 3.2762,3.2788,3.2773                       losses
/// 3.2762@124.252,3.2788@124.305              losses and seconds
/// @127.051,@127.139                          seconds alone
/// n:9,mean:3.27763,sd:0.00125,steps:2035     what a table says; also time and time_sd
/// ```
enum NumberList {
  /// Reads a list; nil when the text is none, and may be a path.
  ///
  /// - Throws: ``SpeedRecordError`` with code `malformed` when it begins as one and is wrong.
  static func set(_ text: String, name: String) throws(SpeedRecordError) -> RunSet? {
    if text.hasPrefix("n:") { return try printed(text, name: name) }
    let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(\.self)
    guard let first = parts.first, isNumber(first.split(separator: "@").first ?? "") else {
      return nil
    }
    var runs: [RecordedRun] = []
    for (index, part) in parts.enumerated() {
      runs.append(try run(String(part).trimmed, index: index, set: name))
    }
    return RunSet(name: name, runs: runs)
  }

  private static func isNumber(_ text: Substring) -> Bool { Double(String(text).trimmed) != nil }

  private static func run(
    _ text: String, index: Int, set: String
  ) throws(SpeedRecordError) -> RecordedRun {
    let parts = text.split(separator: "@", omittingEmptySubsequences: false).map(String.init)
    let loss = parts[0].isEmpty ? nil : Double(parts[0])
    let seconds = parts.count == 2 ? Double(parts[1]) : nil
    guard parts.count <= 2, loss != nil || (parts[0].isEmpty && seconds != nil),
      parts.count == 1 || seconds != nil
    else {
      throw SpeedRecordError(
        .malformed,
        "\(set): '\(text)' is no run; write LOSS, LOSS@SECONDS or @SECONDS, with commas between runs"
      )
    }
    var run = RecordedRun(
      name: "\(index + 1)", origin: .number, loss: loss, seconds: seconds)
    run.lossDecimals = decimals(parts[0])
    return run
  }

  private static func printed(
    _ text: String, name: String
  ) throws(SpeedRecordError) -> RunSet {
    var values: [String: String] = [:]
    for part in text.split(separator: ",") {
      let pair = part.split(separator: ":", maxSplits: 1).map { String($0).trimmed }
      guard pair.count == 2, keys.contains(pair[0]), Double(pair[1]) != nil else {
        throw SpeedRecordError(
          .malformed,
          "\(name): '\(part)' is none of \(keys.map { $0 + ":NUMBER" }.joined(separator: ", "))")
      }
      values[pair[0]] = pair[1]
    }
    return try printed(values, name: name)
  }

  static let keys = ["n", "mean", "sd", "time", "time_sd", "steps"]

  /// A row of a table: the texts of its numbers by the names of ``keys``, and where it stands.
  static func printed(
    _ values: [String: String], name: String, place: String? = nil
  ) throws(SpeedRecordError) -> RunSet {
    let place = place ?? name
    guard let count = values["n"].flatMap({ Int($0) }), RunSet.countRange.contains(count) else {
      throw SpeedRecordError(
        .malformed,
        "\(place): n is '\(values["n"] ?? "")'; give a whole number, 1 to \(RunSet.countRange.upperBound)"
      )
    }
    func number(_ key: String) throws(SpeedRecordError) -> Double? {
      guard let text = values[key] else { return nil }
      guard let number = Double(text), number.isFinite else {
        throw SpeedRecordError(.malformed, "\(place): \(key) is '\(text)'; give a number")
      }
      return number
    }
    func moments(
      _ mean: String, _ deviation: String
    ) throws(SpeedRecordError) -> RunSet.Printed.Moments? {
      let spread = try number(deviation)
      guard let middle = try number(mean) else {
        guard spread == nil else {
          throw SpeedRecordError(
            .malformed, "\(place): has \(deviation) without \(mean); give both")
        }
        return nil
      }
      return RunSet.Printed.Moments(
        mean: middle, meanDecimals: decimals(values[mean] ?? "") ?? 0, deviation: spread,
        deviationDecimals: decimals(values[deviation] ?? "") ?? 0)
    }
    let loss = try moments("mean", "sd")
    let seconds = try moments("time", "time_sd")
    let steps = values["steps"].flatMap { Int($0) }
    if let text = values["steps"], !(steps.map { RunSet.stepRange.contains($0) } ?? false) {
      throw SpeedRecordError(.malformed, "\(place): steps is '\(text)'; give a whole number")
    }
    guard loss != nil || seconds != nil else {
      throw SpeedRecordError(
        .malformed, "\(place): has neither mean nor time; write n:9,mean:3.27763,sd:0.00125")
    }
    for deviation in [loss?.deviation, seconds?.deviation] {
      if let deviation, !(deviation >= 0) {
        throw SpeedRecordError(.malformed, "\(place): a deviation is \(deviation); give 0 or more")
      }
    }
    return RunSet(
      name: name, printed: RunSet.Printed(count: count, loss: loss, seconds: seconds),
      steps: steps)
  }

  /// Digits after the point of a plain decimal; nil for anything else.
  static func decimals(_ text: String) -> Int? {
    guard !text.isEmpty, text.allSatisfy({ $0.isNumber || $0 == "." || $0 == "-" }) else {
      return nil
    }
    guard let point = text.firstIndex(of: ".") else { return 0 }
    return text.distance(from: point, to: text.endIndex) - 1
  }
}
