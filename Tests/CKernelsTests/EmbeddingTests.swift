// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CKernels
import Testing

extension KernelTests {
  @Suite struct Embeddings {
    @Test("rotary turns pairs, its inverse turns them back, in place and across types")
    func rotary() {
      var random = TestRandom(20)
      for (rows, firstRow, context, heads, width) in [
        (1, 0, 1, 1, 2), (7, 3, 5, 2, 64), (5, 0, 8, 3, 34), (4, 9, 4, 1, 128), (0, 0, 3, 1, 4),
      ] {
        let half = width / 2, count = rows * heads * width
        let x = random.shortFloats(count)
        let angles = random.floats(context * half, in: -3...3)
        let cosines = applied(CK_COSINE, angles), sines = applied(CK_SINE, angles)
        for inverse in [false, true] {
          var want = [Double](repeating: 0, count: count)
          for r in 0..<rows {
            for h in 0..<heads {
              for j in 0..<half {
                let position = (firstRow + r) % context
                let c = Double(cosines[position * half + j])
                let s = Double(sines[position * half + j]) * (inverse ? -1 : 1)
                let first = (r * heads + h) * width + j
                let x1 = Double(x[first]), x2 = Double(x[first + half])
                want[first] = x1 * c - x2 * s
                want[first + half] = x2 * c + x1 * s
              }
            }
          }
          for (xType, yType, inPlace) in [
            (CK_F32, CK_F32, true), (CK_BF16, CK_BF16, true), (CK_F32, CK_BF16, false),
            (CK_BF16, CK_F32, false),
          ] {
            var bits: [Float]?
            for set in InstructionSet.available {
              let input = Elements(x, xType),
                output = inPlace ? input : Elements(count: count, yType)
              let cosine = Elements(cosines), sine = Elements(sines)
              set.run {
                ck_rotary(
                  rows, firstRow, context, heads, width, input.data, xType, output.data, yType,
                  cosine.floatPointer, sine.floatPointer, inverse ? 1 : 0)
              }
              let agreement = Agreement(
                output.floats, want, absolute: 1e-6, relative: storageError(yType) + 1e-6)
              #expect(agreement.holds && output.isIntact, "\(set): \(agreement)")
              #expect(firstDifference(bits ?? output.floats, output.floats) == nil)
              bits = bits ?? output.floats
            }
          }
        }
      }
    }

    @Test("lookup copies rows of the table", arguments: [1, 16, 37])
    func lookup(columns: Int) {
      var random = TestRandom(21)
      let tokens: [Int32] = [4, 0, 4, 2, 1]
      let table = random.floats(5 * columns)
      let rows = tokens.flatMap { table[Int($0) * columns..<(Int($0) + 1) * columns] }
      for set in InstructionSet.available {
        let memory = Elements(table)
        for type in [CK_F32, CK_BF16] {
          let output = Elements(count: tokens.count * columns, type)
          set.run {
            ck_embedding_forward(
              tokens.count, columns, tokens, memory.floatPointer, output.data, type)
          }
          #expect(output.floats == (type == CK_BF16 ? rows.map(roundedToBFloat16) : rows))
          #expect(output.isIntact)
        }
      }
    }

    @Test("the sort groups rows by token and keeps their order")
    func sorting() {
      for tokens in [[], [2], [3, 0, 3, 1, 0, 3, 5]] as [[Int32]] {
        let vocabulary = 6
        for set in InstructionSet.available {
          var offsets = [Int32](repeating: -1, count: vocabulary + 1)
          var order = [Int32](repeating: -1, count: tokens.count)
          set.run {
            ck_embedding_sort(tokens.count, vocabulary, tokens, &offsets, &order)
          }
          for v in 0..<vocabulary {
            let want = tokens.indices.filter { tokens[$0] == Int32(v) }.map(Int32.init)
            #expect(Array(order[Int(offsets[v])..<Int(offsets[v + 1])]) == want)
          }
          #expect(offsets[0] == 0 && offsets[vocabulary] == Int32(tokens.count))
        }
      }
    }

    @Test("the gradient of the table sums rows of equal tokens", arguments: [1, 7, 64, 65, 130])
    func gradient(columns: Int) {
      var random = TestRandom(22)
      let vocabulary = 9, rows = 41
      let tokens = (0..<rows).map { _ in Int32.random(in: 0..<7, using: &random) }
      let dy = random.shortFloats(rows * columns)
      var offsets = [Int32](repeating: 0, count: vocabulary + 1)
      var order = [Int32](repeating: 0, count: rows)
      ck_embedding_sort(rows, vocabulary, tokens, &offsets, &order)
      let start = random.floats(vocabulary * columns)
      for type in [CK_F32, CK_BF16] {
        for accumulate in [false, true] {
          let range = 1..<8
          var want = start.map(Double.init)
          if !accumulate { for v in range { for c in 0..<columns { want[v * columns + c] = 0 } } }
          for r in 0..<rows where range.contains(Int(tokens[r])) {
            for c in 0..<columns {
              want[Int(tokens[r]) * columns + c] += Double(dy[r * columns + c])
            }
          }
          var bits: [Float]?
          for set in InstructionSet.available {
            let gradient = Elements(start), memory = Elements(dy, type)
            set.run {
              ck_embedding_backward(
                range.lowerBound, range.upperBound, columns, memory.data, type, offsets, order,
                gradient.floatPointer, accumulate ? 1 : 0)
            }
            let agreement = Agreement(gradient.floats, want, absolute: 4e-6, relative: 1e-6)
            #expect(agreement.holds && gradient.isIntact, "\(set): \(agreement)")
            #expect(firstDifference(bits ?? gradient.floats, gradient.floats) == nil)
            bits = bits ?? gradient.floats
          }
        }
      }
    }
  }
}
