// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Rotary frequencies and the scale of attention that follow a window as it grows.
///
/// Peng et al., *YaRN: Efficient Context Window Extension of Large Language Models*, 2023 (https://arxiv.org/abs/2309.00071), in
/// the form of the NanoGPT speedrun (https://github.com/KellerJordan/modded-nanogpt, 2025). A head of width D has D / 2 pairs of
/// numbers; where positions are half truncated only half of the pairs rotate, and the frequency of the others is 0. With n that
/// rotate, for j = 0 ..< n, at the start:
///
///     f_j = base^(-j / (n - 1)),    s = 0.1
///
/// and whenever the window changes from o to w tokens:
///
///     r_j = o f_j / (2 pi)                            turns of pair j inside the window
///     k_j = (r_j - 1) / 31, within 0...1
///     f_j = f_j (o / w + k_j (1 - o / w)),    s = s (1 + 0.2 ln(w / o))
///
/// The value is cumulative: it follows from the windows that came before, in order, and from nothing else.
public struct YaRN: Equatable, Sendable {
  /// s before any change.
  public static let firstScale = 0.1
  /// The base of the frequencies when nobody says otherwise.
  public static let standardBase = 1024.0

  /// f_j in radians for each token: those that rotate, and zeros up to D / 2.
  public private(set) var frequencies: [Double]
  /// s, what the product of a query and a key is multiplied by before the softmax.
  public private(set) var attentionScale: Double

  private static let (fewestTurns, mostTurns, growth) = (1.0, 32.0, 0.2)

  /// The start, before any change of the window.
  ///
  /// - Parameters:
  ///   - headWidth: D, even and large enough that two pairs rotate.
  ///   - base: the lowest frequency is 1 / base; above 1.
  ///   - isHalfTruncated: whether only D / 4 of the pairs rotate; otherwise all D / 2.
  public init(headWidth: Int, base: Double = standardBase, isHalfTruncated: Bool = true) {
    let pairs = headWidth / 2
    let rotating = isHalfTruncated ? pairs / 2 : pairs
    precondition(
      rotating >= 2 && headWidth % 2 == 0 && base > 1, "head width \(headWidth), base \(base)")
    frequencies =
      (0..<rotating).map { pow(base, -Double($0) / Double(rotating - 1)) }
      + Array(repeating: 0, count: pairs - rotating)
    attentionScale = Self.firstScale
  }

  /// Follows a change of the window.
  ///
  /// - Parameters:
  ///   - old: o, the window before, in tokens that a query sees beside itself; above 0.
  ///   - new: w, the window after; equal to o: nothing changes.
  public mutating func changeWindow(from old: Double, to new: Double) {
    precondition(old > 0 && new > 0, "a window of \(old) tokens becomes one of \(new)")
    let ratio = old / new
    for index in frequencies.indices {
      let turns = old * frequencies[index] / (2 * .pi)
      let share = (turns - Self.fewestTurns) / (Self.mostTurns - Self.fewestTurns)
      frequencies[index] *= ratio + min(max(share, 0), 1) * (1 - ratio)
    }
    attentionScale *= 1 + Self.growth * log(new / old)
  }

  /// The value after a course of windows.
  ///
  /// - Parameters:
  ///   - headWidth: D.
  ///   - base: of the first frequencies.
  ///   - isHalfTruncated: whether only half of the pairs rotate.
  ///   - windows: in the order in which they hold, as configurations give them: keys that a query sees, itself included, so that one of
  ///     w reaches w - 1 tokens back; one of a single key counts as one that reaches back a token.
  public init(
    headWidth: Int, base: Double = standardBase, isHalfTruncated: Bool = true,
    after windows: some Sequence<Int>
  ) {
    self.init(headWidth: headWidth, base: base, isHalfTruncated: isHalfTruncated)
    var last: Int?
    for window in windows {
      let reach = max(1, window - 1)
      if let last, last != reach { changeWindow(from: Double(last), to: Double(reach)) }
      last = reach
    }
  }
}
