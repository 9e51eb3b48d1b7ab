// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Statistics
import Testing

struct PowerTests {
  /// The protocol's table: detectable difference in sigma at 80 % power, two-sided 0.05; unpaired, then paired by correlation.
  @Test(arguments: [
    (3, [3.07, 4.62, 3.26, 2.06, 1.46]), (5, [2.02, 2.38, 1.68, 1.06, 0.75]),
    (8, [1.51, 1.63, 1.16, 0.73, 0.52]), (10, [1.32, 1.41, 1.00, 0.63, 0.45]),
    (20, [0.91, 0.93, 0.66, 0.42, 0.30]),
  ])
  func theProtocolsTableIsReproducedToItsDigits(count: Int, expected: [Double]) throws {
    let correlations: [Double?] = [nil, 0, 0.5, 0.8, 0.9]
    for (correlation, printed) in zip(correlations, expected) {
      let exact = try #require(
        Power.detectableDifference(count: count, correlation: correlation))
      #expect((exact * 100).rounded() / 100 == printed, "\(count), \(String(describing: correlation))")
    }
  }
}
