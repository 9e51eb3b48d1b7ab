// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TensorFiles
import Testing

@Suite struct DamagedTensorFileTests {
  /// Opens a file made of a header text and some data bytes.
  func open(header: String, data: Int = 0, length: UInt64? = nil) throws -> TensorFileError? {
    let text = Array(header.utf8)
    let field = raw([length ?? UInt64(text.count)])
    return try open(field + text + [UInt8](repeating: 0, count: data))
  }

  func open(_ bytes: [UInt8]) throws -> TensorFileError? {
    let folder = try TemporaryFolder()
    let path = folder.path + "/x.safetensors"
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    let error = failure { _ = try TensorFile(path: path) }
    if let error { #expect(error.message.hasPrefix(path), "the file is not named: \(error)") }
    return error
  }

  static let one = #""a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}"#

  @Test func theUndamagedFormOpens() throws {
    #expect(try open(header: "{\(Self.one)}", data: 8) == nil)
    #expect(try open(header: " {\(Self.one)}", data: 8)?.code == .malformedHeader)
    #expect(try open(header: "{\(Self.one)}   ", data: 8) == nil)
    let spaced = #"{ "a" : { "shape" : [ 2 ] , "dtype":"F32", "data_offsets":[ 0 , 8 ] } }"#
    #expect(try open(header: spaced, data: 8) == nil)
    #expect(try open(header: "{}") == nil)
    let escaped = #"{"\ud83d\ude00\u0041\n\/":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#
    let folder = try TemporaryFolder()
    let path = folder.path + "/x.safetensors"
    let bytes = raw([UInt64(escaped.utf8.count)]) + Array(escaped.utf8)
    try Data(bytes + [UInt8](repeating: 0, count: 8)).write(to: URL(fileURLWithPath: path))
    #expect(try TensorFile(path: path).entries.map(\.name) == ["\u{1F600}A\n/"])
    #expect(try open(header: #"{"__metadata__":{}}"#) == nil)
    let unordered = """
      {"b":{"dtype":"U8","shape":[1],"data_offsets":[8,9]},\(Self.one)}
      """
    #expect(try open(header: unordered, data: 9) == nil)
  }

  @Test(arguments: 0..<8) func filesShorterThanTheLengthFieldAreRefused(count: Int) throws {
    #expect(try open([UInt8](repeating: 0, count: count))?.code == .tooShort)
  }

  @Test func wrongHeaderLengthsAreRefused() throws {
    let header = "{\(Self.one)}"
    #expect(try open(header: header, data: 8, length: 1_000_000)?.code == .tooShort)
    #expect(try open(header: header, data: 8, length: 100_000_001)?.code == .headerTooLong)
    #expect(try open(header: header, data: 8, length: .max)?.code == .headerTooLong)
    #expect(try open(header: header, data: 8, length: 0)?.code == .malformedHeader)
    #expect(try open(header: header, data: 8, length: 20)?.code == .malformedHeader)
    let long = UInt64(header.utf8.count + 4)
    #expect(try open(header: header, data: 8, length: long)?.code == .malformedHeader)
  }

  @Test(arguments: [
    "", "[]", "{", "{]", "null", "{\"a\":1}", "{\"a\":{}}", "{\(one)", "{\(one),}", "{\(one)}}",
    #"{"a":{"dtype":"F32","shape":[2]}}"#,
    #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}}"#,
    #"{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
    #"{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#,
    #"{"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}"#,
    #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#,
    #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,9]}}"#,
    #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}"#,
    #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,99999999999999999999]}}"#,
    #"{"a":{"dtype":1,"shape":[2],"data_offsets":[0,8]}}"#,
    #"{"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}}"#,
    #"{"__metadata__":{"x":1}}"#, #"{"__metadata__":[]}"#, #"{"\x":1}"#, #"{"\u12":1}"#,
    #"{"\ud800":{}}"#, #"{"\udc00":{}}"#, #"{"\ud800\u0041":{}}"#, "{\"a\nb\":{}}", "{\"a",
  ])
  func headersThatAreNotOfTheFormatAreRefused(header: String) throws {
    let error = try #require(try open(header: header, data: 8))
    #expect(error.code == .malformedHeader, "\(error)")
  }

  @Test func textsThatAreNotUTF8AreRefused() throws {
    let header: [UInt8] = Array("{\"a".utf8) + [0xFF] + Array("\":{}}".utf8)
    #expect(try open(raw([UInt64(header.count)]) + header)?.code == .malformedHeader)
  }

  @Test func repeatedNamesAreRefused() throws {
    let twice = #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"#
    let same = twice + #""a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#
    #expect(try open(header: same, data: 2)?.code == .duplicateName)
    let escaped = twice + #""\u0061":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#
    #expect(try open(header: escaped, data: 2)?.code == .duplicateName)
    #expect(
      try open(header: #"{"__metadata__":{"k":"1","k":"2"}}"#)?.code == .duplicateName)
    #expect(
      try open(header: #"{"__metadata__":{},"__metadata__":{}}"#)?.code == .duplicateName)
  }

  @Test(arguments: ["F31", "f32", "BOOL", "", "F8_E4M3"])
  func unknownElementTypesAreNamed(type: String) throws {
    let header = "{\"a\":{\"dtype\":\"\(type)\",\"shape\":[2],\"data_offsets\":[0,8]}}"
    let error = try #require(try open(header: header, data: 8))
    #expect(error.code == .unknownElementType)
    #expect(error.message.contains("'\(type)'"))
    #expect(error.message.contains("BF16"))
  }

  @Test(arguments: [
    ("[3]", "[0,8]"), ("[]", "[0,8]"), ("[0]", "[0,8]"), ("[2]", "[0,0]"), ("[2]", "[0,4]"),
    ("[9223372036854775807,2]", "[0,8]"), ("[4611686018427387904]", "[0,0]"),
    ("[4294967296,4294967296]", "[0,0]"),
  ])
  func shapesThatDoNotFitTheBytesAreRefused(shape: String, offsets: String) throws {
    let header = "{\"a\":{\"dtype\":\"F32\",\"shape\":\(shape),\"data_offsets\":\(offsets)}}"
    #expect(try open(header: header, data: 8)?.code == .sizeMismatch)
  }

  @Test func aFileThatWasCutOffIsRefusedWhereverItWasCut() throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: fixture("python.safetensors")))
    for count in stride(from: 0, to: whole.count, by: 7) {
      let error = try #require(try open(Array(whole.prefix(count))), "cut to \(count) bytes")
      #expect([.tooShort, .outOfFile].contains(error.code), "\(count): \(error)")
    }
    #expect(try open(Array(whole.dropLast()))?.code == .outOfFile)
  }

  @Test func overlapsHolesAndTrailingBytesAreRefused() throws {
    func second(_ offsets: String) -> String {
      "{\(Self.one),\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":\(offsets)}}"
    }
    #expect(try open(header: second("[8,12]"), data: 12) == nil)
    #expect(try open(header: second("[4,8]"), data: 8)?.code == .overlap)
    #expect(try open(header: second("[0,4]"), data: 8)?.code == .overlap)
    #expect(try open(header: second("[9,13]"), data: 13)?.code == .uncoveredBytes)
    #expect(try open(header: second("[8,12]"), data: 13)?.code == .uncoveredBytes)
    #expect(try open(header: second("[8,12]"), data: 11)?.code == .outOfFile)
    #expect(try open(header: "{}", data: 1)?.code == .uncoveredBytes)
  }

  /// Any single damaged byte of the header is either refused or leaves a file whose sizes fit; nothing traps.
  @Test func noDamagedByteTraps() throws {
    let whole = [UInt8](
      try Data(contentsOf: URL(fileURLWithPath: fixture("python.safetensors"))))
    let folder = try TemporaryFolder()
    let path = folder.path + "/x"
    var refused = 0
    for position in stride(from: 0, to: 900, by: 3) {
      var bytes = whole
      bytes[position] = bytes[position] ^ UInt8(truncatingIfNeeded: 1 << (position % 8))
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      do throws(TensorFileError) {
        let file = try TensorFile(path: path)
        #expect(file.entries.allSatisfy { $0.byteRange.upperBound <= bytes.count })
      } catch {
        refused += 1
      }
    }
    #expect(refused > 150)
  }

  @Test func filesThatAreNoneAreNamed() throws {
    let folder = try TemporaryFolder()
    let missing = failure { _ = try TensorFile(path: folder.path + "/none") }
    #expect(missing?.code == .unreadable)
    #expect(missing?.message.contains("/none") == true)
    #expect(failure { _ = try TensorFile(path: folder.path) }?.code == .unreadable)
    #expect(failure { _ = try TensorFile(path: "/dev/null") }?.code == .unreadable)
    #expect(failure { _ = try FileChecksum.ofFile(folder.path + "/none") }?.code == .unreadable)
  }
}
