// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import TextData

struct JSONLineTests {
  func read(_ line: String, field: String = "text") throws(JSONLine.Failure) -> String {
    var text: [UInt8] = [0x3F]
    let result = Array(line.utf8).withUnsafeBytes { raw in
      Result { () throws(JSONLine.Failure) in try JSONLine.read(raw, field: field, into: &text) }
    }
    try result.get()
    return String(decoding: text, as: UTF8.self)
  }

  @Test(arguments: [
    (#"{"text":"a"}"#, "a"), (#" { "text" : "a" } "#, "a"), (#"{"text":""}"#, ""),
    (#"{"id":1,"text":"a","n":null}"#, "a"), (#"{"text":"a","text":"b"}"#, "b"),
    (#"{"meta":{"text":"no"},"list":[1,-2.5e+3,true,false,[],{},"x"],"text":"yes"}"#, "yes"),
    (#"{"text":"\"\\\/\b\f\n\r\t"}"#, "\"\\/\u{8}\u{c}\n\r\t"),
    (#"{"text":"\u00e9\u732B\ud83d\ude00\u0000"}"#, "é猫😀\0"), (#"{"text":"é猫😀"}"#, "é猫😀"),
    (#"{"te\u0078t":"escaped key"}"#, "escaped key"), (#"{"t":0,"text":"a}"}"#, "a}"),
  ])
  func takesTheTextOut(line: String, expected: String) throws {
    #expect(try read(line) == expected)
    // Foundation agrees that this is JSON (its last duplicate may differ).
    #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(line.utf8)) }
  }

  @Test func anotherFieldCanBeAsked() throws {
    #expect(try read(#"{"text":"a","content":"b"}"#, field: "content") == "b")
  }

  @Test(arguments: [
    ("", "not a JSON object"), ("[]", "not a JSON object"), ("\"a\"", "not a JSON object"),
    ("{}", "has no 'text'"),
    (#"{"Text":"a"}"#, "has no 'text'"), (#"{"text":1}"#, "not a string"),
    (#"{"text":null}"#, "not a string"),
    (#"{"text":"a""#, "ends too early"), (#"{"text":"a"#, "ends too early"),
    (#"{"text":"a"}}"#, "column 13"),
    (#"{"text":"a",}"#, "column 13"), (#"{"text" "a"}"#, "column 9"),
    (#"{"a":01,"text":"b"}"#, "JSON"),
    (#"{"a":1.,"text":"b"}"#, "JSON"), (#"{"a":-,"text":"b"}"#, "JSON"),
    (#"{"a":1e,"text":"b"}"#, "JSON"),
    (#"{"a":tru,"text":"b"}"#, "JSON"), (#"{"a":[1,],"text":"b"}"#, "JSON"),
    (#"{"text":"\x"}"#, "JSON"),
    (#"{"text":"\u12g4"}"#, "JSON"), (#"{"text":"\ud83d"}"#, "half a character"),
    (#"{"text":"\ude00"}"#, "half a character"), (#"{"text":"\ud83dx"}"#, "half a character"),
    ("{\"text\":\"a\tb\"}", "JSON"),
  ])
  func whatIsWrongIsSaid(line: String, expected: String) {
    do {
      _ = try read(line)
      Issue.record("accepted \(line)")
    } catch {
      #expect(error.reason.contains(expected), "\(line): \(error.reason)")
    }
  }

  @Test func deepNestingIsAnErrorNotACrash() {
    let deep = String(repeating: "[", count: 100_000)
    do {
      _ = try read("{\"a\":\(deep)")
      Issue.record("accepted")
    } catch {
      #expect(error.reason.contains("nested"))
    }
  }
}
