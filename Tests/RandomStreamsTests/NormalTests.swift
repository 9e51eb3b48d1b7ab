// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RandomStreams
import Testing

struct NormalTests {
  let stream = RandomStream(seed: 0x0123_4567_89AB_CDEF, name: "initialization/embedding")

  func fill(
    _ count: Int, mean: Float = 0, standardDeviation: Float = 1, startingAt: Int = 0
  ) -> [Float] {
    var values = [Float](repeating: .nan, count: count)
    values.withUnsafeMutableBufferPointer {
      stream.fillNormal(
        into: $0, mean: mean, standardDeviation: standardDeviation, startingAt: startingAt)
    }
    return values
  }

  func fillTruncated(_ count: Int, bound: Double, startingAt: Int = 0) -> [Float] {
    var values = [Float](repeating: .nan, count: count)
    values.withUnsafeMutableBufferPointer {
      stream.fillTruncatedNormal(
        into: $0, mean: 0, standardDeviation: 1, bound: bound, startingAt: startingAt)
    }
    return values
  }

  /// Printed by `Scripts/fixtures/random_streams.py`, which uses the C library's functions.
  @Test(arguments: [
    (0, 0.37386723292331075), (1, 1.360044737273886), (2, -0.21745028248524256),
    (3, -0.20060202867634822), (12_345, -0.021790680135951),
  ])
  func matchesAnIndependentImplementation(index: Int, expected: Double) {
    #expect(abs(stream.normal(at: index) - expected) < 1e-14)
  }

  @Test func theTransformAgreesWithTheCLibrary() {
    var worst = 0.0
    for block in 0..<10_000 {
      let u = (Double(stream.uint64(at: 2 * block) >> 11) + 1) * 0x1p-53
      let v = stream.uniform(at: 2 * block + 1)
      let radius = (-2 * log(u)).squareRoot()
      worst = max(worst, abs(stream.normal(at: 2 * block) - radius * cos(2 * .pi * v)))
      worst = max(worst, abs(stream.normal(at: 2 * block + 1) - radius * sin(2 * .pi * v)))
    }
    // A few roundings of numbers below 8, and the C library's own error in 2 pi v.
    #expect(worst < 1e-14)
  }

  @Test func momentsAndTailsAreThoseOfANormal() {
    let count = 100_000
    let values = fill(count).map(Double.init)
    let n = Double(count)
    let mean = values.reduce(0, +) / n
    let variance = values.reduce(0) { $0 + $1 * $1 } / n
    let third = values.reduce(0) { $0 + $1 * $1 * $1 } / n
    let fourth = values.reduce(0) { $0 + $1 * $1 * $1 * $1 } / n
    // Five standard errors: 1, sqrt 2, sqrt 15, sqrt 96 over sqrt n.
    #expect(abs(mean) < 5 / n.squareRoot())
    #expect(abs(variance - 1) < 5 * (2 / n).squareRoot())
    #expect(abs(third) < 5 * (15 / n).squareRoot())
    #expect(abs(fourth - 3) < 5 * (96 / n).squareRoot())
    for (limit, share) in [(0.6745, 0.5), (1.96, 0.05), (3.2905, 0.001)] {
      let beyond = Double(values.count { abs($0) > limit }) / n
      #expect(abs(beyond - share) < 5 * (share * (1 - share) / n).squareRoot(), "beyond \(limit)")
    }
  }

  @Test func pairsAreIndependent() {
    var product = 0.0
    var squares = 0.0
    let count = 20_000
    for pair in 0..<count {
      let (a, b) = (stream.normal(at: 2 * pair), stream.normal(at: 2 * pair + 1))
      product += a * b
      squares += (a * a - 1) * (b * b - 1)
    }
    #expect(abs(product / Double(count)) < 5 / Double(count).squareRoot())
    #expect(abs(squares / Double(count)) < 5 * 2 / Double(count).squareRoot())
  }

  @Test(arguments: [0, 1, 2, 3, 4, 7, 64, 999])
  func fillingInPartsGivesTheSameBits(count: Int) {
    let whole = fill(count + 5, mean: 0.5, standardDeviation: 0.02)
    for start in 0..<5 {
      let part = fill(count, mean: 0.5, standardDeviation: 0.02, startingAt: start)
      #expect(part.map(\.bitPattern) == whole[start..<start + count].map(\.bitPattern))
    }
    #expect(
      whole == (0..<count + 5).map { Float(0.5 + Double(Float(0.02)) * stream.normal(at: $0)) })
  }

  @Test func aStandardDeviationOfZeroGivesTheMean() {
    #expect(fill(9, mean: 3, standardDeviation: 0) == [Float](repeating: 3, count: 9))
  }

  @Test(arguments: [0.1, 0.5, 2.0, 3.0])
  func truncationStaysWithinTheBoundAndTouchesNothingElse(bound: Double) {
    let count = 2_000
    let plain = fill(count)
    let truncated = fillTruncated(count, bound: bound)
    var changed = 0
    for index in 0..<count {
      #expect(abs(Double(truncated[index])) <= bound + 1e-6)
      if abs(stream.normal(at: index)) <= bound {
        #expect(truncated[index] == plain[index])
      } else {
        changed += 1
      }
    }
    let share = erfc(bound / 2.0.squareRoot())
    let n = Double(count)
    #expect(abs(Double(changed) / n - share) < 5 * (share * (1 - share) / n).squareRoot())
    #expect(fillTruncated(100, bound: bound, startingAt: 3) == Array(truncated[3..<103]))
  }

  @Test func truncationAtTwoLeavesTheKnownVariance() {
    let values = fillTruncated(50_000, bound: 2).map(Double.init)
    let variance = values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
    // 1 - 2 * 2 phi(2) / (2 Phi(2) - 1) = 0.77374; its standard error here is about 0.004.
    #expect(abs(variance - 0.77374) < 0.02)
  }
}
