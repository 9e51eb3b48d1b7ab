// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CKernels
import Testing

/// A float8 format by its definition: every code decoded from its fields (Micikevicius et al., 2022, table 1).
struct Float8Format {
  static let e4m3 = Float8Format(fractionBits: 3, bias: 7, finiteCodes: 0x7f)
  static let e5m2 = Float8Format(fractionBits: 2, bias: 15, finiteCodes: 0x7c)

  /// The numbers from 0 up, in the order of their codes.
  let numbers: [Float]

  private init(fractionBits: Int, bias: Int, finiteCodes: Int) {
    numbers = (0..<finiteCodes).map { code in
      let (exponent, fraction) = (code >> fractionBits, code & ((1 << fractionBits) - 1))
      let steps = exponent == 0 ? fraction : fraction + (1 << fractionBits)
      return Float(sign: .plus, exponent: max(1, exponent) - bias - fractionBits, significand: 1)
        * Float(steps)
    }
  }

  /// The nearest number; of two equally near ones that with the even code; beyond the largest, the largest.
  func rounded(_ value: Float) -> Float {
    if value.isNaN { return value }
    let size = Double(value.magnitude)
    let above = numbers.firstIndex { Double($0) >= size } ?? numbers.count - 1
    let below = max(0, above - 1)
    let (down, up) = (size - Double(numbers[below]), Double(numbers[above]) - size)
    let code = up < down || (up == down && above % 2 == 0) || up < 0 ? above : below
    return value.sign == .minus ? -numbers[code] : numbers[code]
  }
}

extension KernelTests {
  @Suite struct Float8 {
    @Test("e4m3 ends at 448, e5m2 at 57,344, and both begin at their smallest subnormal number")
    func ranges() {
      #expect(Float8Format.e4m3.numbers.last == 448 && Float8Format.e4m3.numbers[1] == 0x1p-9)
      #expect(Float8Format.e5m2.numbers.last == 57_344 && Float8Format.e5m2.numbers[1] == 0x1p-16)
    }

    @Test(
      "every code, everything halfway between two, and what lies on either side is rounded by definition"
    )
    func allCodes() {
      for (format, opcode) in [(Float8Format.e4m3, CK_ROUND_TO_E4M3), (.e5m2, CK_ROUND_TO_E5M2)] {
        var values: [Float] = [.infinity, .nan, 0, 1e30, 0x1p-30, .leastNonzeroMagnitude]
        for (a, b) in zip(format.numbers, format.numbers.dropFirst()) {
          let middle = (a + b) / 2
          values += [a, middle, middle.nextUp, middle.nextDown, b.nextDown, b.nextUp]
        }
        values += values.map { -$0 }
        let got = applied(opcode, values)
        for (value, got) in zip(values, got) {
          let want = format.rounded(value)
          #expect(
            got.bitPattern == want.bitPattern || (got.isNaN && want.isNaN),
            "\(value): \(got), not \(want)")
        }
      }
    }

    @Test("the numbers of the published record")
    func published() {
      let values: [Float] = [0.1, 0.33, 3.7, 17, 27.7, 100, 460]
      #expect(
        applied(CK_ROUND_TO_E4M3, values) == [0.1015625, 0.34375, 3.75, 16, 28, 96, 448])
      #expect(applied(CK_ROUND_TO_E5M2, values) == [0.09375, 0.3125, 3.5, 16, 28, 96, 448])
    }
  }
}
