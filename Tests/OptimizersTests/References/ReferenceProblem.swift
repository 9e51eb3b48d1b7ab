// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TensorGraph

/// Weights and gradients for a method to work on, the same at every run.
struct ReferenceProblem {
  var parameters: [ReferenceParameter]
  var weights: [[Double]]
  /// By step, then by parameter.
  var gradients: [[[Double]]]

  /// Normal weights and gradients; the gradients of a tensor share a direction, so that averages do not vanish.
  init(_ parameters: [ReferenceParameter], steps: Int, scale: Double = 0.1, seed: UInt64 = 1) {
    var numbers = NormalNumbers(seed: seed)
    self.parameters = parameters
    weights = parameters.map { parameter in (0..<parameter.count).map { _ in numbers.next() } }
    let drift = parameters.map { parameter in (0..<parameter.count).map { _ in numbers.next() } }
    gradients = (0..<steps).map { _ in
      drift.map { $0.map { scale * ($0 / 2 + numbers.next()) } }
    }
  }

  /// The weights after every step of a method.
  func trajectory(
    of method: String, _ hyperparameters: [String: Double], _ options: [String: String] = [:],
    scheduled: (Int) -> [String: Double] = { _ in [:] }
  ) throws -> [[[Double]]] {
    guard let type = OptimizerReferences.all[method] else { throw UnknownReference(name: method) }
    var reference: any OptimizerReference = type.init(
      parameters, hyperparameters: hyperparameters, options: options)
    var weights = weights
    return gradients.enumerated().map { step, gradient in
      reference.step(
        &weights, gradients: gradient,
        hyperparameters: hyperparameters.merging(scheduled(step)) { $1 })
      return weights
    }
  }

  struct UnknownReference: Error { var name: String }
}

/// Normal numbers from a counter: SplitMix64 and the transform of Box and Muller.
struct NormalNumbers {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  private mutating func uniform() -> Double {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    z ^= z >> 31
    return (Double(z >> 11) + 0.5) / 9_007_199_254_740_992
  }

  mutating func next() -> Double {
    (-2 * log(uniform())).squareRoot() * cos(2 * .pi * uniform())
  }
}

/// The largest difference between two lists of tensors, relative to the largest magnitude in the second.
func relativeDifference(_ a: [[Double]], _ b: [[Double]]) -> Double {
  var difference = 0.0
  var magnitude = Double.leastNormalMagnitude
  for (x, y) in zip(a.joined(), b.joined()) {
    if x.isNaN || y.isNaN { return .infinity }
    difference = max(difference, abs(x - y))
    magnitude = max(magnitude, abs(y))
  }
  return difference / magnitude
}
