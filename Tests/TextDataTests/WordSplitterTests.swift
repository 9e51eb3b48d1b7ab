// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TextData

struct WordSplitterTests {
  func pieces(_ bytes: [UInt8]) -> [Int] {
    bytes.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return [] }
      let splitter = WordSplitter(bytes: base, count: buffer.count)
      var lengths: [Int] = []
      var start = 0
      while start < buffer.count {
        let end = splitter.end(from: start)
        lengths.append(end - start)
        start = end
      }
      return lengths
    }
  }

  @Test func splitsAsTheRegularExpressionDoes() throws {
    let texts = try AwkwardText.all()
    #expect(texts.count > 300)
    for text in texts {
      #expect(pieces(Array(text.text.utf8)) == text.pieces, "\(text.text.debugDescription)")
    }
  }

  @Test func bytesOutsideUTF8AreNeitherLettersNorSpace() {
    // A lone continuation, an overlong form, a surrogate, a start without its rest, beyond U+10FFFF: one
    // run of others each, glued to neighbouring punctuation but not to letters.
    for invalid: [UInt8] in [
      [0x80], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82], [0xF4, 0x90, 0x80, 0x80], [0xFF],
    ] {
      let count = invalid.count
      #expect(pieces([0x61] + invalid + [0x62]) == [1, count, 1], "\(invalid)")
      #expect(pieces([0x20] + invalid + [0x21]) == [count + 2], "\(invalid)")
      #expect(pieces(invalid) == [count], "\(invalid)")
    }
    // A truncated letter at the end is not read beyond the end.
    #expect(pieces([0x61, 0xC3]) == [1, 1])
    #expect(pieces([0xF0, 0x9F, 0x98]) == [3])
  }

  @Test func theTablesHoldUnicode16() {
    func count(_ table: [UInt32]) -> Int {
      stride(from: 0, to: table.count, by: 2).reduce(0) { $0 + Int(table[$1 + 1] - table[$1]) }
    }
    #expect(count(UnicodeClass.letters) == 141_028)
    #expect(count(UnicodeClass.numbers) == 1_911)
    #expect(count(UnicodeClass.whitespace) == 25)
    for table in [UnicodeClass.letters, UnicodeClass.numbers, UnicodeClass.whitespace] {
      #expect(zip(table, table.dropFirst()).allSatisfy { $0 < $1 })
    }
  }
}
