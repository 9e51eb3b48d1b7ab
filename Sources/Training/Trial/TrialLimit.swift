// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A validation loss above which a run of a study is stopped, fixed before it starts.
public struct TrialLimit: Codable, Equatable, Sendable {
  /// The step of the evaluation: updates made before it.
  public let step: Int
  /// The highest loss that goes on, in nats per token.
  public let loss: Double

  /// Sets a limit.
  public init(step: Int, loss: Double) {
    self.step = step
    self.loss = loss
  }
}
