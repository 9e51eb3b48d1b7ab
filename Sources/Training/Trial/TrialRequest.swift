// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import Configurations
public import Foundation
public import RunRecords

/// What a study tells the process that runs one of its trials: one JSON object on standard input.
///
///     {"layers": [{"label": "preset quickstart", "text": "..."}], "overrides": ["optimizer.learning_rate=0.01"],
///      "folder": "studies/quickstart/trials/main.adamw.0123456789ab", "trial": {...}, "threads": 1}
public struct TrialRequest: Codable, Equatable, Sendable {
  /// One text of which the configuration is made; a later layer replaces keys of earlier ones.
  public struct Layer: Codable, Equatable, Sendable {
    /// Where it comes from, as origins show it: `preset NAME`, `file NAME` or `study PART`.
    public let label: String
    /// TOML.
    public let text: String

    /// Names a text.
    public init(label: String, text: String) {
      self.label = label
      self.text = text
    }
  }

  /// The texts of the configuration, the base first.
  public let layers: [Layer]
  /// Keys on top of them, `section.key=value`.
  public let overrides: [String]
  /// The folder of the run.
  public let folder: String
  /// Which trial of the study it is.
  public let trial: TrialRecord
  /// Threads of the run; 0: one for every core.
  public let threads: Int
  /// Validation losses above which it is stopped; nil: none.
  public let limits: [TrialLimit]?

  /// Describes a trial's run.
  public init(
    layers: [Layer], overrides: [String] = [], folder: String, trial: TrialRecord, threads: Int = 1,
    limits: [TrialLimit]? = nil
  ) {
    self.layers = layers
    self.overrides = overrides
    self.folder = folder
    self.trial = trial
    self.threads = threads
    self.limits = limits
  }

  /// Reads what a process is asked: one trial, or a list of trials that share programs.
  ///
  /// - Throws: ``TrainingError`` with code `request` when it is neither, or the list is empty.
  public static func all(json: Data) throws(TrainingError) -> [TrialRequest] {
    let first = json.first { !($0 == 0x20 || (0x09...0x0D).contains($0)) }
    guard first == UInt8(ascii: "[") else { return [try TrialRequest(json: json)] }
    let requests: [TrialRequest]
    do {
      requests = try JSONDecoder().decode([TrialRequest].self, from: json)
    } catch {
      throw TrainingError(
        .request, "standard input is not a list of trials: \(error); give trials as JSON")
    }
    guard !requests.isEmpty else {
      throw TrainingError(.request, "standard input is an empty list; give at least one trial")
    }
    return requests
  }

  /// Trials as the process that runs them together reads them.
  ///
  /// - Throws: an encoding error.
  public static func json(_ requests: [TrialRequest]) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return requests.count == 1 ? try requests[0].json : try encoder.encode(requests)
  }

  /// Reads what ``json`` gave.
  ///
  /// - Throws: ``TrainingError`` with code `request` when it is not such an object, naming the place.
  public init(json: Data) throws(TrainingError) {
    do {
      self = try JSONDecoder().decode(TrialRequest.self, from: json)
    } catch let DecodingError.keyNotFound(key, context) {
      let path = (context.codingPath + [key]).map(\.stringValue).joined(separator: ".")
      throw TrainingError(.request, "standard input has no '\(path)'; give one trial as JSON")
    } catch {
      throw TrainingError(
        .request, "standard input is not a trial of a study: \(error); give one trial as JSON")
    }
  }

  /// The request as JSON.
  public var json: Data {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      return try encoder.encode(self)
    }
  }

  /// The configuration's texts with the overrides, folder and, where the device has a number of them, threads on top.
  ///
  /// - Throws: `ConfigurationError` when a text is not TOML or an override is malformed.
  public func source() throws(ConfigurationError) -> ConfigurationSource {
    var source = ConfigurationSource()
    for layer in layers { try source.add(layer: layer.label, text: layer.text) }
    try source.add(overrides: overrides)
    try source.add(overrides: ["run.folder=" + folder])
    if source.text("machine.device").map({ $0 == MachineSettings.cpu }) ?? true {
      try source.add(overrides: ["machine.threads=\(threads)"])
    }
    return source
  }
}
