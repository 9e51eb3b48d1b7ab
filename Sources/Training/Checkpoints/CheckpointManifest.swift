// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TensorFiles

/// How far a run has come.
public struct TrainingProgress: Codable, Equatable, Sendable {
  /// Steps done, skipped ones included; also the index of the next step.
  public var step = 0
  /// Updates made: steps that were not skipped.
  public var updates = 0
  /// Steps whose loss or gradients were not finite, or out of line.
  public var skippedSteps = 0
  /// Skipped steps since the last update.
  public var consecutiveSkips = 0
  /// Targets that counted, over all steps.
  public var tokens = 0
  /// Gradients evaluated, each over the batch of a step; extra ones included.
  public var gradientEvaluations = 0
  /// Targets of all gradient evaluations: what a method is charged with.
  public var chargedTokens = 0
  /// Seconds of training steps, over all sessions.
  public var seconds = 0.0
  /// The first validation loss; nil before it was measured.
  public var initialLoss: Double?
  /// Evaluations in a row, after the warm-up, whose loss was above the limit for divergence.
  public var evaluationsAboveLimit = 0

  /// The start of a run.
  public init() {}
}

/// How long the records of a run were at some time, in bytes.
public struct RecordBytes: Codable, Equatable, Sendable {
  /// Of `metrics.jsonl`.
  public var metrics = 0
  /// Of `timings.jsonl`.
  public var timings = 0
  /// Of `trajectories.bin`; nil when there was none.
  public var trajectories: Int?

  /// The start of a run.
  public init() {}
}

/// The small file beside a checkpoint's tensors: what they belong to, and how to know that they are whole.
public struct CheckpointManifest: Codable, Equatable, Sendable {
  /// The only format so far.
  public static let currentFormat = 3

  /// The format of the folder.
  public var format = Self.currentFormat
  /// Whether all of the optimizer's state is there, or only what evaluation reads.
  public var isComplete = true
  /// How far the run had come.
  public var progress: TrainingProgress
  /// How far the optimizer's groups had come.
  public var stepState: TrainingStep.State
  /// The last evaluation before it.
  public var evaluation: EvaluationReport?
  /// `TrainingConfiguration.identity`.
  public var configurationIdentity: String
  /// What products were computed in.
  public var precision: Precision
  /// Where the next batch comes from, as the data source wrote it.
  public var dataPosition: String
  /// The identity of the data set.
  public var dataFingerprint: String
  /// The checksum of the file of first weights; nil when they came from the seed.
  public var initialWeights: String?
  /// Bytes of metrics and timings written before it; what follows is written again when the run goes on from here.
  public var records: RecordBytes
  /// Bytes of the tensor file.
  public var tensorBytes: Int
  /// Checksum of the tensor file.
  public var tensorChecksum: String
  /// Checksum of this manifest with this field empty.
  public var manifestChecksum = ""

  /// The file's text; sets the checksum.
  func encoded() throws -> Data {
    var copy = self
    copy.manifestChecksum = try checksum()
    return try Self.encoder.encode(copy)
  }

  /// Reads and checks the file's text.
  init(_ data: Data, path: String) throws {
    do {
      let decoder = JSONDecoder()
      decoder.nonConformingFloatDecodingStrategy = .convertFromString(
        positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
      self = try decoder.decode(CheckpointManifest.self, from: data)
    } catch {
      throw TrainingError(.checkpoint, "\(path) is truncated or altered: it cannot be decoded")
    }
    guard format == Self.currentFormat else {
      throw TrainingError(
        .checkpoint, "\(path) has format \(format), but this version reads \(Self.currentFormat)")
    }
    guard try manifestChecksum == checksum() else {
      throw TrainingError(
        .checkpoint, "\(path) was altered: its checksum does not fit its contents")
    }
  }

  init(
    progress: TrainingProgress, stepState: TrainingStep.State, evaluation: EvaluationReport?,
    configurationIdentity: String, precision: Precision,
    dataPosition: String, dataFingerprint: String, initialWeights: String?,
    records: RecordBytes, tensorBytes: Int, tensorChecksum: String
  ) {
    self.progress = progress
    self.stepState = stepState
    self.evaluation = evaluation
    self.configurationIdentity = configurationIdentity
    self.precision = precision
    self.dataPosition = dataPosition
    self.dataFingerprint = dataFingerprint
    self.initialWeights = initialWeights
    self.records = records
    self.tensorBytes = tensorBytes
    self.tensorChecksum = tensorChecksum
  }

  /// Refuses a checkpoint that another run wrote.
  func check(
    _ configuration: TrainingConfiguration, precision: Precision, fingerprint: String,
    initialWeights: String?
  ) throws {
    func refuse(_ what: String, _ code: TrainingError.Code = .checkpoint) -> TrainingError {
      TrainingError(
        code,
        "the checkpoint of step \(progress.step) in \(configuration.run.folder) \(what); choose another run.folder to "
          + "start a new run")
    }
    guard configurationIdentity == configuration.identity else {
      throw refuse("belongs to another configuration", .runFolder)
    }
    guard self.precision == precision else {
      throw refuse(
        "was made with precision \(self.precision.rawValue), not \(precision.rawValue): set machine.precision = "
          + "\"\(self.precision.rawValue)\" to go on")
    }
    guard dataFingerprint == fingerprint else {
      throw refuse("belongs to other data than \(configuration.data.path) now holds")
    }
    guard initialWeights == nil || initialWeights == self.initialWeights else {
      throw refuse("began from other initial weights")
    }
  }

  private func checksum() throws -> String {
    var copy = self
    copy.manifestChecksum = ""
    var checksum = FileChecksum()
    try Self.encoder.encode(copy).withUnsafeBytes { checksum.update($0) }
    return checksum.hexadecimal
  }

  private static var encoder: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return encoder
  }
}
