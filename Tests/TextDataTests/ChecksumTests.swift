// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TextData

struct ChecksumTests {
  /// Published values of XXH64 with seed 0.
  @Test(
    arguments: [
      ("", 0xef46_db37_51d8_e999), ("a", 0xd24e_c4f1_a98c_6e5b), ("abc", 0x44bc_2cf5_ad77_0999),
      ("Nobody inspects the spammish repetition", 0xfbce_a83c_8a37_8bf1),
    ] as [(String, UInt64)])
  func matchesPublishedValues(text: String, expected: UInt64) {
    #expect(Array(text.utf8).withUnsafeBytes { Checksum.of($0) } == expected)
  }

  @Test func howTheStreamIsCutDoesNotMatter() {
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 * $0 / 7) }
    bytes.withUnsafeBytes { raw in
      for count in [0, 1, 31, 32, 33, 63, 64, 100, 1000] {
        let whole = Checksum.of(UnsafeRawBufferPointer(rebasing: raw[..<count]))
        for step in [1, 3, 31, 32, 33, 64, 999] {
          var checksum = Checksum()
          var begin = 0
          while begin < count {
            let end = min(count, begin + step)
            checksum.update(UnsafeRawBufferPointer(rebasing: raw[begin..<end]))
            begin = end
          }
          #expect(checksum.value == whole, "\(count) bytes in steps of \(step)")
        }
      }
    }
  }

  @Test func everyBitMatters() {
    var bytes = [UInt8](repeating: 0, count: 70)
    var seen: Set<UInt64> = [bytes.withUnsafeBytes { Checksum.of($0) }]
    for bit in 0..<560 {
      bytes[bit / 8] ^= 1 << (bit % 8)
      seen.insert(bytes.withUnsafeBytes { Checksum.of($0) })
      bytes[bit / 8] ^= 1 << (bit % 8)
    }
    #expect(seen.count == 561)
  }
}
