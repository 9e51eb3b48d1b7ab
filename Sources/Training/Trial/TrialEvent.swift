// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
public import RunRecords

/// What a run tells another program while it goes on: one JSON object a line, with its kind under `event`.
///
///     {"event":"started","firstStep":0,"steps":150}
///     {"event":"step","loss":5.12,"secondsLeft":3.1,"step":12,"steps":150,"tokensPerSecond":61000}
///     {"event":"evaluation","step":25,"validationLoss":4.8}
///     {"event":"warning","message":"..."}
///     {"event":"ended","completedSteps":150,"status":"finished","validationLoss":3.9}
///
/// Losses that are not finite are the texts `nan`, `inf` and `-inf`.
public enum TrialEvent: Equatable, Sendable {
  /// Everything is ready and the first step comes next: steps done in earlier sessions, and steps of the whole run.
  case started(firstStep: Int, steps: Int)
  /// Steps are done.
  case step(Step)
  /// The validation loss was measured, in nats for each token.
  case evaluation(step: Int, validationLoss: Double)
  /// Something that somebody should know, though the run goes on.
  case warning(String)
  /// The run is over.
  case ended(End)

  /// How far a run has come.
  public struct Step: Codable, Equatable, Sendable {
    /// Steps done, of all sessions.
    public let step: Int
    /// Steps of the whole run.
    public let steps: Int
    /// The training loss of the last one.
    public let loss: Double
    /// Targets for each second of it.
    public let tokensPerSecond: Double
    /// Estimate for the steps that remain.
    public let secondsLeft: Double

    /// Describes a state.
    public init(
      step: Int, steps: Int, loss: Double, tokensPerSecond: Double, secondsLeft: Double
    ) {
      self.step = step
      self.steps = steps
      self.loss = loss
      self.tokensPerSecond = tokensPerSecond
      self.secondsLeft = secondsLeft
    }
  }

  /// How a run ended.
  public struct End: Codable, Equatable, Sendable {
    /// As `outcome.json` says it.
    public let status: RunOutcome.Status
    /// Why, in words; nil when finished.
    public let reason: String?
    /// Steps done.
    public let completedSteps: Int
    /// The last validation loss; nil when there was none.
    public let validationLoss: Double?

    /// Describes an end.
    public init(
      status: RunOutcome.Status, reason: String? = nil, completedSteps: Int = 0,
      validationLoss: Double? = nil
    ) {
      self.status = status
      self.reason = reason
      self.completedSteps = completedSteps
      self.validationLoss = validationLoss
    }
  }

  /// The event as one line of JSON, without a newline.
  public var line: String { TrialLine(self).text }

  /// Reads ``line``; nil when the text is none.
  public init?(line: some StringProtocol) {
    guard let event = TrialLine(line)?.event else { return nil }
    self = event
  }
}

/// An event and the trial that it happened to: where several trials share a process, each line names its trial under `trial`.
public struct TrialLine: Equatable, Sendable {
  /// What happened.
  public let event: TrialEvent
  /// The name of the trial's folder; nil: the only one of its process.
  public let trial: String?

  /// Says to which trial something happened.
  public init(_ event: TrialEvent, of trial: String? = nil) {
    self.event = event
    self.trial = trial
  }

  /// One line of JSON, without a newline.
  public var text: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    guard let data = try? encoder.encode(self) else {
      preconditionFailure("an event of numbers and texts is always JSON: \(self)")
    }
    return String(decoding: data, as: UTF8.self)
  }

  /// Reads ``text``; nil when it is none.
  public init?(_ text: some StringProtocol) {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    guard let line = try? decoder.decode(TrialLine.self, from: Data(text.utf8)) else { return nil }
    self = line
  }
}

extension TrialLine: Codable {
  private enum CodingKeys: String, CodingKey { case trial }

  /// Reads an event and its trial.
  ///
  /// - Throws: a decoding error.
  public init(from decoder: any Decoder) throws {
    event = try TrialEvent(from: decoder)
    trial = try decoder.container(keyedBy: CodingKeys.self).decodeIfPresent(
      String.self, forKey: .trial)
  }

  /// Writes an event and its trial.
  ///
  /// - Throws: an encoding error.
  public func encode(to encoder: any Encoder) throws {
    try event.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encodeIfPresent(trial, forKey: .trial)
  }
}

extension TrialEvent: Codable {
  private enum Kind: String, Codable { case started, step, evaluation, warning, ended }
  private enum CodingKeys: String, CodingKey {
    case event, firstStep, steps, step, validationLoss, message
  }

  /// Reads an event.
  ///
  /// - Throws: a decoding error.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    switch try container.decode(Kind.self, forKey: .event) {
    case .started:
      self = .started(
        firstStep: try container.decode(Int.self, forKey: .firstStep),
        steps: try container.decode(Int.self, forKey: .steps))
    case .step: self = .step(try Step(from: decoder))
    case .evaluation:
      self = .evaluation(
        step: try container.decode(Int.self, forKey: .step),
        validationLoss: try container.decode(Double.self, forKey: .validationLoss))
    case .warning: self = .warning(try container.decode(String.self, forKey: .message))
    case .ended: self = .ended(try End(from: decoder))
    }
  }

  /// Writes an event.
  ///
  /// - Throws: an encoding error.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .started(let firstStep, let steps):
      try container.encode(Kind.started, forKey: .event)
      try container.encode(firstStep, forKey: .firstStep)
      try container.encode(steps, forKey: .steps)
    case .step(let step):
      try container.encode(Kind.step, forKey: .event)
      try step.encode(to: encoder)
    case .evaluation(let step, let loss):
      try container.encode(Kind.evaluation, forKey: .event)
      try container.encode(step, forKey: .step)
      try container.encode(loss, forKey: .validationLoss)
    case .warning(let message):
      try container.encode(Kind.warning, forKey: .event)
      try container.encode(message, forKey: .message)
    case .ended(let end):
      try container.encode(Kind.ended, forKey: .event)
      try end.encode(to: encoder)
    }
  }
}
