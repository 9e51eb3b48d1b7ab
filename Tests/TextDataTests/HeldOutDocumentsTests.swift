// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TextData

struct HeldOutDocumentsTests {
  @Test(arguments: [2, 3, 10, 100, 1000], [1e-9, 0.01, 0.05, 0.5])
  func bothPartsHaveADocument(count: Int, fraction: Double) throws {
    for seed in 0..<20 as Range<UInt64> {
      let held = try HeldOutDocuments.choose(count: count, fraction: fraction, seed: seed)
      #expect(held.count == count)
      #expect(held.contains(true) && held.contains(false))
    }
  }

  @Test func theShareIsAboutTheFraction() throws {
    let held = try HeldOutDocuments.choose(count: 20_000, fraction: 0.05, seed: 1)
    // Five standard deviations of a binomial: 154.
    #expect(abs(held.count { $0 } - 1000) < 155)
  }

  @Test(arguments: [0, 1])
  func tooFewDocumentsAreAnError(count: Int) {
    #expect {
      try HeldOutDocuments.choose(count: count, fraction: 0.1, seed: 0)
    } throws: {
      ($0 as? DataError)?.code == .tooFewDocuments
    }
  }
}
