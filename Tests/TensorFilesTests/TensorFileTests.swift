// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TensorFiles
import Testing

@Suite struct TensorFileTests {
  @Test func everyTypeAndShapeRoundTrips() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/a.safetensors"
    let floats: [Float] = [0, -0.0, 1.5, .infinity, .nan, .leastNonzeroMagnitude]
    let doubles: [Double] = [1e-300, .pi]
    let halves: [UInt16] = [0x3F80, 0xC000, 0x7F80]
    let longs: [Int64] = [.min, 0, .max]
    let ints: [Int32] = [.min, .max]
    let bytes: [UInt8] = [0, 127, 255]
    let summary = try write(
      [
        ("bytes", .uint8, [3], raw(bytes)), ("ints", .int32, [2, 1], raw(ints)),
        ("floats", .float32, [2, 3], raw(floats)), ("doubles", .float64, [2], raw(doubles)),
        ("halves", .bfloat16, [3], raw(halves)), ("longs", .int64, [1, 3, 1], raw(longs)),
        ("scalar", .float32, [], raw([Float(7)])), ("empty", .float32, [0, 5], []),
      ], metadata: ["step": "12", "note": "quote \" backslash \\ newline \n é \u{1}"], to: path)

    let file = try TensorFile(path: path)
    #expect(try file.floats("floats").map(\.bitPattern) == floats.map(\.bitPattern))
    #expect(try file.doubles("doubles") == doubles)
    #expect(try file.floats("halves") == [1, -2, .infinity])
    #expect(try file.integers("longs") == longs.map(Int.init))
    #expect(try file.integers("ints") == ints.map(Int.init))
    #expect(try file.integers("bytes") == bytes.map(Int.init))
    #expect(try file.floats("scalar") == [7])
    #expect(try file.floats("empty") == [])
    #expect(file["floats"]?.shape == [2, 3])
    #expect(file["scalar"]?.shape == [])
    #expect(file["empty"]?.shape == [0, 5])
    #expect(file["longs"]?.elementType == .int64)
    #expect(file["none"] == nil)
    #expect(file.metadata["note"] == "quote \" backslash \\ newline \n é \u{1}")
    #expect(file.metadata["step"] == "12")
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count == summary.byteCount)
    #expect(file.checksum().hexadecimal == summary.checksum)
    #expect(try FileChecksum.ofFile(path).hexadecimal == summary.checksum)
    try file.withBytes(of: "floats") { #expect(Array($0) == raw(floats)) }
  }

  @Test func everyTensorIsAlignedAndTheGivenOrderIsKeptWithinAWidth() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/a.safetensors"
    try write(
      [
        ("u", .uint8, [3], [1, 2, 3]), ("b", .bfloat16, [1], [0, 0]),
        ("z", .float32, [1], [0, 0, 0, 0]), ("a", .int32, [1], [0, 0, 0, 0]),
        ("d", .float64, [1], [0, 0, 0, 0, 0, 0, 0, 0]),
      ], to: path)
    let file = try TensorFile(path: path)
    #expect(file.entries.map(\.name) == ["d", "z", "a", "b", "u"])
    for entry in file.entries {
      #expect(entry.byteRange.lowerBound % entry.elementType.byteWidth == 0, "\(entry)")
    }
  }

  @Test func theSameContentGivesTheSameBytes() throws {
    let folder = try TemporaryFolder()
    let metadata = Dictionary(uniqueKeysWithValues: (0..<20).map { ("key \($0)", "\($0)") })
    func bytes(_ name: String) throws -> Data {
      let path = folder.path + "/" + name
      try write([("x", .float32, [2], raw([Float(1), 2]))], metadata: metadata, to: path)
      return try Data(contentsOf: URL(fileURLWithPath: path))
    }
    #expect(try bytes("first") == bytes("second"))
  }

  @Test func aFileWithoutTensorsIsAFile() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/a.safetensors"
    try write([], to: path)
    let file = try TensorFile(path: path)
    #expect(file.entries.isEmpty)
    #expect(file.metadata.isEmpty)
  }

  @Test func readsWhatTheReferenceLibraryWrote() throws {
    let file = try TensorFile(path: fixture("python.safetensors"))
    let counted = (0..<8).map { Float($0) - 2 }
    #expect(try file.floats("half.weight") == Array(counted.prefix(6)))
    #expect(try file.floats("brain.weight") == Array(counted.prefix(6)))
    #expect(try file.floats("single") == Array(counted.prefix(5)))
    #expect(try file.doubles("double") == [-2, -1, 0, 1])
    #expect(try file.floats("double") == [-2, -1, 0, 1])
    #expect(try file.integers("int32") == [-2, -1, 0])
    #expect(try file.integers("int64") == [-2, -1, 0])
    #expect(try file.integers("bytes") == Array(0..<7))
    #expect(try file.floats("scalar") == [3.5])
    #expect(try file.floats("empty") == [])
    #expect(file["half.weight"]?.shape == [2, 3])
    #expect(file["double"]?.shape == [2, 1, 2])
    #expect(file["empty"]?.shape == [0, 4])
    let special: [Float] = [0, -0.0, 0x1p-24, 0x1p-14, 65504, .infinity, -.infinity]
    #expect(try file.floats("special").map(\.bitPattern) == special.map(\.bitPattern))
    #expect(try file.floats("name \"quoted\" \\ é \u{1F600}") == [1])
    #expect(file.metadata == ["format": "pt", "note": "line\nbreak, \"é\""])
  }

  @Test func aTensorIsReadIntoMemoryOfTheRightSizeOnly() throws {
    let file = try TensorFile(path: fixture("python.safetensors"))
    var values = [Float](repeating: 9, count: 6)
    try values.withUnsafeMutableBufferPointer { try file.read("half.weight", into: $0) }
    #expect(values == [-2, -1, 0, 1, 2, 3])
    let error = failure { () throws in
      try values.withUnsafeMutableBufferPointer { try file.read("single", into: $0) }
    }
    #expect(error?.code == .mismatch)
    #expect(error?.message.contains("5 elements, 6 are expected") == true)
  }

  @Test func askingForTheWrongTensorOrTypeNamesIt() throws {
    let file = try TensorFile(path: fixture("python.safetensors"))
    let missing = failure { _ = try file.floats("singel") }
    #expect(missing?.code == .unknownTensor)
    #expect(missing?.message.contains("'singel'") == true)
    #expect(failure { _ = try file.floats("int32") }?.code == .mismatch)
    #expect(failure { _ = try file.integers("single") }?.code == .mismatch)
    #expect(failure { _ = try file.doubles("bytes") }?.code == .mismatch)
  }

  @Test func wideningOfSixteenBitsIsExactForEveryPattern() {
    let wrong = (UInt16.min...UInt16.max).filter { pattern in
      let exponent = Int(pattern >> 10 & 0x1F)
      let fraction = Double(pattern & 0x3FF)
      let sign = pattern & 0x8000 == 0 ? 1.0 : -1.0
      let actual = Double(widened16(pattern))
      return switch exponent {
      case 31: fraction == 0 ? actual != sign * .infinity : !actual.isNaN
      case 0: actual != sign * fraction * pow(2, -24)
      default: actual != sign * (1 + fraction / 1024) * pow(2, Double(exponent - 15))
      }
    }
    #expect(wrong == [])
  }
}
