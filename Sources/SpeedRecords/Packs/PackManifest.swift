// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
public import Foundation
public import RunRecords

/// The file `record.json` of a pack: what was claimed, by which rules, from which files, with which numbers.
public struct PackManifest: Codable, Equatable, Sendable {
  /// A file of the pack.
  public struct File: Codable, Equatable, Sendable {
    /// The path inside the pack.
    public let path: String
    /// Its size.
    public let bytes: Int
    /// Its SHA-256 in hexadecimal.
    public let sha256: String
  }

  /// A source of runs inside the pack, or a run that is a number.
  public struct Source: Codable, Equatable, Sendable {
    /// The path inside the pack: the folder of a run, or a log; nil for numbers.
    public var path: String?
    /// The run itself, where there is no file.
    public var number: RecordedRun?
    /// Whether hyperparameters were chosen on its seed.
    public var isTunedOn = false
  }

  /// A set of runs.
  public struct Part: Codable, Equatable, Sendable {
    /// Its name.
    public var name: String
    /// Its sources, in order; empty where only a table is known.
    public var sources: [Source]
    /// The table; nil where the runs are known.
    public var printed: RunSet.Printed?
    /// Steps of a run, where only a table is known.
    public var printedSteps: Int?
    /// What was fixed beforehand.
    public var registration: Registration?
    /// The names of the seeds, in order; runs without one are left out.
    public var seeds: [RunSeed]
  }

  /// What steps are worth.
  public enum Exchange: Codable, Equatable, Sendable {
    /// Nobody said.
    case none
    /// Measured on two sets of the pack.
    case measured(String, String)
    /// A number, and whose it is.
    case given(perHundredSteps: Double, origin: String)
  }

  /// The version of the form.
  public private(set) var format = 1
  /// The name of the record.
  public var name: String
  /// When it was packed; whole seconds.
  public var createdAt: Date
  /// The program that packed it.
  public var program: String
  /// The revision of the code that packed it.
  public var revision: String
  /// The machine it was packed on; each run has its own in its files.
  public var machine: MachineRecord
  /// The baseline's name; nil: there is none.
  public var baseline: String?
  /// The sets that are compared, the baseline first.
  public var sets: [Part]
  /// Sets that only the exchange rate is measured on.
  public var exchangeSets: [Part]
  /// What steps are worth.
  public var exchange: Exchange
  /// The rules, but for the exchange rate.
  public var rules: RecordRules
  /// The step whose validation counts; nil: the last.
  public var step: Int?
  /// Every other file of the pack, sorted by path.
  public var files: [File]
  /// What was found.
  public var analysis: RecordAnalysis
  /// SHA-256 of the manifest itself with this field empty, in hexadecimal.
  public var hash = ""

  /// The hash that belongs into ``hash``.
  ///
  /// - Throws: An encoding error.
  public func ownHash() throws -> String {
    var copy = self
    copy.hash = ""
    return SHA256.hexadecimal(of: [UInt8](try PackJSON.data(copy)))
  }
}

/// JSON of packs: sorted keys, ISO 8601 dates, texts for numbers that are not finite.
enum PackJSON {
  static func data(_ value: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .iso8601
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return try encoder.encode(value)
  }

  /// What differs between two values, by their places in JSON; numbers may differ by rounding.
  static func differences(
    _ stored: some Encodable, _ computed: some Encodable
  ) throws -> [String] {
    let first = try JSONSerialization.jsonObject(with: data(stored), options: [.fragmentsAllowed])
    let second = try JSONSerialization.jsonObject(
      with: data(computed), options: [.fragmentsAllowed])
    var found: [String] = []
    compare(first, second, at: "", &found)
    return found
  }

  private static func compare(_ a: Any, _ b: Any, at place: String, _ found: inout [String]) {
    switch (a, b) {
    case (let a as [String: Any], let b as [String: Any]):
      for key in Set(a.keys).union(b.keys).sorted() {
        let inner = place.isEmpty ? key : place + "." + key
        switch (a[key], b[key]) {
        case (let x?, let y?): compare(x, y, at: inner, &found)
        case (.some, nil): found.append("\(inner) is stored, and the runs do not give it")
        case (nil, .some): found.append("\(inner) is missing, and the runs give it")
        case (nil, nil): break
        }
      }
    case (let a as [Any], let b as [Any]):
      if a.count != b.count {
        found.append("\(place) has \(a.count) entries, and the runs give \(b.count)")
      }
      for index in 0..<min(a.count, b.count) {
        compare(a[index], b[index], at: "\(place)[\(index)]", &found)
      }
    case (let a as NSNumber, let b as NSNumber):
      let (x, y) = (a.doubleValue, b.doubleValue)
      // Another machine's logarithms may differ in the last bits.
      if abs(x - y) > 1e-9 * max(abs(x), abs(y), 1e-3) {
        found.append("\(place) is stored as \(a), and the runs give \(b)")
      }
    case (let a as String, let b as String):
      if a != b { found.append("\(place) is stored as '\(a)', and the runs give '\(b)'") }
    default:
      if !(a is NSNull && b is NSNull) {
        found.append("\(place) is stored as \(a), and the runs give \(b)")
      }
    }
  }
}
