// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import TextData

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

struct AtomicFileTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func write(_ bytes: [UInt8], to file: AtomicFile) throws {
    try bytes.withUnsafeBytes { try file.write($0) }
  }

  @Test func nothingIsThereBeforeTheCommit() throws {
    let path = try folder.write("old", to: "file")
    do {
      let file = try AtomicFile(path: path)
      try write(Array("new".utf8), to: file)
      #expect(try folder.read("file") == Array("old".utf8))
    }
    // Dropped without a commit: no trace.
    #expect(try folder.names() == ["file"])
    #expect(try folder.read("file") == Array("old".utf8))

    let file = try AtomicFile(path: path)
    try write(Array("new".utf8), to: file)
    try file.commit()
    #expect(try folder.read("file") == Array("new".utf8))
    #expect(try folder.names() == ["file"])
  }

  @Test func piecesOfAllSizesArriveInOrder() throws {
    var bytes: [UInt8] = []
    let period = Array("no power of two: 19".utf8)
    while bytes.count < 3_500_000 { bytes += period }
    let file = try AtomicFile(path: folder.file("file"))
    var begin = 0
    for size in [0, 1, 1000, (1 << 20) - 1001, 1, 1 << 20, 5, (1 << 20) + 7] {
      try write(Array(bytes[begin..<begin + size]), to: file)
      begin += size
    }
    try write(Array(bytes[begin...]), to: file)
    let start: [UInt8] = [9, 8, 7]
    try start.withUnsafeBytes { try file.overwriteStart($0) }
    try file.commit()
    #expect(try folder.read("file") == start + bytes[3...])
  }

  @Test func aFolderThatIsMissingIsNamed() {
    do {
      _ = try AtomicFile(path: folder.file("none/file"))
      Issue.record("no error")
    } catch {
      #expect(error.code == .writeFailed)
      #expect(error.message.contains("none/file"))
    }
  }

  @Test func aReadOnlyFolderIsNamed() throws {
    try withReadOnly(folder) {
      #expect {
        try AtomicFile(path: folder.file("file"))
      } throws: {
        let error = $0 as? DataError
        return error?.code == .notWritable
          && error?.message.contains(folder.file("file")) == true
      }
    }
    #expect(try folder.names() == [])
  }

  #if os(Linux)
    static let fullDisk: AtomicFile.Opener = { _ in open("/dev/full", O_WRONLY) }

    @Test func aFullDiskIsAnErrorAndLeavesTheOldFile() throws {
      let path = try folder.write("old", to: "file")
      let file = try AtomicFile(path: path, opener: Self.fullDisk)
      try write([1, 2, 3], to: file)
      do {
        try file.commit()
        Issue.record("no error")
      } catch {
        #expect(error.code == .diskFull)
        #expect(error.message.contains("disk is full"))
      }
      #expect(try folder.read("file") == Array("old".utf8))
      #expect(throws: DataError.self) {
        try write(
          [UInt8](repeating: 0, count: 3 << 20), to: AtomicFile(path: path, opener: Self.fullDisk))
      }
    }
  #endif
}

/// Runs `body` as somebody to whom the folder is closed for writing, also when the tests run as root.
func withReadOnly(_ folder: TemporaryFolder, _ body: () throws -> Void) throws {
  chmod(folder.path, 0o555)
  defer { chmod(folder.path, 0o755) }
  #if os(Linux)
    // Root may write anywhere. The identity towards the file system belongs to the thread alone, so other
    // tests keep theirs. (Glibc's module map has no sys/fsuid.h.)
    typealias SetIdentity = @convention(c) (uid_t) -> CInt
    let symbol = try #require(dlsym(nil, "setfsuid"))
    let setIdentity = unsafeBitCast(symbol, to: SetIdentity.self)
    let isRoot = geteuid() == 0
    if isRoot { _ = setIdentity(65534) }
    defer { if isRoot { _ = setIdentity(0) } }
  #endif
  try body()
}
