// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// A file beside its target that takes the target's place when it is complete, and vanishes when not.
final class PartialFile {
  static let suffix = ".partial"

  private static let counter = Atomic<Int>(0)

  private let target: String
  private let partial: String
  private var descriptor: Int32
  private var isPublished = false
  private var checksum = FileChecksum()
  private var byteCount = 0

  init(target: String) throws(TensorFileError) {
    self.target = target
    let number = Self.counter.wrappingAdd(1, ordering: .relaxed).newValue
    let name = target.split(separator: "/").last ?? ""
    partial =
      Self.folder(of: target) + "/.\(name).\(ProcessInfo.processInfo.processIdentifier)-\(number)"
      + Self.suffix
    descriptor = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    if descriptor < 0 { throw .system("be written", target, errno: errno) }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
    if !isPublished { unlink(partial) }
  }

  /// Appends bytes, in pieces that leave the checksum's bytes in the cache.
  func append(_ bytes: UnsafeRawBufferPointer) throws(TensorFileError) {
    let piece = 1 << 20
    var start = 0
    while start < bytes.count {
      let end = min(start + piece, bytes.count)
      let part = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
      checksum.update(part)
      try writeAll(part)
      start = end
    }
    byteCount += bytes.count
  }

  /// Brings the file to the disk and puts it in the place of the target.
  func publish() throws(TensorFileError) -> TensorFileWriter.Summary {
    guard fsync(descriptor) == 0 else {
      throw .system("be brought to the disk", target, errno: errno)
    }
    let closed = close(descriptor)
    descriptor = -1
    guard closed == 0 else { throw .system("be closed", target, errno: errno) }
    guard rename(partial, target) == 0 else {
      throw .system("take its place", target, errno: errno)
    }
    isPublished = true
    try Self.synchronize(folder: Self.folder(of: target))
    return TensorFileWriter.Summary(byteCount: byteCount, checksum: checksum.hexadecimal)
  }

  private func writeAll(_ bytes: UnsafeRawBufferPointer) throws(TensorFileError) {
    var rest = bytes
    while !rest.isEmpty {
      let written = write(descriptor, rest.baseAddress, rest.count)
      if written < 0 {
        if errno == EINTR { continue }
        throw .system("be written", target, errno: errno)
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[written...])
    }
  }

  private static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// Brings the entries of a folder to the disk, so that a rename survives a power failure.
  private static func synchronize(folder: String) throws(TensorFileError) {
    let descriptor = open(folder, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system("be opened", folder, errno: errno) }
    defer { close(descriptor) }
    // Some file systems cannot do this for folders and say EINVAL; there is nothing better to do there.
    guard fsync(descriptor) == 0 || errno == EINVAL else {
      throw .system("be brought to the disk", folder, errno: errno)
    }
  }
}
