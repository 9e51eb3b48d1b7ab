// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TensorGraph
import Testing

/// The references against numbers worked out elsewhere: by hand, or from the description of a published record.
@Suite("References")
struct ReferenceTests {
  private func close(_ a: Double, _ b: Double, _ tolerance: Double) -> Bool {
    abs(a - b) <= tolerance
  }

  @Test(
    "Polar Express maps a singular value as computed apart",
    arguments: [
      (1e-4, 0.09880619), (1e-3, 0.85887264), (3e-3, 0.96638289), (0.01, 1.02711018),
      (0.05, 0.90855828), (0.1, 1.05916114), (0.3, 0.98314195), (0.5, 0.91061088),
      (0.7, 0.93563357), (0.9, 0.87492166), (1 / 1.02, 0.90353742),
    ])
  func polarExpressScalar(_ start: Double, _ end: Double) {
    let found = NewtonSchulz.iterated(ReferenceMatrix(1, 1, [start]), NewtonSchulz.polarExpress)
    // Eight decimals were given.
    #expect(close(found[0, 0], end, 5.1e-9))
  }

  @Test("Polar Express of [[1, 2, 3], [4, 5, 6]] is the matrix computed apart")
  func polarExpressMatrix() {
    let u = ReferenceMatrix(2, 3, [1, 2, 3, 4, 5, 6])
    let expected = [-0.5578, 0.0931, 0.7439, 0.6393, 0.4970, 0.3547]
    let found = NewtonSchulz.orthogonalized(u, isPolarExpress: true)
    #expect(zip(found.values, expected).allSatisfy { close($0, $1, 5.1e-5) })
    let transposed = NewtonSchulz.orthogonalized(u.transposed, isPolarExpress: true)
    #expect(transposed.transposed == found)
    let singular = (found * found.transposed).eigenvectors.values.map { $0.squareRoot() }
    #expect(close(singular[0], 0.9448, 5.1e-5) && close(singular[1], 0.8730, 5.1e-5))
  }

  @Test("The row normaliser keeps the norm and moves its state as computed apart")
  func rowNormaliser() {
    var moments = [0.0, 0.0]
    let first = NorMuonReference.normalised(
      ReferenceMatrix(2, 2, [1, 2, 3, 4]), 0.95, &moments)
    #expect(
      zip(first.values, [1.7321, 3.4641, 2.3238, 3.0984]).allSatisfy { close($0, $1, 5.1e-5) })
    #expect(zip(moments, [0.125, 0.625]).allSatisfy { close($0, $1, 1e-15) })
    let second = NorMuonReference.normalised(
      ReferenceMatrix(2, 2, [2, 0, 0, 1]), 0.95, &moments)
    #expect(zip(second.values, [2.1434, 0, 0, 0.6372]).allSatisfy { close($0, $1, 5.1e-5) })
    #expect(zip(moments, [0.21875, 0.61875]).allSatisfy { close($0, $1, 1e-15) })
  }

  @Test("Nesterov momentum as an average is what a pen gives")
  func nesterov() {
    var momentum = [0.0]
    let expected = [(1.0, 0.05, 0.0975), (-2, -0.0525, -0.149875), (0.5, -0.024875, 0.00136875)]
    for (g, m, u) in expected {
      let found = NorMuonReference.nesterov(0.95, &momentum, [g])
      #expect(close(momentum[0], m, 1e-15))
      #expect(close(found[0], u, 1e-15))
    }
  }

  /// Adam with epsilon before the correction, and cautious decay by the squared rate, as the speedrun has it.
  @Test(
    "Adam triples of the speedrun come out",
    arguments: [
      ([0.65, 0.95, 0.008, 0.005], 0.5, [0.491999843578, 0.496108070556, 0.492369767902]),
      ([0.65, 0.95, 0.6, 0.005], 0.5, [-0.100899731672, 0.207398911192, -0.073335199246]),
      ([0.9, 0.99, 0.04, 0], 1.1, [1.060000040000, 1.074624341987, 1.060930061059]),
    ])
  func adamTriples(_ numbers: [Double], _ start: Double, _ expected: [Double]) {
    let values = [
      "beta1": numbers[0], "beta2": numbers[1], "learning_rate": numbers[2], "epsilon": 1e-8,
    ]
    var adam = AdamReference(
      [.vector(1)], hyperparameters: values,
      options: ["epsilon_position": "before-correction"])
    let decay = WrapperReference.decay(
      learningRate: numbers[2], weightDecay: numbers[3], isSquared: true)
    var weights = [start]
    for (g, result) in zip([0.1, -0.2, 0.3], expected) {
      let step = adam.propose([weights], gradients: [[g]], hyperparameters: values)[0]
      weights = WrapperReference.cautiousDecay(
        weights, step: step, decay: decay, isStrict: false)
      #expect(close(weights[0], result, 5.1e-13))
    }
  }

  @Test("Cautious decay acts where step and weight agree, and not where they do not")
  func cautiousStep() {
    for (v, expected) in [(0.8, 0.4625652), (-0.8, 0.5368)] {
      let found = WrapperReference.cautiousDecay(
        [0.5], step: [0.046 * v], decay: 0.0276 * 0.046, isStrict: false)
      #expect(close(found[0], expected, 5.1e-8))
    }
    // A step of exactly zero: inclusive decays, strict does not.
    for (isStrict, expected) in [(false, 0.45), (true, 0.5)] {
      let found = WrapperReference.cautiousDecay(
        [0.5], step: [0], decay: 0.1, isStrict: isStrict)
      #expect(found == [expected])
    }
  }

  @Test("A cautious step keeps what agrees with the gradient; rescaled, divided by its share")
  func caution() {
    let step = [1.0, -2, 3, 4]
    let gradient = [1.0, 1, 1, 0]
    #expect(
      WrapperReference.cautious(step, gradient: gradient, isRescaled: false) == [1, 0, 3, 0])
    #expect(
      WrapperReference.cautious(step, gradient: gradient, isRescaled: true) == [2, 0, 6, 0])
  }

  @Test("A cadence of two sums gradients; a pause drops them")
  func cadence() {
    let gradients = [[1.0], [2], [3], [4], [5], [6]]
    #expect(WrapperReference.cadence(gradients, every: 2) == [nil, [3], nil, [7], nil, [11]])
    #expect(
      WrapperReference.cadence(gradients, every: 2, pausedSteps: [2])
        == [nil, [3], nil, [4], nil, [11]])
  }

  @Test("Clipping takes one norm over all tensors; an average moves by its complement")
  func clipAndAverage() {
    #expect(WrapperReference.clipped([[3], [4]], largest: 1) == [[3 * 0.2], [4 * 0.2]])
    #expect(WrapperReference.clipped([[3], [4]], largest: 10) == [[3], [4]])
    #expect(WrapperReference.movingAverage([1], [3], decay: 0.75) == [1.5])
  }

  @Test(
    "Eigenvectors diagonalise; the orthogonal factor spans and is orthonormal")
  func decompositions() {
    let problem = ReferenceProblem([.matrix(6, 6)], steps: 0)
    let a = ReferenceMatrix(6, 6, problem.weights[0])
    let symmetric = a * a.transposed
    let (values, q) = symmetric.eigenvectors
    var diagonal = ReferenceMatrix(zeros: 6, 6)
    for i in 0..<6 { diagonal[i, i] = values[i] }
    // 1e-13: a few hundred roundings of 1e-16 each.
    #expect(relativeDifference([(q * diagonal * q.transposed).values], [symmetric.values]) < 1e-13)
    #expect(values == values.sorted(by: >))
    let orthogonal = a.orthogonalized
    let identity = ReferenceMatrix(identity: 6)
    let product = orthogonal.transposed * orthogonal
    #expect(relativeDifference([product.values], [identity.values]) < 1e-14)
    let r = orthogonal.transposed * a
    for i in 0..<6 {
      #expect(r[i, i] > 0)
      for j in 0..<i { #expect(abs(r[i, j]) < 1e-13) }
    }
    let known = ReferenceMatrix(2, 2, [2, 1, 1, 2]).eigenvectors
    let half = 0.5.squareRoot()
    #expect(zip(known.values, [3, 1]).allSatisfy { close($0, $1, 1e-15) })
    let vectors = known.vectors.values.map { abs($0) }
    #expect(vectors.allSatisfy { close($0, half, 1e-15) })
    #expect(known.vectors[0, 0] * known.vectors[1, 0] > 0)
  }

  @Test("Numbers round to bfloat16 to nearest, ties to even")
  func bfloat16() {
    for (x, rounded) in [
      (1.00390625, 1.0), (1.01171875, 1.015625), (1.00390725, 1.0078125), (-1.01171875, -1.015625),
      (0, 0), (1e-39, 11 * 0x1p-133),
    ] {
      #expect(close(roundedToBFloat16(x), rounded, abs(rounded) * 1e-7))
    }
  }

  /// One number, two steps, by hand: b3 = sqrt(b2) = 0.5, d = d0 = 1, rate 1.
  ///
  /// Step 1 (g = 2): s = 2, numerator 0, m = 1 at b1 = 0.5, v = 0.75 4 = 3, w = 1 - 1 / sqrt(3).
  /// Step 2 (g = 2): numerator = 2 (1 / sqrt(3)), s = 1 + 2 = 3, estimate = 2 / (3 sqrt(3)) < 1, so d stays 1;
  /// m = 1.5, v = 3 / 4 + 3 = 3.75.
  @Test("Prodigy's first steps are what a pen gives; its distance then only grows")
  func prodigy() {
    let values = [
      "learning_rate": 1, "beta1": 0.5, "beta2": 0.25, "epsilon": 0, "d0": 1,
      "d_coefficient": 1.0, "growth_rate": 1e30,
    ]
    let options = ["safeguard_warmup": "false", "bias_correction": "false"]
    var prodigy = ProdigyReference([.vector(1)], hyperparameters: values, options: options)
    var weights = [[1.0]]
    prodigy.step(&weights, gradients: [[2]], hyperparameters: values)
    #expect(close(weights[0][0], 1 - 1 / 3.0.squareRoot(), 1e-15))
    prodigy.step(&weights, gradients: [[2]], hyperparameters: values)
    #expect(close(weights[0][0], 1 - 1 / 3.0.squareRoot() - 1.5 / 3.75.squareRoot(), 1e-15))
    #expect(prodigy.d == 1)

    var small = values
    small["d0"] = 1e-3
    var growing = ProdigyReference([.vector(1)], hyperparameters: small, options: options)
    weights = [[1.0]]
    var earlier = 1e-3
    for _ in 0..<50 {
      growing.step(&weights, gradients: [weights[0]], hyperparameters: small)
      #expect(growing.d >= earlier)
      earlier = growing.d
    }
    #expect(earlier > 0.1)
  }

  @Test("Schedule-free averages its fast iterate; with equal weights it is the plain mean")
  func scheduleFree() throws {
    // Power 0: z_t = w_0 - sum of g, x_t the mean of z_1 ... z_t, y = (1-b1) z + b1 x.
    let values = [
      "learning_rate": 1, "beta1": 0.75, "warmup_steps": 0, "weight_power": 0, "step_power": 0.0,
    ]
    var reference = ScheduleFreeDescentReference(
      [.vector(1)], hyperparameters: values, options: [:])
    var y = [[10.0]]
    var z = 10.0
    var sum = 0.0
    #expect(reference.evaluated(y) == y)
    for t in 1...4 {
      reference.step(&y, gradients: [[Double(t)]], hyperparameters: values)
      z -= Double(t)
      sum += z
      let x = sum / Double(t)
      #expect(close(reference.evaluated(y)[0][0], x, 1e-14))
      #expect(close(y[0][0], 0.25 * z + 0.75 * x, 1e-14))
    }
  }
}
