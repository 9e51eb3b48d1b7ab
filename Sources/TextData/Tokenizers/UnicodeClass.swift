// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// What GPT-2's split pattern distinguishes: `\p{L}`, `\p{N}`, `\s` and the rest.
enum UnicodeClass {
  static let letter: UInt8 = 0
  static let number: UInt8 = 1
  static let whitespaceClass: UInt8 = 2
  static let other: UInt8 = 3

  /// The class of every code point (1.1 MB, of which text in one script touches a few pages).
  static let table = Table()

  /// Sendable because the classes are never written after `init`; lives as long as the process.
  final class Table: @unchecked Sendable {
    let classes: UnsafePointer<UInt8>

    fileprivate init() {
      let classes = UnsafeMutablePointer<UInt8>.allocate(capacity: 0x11_0000)
      classes.initialize(repeating: UnicodeClass.other, count: 0x11_0000)
      let tables = [
        (UnicodeClass.letters, UnicodeClass.letter), (UnicodeClass.numbers, UnicodeClass.number),
        (UnicodeClass.whitespace, UnicodeClass.whitespaceClass),
      ]
      for (boundaries, value) in tables {
        for index in stride(from: 0, to: boundaries.count, by: 2) {
          let first = Int(boundaries[index])
          (classes + first).update(repeating: value, count: Int(boundaries[index + 1]) - first)
        }
      }
      self.classes = UnsafePointer(classes)
    }
  }
}
