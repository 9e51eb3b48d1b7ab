// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TextData

struct DocumentRuleTests {
  func documents(_ text: String, _ rule: DocumentRule) -> [String] {
    documents(Array(text.utf8), rule)
  }

  func documents(_ bytes: [UInt8], _ rule: DocumentRule) -> [String] {
    var found: [String] = []
    bytes.withUnsafeBytes { raw in
      rule.forEachDocument(in: raw) { found.append(String(decoding: raw[$0], as: UTF8.self)) }
    }
    return found
  }

  @Test(
    arguments: [
      ("", []), ("\n", []), ("\n \t\n\r\n", []), ("one", ["one"]), ("one\n", ["one"]),
      ("one\ntwo\n", ["one\ntwo"]), ("one\n\ntwo", ["one", "two"]),
      ("\n\none\n\n\n\ntwo\n\n", ["one", "two"]),
      ("one\n \t \ntwo", ["one", "two"]), ("one\r\n\r\ntwo\r\n", ["one", "two"]),
      ("a\r\nb\r\n", ["a\r\nb"]), (" one\n  two \n\n three ", [" one\n  two ", " three "]),
    ] as [(String, [String])])
  func blankLinesSeparate(text: String, expected: [String]) {
    #expect(documents(text, .blankLines) == expected)
  }

  @Test(
    arguments: [
      ("", []), (" \n\t\n", []), ("one\n\ntwo\n", ["one\n\ntwo\n"]), ("\none", ["\none"]),
    ] as [(String, [String])])
  func wholeFilesAreKept(text: String, expected: [String]) {
    #expect(documents(text, .wholeFile) == expected)
  }

  @Test(
    arguments: [
      ("", []), ("one", ["one"]), ("one\n<|e|>\ntwo\n", ["one", "two\n"]),
      ("<|e|>one<|e|><|e|>two<|e|>", ["one", "two"]),
      ("one\n\ntwo<|e|", ["one\n\ntwo<|e|"]), ("one\n<|e|>\n \n<|e|>\n\ntwo", ["one", "\ntwo"]),
    ] as [(String, [String])])
  func aTextSeparates(text: String, expected: [String]) {
    #expect(documents(text, .separator("<|e|>")) == expected)
  }

  @Test func aByteOrderMarkIsNoText() {
    #expect(documents([0xEF, 0xBB, 0xBF, 0x61, 0x0A, 0x0A, 0x62], .blankLines) == ["a", "b"])
    #expect(documents([0xEF, 0xBB, 0xBF, 0x61], .wholeFile) == ["a"])
    #expect(documents([0xEF, 0xBB, 0xBF], .wholeFile) == [])
  }

  @Test func rulesComeBackFromTheirText() throws {
    for rule in [DocumentRule.blankLines, .wholeFile, .separator("<|endoftext|>")] {
      #expect(try DocumentRule(parsing: rule.description) == rule)
    }
    for text in ["", "separator:", "lines"] {
      #expect { try DocumentRule(parsing: text) } throws: {
        ($0 as? DataError)?.code == .invalidOption
      }
    }
  }
}

struct TextCheckTests {
  func check(_ bytes: [UInt8]) throws(DataError) -> Int {
    let result = bytes.withUnsafeBytes { raw in
      Result { () throws(DataError) in try TextCheck(raw, path: "some.txt").invalidBytes }
    }
    return try result.get()
  }

  @Test(arguments: [0, 1, 7, 8, 9, 15, 16, 17, 100])
  func aNULIsFoundWhereverItStands(place: Int) {
    var bytes = [UInt8](repeating: 0x61, count: 101)
    #expect(throws: Never.self) { try check(bytes) }
    bytes[place] = 0
    do {
      _ = try check(bytes)
      Issue.record("no error")
    } catch {
      #expect(error.code == .binaryText)
      #expect(error.message.contains("offset \(place)."), "\(error)")
      #expect(error.message.contains("some.txt"))
    }
  }

  @Test func fewInvalidBytesAreCountedAndManyRefused() throws {
    var bytes = Array(String(repeating: "Grüße 猫 😀 text ", count: 200).utf8)
    #expect(try check(bytes) == 0)
    bytes += [0xFF, 0x80, 0xC3]
    #expect(try check(bytes) == 3)
    bytes += [0xE9, 0xE8, 0x61, 0xE9]
    do {
      _ = try check(bytes)
      Issue.record("no error")
    } catch {
      #expect(error.code == .binaryText)
      #expect(error.message.contains("not UTF-8"), "\(error)")
    }
  }

  @Test func nothingIsText() throws {
    #expect(try check([]) == 0)
  }
}
