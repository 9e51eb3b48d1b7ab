// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// What surrounds a method, as functions of arrays.
enum WrapperReference {
  /// The entries of a step whose sign agrees with the gradient's (Liang et al., 2024); others are zero.
  ///
  /// Rescaled: divided by the share of entries that agree, at least a thousandth.
  static func cautious(_ step: [Double], gradient: [Double], isRescaled: Bool) -> [Double] {
    var agreeing = 0
    for i in step.indices where step[i] * gradient[i] > 0 { agreeing += 1 }
    let share = Double(agreeing) / Double(step.count)
    let factor = isRescaled ? 1 / max(share, 1e-3) : 1
    return step.indices.map { step[$0] * gradient[$0] > 0 ? step[$0] * factor : 0 }
  }

  /// w - [step w >= 0] decay w - step; strict: [step w > 0].
  static func cautiousDecay(
    _ weights: [Double], step: [Double], decay: Double, isStrict: Bool
  ) -> [Double] {
    weights.indices.map { i in
      let product = step[i] * weights[i]
      let decays = isStrict ? product > 0 : product >= 0
      return weights[i] - (decays ? decay * weights[i] : 0) - step[i]
    }
  }

  /// The share of a weight that decay takes: lr wd, or lr^2 wd.
  static func decay(learningRate: Double, weightDecay: Double, isSquared: Bool) -> Double {
    (isSquared ? learningRate * learningRate : learningRate) * weightDecay
  }

  /// average = a average + (1-a) w.
  static func movingAverage(_ average: [Double], _ weights: [Double], decay: Double) -> [Double] {
    average.indices.map { decay * average[$0] + (1 - decay) * weights[$0] }
  }

  /// g min(1, largest / norm), one norm over all tensors.
  static func clipped(_ gradients: [[Double]], largest: Double) -> [[Double]] {
    var sum = 0.0
    for gradient in gradients { sum += squares(gradient) }
    let factor = min(1, largest / sum.squareRoot())
    return gradients.map { $0.map { $0 * factor } }
  }

  /// Which steps update, and with which gradients: every nth step with the sum since the last; paused steps drop theirs.
  ///
  /// One gradient for each step goes in, one for each update comes out, nil at steps without.
  static func cadence(
    _ gradients: [[Double]], every n: Int, pausedSteps: Set<Int> = []
  ) -> [[Double]?] {
    var sum: [Double]?
    var result: [[Double]?] = []
    for (index, gradient) in gradients.enumerated() {
      if pausedSteps.contains(index) {
        sum = nil
        result.append(nil)
        continue
      }
      let total = sum.map { zip($0, gradient).map { $0 + $1 } } ?? gradient
      let updates = (index + 1) % n == 0
      result.append(updates ? total : nil)
      sum = updates ? nil : total
    }
    return result
  }
}
