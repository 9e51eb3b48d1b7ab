// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CKernels
import Testing

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

extension KernelTests {
  @Suite struct Samples {
    /// The interval of uniforms that belongs to each label, in double arithmetic.
    private func intervals(_ logits: ArraySlice<Float>, _ inverse: Double) -> [ClosedRange<Double>]
    {
      let largest = Double(logits.max() ?? 0)
      let masses = logits.map { exp((Double($0) - largest) * inverse) }
      let total = masses.reduce(0, +)
      var sum = 0.0
      return masses.map { mass in
        let low = sum / total
        sum += mass
        return low...(sum / total)
      }
    }

    @Test(
      "the label's interval holds the uniform, for any vocabulary and tile",
      arguments: [1, 2, 63, 64, 65, 129, 300, 1031], [64, 128, 512])
    func draws(vocabulary: Int, tile: Int) {
      var random = TestRandom(90 + vocabulary)
      let rows = 40
      let logits = random.floats(rows * vocabulary, in: -12...12)
      var uniforms = random.floats(rows, in: 0...0.9999)
      (uniforms[0], uniforms[1]) = (0, 1 - 0x1p-24)
      for inverse in [Float(1), 0.25, 3] {
        var found: (labels: [Int], rests: [Double])?
        for set in InstructionSet.available {
          let draw = run(set, logits, uniforms, vocabulary: vocabulary, tile: tile, inverse)
          for row in 0..<rows {
            let interval = intervals(
              logits[row * vocabulary..<(row + 1) * vocabulary], Double(inverse))[draw.labels[row]]
            let uniform = Double(uniforms[row])
            // Sums of some thousand exponentials that are each right to a few units of 2^-24.
            let outside = max(interval.lowerBound - uniform, uniform - interval.upperBound)
            #expect(outside < 2e-6, "\(set), row \(row): \(uniform) outside \(interval)")
            #expect((0..<1).contains(draw.rests[row]), "\(set), row \(row)")
          }
          if let found {
            #expect(found.labels == draw.labels && found.rests == draw.rests, "\(set)")
          }
          found = found ?? draw
        }
      }
    }

    @Test("a share of 1 takes the last column with any mass, a share of 0 the first")
    func ends() {
      let logits: [Float] = [-.infinity, -300, 2, 1, -.infinity, 0, -300, -.infinity]
      for set in InstructionSet.available {
        let shares = [0.0, 0.5, 1 - 0x1p-50, 1, .nan]
        let columns = set.run { shares.map { ck_sample_column(logits.count, logits, 1, $0) } }
        #expect(columns[0] == 2 && columns[2] == 5 && columns[3] == 5, "\(set): \(columns)")
        #expect(columns.allSatisfy { $0 < logits.count }, "\(set)")
      }
    }

    private func run(
      _ set: InstructionSet, _ logits: [Float], _ uniforms: [Float], vocabulary: Int, tile: Int,
      _ inverse: Float
    ) -> (labels: [Int], rests: [Double]) {
      let rows = uniforms.count
      let groups = (vocabulary + 63) / 64
      let maximum = Elements(count: rows * groups), sum = Elements(count: rows * groups)
      let memory = Elements(logits)
      var labels: [Int] = []
      var rests: [Double] = []
      set.run {
        for first in stride(from: 0, to: vocabulary, by: tile) {
          ck_sample_groups(
            rows, min(tile, vocabulary - first), memory.floatPointer + first, vocabulary, inverse,
            maximum.floatPointer + first / 64, sum.floatPointer + first / 64, groups)
        }
        for row in 0..<rows {
          var rest = 0.0
          let group = ck_sample_group(
            groups, maximum.floatPointer + row * groups, sum.floatPointer + row * groups, inverse,
            uniforms[row], &rest)
          let first = group * 64
          let column = ck_sample_column(
            min(64, vocabulary - first), memory.floatPointer + row * vocabulary + first, inverse,
            rest)
          labels.append(first + column)
          rests.append(rest)
        }
      }
      #expect(maximum.isIntact && sum.isIntact)
      return (labels, rests)
    }
  }
}
