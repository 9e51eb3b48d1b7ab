// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// The names of numbers that runs record and that can be asked for afterwards, so that a wrong name is found before it is waited for.
public enum RecordedNumbers {
  /// What is told of the effective learning rates of one role.
  ///
  /// `spread` is log10(q90 / q10), in decades.
  public static let effectiveRateStatistics = LogQuantiles.names + ["spread", "frequencySlope"]

  /// Names of effective learning rates, those of one role beside each other.
  public static let effectiveRates = ParameterRole.allCases.flatMap { role in
    effectiveRateStatistics.map { effectiveRate(role, $0) }
  }

  /// Numbers that stand in the outcome of a run that has ended.
  public static let final = [
    "validationLoss", "bitsPerByte", "evaluatedTokens", "initialLoss", "tokens", "chargedTokens",
    "gradientEvaluations", "skippedSteps", "parameters", "optimizerStateBytes", "trainingFLOPs",
    "trainingSeconds", "peakBytes", "optimizerMilliseconds", "forwardBackwardMilliseconds",
  ]

  /// The name of a statistic of a role's effective learning rates.
  public static func effectiveRate(_ role: ParameterRole, _ statistic: String) -> String {
    "effectiveRate.\(role.rawValue).\(statistic)"
  }
}
