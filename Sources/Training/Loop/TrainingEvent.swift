// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import LanguageModels
public import RunRecords
public import TensorGraph

/// How a run ended.
public enum TrainingOutcome: String, Codable, Sendable, CaseIterable {
  /// All steps are done.
  case finished
  /// Too many steps in a row were not finite, or the validation loss was not, or it stayed above a limit; weights are those
  /// of the last update.
  case diverged
  /// Somebody asked for the end; a checkpoint was saved, and the same command goes on.
  case interrupted
  /// A rule of its study asked for the end; a checkpoint was saved, and the same command goes on.
  case stopped

  /// How the run's record calls it.
  public var status: RunOutcome.Status {
    switch self {
    case .finished: .finished
    case .diverged: .diverged
    case .interrupted: .interrupted
    case .stopped: .stopped
    }
  }

  /// The exit code of a command that ends this way: 0 finished, 3 diverged, 4 interrupted or stopped.
  public var exitCode: Int32 {
    switch self {
    case .finished: 0
    case .diverged: 3
    case .interrupted, .stopped: 4
    }
  }
}

/// What happens in a run, as it happens.
public enum TrainingEvent: Sendable {
  /// Everything is ready and the first step comes next.
  case started(TrainingStart)
  /// A step is done.
  case step(StepReport)
  /// The validation loss was measured.
  case evaluation(EvaluationReport)
  /// Weight norms and update sizes were measured.
  case statistics(step: Int, [ParameterRole: WeightStatistics.Measurement])
  /// Effective learning rates were measured.
  case effectiveRates(step: Int, [ParameterRole: EffectiveRates.Measurement])
  /// A checkpoint was saved.
  case checkpoint(step: Int, folder: String)
  /// Something that somebody should know, though the run goes on.
  case warning(String)
  /// The run is over.
  case ended(TrainingSummary)
}

/// What a run starts from.
public struct TrainingStart: Sendable {
  /// The run's folder.
  public let folder: String
  /// The runtime, for example `cpu: 2 threads, avx512`.
  public let runtime: String
  /// What products are computed in.
  public let precision: Precision
  /// All trained numbers.
  public let parameters: Int
  /// All but token table and head.
  public let nonEmbeddingParameters: Int
  /// Tokens of one step.
  public let batchTokens: Int
  /// Steps of the whole run.
  public let steps: Int
  /// Steps done in earlier sessions; 0 for a new run.
  public let firstStep: Int
  /// Targets of an evaluation.
  public let validationTokens: Int
}

/// One step.
public struct StepReport: Sendable {
  /// Zero-based.
  public let step: Int
  /// Steps of the whole run.
  public let steps: Int
  /// Targets that counted so far, this step included.
  public let tokens: Int
  /// The training loss, z-loss included.
  public let loss: Double
  /// Cross-entropy in nats for each token.
  public let crossEntropy: Double
  /// The learning rate in force.
  public let learningRate: Double
  /// The global gradient norm before clipping.
  public let gradientNorm: Double
  /// Why weights and state were left alone; nil: they were updated.
  public let skip: TrainingStep.Skip?
  /// Gradients evaluated so far, extra ones included.
  public let gradientEvaluations: Int
  /// Targets of all gradient evaluations so far.
  public let chargedTokens: Int
  /// Targets that counted, for each second of the step.
  public let tokensPerSecond: Double
  /// Time of forward and backward passes, in milliseconds.
  public let forwardBackwardMilliseconds: Double
  /// Time of clipping and update, in milliseconds.
  public let optimizerMilliseconds: Double
  /// The most bytes of tensors held at once so far.
  public let peakBytes: Int
  /// Estimate for the steps that remain, from recent steps; evaluations not counted.
  public let secondsLeft: Double

  /// Whether weights and state were left alone.
  public var isSkipped: Bool { skip != nil }
}

/// One evaluation.
public struct EvaluationReport: Codable, Equatable, Sendable {
  /// Steps done before it.
  public let step: Int
  /// Targets trained on before it.
  public let tokens: Int
  /// Cross-entropy in nats for each token, without auxiliary losses.
  public let loss: Double
  /// The same in bits for each byte of text; nil when the data set does not know its bytes.
  public let bitsPerByte: Double?
  /// Tokens that counted.
  public let evaluatedTokens: Int
  /// How long it took.
  public let seconds: Double
}

/// A run that is over.
public struct TrainingSummary: Sendable {
  /// How it ended.
  public let outcome: TrainingOutcome
  /// Why, in words; nil when finished.
  public let reason: String?
  /// The run's folder.
  public let folder: String
  /// How far it came.
  public let progress: TrainingProgress
  /// The last evaluation.
  public let evaluation: EvaluationReport?
  /// Where the weights are; nil when none were saved.
  public let checkpoint: String?
}
