// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CKernels
import Testing

extension KernelTests {
  @Suite struct Matrices {
    @Test("a product is scaled and added to, rounded after each operation, for every type")
    func scaling() {
      var random = TestRandom(40)
      for (rows, columns) in [(0, 3), (1, 1), (3, 15), (2, 16), (5, 17), (7, 65)] {
        let (inStride, addStride, outStride) = (columns + 1, columns + 2, columns + 3)
        let product = random.floats(rows * inStride)
        let addend = random.shortFloats(rows * addStride)
        let (factor, addendFactor) = (Float(-0.7), Float(3.3))
        for (addendType, outType) in [
          (nil, CK_F32), (nil, CK_BF16), (CK_F32, CK_F32), (CK_BF16, CK_F32), (CK_F32, CK_BF16),
          (CK_BF16, CK_BF16),
        ] {
          var want = Elements(count: rows * outStride, outType).floats
          for r in 0..<rows {
            for c in 0..<columns {
              var value = product[r * inStride + c] * factor
              if addendType != nil { value += addend[r * addStride + c] * addendFactor }
              want[r * outStride + c] = outType == CK_BF16 ? roundedToBFloat16(value) : value
            }
          }
          for set in InstructionSet.available {
            let made = Elements(product)
            let added = Elements(addend, addendType ?? CK_F32)
            let out = Elements(count: rows * outStride, outType)
            set.run {
              ck_scale_and_add(
                rows, columns, made.floatPointer, inStride, factor,
                addendType == nil ? nil : added.data, addendType ?? CK_F32, addStride, addendFactor,
                out.data, outType, outStride)
            }
            let difference = firstDifference(out.floats, want)
            #expect(difference == nil && out.isIntact, "\(set) \(columns): \(difference ?? "")")
          }
        }
      }
    }

    @Test("a product may be scaled where it lies")
    func inPlace() {
      var random = TestRandom(41)
      let product = random.floats(3 * 40)
      for set in InstructionSet.available {
        let made = Elements(product)
        set.run {
          ck_scale_and_add(
            3, 33, made.floatPointer, 40, 2, made.data, CK_F32, 40, 1, made.data, CK_F32, 40)
        }
        let want = product.enumerated().map { $0 % 40 < 33 ? 2 * $1 + $1 : $1 }
        #expect(made.floats == want, "\(set)")
      }
    }

    @Test("a square is mirrored from below its diagonal", arguments: [0, 1, 2, 15, 16, 17, 33, 70])
    func mirroring(n: Int) {
      let stride = n + 3
      for type in [CK_F32, CK_BF16] {
        let values = (0..<n * stride).map { Float($0 % 241) }
        var want = values
        for r in 0..<n { for c in 0..<r { want[c * stride + r] = values[r * stride + c] } }
        for set in InstructionSet.available {
          let matrix = Elements(values, type)
          set.run { ck_mirror_lower(n, matrix.data, stride, type == CK_BF16 ? 2 : 4) }
          #expect(matrix.floats == want && matrix.isIntact, "\(set) \(n)")
        }
      }
    }
  }
}
