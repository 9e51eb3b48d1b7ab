// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Tells steps that are out of line with the recent ones: their loss or gradient norm is above mean + k standard deviations of a
/// window.
///
/// Every finite step enters the window, skipped or not, so that a lasting change of level ends the skipping. Nothing is
/// judged until the window is half full.
public struct SpikeGuard: Codable, Equatable, Sendable {
  /// Steps that are looked back on.
  public let window: Int
  /// k.
  public let deviations: Double
  private var losses: [Double] = []
  private var norms: [Double] = []

  /// Starts with an empty window.
  public init(window: Int, deviations: Double) {
    self.window = window
    self.deviations = deviations
  }

  /// What the next step's loss and gradient norm must not exceed: infinity where nothing is judged yet.
  ///
  /// Single precision, for the step's program takes the decision from the same numbers.
  public var limits: (loss: Float, gradientNorm: Float) { (limit(losses), limit(norms)) }

  /// Takes a step into the window, unless it is not finite.
  public mutating func take(loss: Double, gradientNorm: Double) {
    guard loss.isFinite, gradientNorm.isFinite else { return }
    losses.append(loss)
    norms.append(gradientNorm)
    if losses.count > window {
      losses.removeFirst()
      norms.removeFirst()
    }
  }

  /// mean + k sd of at least half a window (sd with n - 1).
  private func limit(_ recent: [Double]) -> Float {
    guard recent.count >= max(2, window / 2) else { return .infinity }
    let count = Double(recent.count)
    let mean = recent.reduce(0, +) / count
    let squares = recent.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return Float(mean + deviations * (squares / (count - 1)).squareRoot())
  }
}
