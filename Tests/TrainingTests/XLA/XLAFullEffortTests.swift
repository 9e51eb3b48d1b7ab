// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Training

/// What `make test-xla` also runs compiled with all of the compiler's effort, as users' runs are.
@Suite(
  "XLA steps as the processor does: with the compiler's whole effort",
  .enabled(if: XLAUnderTest.isPresent))
struct XLAFullEffortTests {
  /// Not the speedrun's decoder: gradients of its `x0_lambdas` are nearly zero at first, and that effort rounds them differently.
  @Test("Twenty steps of an architecture", arguments: ["decoder", "decoder of documents", "llama"])
  func steps(name: String) throws {
    let changes = try #require(XLARunTests.models[name])
    let twins = try RunTwins { folder in
      try smallConfiguration(folder, changes.merging(["training.steps": "20"]) { $1 })
    }
    try twins.expectAgreement(steps: 20, name)
  }
}
