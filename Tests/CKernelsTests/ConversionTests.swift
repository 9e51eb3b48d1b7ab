// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CKernels
import Testing

extension KernelTests {
  @Suite struct Conversions {
    static let awkwardValues: [Float] =
      [
        0, -0.0, 1, -1, .infinity, -.infinity, .nan, -.nan, .greatestFiniteMagnitude,
        -.greatestFiniteMagnitude, .leastNormalMagnitude, .leastNonzeroMagnitude,
        Float(bitPattern: 0x7f80_0001), Float(bitPattern: 0xff80_0001),
        Float(bitPattern: 0x7fff_ffff),
      ]
      + [UInt32](arrayLiteral: 0x3f80_8000, 0x3f81_8000, 0x3f80_7fff, 0x3f80_8001, 0x7f7f_8000)
      .map(Float.init(bitPattern:))
      + [UInt32](arrayLiteral: 0x0000_8000, 0x0001_8000, 0x0000_7fff, 0x8000_8001, 0x007f_ffff)
      .map(Float.init(bitPattern:))

    @Test("fp32 to bf16 rounds to nearest even, denormals and NaN included")
    func narrowing() {
      var random = TestRandom(1)
      let values =
        Self.awkwardValues
        + (0..<100_003).map { _ in
          Float(bitPattern: UInt32.random(in: 0...UInt32.max, using: &random))
        }
      let want = values.map(bfloat16Bits)
      for set in InstructionSet.available {
        for count in [0, 1, 15, 16, 17, 31, values.count] {
          let input = Elements(Array(values.prefix(count)))
          let output = Elements(count: count, CK_BF16)
          set.run { ck_convert_f32_to_bf16(input.floatPointer, output.halfPointer, count) }
          let got = (0..<count).map { output.halfPointer[$0] }
          let wrong = got.indices.first { got[$0] != want[$0] }
          #expect(wrong == nil, "\(set): \(wrong.map { "\(values[$0])" } ?? "")")
          #expect(output.isIntact)
        }
      }
    }

    @Test("bf16 to fp32 is exact for every bit pattern")
    func widening() {
      for set in InstructionSet.available {
        for count in [0, 1, 19, 65536] {
          let input = Elements(count: count, CK_BF16)
          for index in 0..<count { input.halfPointer[index] = UInt16(65535 - index) }
          let output = Elements(count: count)
          set.run { ck_convert_bf16_to_f32(input.halfPointer, output.floatPointer, count) }
          #expect(
            (0..<count).allSatisfy {
              output.floatPointer[$0].bitPattern == UInt32(65535 - $0) << 16
            })
          #expect(output.isIntact)
        }
      }
    }

    @Test(
      "a transpose moves every element, for both widths, with strides",
      arguments: [0, 1, 3, 15, 16, 17, 47, 64])
    func transposing(rows: Int) {
      for columns in [0, 1, 5, 16, 31, 33, 48] {
        let inputStride = columns + 3, outputStride = rows + 5
        for type in [CK_F32, CK_BF16] {
          // Small whole numbers are exact in both types.
          let values = (0..<rows * inputStride).map { Float($0 % 251) }
          for set in InstructionSet.available {
            let input = Elements(values, type),
              output = Elements(count: columns * outputStride, type)
            set.run {
              ck_transpose(
                input.data, output.data, rows, columns, inputStride, outputStride,
                type == CK_BF16 ? 2 : 4)
            }
            var want = Elements(count: columns * outputStride, type).floats
            for r in 0..<rows {
              for c in 0..<columns { want[c * outputStride + r] = values[r * inputStride + c] }
            }
            #expect(output.floats == want, "\(set) \(rows) x \(columns)")
            #expect(output.isIntact)
          }
        }
      }
    }

    @Test("the plain copy copies")
    func copying() {
      var random = TestRandom(2)
      let values = random.floats(1003)
      let input = Elements(values), output = Elements(count: 1003)
      ck_copy(input.floatPointer, output.floatPointer, 1003)
      #expect(output.floats == values)
    }
  }
}
