// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TensorGraph
import Testing

/// What must hold in methods that see a matrix as one thing, and in all when tensors come together.
@Suite("Identities between references of matrix methods")
struct MatrixIdentityTests {
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

  @Test(
    "Newton-Schulz commutes with transposition, ignores scale, and fills the stated band"
  )
  func newtonSchulz() {
    let shapes = [(8, 8), (12, 5), (5, 12)]
    for (m, n) in shapes {
      for isPolarExpress in [false, true] {
        let g = ReferenceMatrix(m, n, ReferenceProblem([.matrix(m, n)], steps: 0).weights[0])
        let found = NewtonSchulz.orthogonalized(g, isPolarExpress: isPolarExpress)
        let transposed = NewtonSchulz.orthogonalized(
          g.transposed, isPolarExpress: isPolarExpress)
        #expect(relativeDifference([transposed.transposed.values], [found.values]) < 1e-12)
        // What is added to the norm is 1e-6 of it or less, and the slope of the map at most 8^5.
        let scaled = NewtonSchulz.orthogonalized(1024 * g, isPolarExpress: isPolarExpress)
        #expect(relativeDifference([scaled.values], [found.values]) < 1e-4)
        let gram = m < n ? found * found.transposed : found.transposed * found
        let input = m < n ? g * g.transposed : g.transposed * g
        let band = isPolarExpress ? 0.85...1.15 : 0.65...1.25
        for (value, start) in zip(
          gram.eigenvectors.values, input.eigenvectors.values.map { $0.squareRoot() })
        where start / norm(g.values) > 5e-3 {
          #expect(band.contains(value.squareRoot()), "\(value.squareRoot()) of \(m) x \(n)")
        }
      }
    }
  }

  @Test("Muon's step is the polar factor, up to what the iterations leave")
  func polarFactor() {
    let g = ReferenceMatrix(4, 7, ReferenceProblem([.matrix(4, 7)], steps: 0).weights[0])
    // U = (G G^T)^(-1/2) G.
    let (values, q) = (g * g.transposed).eigenvectors
    var inverse = ReferenceMatrix(zeros: 4, 4)
    for i in 0..<4 { inverse[i, i] = 1 / values[i].squareRoot() }
    let polar = q * inverse * q.transposed * g
    let found = NewtonSchulz.orthogonalized(g, isPolarExpress: true)
    // Every singular value lies within 0.15 of 1, so the difference is at most 0.15 in the spectral norm.
    let difference = found + (-1) * polar
    let spectral = (difference * difference.transposed).eigenvectors.values[0].squareRoot()
    #expect(spectral < 0.15)
  }

  @Test("Muon by heads is Muon on every head")
  func perHead() throws {
    let values = ["learning_rate": 0.1, "momentum": 0.9]
    let options = [
      "momentum_form": "ema", "nesterov": "true", "coefficients": "quintic", "scale": "none",
      "per_head": "true",
    ]
    let query = ReferenceProblem(
      [.matrix(6, 4, role: .attentionQuery, heads: 2)], steps: 3)
    var halves = ReferenceProblem([.matrix(3, 4), .matrix(3, 4)], steps: 3)
    halves.weights = [Array(query.weights[0][..<12]), Array(query.weights[0][12...])]
    halves.gradients = query.gradients.map { [Array($0[0][..<12]), Array($0[0][12...])] }
    let whole = try query.trajectory(of: "muon", values, options)
    let parts = try halves.trajectory(of: "muon", values, options)
    for (a, b) in zip(whole, parts) { #expect(a[0] == b[0] + b[1]) }
    // Output is cut along its columns: the transposed problem with the transposed cut.
    var output = ReferenceProblem([.matrix(4, 6, role: .attentionOutput, heads: 2)], steps: 3)
    func transposed(_ x: [Double]) -> [Double] { ReferenceMatrix(6, 4, x).transposed.values }
    output.weights = [transposed(query.weights[0])]
    output.gradients = query.gradients.map { [transposed($0[0])] }
    for (a, b) in zip(whole, try output.trajectory(of: "muon", values, options)) {
      #expect(relativeDifference([transposed(a[0])], b) < 1e-12)
    }
  }

  @Test("SOAP does not see a rotation of both sides; on one number it is Adam")
  func soap() throws {
    let values = adam([
      "beta1": 0.95, "shampoo_beta": 0.95, "epsilon": 1e-8, "precondition_every": 3,
      "learning_rate": 0.05,
    ])
    let problem = ReferenceProblem([.matrix(4, 4)], steps: 20)
    let u = ReferenceMatrix(4, 4, ReferenceProblem([.matrix(4, 4)], steps: 0, seed: 5).weights[0])
      .orthogonalized
    let v = ReferenceMatrix(4, 4, ReferenceProblem([.matrix(4, 4)], steps: 0, seed: 6).weights[0])
      .orthogonalized
    func turned(_ x: [Double]) -> [Double] { (u * ReferenceMatrix(4, 4, x) * v).values }
    var rotated = problem
    rotated.weights = [turned(problem.weights[0])]
    rotated.gradients = problem.gradients.map { [turned($0[0])] }
    let path = try problem.trajectory(of: "soap", values)
    #expect(path[0] == problem.weights)
    for (a, b) in zip(path, try rotated.trajectory(of: "soap", values)) {
      // Eigenvectors lose digits where eigenvalues are near each other.
      #expect(relativeDifference([turned(a[0])], b) < 1e-9)
    }
    var single = ReferenceProblem([.matrix(1, 1)], steps: 30)
    let soap = try single.trajectory(of: "soap", values)
    single.gradients.removeFirst()
    let adam = try single.trajectory(
      of: "adamw", values, ["epsilon_position": "before-correction"])
    #expect(same(Array(soap.dropFirst()), adam, roundings))
  }

  @Test("SOAP on diagonal gradients is Adam, also when eigenvalues trade places")
  func soapOrder() throws {
    let values = adam([
      "beta1": 0.95, "shampoo_beta": 0.5, "epsilon": 1e-8, "precondition_every": 3,
      "learning_rate": 0.05,
    ])
    var problem = ReferenceProblem([.matrix(3, 3)], steps: 20)
    for t in problem.gradients.indices {
      // The basis stays the unit vectors; which of them leads changes at the fifth step.
      let sizes: [Double] = t < 5 ? [4, 2, 1] : [1, 3, 9]
      for i in 0..<9 {
        problem.gradients[t][0][i] = i % 4 == 0 ? sizes[i / 4] * (1 + 0.1 * Double(t % 3)) : 0
      }
    }
    let soap = try problem.trajectory(of: "soap", values)
    problem.gradients.removeFirst()
    let adam = try problem.trajectory(
      of: "adamw", values, ["epsilon_position": "before-correction"])
    #expect(same(Array(soap.dropFirst()), adam, roundings))
  }

  @Test("Every tensor goes by itself, but for Prodigy's distance")
  func tensorsDoNotMix() throws {
    let alone = problem.parameters.indices.map { p in
      var single = problem
      single.parameters = [problem.parameters[p]]
      single.weights = [problem.weights[p]]
      single.gradients = problem.gradients.map { [$0[p]] }
      return single
    }
    let values = adam([
      "weight_decay": 0.1, "momentum": 0.9, "rho": 0.04, "batch_tokens": 8, "beta2_cap": 0.999,
      "decay_exponent": 0.8, "clip_threshold": 1, "epsilon1": 1e-30, "epsilon2": 1e-3,
      "warmup_steps": 5, "weight_power": 2, "step_power": 0, "alpha": 5, "beta3": 0.999,
      "alpha_warmup": 0, "beta3_warmup": 0, "clip_exponent": 0.25, "gamma": 0.025, "d0": 1e-6,
      "d_coefficient": 1, "growth_rate": 1e30, "shampoo_beta": 0.95, "precondition_every": 10,
    ])
    let options = [
      "form": "ema", "nesterov": "true", "clipping": "on", "momentum_type": "fp32",
      "parameter_scale": "true", "statistic": "mean", "statistics": "running",
      "momentum_form": "ema", "coefficients": "quintic", "scale": "spectral",
      "per_head": "false", "safeguard_warmup": "false", "bias_correction": "false",
      "epsilon_position": "after-correction",
    ]
    for name in OptimizerReferences.all.keys.sorted() {
      // Prodigy's distance grows only once the steps have covered more than its first guess.
      var values = values
      if name == "prodigy" { values["learning_rate"] = 1 }
      let together = try problem.trajectory(of: name, values, options)
      let apart = try alone.map { try $0.trajectory(of: name, values, options) }
      let equal = together.indices.allSatisfy { t in
        together[t].indices.allSatisfy { together[t][$0] == apart[$0][t][0] }
      }
      #expect(equal == (name != "prodigy"), "\(name)")
      // Momentum and rate matter: the last weights depend on the first gradient.
      var other = problem
      other.gradients[0] = other.gradients[0].map { $0.map { -3 * $0 } }
      #expect(try other.trajectory(of: name, values, options)[2] != together[2], "\(name)")
    }
  }
}
