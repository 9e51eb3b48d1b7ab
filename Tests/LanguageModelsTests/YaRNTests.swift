// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import LanguageModels
import Testing

@Suite struct YaRNTests {
  /// One line of the table: the window in blocks, s, and some frequencies.
  struct Line: Sendable, CustomTestStringConvertible {
    var blocks: Int
    var scale: Double
    var frequencies: [Int: Double]
    var testDescription: String { "up to \(blocks) blocks" }
  }

  /// What the records of December 2025 go through, heads of 128 (https://github.com/KellerJordan/modded-nanogpt), to six digits.
  static let table = [
    Line(
      blocks: 3, scale: 0.1,
      frequencies: [
        0: 1, 4: 0.40886, 8: 0.167166, 12: 0.0683475, 16: 0.0279445, 24: 0.00467138,
        31: 0.000976563,
      ]),
    Line(
      blocks: 7, scale: 0.116946,
      frequencies: [
        0: 1, 4: 0.356011, 8: 0.100042, 12: 0.0332945, 16: 0.0123408, 24: 0.00200202,
        31: 0.00041853,
      ]),
    Line(
      blocks: 11, scale: 0.127518,
      frequencies: [
        0: 1, 4: 0.356011, 8: 0.0792315, 12: 0.0226511, 16: 0.00796326, 24: 0.00127401,
        31: 0.00026634,
      ]),
    Line(
      blocks: 13, scale: 0.131778,
      frequencies: [
        0: 1, 4: 0.356011, 8: 0.0736302, 12: 0.0196245, 16: 0.00676914, 24: 0.00107801,
        31: 0.00022536,
      ]),
  ]

  /// Half of the last of five digits that count, where the first of them is small.
  static let printed = 2e-5

  @Test("Growing windows give the frequencies and scales of the record", arguments: table)
  func record(_ line: Line) {
    let windows = Self.table.map(\.blocks).filter { $0 <= line.blocks }.map { 128 * $0 + 1 }
    let yarn = YaRN(headWidth: 128, after: windows)
    #expect(yarn.frequencies.count == 64)
    #expect(yarn.frequencies[32...].allSatisfy { $0 == 0 })
    #expect(abs(yarn.attentionScale / line.scale - 1) <= Self.printed)
    for (index, expected) in line.frequencies {
      #expect(abs(yarn.frequencies[index] / expected - 1) <= Self.printed, "f_\(index)")
    }
  }

  @Test("Only changes count, and without one it is the start, whatever the window")
  func changes() {
    let start = YaRN(headWidth: 16)
    #expect(YaRN(headWidth: 16, after: []) == start)
    #expect(YaRN(headWidth: 16, after: [385, 385, 385]) == start)
    let once = YaRN(headWidth: 16, after: [385, 897])
    #expect(YaRN(headWidth: 16, after: [385, 385, 897, 897]) == once)
    #expect(once != start)
    // The way counts and not only its end.
    #expect(YaRN(headWidth: 16, after: [385, 641, 897]) != once)
  }

  @Test("A quarter of the head's width rotates, from 1 down to one over the base")
  func start() {
    let yarn = YaRN(headWidth: 20, base: 16)
    #expect(yarn.frequencies == [1, 0.5, 0.25, 0.125, 0.0625, 0, 0, 0, 0, 0])
    #expect(yarn.attentionScale == 0.1)
    let whole = YaRN(headWidth: 10, base: 16, isHalfTruncated: false)
    #expect(whole.frequencies == [1, 0.5, 0.25, 0.125, 0.0625])
  }
}
