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
    !$0.name.hasSuffix(", cosine")
  }

  @Test("Twenty steps of a method or policy", arguments: configurations.indices)
  func steps(index: Int) throws {
    let (name, changes) = Self.configurations[index]
    // An average of weights shows in what is evaluated only.
    let averages = name.contains("schedule-free") || name.contains("average")
    let twins = try RunTwins(evaluates: averages) { folder in
      try smallConfiguration(folder, changes.merging(["training.steps": "20"]) { $1 })
    }
    let isIllConditioned = name.hasPrefix("soap")
    if isIllConditioned {
      // Eigenvectors of eigenvalues near zero are anybody's choice, and so are steps along them.
      try twins.expectAgreement(steps: 1, tensors: false, name)
    } else {
      try twins.expectAgreement(steps: 20, name)
    }
  }
}
