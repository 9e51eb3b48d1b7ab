// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The way from one value to another, as the share of it that is left: 1 at the start, 0 at the end.
///
/// `z` is the progress, from 0 to 1. The way may lead down, as a learning rate's does, or up.
public enum ScheduleShape: Codable, Equatable, Sendable {
  /// `1 - z`.
  case linear

  /// `(1 + cos(pi z)) / 2` (Loshchilov and Hutter, 2017, https://arxiv.org/abs/1608.03983).
  case cosine

  /// `1 - sqrt(z)`: steep first, flat at the end (Haegele et al., 2024, https://arxiv.org/abs/2405.18392).
  ///
  /// Not `sqrt(1 - z)`, which is flat first and falls like a stone: that is ``polynomial(power:)`` with power 1/2.
  case squareRoot

  /// `(1 - z)^power`: above 1 steep first, below 1 steep at the end, 1 is ``linear``.
  case polynomial(power: Double)

  /// `(1 - z) / (1/2 + (1 - z) / 2)` (Chen et al., 2022, https://arxiv.org/abs/2107.04197).
  case rex

  /// The share of the way that is left.
  ///
  /// - Parameters:
  ///   - elapsed: steps since the start, from 0 to `length`; not necessarily whole.
  ///   - length: steps from start to end, above 0.
  /// - Returns: 1 at 0 steps, 0 at `length` steps, and nothing outside of 0...1 in between.
  public func remaining(after elapsed: Double, of length: Double) -> Double {
    let left = (length - elapsed) / length
    switch self {
    case .linear: return left
    case .cosine: return 0.5 * (1 + cos(Double.pi * elapsed / length))
    case .squareRoot: return 1 - (elapsed / length).squareRoot()
    case .polynomial(let power): return pow(left, power)
    case .rex: return left / (0.5 + 0.5 * left)
    }
  }

  /// The name of a stage that has this shape.
  public var name: String {
    switch self {
    case .linear: "linear"
    case .cosine: "cosine"
    case .squareRoot: "square-root"
    case .polynomial: "polynomial"
    case .rex: "rex"
    }
  }

  /// Checks the numbers of the shape.
  ///
  /// - Throws: ``ScheduleError`` when a power is not finite or not above 0.
  func validate(stage name: String) throws(ScheduleError) {
    guard case .polynomial(let power) = self else { return }
    guard power.isFinite, power > 0 else {
      throw ScheduleError(
        .invalidValue,
        "schedule stage '\(name)' is a polynomial of power \(power); give a finite one above 0")
    }
  }
}
