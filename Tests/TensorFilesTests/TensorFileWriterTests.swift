// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TensorFiles
import Testing

@Suite struct TensorFileWriterTests {
  let part: Part = ("x", .float32, [2], raw([Float(1), 2]))

  @Test func whatCannotBeWrittenIsRefusedBeforeTheFileIsTouched() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/a"
    func code(_ parts: [Part]) -> TensorFileError.Code? {
      failure { try write(parts, to: path) }?.code
    }
    #expect(code([part, part]) == .duplicateName)
    #expect(code([("__metadata__", .float32, [2], part.bytes)]) == .unknownTensor)
    #expect(code([("x", .float32, [3], part.bytes)]) == .sizeMismatch)
    #expect(code([("x", .float32, [-1, -2], part.bytes)]) == .sizeMismatch)
    #expect(code([("x", .float32, [Int.max, 2], part.bytes)]) == .sizeMismatch)
    #expect(code([("x", .float16, [4], part.bytes)]) == .mismatch)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
  }

  @Test func aFileIsReplacedAndAnOpenOneKeepsItsContent() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/a"
    try write([part], to: path)
    let old = try TensorFile(path: path)
    try write([("x", .float32, [1], raw([Float(9)]))], to: path)
    #expect(try old.floats("x") == [1, 2])
    #expect(try TensorFile(path: path).floats("x") == [9])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a"])
  }

  @Test func missingAndReadOnlyFoldersAreNamed() throws {
    let folder = try TemporaryFolder()
    let missing = failure { try write([part], to: folder.path + "/none/a") }
    #expect(missing?.code == .systemFailure)
    #expect(missing?.message.contains("/none/a") == true)
    #if os(Linux)
      var readOnly = "/sys"
      if geteuid() != 0 {
        readOnly = folder.path
        chmod(readOnly, 0o555)
      }
      let refused = failure { try write([part], to: readOnly + "/assay.safetensors") }
      #expect(refused?.code == .notWritable)
      #expect(refused?.message.contains("choose a folder") == true)
      chmod(folder.path, 0o755)
    #endif
  }

  @Test(.enabled(if: hasTinyDisk)) func aFullDiskLeavesTheOldFileAndNoRemains() throws {
    try withTinyDisk(kilobytes: 64) { disk in
      let path = disk + "/a"
      try write([part], to: path)
      let big: Part = ("x", .uint8, [1 << 20], [UInt8](repeating: 1, count: 1 << 20))
      let error = failure { try write([big], to: path) }
      #expect(error?.code == .diskFull)
      #expect(error?.message.contains(path) == true)
      #expect(try TensorFile(path: path).floats("x") == [1, 2])
      #expect(try FileManager.default.contentsOfDirectory(atPath: disk) == ["a"])
      try write([part], to: path)
    }
  }

  @Test func remainsOfCrashedWritersAreRemovedAndNothingElse() throws {
    let folder = try TemporaryFolder()
    try write([part], to: folder.path + "/a")
    for name in [".a.12-1.partial", "b.partial", ".other"] {
      try Data().write(to: URL(fileURLWithPath: folder.path + "/" + name))
    }
    TensorFileWriter.removePartialFiles(in: folder.path)
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    #expect(left == [".other", "a", "b.partial"])
  }

  @Test func relativePathsWork() throws {
    let name = "assay-test-\(UUID().uuidString)"
    defer { unlink(name) }
    try write([part], to: name)
    #expect(try TensorFile(path: name).floats("x") == [1, 2])
  }
}

@Suite struct FileChecksumTests {
  /// Values of the reference implementation with seed 0, for the bytes 0 to 250 over and over.
  @Test(arguments: [
    (0, "ef46db3751d8e999"), (3, "e5c7bb4533bc65dd"), (39, "00a396ef1679a859"),
    (1000, "f306f04aa88b54d3"),
  ])
  func valuesAreThoseOfTheReference(count: Int, expected: String) {
    var checksum = FileChecksum()
    bytes(count).withUnsafeBytes { checksum.update($0) }
    #expect(checksum.hexadecimal == expected)
  }

  func bytes(_ count: Int) -> [UInt8] { (0..<count).map { UInt8($0 % 251) } }

  @Test(arguments: 0..<100) func cuttingTheBytesDoesNotMatter(count: Int) {
    let all = bytes(count)
    var whole = FileChecksum()
    all.withUnsafeBytes { whole.update($0) }
    for step in [1, 3, 31, 32, 33] {
      var pieces = FileChecksum()
      all.withUnsafeBytes { memory in
        for start in stride(from: 0, to: count, by: step) {
          pieces.update(
            UnsafeRawBufferPointer(rebasing: memory[start..<min(start + step, count)]))
        }
      }
      #expect(pieces.value == whole.value, "pieces of \(step)")
    }
  }

  @Test func everySingleBitMatters() {
    var seen: Set<UInt64> = []
    for bit in 0..<(70 * 8) {
      var changed = bytes(70)
      changed[bit / 8] ^= 1 << UInt8(bit % 8)
      var checksum = FileChecksum()
      changed.withUnsafeBytes { checksum.update($0) }
      #expect(seen.insert(checksum.value).inserted)
    }
  }
}
