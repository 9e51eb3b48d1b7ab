// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// The seeds of a run: two runs of one recipe with the same seeds are the same run.
public struct RunSeed: Codable, Hashable, Sendable, CustomStringConvertible {
  /// Of the initial weights.
  public var initial: Int
  /// Of the order of the data.
  public var data: Int

  /// Names seeds.
  ///
  /// - Parameters:
  ///   - initial: Of the initial weights.
  ///   - data: Of the order of the data; the same unless given.
  public init(_ initial: Int, data: Int? = nil) {
    self.initial = initial
    self.data = data ?? initial
  }

  /// One number where both are the same: `7`, else `7/9`.
  public var description: String { initial == data ? "\(initial)" : "\(initial)/\(data)" }
}

/// One run as far as a record needs it, wherever it was read.
public struct RecordedRun: Codable, Equatable, Sendable {
  /// Where a run was read.
  public enum Origin: String, Codable, CaseIterable, Sendable {
    /// The folder of one of Assay's runs.
    case assay
    /// A log of the speedrun.
    case log
    /// A number somebody gave.
    case number
  }

  /// A validation on the way.
  public struct CurvePoint: Codable, Equatable, Sendable {
    /// Optimizer steps done.
    public var step: Int
    /// Nats per token.
    public var loss: Double

    /// Makes a point.
    public init(step: Int, loss: Double) {
      self.step = step
      self.loss = loss
    }
  }

  /// The name in tables: the file's or folder's, or the number's place.
  public var name: String
  /// Where it was read.
  public var origin: Origin
  /// The file or folder; nil for numbers.
  public var path: String?
  /// Its seeds; nil where they are not known, as in the speedrun's logs.
  public var seed: RunSeed?
  /// Whether its seed took part in choosing hyperparameters.
  public var isTunedOn = false
  /// The last validation loss, in nats per token; NaN or infinite when it diverged, nil when nobody told it.
  public var loss: Double?
  /// Digits after the point that the loss was printed with; nil: all.
  public var lossDecimals: Int?
  /// Training time in seconds, without validation; nil when nobody told it.
  public var seconds: Double?
  /// Optimizer steps before that validation.
  public var steps: Int?
  /// Steps that the run was planned with.
  public var plannedSteps: Int?
  /// Validations in order, the last one too.
  public var curve: [CurvePoint] = []
  /// The machine in words; nil when it is not known.
  public var machine: String?
  /// A hash of everything that defines the run but its seeds: the configuration, or the source text.
  public var recipe: String?
  /// What the loss was measured on, as the contract of Assay's runs has it; nil when it is not known.
  public var evaluation: String?
  /// A hash of the file it was read from; nil for numbers.
  public var checksum: String?
  /// What was fixed beforehand.
  public var registration: Registration?
  /// What else a reader should know, in words.
  public var note: String?

  /// Describes a run by what is known at least.
  ///
  /// - Parameters:
  ///   - name: The name in tables.
  ///   - origin: Where it was read.
  ///   - loss: The last validation loss, in nats per token.
  ///   - seconds: Training time in seconds.
  ///   - steps: Optimizer steps.
  ///   - seed: Its seeds.
  public init(
    name: String, origin: Origin, loss: Double?, seconds: Double? = nil, steps: Int? = nil,
    seed: RunSeed? = nil
  ) {
    self.name = name
    self.origin = origin
    self.loss = loss
    self.seconds = seconds
    self.steps = steps
    self.seed = seed
  }

  /// Whether the loss is a number to reckon with.
  public var hasFiniteLoss: Bool { loss?.isFinite ?? false }
}
