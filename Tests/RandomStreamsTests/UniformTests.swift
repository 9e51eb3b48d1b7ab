// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import RandomStreams
import Testing

struct UniformTests {
  let stream = RandomStream(seed: 17, name: "uniform")

  func fill(_ count: Int, lower: Float = 0, upper: Float = 1, startingAt: Int = 0) -> [Float] {
    var values = [Float](repeating: .nan, count: count)
    values.withUnsafeMutableBufferPointer {
      stream.fillUniform(into: $0, lower: lower, upper: upper, startingAt: startingAt)
    }
    return values
  }

  @Test func passesAChiSquareTest() {
    let count = 50_000
    let bins = 100
    var filled = [Int](repeating: 0, count: bins)
    for index in 0..<count {
      let value = stream.uniform(at: index)
      #expect(value >= 0 && value < 1)
      filled[Int(value * Double(bins))] += 1
    }
    let expected = Double(count) / Double(bins)
    let statistic = filled.reduce(0.0) { $0 + (Double($1) - expected) * (Double($1) - expected) }
    // 99 degrees of freedom: mean 99, standard deviation 14.1.
    #expect(abs(statistic / expected - 99) < 5 * 14.1)
  }

  @Test func neighboursAreUncorrelated() {
    let count = 20_000
    var product = 0.0
    for index in 0..<count {
      product += (stream.uniform(at: index) - 0.5) * (stream.uniform(at: index + 1) - 0.5)
    }
    // The product of two uniforms around 0 has standard deviation 1/12.
    #expect(abs(product / Double(count)) < 5 / 12 / Double(count).squareRoot())
  }

  @Test(arguments: [0, 1, 2, 3, 4, 5, 8, 63, 1001])
  func fillingEqualsReadingWordByWord(count: Int) {
    for start in 0..<5 {
      let expected = (0..<count).map {
        Float(-2 + 5 * (Double(stream.uint32(at: start + $0)) * 0x1p-32))
      }
      #expect(fill(count, lower: -2, upper: 3, startingAt: start) == expected)
    }
  }

  @Test func theUpperBoundIsNeverReached() {
    // Only one Float lies in [1, 1.0000001): rounding up would give the excluded bound half the time.
    let values = fill(1000, lower: 1, upper: Float(1).nextUp)
    #expect(values.allSatisfy { $0 == 1 })
  }
}
