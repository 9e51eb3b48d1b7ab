// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TensorGraph
import Testing

/// What must hold between methods, whatever the code: a mistake would have to be made twice, in the same way.
@Suite("Identities between references")
struct ReferenceIdentityTests {
  /// Roundings of a few operations in `Double` over a hundred steps.
  private let roundings = 1e-13

  private let problem = ReferenceProblem(
    [.vector(7), .matrix(6, 4), .matrix(3, 5, role: .head)], steps: 100)

  private func adam(_ changes: [String: Double] = [:]) -> [String: Double] {
    ["learning_rate": 0.01, "beta1": 0.9, "beta2": 0.95, "epsilon": 1e-15].merging(changes) { $1 }
  }

  private func same(_ a: [[[Double]]], _ b: [[[Double]]], _ tolerance: Double) -> Bool {
    zip(a, b).allSatisfy { relativeDifference($0, $1) <= tolerance }
  }

  @Test("Signum with factor b is Lion with both factors b", arguments: [0.5, 0.9, 0.99])
  func signumIsLion(_ b: Double) throws {
    let signum = try problem.trajectory(
      of: "signum", ["learning_rate": 0.01, "momentum": b, "weight_decay": 0.1])
    let lion = try problem.trajectory(
      of: "lion", ["learning_rate": 0.01, "beta1": b, "beta2": b, "weight_decay": 0.1])
    #expect(signum == lion)
    let other = try problem.trajectory(
      of: "lion", ["learning_rate": 0.01, "beta1": b, "beta2": 0.3, "weight_decay": 0.1])
    #expect(signum != other)
  }

  @Test("Sophia without curvature is Signum, but for averages below its epsilon")
  func sophiaIsSignum() throws {
    let values = [
      "learning_rate": 0.01, "beta1": 0.9, "beta2": 0.99, "rho": 0, "epsilon": 1e-15,
      "batch_tokens": 100, "momentum": 0.9,
    ]
    #expect(
      try problem.trajectory(of: "sophia-g", values)
        == problem.trajectory(of: "signum", values))
    // An average of 1e-16 moves Signum by a whole step and Sophia by a tenth.
    var tiny = ReferenceProblem([.vector(1)], steps: 1)
    tiny.weights = [[0]]
    tiny.gradients = [[[1e-15]]]
    let signum = try tiny.trajectory(of: "signum", values)[0][0][0]
    let sophia = try tiny.trajectory(of: "sophia-g", values)[0][0][0]
    #expect(signum == -0.01)
    #expect(abs(sophia + 0.001) < 1e-15)
  }

  @Test("Curvature that was observed softens Sophia's step")
  func sophiaCurvature() {
    let values = [
      "learning_rate": 1, "beta1": 0.5, "beta2": 0.75, "rho": 0.5, "epsilon": 0,
      "batch_tokens": 4.0,
    ]
    var sophia = SophiaReference([.vector(2)], hyperparameters: values, options: [:])
    sophia.observe([[0, 0]], gradients: [[2, 0.1]])
    // h = (1, 0.0025), m = (0.5, 0.5): ratios 0.5 / 2 and 0.5 / 0.005 > 1.
    let step = sophia.propose([[0, 0]], gradients: [[1, 1]], hyperparameters: values)
    #expect(abs(step[0][0] - 0.25) < 1e-15 && step[0][1] == 1)
  }

  @Test("Adam's first step is the learning rate times the sign of the gradient")
  func firstStep() throws {
    let first = try problem.trajectory(of: "adamw", adam(["epsilon": 0]))[0]
    for (p, tensor) in first.enumerated() {
      for (i, w) in tensor.enumerated() {
        let expected = problem.weights[p][i] - 0.01 * sign(problem.gradients[0][p][i])
        #expect(abs(w - expected) < 1e-15)
      }
    }
  }

  @Test("Adam with equal factors never moves a number by more than the learning rate")
  func boundedStep() throws {
    func largestStep(_ beta1: Double, _ beta2: Double) throws -> Double {
      let path =
        [problem.weights]
        + (try problem.trajectory(of: "adamw", adam(["beta1": beta1, "beta2": beta2])))
      return zip(path, path.dropFirst()).map { before, after in
        zip(before.joined(), after.joined()).map { abs($0 - $1) }.max() ?? 0
      }.max() ?? 0
    }
    for b in [0.5, 0.9, 0.95, 0.99] { #expect(try largestStep(b, b) <= 0.01 * (1 + 1e-12)) }
    // Where it is not bounded, steps above the learning rate occur: the check can fail.
    #expect(try largestStep(0.9, 0.5) > 0.01)
  }

  @Test("Adam is Signum times the mean's magnitude over the root of the mean square")
  func lemma() throws {
    let beta1 = 0.9
    let beta2 = 0.95
    var signum = SignumReference(
      problem.parameters, hyperparameters: ["momentum": beta1], options: [:])
    var adam = AdamReference(problem.parameters, hyperparameters: [:], options: [:])
    let values = self.adam(["epsilon": 0, "momentum": beta1])
    for t in problem.gradients.indices {
      let a = adam.propose([], gradients: problem.gradients[t], hyperparameters: values)
      let s = signum.propose([], gradients: problem.gradients[t], hyperparameters: values)
      for p in a.indices {
        for i in a[p].indices {
          var (mean, weight1, square, weight2) = (0.0, 0.0, 0.0, 0.0)
          for k in 0...t {
            let g = problem.gradients[k][p][i]
            let (w1, w2) = (pow(beta1, Double(t - k)), pow(beta2, Double(t - k)))
            mean += w1 * g
            weight1 += w1
            square += w2 * g * g
            weight2 += w2
          }
          let factor = abs(mean / weight1) / (square / weight2).squareRoot()
          #expect(abs(a[p][i] - s[p][i] * factor) < 1e-12)
        }
      }
    }
  }

  @Test(
    "Adalayer with blocks of one number is Adam, in both readings", arguments: ["mean", "literal"])
  func adalayerIsAdam(_ statistic: String) throws {
    let single = ReferenceProblem(
      [.vector(1), .matrix(1, 1), .matrix(9, 1, role: .head)], steps: 100)
    let options = ["statistic": statistic]
    let expected = try single.trajectory(of: "adamw", adam())
    #expect(same(try single.trajectory(of: "adalayer-star", adam(), options), expected, roundings))
    // The head is one block in plain Adalayer: the check can fail.
    #expect(!same(try single.trajectory(of: "adalayer", adam(), options), expected, 1e-3))
  }

  @Test("Adalayer's readings differ by the fourth root of the block's count in the step")
  func adalayerReadings() throws {
    let whole = ReferenceProblem([.matrix(4, 4)], steps: 30)
    let mean = try whole.trajectory(of: "adalayer", adam(), ["statistic": "mean"])
    let literal = try whole.trajectory(
      of: "adalayer", adam(["learning_rate": 0.01 * 2]), ["statistic": "literal"])
    #expect(same(mean, literal, roundings))
  }

  @Test("Adam-mini with rows of one number is Adam; its query blocks are heads")
  func adamMini() throws {
    let single = ReferenceProblem(
      [.vector(1), .matrix(8, 1, role: .mlpOut), .matrix(2, 1, role: .attentionKey, heads: 2)],
      steps: 50)
    #expect(
      same(
        try single.trajectory(of: "adam-mini", adam()),
        try single.trajectory(of: "adamw", adam()), roundings))
    // One head: Adalayer's block is the whole tensor.
    let whole = ReferenceProblem([.matrix(4, 3, role: .attentionQuery, heads: 1)], steps: 50)
    #expect(
      same(
        try whole.trajectory(of: "adam-mini", adam()),
        try whole.trajectory(of: "adalayer", adam(), ["statistic": "mean"]), roundings))
  }

  @Test("Row and column means of Adafactor's second moment are Adam's; for rank one all of it is")
  func adafactorMeans() {
    let parameter = ReferenceParameter.matrix(6, 4)
    var factored = FactoredSquares(parameter)
    var full = [Double](repeating: 0, count: 24)
    for gradient in problem.gradients {
      factored.average(0.95, gradient[1].map { $0 * $0 })
      full.averageSquares(0.95, gradient[1])
    }
    let a = ReferenceMatrix(6, 4, factored.moment)
    let b = ReferenceMatrix(6, 4, full)
    for i in 0..<6 {
      let rows = (0..<4).reduce(into: (0.0, 0.0)) { $0 = ($0.0 + a[i, $1], $0.1 + b[i, $1]) }
      #expect(abs(rows.0 - rows.1) < 1e-13 * rows.1)
    }
    for j in 0..<4 {
      let columns = (0..<6).reduce(into: (0.0, 0.0)) { $0 = ($0.0 + a[$1, j], $0.1 + b[$1, j]) }
      #expect(abs(columns.0 - columns.1) < 1e-13 * columns.1)
    }
    #expect(relativeDifference([a.values], [b.values]) > 1e-3)
  }

  @Test("Adafactor on gradients of rank one, and on vectors, is Adam")
  func adafactorIsAdam() throws {
    var rankOne = ReferenceProblem([.matrix(5, 3), .vector(6)], steps: 60)
    let (rows, columns) = (rankOne.weights[1], rankOne.weights[0])
    for t in rankOne.gradients.indices {
      let scale = rankOne.gradients[t][0][0]
      rankOne.gradients[t][0] = (0..<15).map { scale * rows[$0 / 3] * columns[$0 % 3] }
    }
    #expect(
      same(
        try rankOne.trajectory(of: "adafactor-adam", adam()),
        try rankOne.trajectory(of: "adamw", adam()), roundings))
  }

  @Test("Adafactor's published forms: known first steps, and limits where their papers say")
  func adafactorForms() throws {
    // At t = 1 the factor of the average is 0, so vectors move by the sign: u = g / |g|.
    let vector = ReferenceProblem([.vector(5)], steps: 1)
    let scale = rootMeanSquare(vector.weights[0])
    let values = [
      "learning_rate": 0.1, "beta1": 0, "decay_exponent": 0.8, "clip_threshold": 1,
      "epsilon1": 1e-30, "epsilon2": 1e-3, "epsilon": 1e-30, "beta2_cap": 0.999,
    ]
    let first = try vector.trajectory(of: "adafactor-2018", values, ["parameter_scale": "true"])[0]
    let big = try vector.trajectory(
      of: "adafactor-bv", values, ["clipping": "off", "momentum_type": "fp32"])[0]
    for i in 0..<5 {
      let s = sign(vector.gradients[0][0][i])
      #expect(abs(first[0][i] - (vector.weights[0][i] - 0.1 * scale * s)) < 1e-14)
      #expect(abs(big[0][i] - (vector.weights[0][i] - 0.1 * s)) < 1e-14)
    }
    // Without momentum, scale and caps the two papers agree.
    let long = ReferenceProblem([.vector(6), .matrix(32, 33)], steps: 20)
    let plain = try long.trajectory(
      of: "adafactor-2018", values.merging(["weight_decay": 0]) { $1 },
      ["parameter_scale": "false"])
    let study = try long.trajectory(
      of: "adafactor-bv", values, ["clipping": "on", "momentum_type": "fp32"])
    #expect(same(plain, study, roundings))
    let rounded = try long.trajectory(
      of: "adafactor-bv", values.merging(["beta1": 0.9]) { $1 },
      ["clipping": "on", "momentum_type": "bf16"])
    let exact = try long.trajectory(
      of: "adafactor-bv", values.merging(["beta1": 0.9]) { $1 },
      ["clipping": "on", "momentum_type": "fp32"])
    #expect(same(rounded, exact, 1e-2) && !same(rounded, exact, 1e-6))
  }

  @Test("Frozen Adalayer is momentum descent with one fixed rate for each block")
  func frozenIsDescent() {
    let values = adam(["statistics_batches": 4])
    let observed = ReferenceProblem(problem.parameters, steps: 4, seed: 2)
    var frozen = FrozenAdalayerReference(
      problem.parameters, hyperparameters: values,
      options: ["statistic": "mean", "statistics": "frozen"])
    var running = FrozenAdalayerReference(
      problem.parameters, hyperparameters: values,
      options: ["statistic": "mean", "statistics": "running"])
    var blocks = [
      BlockMoments(7, size: 7), BlockMoments(24, size: 24), BlockMoments(15, size: 5),
    ]
    for gradient in observed.gradients {
      frozen.observe([], gradients: gradient)
      running.observe([], gradients: gradient)
      for p in 0..<3 { blocks[p].average(0.95, gradient[p]) }
    }
    var descent = MomentumDescentReference(
      problem.parameters, hyperparameters: [:], options: ["form": "ema", "nesterov": "false"])
    var worst = (frozen: 0.0, running: 0.0)
    for (t, gradient) in problem.gradients.enumerated() {
      let correction = (1 - pow(0.9, Double(t + 1)), 1 - pow(0.95, 4.0))
      var steps = descent.propose(
        [], gradients: gradient, hyperparameters: ["momentum": 0.9, "learning_rate": 1])
      for p in steps.indices {
        for i in steps[p].indices {
          let rate = 0.01 / ((blocks[p].moment(i) / correction.1).squareRoot() + 1e-15)
          steps[p][i] *= rate / correction.0
        }
      }
      let found = frozen.propose([], gradients: gradient, hyperparameters: values)
      let moving = running.propose([], gradients: gradient, hyperparameters: values)
      worst.frozen = max(worst.frozen, relativeDifference(found, steps))
      worst.running = max(worst.running, relativeDifference(moving, steps))
    }
    #expect(worst.frozen < roundings)
    #expect(worst.running > 1e-2)
  }

  @Test("Scaling the loss changes nothing in methods that divide by the gradient's size")
  func scaleInvariance() throws {
    let loose: [(String, [String: Double], [String: String])] = [
      ("adamw", adam(["epsilon": 0]), [:]),
      ("nadamw", adam(["epsilon": 0]), ["form": "optax"]),
      ("adafactor-adam", adam(["epsilon": 0]), [:]),
      ("adalayer-star", adam(["epsilon": 0]), ["statistic": "mean"]),
      ("adam-mini", adam(["epsilon": 0]), [:]),
      ("lamb", adam(["epsilon": 0, "weight_decay": 0.1]), [:]),
      ("signum", ["learning_rate": 0.01, "momentum": 0.9], [:]),
      ("lion", ["learning_rate": 0.01, "beta1": 0.9, "beta2": 0.99], [:]),
      (
        "ademamix",
        adam([
          "epsilon": 0, "beta3": 0.999, "alpha": 5, "alpha_warmup": 20, "beta3_warmup": 20,
        ]), [:]
      ),
    ]
    for scale in [1e-6, 1e-3, 1024, 1e6] {
      var scaled = problem
      scaled.gradients = scaled.gradients.map { $0.map { $0.map { $0 * scale } } }
      for (name, values, options) in loose {
        let a = try problem.trajectory(of: name, values, options)
        let b = try scaled.trajectory(of: name, values, options)
        #expect(same(a, b, 1e-11), "\(name) at \(scale)")
      }
      // Descent's rate takes the scale up.
      let options = ["form": "ema", "nesterov": "true"]
      let a = try problem.trajectory(
        of: "sgd", ["learning_rate": scale, "momentum": 0.9], options)
      let b = try scaled.trajectory(of: "sgd", ["learning_rate": 1, "momentum": 0.9], options)
      #expect(same(a, b, roundings))
    }
  }

  @Test("Heavy ball at a rate is the average at that rate over 1 - momentum")
  func momentumForms() throws {
    for (nesterov, mu) in [("false", 0.98), ("true", 0.9)] {
      let heavy = try problem.trajectory(
        of: "sgd", ["learning_rate": 0.1, "momentum": mu],
        ["form": "heavy-ball", "nesterov": nesterov])
      let average = try problem.trajectory(
        of: "sgd", ["learning_rate": 0.1 / (1 - mu), "momentum": mu],
        ["form": "ema", "nesterov": nesterov])
      #expect(same(heavy, average, roundings))
    }
  }

  @Test("AdEMAMix without its slow average is Adam; MARS without its correction too")
  func reductionsToAdam() throws {
    let expected = try problem.trajectory(of: "adamw", adam(["weight_decay": 0.1]))
    let mixed = adam([
      "weight_decay": 0.1, "alpha": 0, "beta3": 0.999, "alpha_warmup": 0, "beta3_warmup": 0,
    ])
    #expect(same(try problem.trajectory(of: "ademamix", mixed), expected, roundings))
    // The norms of these gradients stay below 1, so nothing is clipped.
    let mars = try problem.trajectory(of: "mars-adamw", adam(["weight_decay": 0.1, "gamma": 0]))
    #expect(same(mars, expected, roundings))
    let corrected = try problem.trajectory(
      of: "mars-adamw", adam(["weight_decay": 0.1, "gamma": 0.025]))
    #expect(!same(corrected, expected, 1e-4))
    // Vectors are plain Adam whatever gamma is.
    #expect(
      zip(corrected, expected).allSatisfy { relativeDifference([$0[0]], [$1[0]]) < roundings })
  }

  @Test("AdEMAMix's slow factor starts at the fast one")
  func slowWarmUp() {
    let values = adam([
      "alpha": 2, "beta3": 0.9999, "alpha_warmup": 10, "beta3_warmup": 1e9, "epsilon": 0,
      "learning_rate": 1,
    ])
    var mixed = AdEMAMixReference([.vector(1)], hyperparameters: values, options: [:])
    // Early in a very long warm-up b3 is b1, so m2 = m1 = 0.1 g and the step 1 + 2 / 10 0.1.
    let step = mixed.propose([], gradients: [[3]], hyperparameters: values)
    // b3 - b1 is of the order of 1e-9 ln(b1)^2 / ln(b3) = 1e-7.
    #expect(abs(step[0][0] - 1.02) < 1e-6)
  }

  @Test("The forms of NAdamW agree with Adam where Nesterov has nothing to look ahead to")
  func nesterovAdam() throws {
    // b1 = 0: mhat = g in both.
    let values = adam(["beta1": 0, "momentum_decay": 0.004])
    let expected = try problem.trajectory(of: "adamw", values)
    for form in ["torch", "optax"] {
      #expect(
        same(try problem.trajectory(of: "nadamw", values, ["form": form]), expected, roundings))
    }
    // With a momentum schedule that has run out, torch's form is optax's.
    let late = adam(["momentum_decay": 1e6])
    #expect(
      same(
        try problem.trajectory(of: "nadamw", late, ["form": "torch"]),
        try problem.trajectory(of: "nadamw", late, ["form": "optax"]), roundings))
  }

  @Test("LAMB moves every tensor by the learning rate times its own length")
  func lamb() throws {
    let first = try problem.trajectory(of: "lamb", adam(["weight_decay": 0.1]))[0]
    for (before, after) in zip(problem.weights, first) {
      let moved = norm(zip(before, after).map { $0 - $1 })
      #expect(abs(moved - 0.01 * norm(before)) < 1e-14)
    }
  }

  @Test("ADOPT starts its denominator first, then divides by what came before")
  func adopt() throws {
    var short = ReferenceProblem([.vector(1)], steps: 3)
    short.weights = [[0]]
    short.gradients = [[[2]], [[1]], [[8]]]
    let values = [
      "learning_rate": 1, "beta1": 0.5, "beta2": 0.75, "epsilon": 1e-6, "clip_exponent": 0.25,
    ]
    let path = try short.trajectory(of: "adopt", values).map { $0[0][0] }
    // u = 1 / 2, m = 1 / 4; then v = 3.25, 8 / sqrt(3.25) clipped at 2^(1/4), m = 1 / 8 + 2^(1/4) / 2.
    #expect(path[0] == 0)
    #expect(abs(path[1] + 0.25) < 1e-15)
    #expect(abs(path[2] + 0.25 + 0.125 + pow(2, 0.25) / 2) < 1e-15)
  }
}
