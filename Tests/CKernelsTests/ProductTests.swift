// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CKernels
import Testing

extension KernelTests {
  @Suite struct Products {
    @Test("the product is the plain sum in the order of k, bit for bit, for every layout and type")
    func matrixProduct() {
      var random = TestRandom(30)
      for (m, n, k) in [
        (1, 1, 1), (3, 5, 7), (32, 32, 128), (33, 31, 129), (0, 4, 3), (4, 0, 3), (2, 3, 0),
        (5, 40, 300),
      ] {
        for (transposeA, transposeB) in [
          (false, false), (true, false), (false, true), (true, true),
        ] {
          let aStride = (transposeA ? m : k) + 2, bStride = (transposeB ? k : n) + 1
          let cStride = n + 3
          let a = random.shortFloats((transposeA ? k : m) * aStride)
          let b = random.shortFloats((transposeB ? n : k) * bStride)
          let start = random.shortFloats(m * cStride)
          for (aType, bType, cType, accumulate) in [
            (CK_F32, CK_F32, CK_F32, false), (CK_BF16, CK_BF16, CK_F32, true),
            (CK_F32, CK_BF16, CK_BF16, false), (CK_BF16, CK_F32, CK_BF16, true),
          ] {
            var want = start
            for i in 0..<m {
              for j in 0..<n {
                var sum: Float = 0
                for p in 0..<k {
                  let left = transposeA ? a[p * aStride + i] : a[i * aStride + p]
                  let right = transposeB ? b[j * bStride + p] : b[p * bStride + j]
                  sum += left * right
                }
                if accumulate { sum = want[i * cStride + j] + sum }
                want[i * cStride + j] = cType == CK_BF16 ? roundedToBFloat16(sum) : sum
              }
            }
            for set in InstructionSet.available {
              let c = Elements(start, cType)
              let left = Elements(a, aType), right = Elements(b, bType)
              set.run {
                ck_matrix_product(
                  m, n, k, left.data, aType, aStride, transposeA ? 1 : 0, right.data, bType,
                  bStride, transposeB ? 1 : 0, c.data, cType, cStride, accumulate ? 1 : 0)
              }
              let difference = firstDifference(c.floats, want)
              #expect(difference == nil && c.isIntact, "\(set) \(m) \(n) \(k): \(difference ?? "")")
            }
          }
        }
      }
    }
  }
}
