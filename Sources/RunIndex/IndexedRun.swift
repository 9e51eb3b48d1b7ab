// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
public import Foundation
public import RunRecords

/// A run as the index knows it: everything in its folder but the curves.
public struct IndexedRun: Codable, Equatable, Sendable {
  /// Where it lies, relative to the folder that was searched; `.` when that is the run.
  public var path: String
  /// The study it belongs to; nil: a run of its own.
  public var study: String?
  /// The variant in the study.
  public var variant: String?
  /// The arm in the study.
  public var arm: String?
  /// The base method's name: `optimizer.name`.
  public var method: String?
  /// What its seed is for; nil: a run of its own.
  public var seedPurpose: SeedPurpose?
  /// The seed of the initial weights.
  public var seed: Int?
  /// The seed of the order of the data.
  public var dataSeed: Int?
  /// Its length as a fraction of a full run; nil: a run of its own.
  public var horizon: Double?
  /// Whether it repeats to the end what a rule had stopped.
  public var isAudit: Bool
  /// What the study's protocol set.
  public var knobs: [String: KnobValue]
  /// `running`, `finished`, `interrupted`, `diverged`, `stopped`, `failed`; `killed` when it says running and nobody writes it.
  public var status: String
  /// Why it ended, in words.
  public var reason: String?
  /// The last validation loss in nats per token; nil when there is none or it is not finite.
  public var loss: Double?
  /// The validation loss before the first step.
  public var initialLoss: Double?
  /// Updates made.
  public var steps: Int
  /// Updates planned.
  public var plannedSteps: Int?
  /// Tokens trained on.
  public var tokens: Int?
  /// Seconds of training.
  public var seconds: Double?
  /// The hash of what has to be equal for two runs to be compared.
  public var contract: String?
  /// The revision of the code.
  public var revision: String?
  /// The processor it ran on.
  public var machine: String
  /// When its first session began.
  public var startTime: Date
  /// When it ended.
  public var endTime: Date?
  /// How often it was started or resumed.
  public var sessions: Int
  /// Every number that the outcome has, by name; those that are not finite are left out.
  public var numbers: [String: Double]
  /// Every key of the configuration with its value, as JSON would have it.
  public var configuration: [String: IndexedValue]

  /// Reads a run.
  ///
  /// - Parameters:
  ///   - folder: The folder of the run.
  ///   - path: What to call it.
  /// - Throws: `RunRecordError` or `ConfigurationError` when a file is missing or damaged.
  public init(folder: String, path: String) throws {
    let record = try RunRecord(path: folder)
    let configuration = try ResolvedConfiguration(json: record.configurationJSON)
    let outcome = record.outcome
    self.path = path
    study = record.trial?.study
    variant = record.trial?.point.variant
    arm = record.trial?.point.arm
    let seed = record.trial?.point.seed
    seedPurpose = seed?.purpose
    horizon = record.trial?.point.horizon
    isAudit = record.trial?.isAudit ?? false
    knobs = record.trial?.point.knobs ?? [:]
    revision = record.trial?.revision ?? record.machine.details["revision"]
    func integer(_ key: String) -> Int? {
      if case .integer(let value) = configuration[key]?.value { value } else { nil }
    }
    self.seed = seed?.initial ?? integer("training.seed")
    dataSeed = seed?.data ?? integer("training.data_seed")
    if case .string(let name) = configuration["optimizer.name"]?.value { method = name }
    plannedSteps = integer("training.steps")
    let isDead = outcome.status == .running && !RunFolder.isBeingWritten(folder)
    status = isDead ? Self.killed : outcome.status.rawValue
    reason = outcome.reason
    numbers = outcome.finalNumbers.filter { $0.value.isFinite }
    loss = numbers["validationLoss"]
    initialLoss = numbers["initialLoss"]
    tokens = numbers["tokens"].flatMap { Int(exactly: $0) }
    seconds = numbers["trainingSeconds"]
    steps = outcome.completedSteps
    contract = record.contract?.hash
    machine = record.machines.map(\.processor).withoutRepetitions.joined(separator: "; then ")
    startTime = outcome.startTime
    endTime = outcome.endTime
    sessions = outcome.sessionCount
    self.configuration = Dictionary(
      uniqueKeysWithValues: configuration.entries.compactMap { entry in
        entry.value.map { (entry.key, IndexedValue($0)) }
      })
  }

  /// The status of a run whose process has died.
  public static let killed = "killed"
  /// Every status that a run can have.
  public static let statuses = RunOutcome.Status.allCases.map(\.rawValue) + [killed]
}

/// A value of a configuration, as JSON has it.
public enum IndexedValue: Codable, Equatable, Sendable, CustomStringConvertible {
  /// `true` or `false`.
  case boolean(Bool)
  /// A whole number.
  case integer(Int)
  /// A finite number.
  case number(Double)
  /// A text; also numbers that are not finite.
  case text(String)
  /// Values in order.
  case array([IndexedValue])

  init(_ value: ConfigurationValue) {
    switch value {
    case .boolean(let boolean): self = .boolean(boolean)
    case .integer(let integer): self = .integer(integer)
    case .number(let number): self = number.isFinite ? .number(number) : .text(value.description)
    case .string(let text): self = .text(text)
    case .array(let values): self = .array(values.map(IndexedValue.init))
    }
  }

  /// Reads any of the kinds.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let boolean = try? container.decode(Bool.self) {
      self = .boolean(boolean)
    } else if let integer = try? container.decode(Int.self) {
      self = .integer(integer)
    } else if let number = try? container.decode(Double.self) {
      self = .number(number)
    } else if let text = try? container.decode(String.self) {
      self = .text(text)
    } else {
      self = .array(try container.decode([IndexedValue].self))
    }
  }

  /// Writes the value itself.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .boolean(let boolean): try container.encode(boolean)
    case .integer(let integer): try container.encode(integer)
    case .number(let number): try container.encode(number)
    case .text(let text): try container.encode(text)
    case .array(let values): try container.encode(values)
    }
  }

  /// The value without quotes.
  public var description: String {
    switch self {
    case .boolean(let boolean): "\(boolean)"
    case .integer(let integer): "\(integer)"
    case .number(let number): "\(number)"
    case .text(let text): text
    case .array(let values): "[" + values.map(\.description).joined(separator: ", ") + "]"
    }
  }
}

/// A run that the index leaves out, and why.
public struct DamagedRun: Codable, Equatable, Sendable {
  /// Where it lies, relative to the folder that was searched.
  public var path: String
  /// What is wrong with it.
  public var reason: String
}
