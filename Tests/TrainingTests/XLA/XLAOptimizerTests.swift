// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Training

/// Every method, option and policy: the same steps on a device behind a plugin and on the processor.
@Suite("XLA steps as the processor does: optimizers", .enabled(if: XLAUnderTest.isPresent))
struct XLAOptimizerTests {
  /// Those of the tests of whole runs, each once: the rate's schedule is a number that the host gives.
  static let configurations = OptimizerRunTests.configurations.filter {
    !$0.name.hasSuffix(", cosine") && !$0.name.hasSuffix(lowPrecision)
  }

  private static let lowPrecision = ", precision bf16"
  /// Methods with products of their own that may be of bfloat16 operands.
  static let lowPrecisionMethods = OptimizerRunTests.configurations.compactMap {
    $0.name.hasSuffix(lowPrecision) ? String($0.name.dropLast(lowPrecision.count)) : nil
  }

  @Test(
    "A method's products in bfloat16 take its step no farther from single precision than on the processor",
    arguments: lowPrecisionMethods)
  func bfloat16(method: String) throws {
    let errors = try [TestRuntime.cpu.provider, XLAUnderTest.provider()].map { provider in
      let twins = try RunTwins(provider, provider, evaluates: false) { name in
        try smallConfiguration(
          name,
          [
            "optimizer.name": method, "optimizer.precision": name == "first" ? "fp32" : "bf16",
            "training.batch_tokens": "64", "schedule.kind": "constant",
          ])
      }
      for index in 0..<4 { _ = try twins.take(index) }
      return try twins.meanSquareDistance()
    }
    #expect(errors[1] > 0, "bf16 was not computed")
    // Two draws of the same rounding, over some dozen small tensors.
    #expect(errors[1] <= 2 * errors[0], "\(errors)")
  }

  @Test("Twenty steps of a method or policy", arguments: configurations.indices)
  func steps(index: Int) throws {
    let (name, changes) = Self.configurations[index]
    // An average of weights shows in what is evaluated only.
    let averages = name.contains("schedule-free") || name.contains("average")
    let isIllConditioned = name.hasPrefix("soap")
    let twins = try RunTwins(isMeasured: isIllConditioned, evaluates: averages) { folder in
      try smallConfiguration(folder, changes.merging(["training.steps": "20"]) { $1 })
    }
    if isIllConditioned {
      // Eigenvectors have no sign, and those of eigenvalues near zero are anybody's choice: each step starts from the same ones.
      for step in 0..<20 {
        let distance = try twins.take(step)
        #expect(max(distance.loss, distance.gradientNorm) <= 1e-5, "\(name) \(distance)")
        let weights = try twins.farthest(weightsOnly: true)
        #expect(weights.error <= 1e-5, "\(name) \(weights) after \(step + 1) steps")
        try twins.align()
      }
    } else {
      try twins.expectAgreement(steps: 20, name)
    }
  }
}
