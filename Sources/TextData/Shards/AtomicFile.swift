// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// A file that appears under its name only when it is whole.
///
/// Bytes go to a temporary file beside it; ``commit()`` makes them durable (fsync) and renames. A file
/// that is dropped without a commit, for whatever error, leaves nothing.
final class AtomicFile {
  let path: String
  private let temporaryPath: String
  private var descriptor: Int32
  private var buffer: UnsafeMutableRawBufferPointer
  private var buffered = 0

  /// Opens the temporary file for writing; tests open another one to see a disk fill up.
  typealias Opener = @Sendable (_ temporaryPath: String) -> Int32

  static let createFile: Opener = { open($0, O_WRONLY | O_CREAT | O_TRUNC, 0o644) }

  init(path: String, opener: Opener = AtomicFile.createFile) throws(DataError) {
    self.path = path
    temporaryPath = path + ".partial-\(getpid())"
    descriptor = opener(temporaryPath)
    buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
    if descriptor < 0 {
      let number = errno
      unlink(temporaryPath)
      throw SystemCall.writeError(path, number)
    }
  }

  deinit {
    buffer.deallocate()
    if descriptor >= 0 {
      close(descriptor)
      unlink(temporaryPath)
    }
  }

  /// Appends bytes.
  func write(_ bytes: UnsafeRawBufferPointer) throws(DataError) {
    if bytes.count > buffer.count - buffered {
      try flush()
      if bytes.count >= buffer.count {
        return try writeThrough(bytes, at: nil)
      }
    }
    guard bytes.count > 0 else { return }
    UnsafeMutableRawBufferPointer(rebasing: buffer[buffered...]).copyMemory(from: bytes)
    buffered += bytes.count
  }

  /// Replaces bytes at the beginning of the file.
  func overwriteStart(_ bytes: UnsafeRawBufferPointer) throws(DataError) {
    try flush()
    try writeThrough(bytes, at: 0)
  }

  /// Makes the bytes durable and gives the file its name, replacing what had it.
  func commit() throws(DataError) {
    try flush()
    guard fsync(descriptor) == 0 || errno == EINVAL else {
      throw SystemCall.writeError(path)
    }
    let closed = close(descriptor)
    let number = errno
    descriptor = -1
    guard closed == 0 else {
      unlink(temporaryPath)
      throw SystemCall.writeError(path, number)
    }
    guard rename(temporaryPath, path) == 0 else {
      let number = errno
      unlink(temporaryPath)
      throw SystemCall.writeError(path, number)
    }
    AtomicFile.synchronizeFolder(of: path)
  }

  /// Makes the names in the folder of `path` durable; a file system that cannot is left to itself.
  static func synchronizeFolder(of path: String) {
    let slash = path.lastIndex(of: "/")
    let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let folderDescriptor = open(folder, O_RDONLY)
    guard folderDescriptor >= 0 else { return }
    _ = fsync(folderDescriptor)
    close(folderDescriptor)
  }

  /// Writes a whole file at once.
  static func write(_ bytes: some Sequence<UInt8>, to path: String) throws(DataError) {
    let file = try AtomicFile(path: path)
    let contiguous = Array(bytes)
    // `withUnsafeBytes` rethrows untyped errors only: carry the result out.
    let result = contiguous.withUnsafeBytes { raw in
      Result { () throws(DataError) in try file.write(raw) }
    }
    try result.get()
    try file.commit()
  }

  private func flush() throws(DataError) {
    try writeThrough(UnsafeRawBufferPointer(rebasing: buffer[..<buffered]), at: nil)
    buffered = 0
  }

  private func writeThrough(
    _ bytes: UnsafeRawBufferPointer, at position: Int?
  ) throws(DataError) {
    var done = 0
    while done < bytes.count {
      guard let start = bytes.baseAddress else { return }
      let count =
        if let position {
          pwrite(descriptor, start + done, bytes.count - done, off_t(position + done))
        } else {
          #if canImport(Darwin)
            Darwin.write(descriptor, start + done, bytes.count - done)
          #else
            Glibc.write(descriptor, start + done, bytes.count - done)
          #endif
        }
      if count < 0 {
        if errno == EINTR { continue }
        throw SystemCall.writeError(path)
      }
      done += count
    }
  }
}
