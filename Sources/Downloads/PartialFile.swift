// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Foundation

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// What has arrived of a file, `NAME.part` beside its place: it survives the process, and one process writes it at a time.
///
/// Sendable because one thread uses it at a time: the queue of a transfer until that has ended, then whoever started it.
final class PartialFile: @unchecked Sendable {
  /// Opens the file for reading and writing; tests open another one to see a disk fill up.
  typealias Opener = @Sendable (_ path: String) -> Int32

  static let openFile: Opener = { open($0, O_RDWR | O_CREAT | O_CLOEXEC, 0o644) }

  /// The name in the end.
  let target: String
  let path: String
  private var descriptor: Int32
  /// Bytes that have arrived.
  private(set) var count: Int

  /// Opens what there is, or begins.
  ///
  /// - Throws: ``DownloadError`` `notWritable`, or `inUse` while another process writes it.
  init(target: String, opener: Opener = PartialFile.openFile) throws(DownloadError) {
    self.target = target
    path = target + ".part"
    descriptor = opener(path)
    count = 0
    guard descriptor >= 0 else { throw DownloadError.system(path) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno == EINVAL || errno == ENOTSUP else {
      let number = errno
      close(descriptor)
      guard number == EWOULDBLOCK else { throw DownloadError.system(path, number) }
      throw DownloadError(
        .inUse, "another process is fetching '\(target)'. Wait for its end, or end it.")
    }
    let end = lseek(descriptor, 0, SEEK_END)
    count = max(0, Int(end))
  }

  deinit { release() }

  /// Lets other processes at it: a session may hold on to its transfer, and so to this, for a while after the end.
  func release() {
    if descriptor >= 0 { close(descriptor) }
    descriptor = -1
  }

  /// What the server called the version of the file that these bytes are of; it lies beside them as `NAME.part.version`.
  var version: String? {
    get {
      guard count > 0, let data = FileManager.default.contents(atPath: path + ".version") else {
        return nil
      }
      let text = String(decoding: data, as: UTF8.self)
      return text.isEmpty ? nil : text
    }
    set {
      // Without it a later run trusts the checksum alone.
      if let newValue {
        try? Data(newValue.utf8).write(to: URL(fileURLWithPath: path + ".version"))
      } else {
        unlink(path + ".version")
      }
    }
  }

  /// Forgets everything that has arrived.
  func empty() throws(DownloadError) {
    // A device, as tests have it, has nothing to forget.
    guard ftruncate(descriptor, 0) == 0 || errno == EINVAL else { throw DownloadError.system(path) }
    count = 0
    version = nil
  }

  /// Appends bytes.
  func append(_ data: Data) throws(DownloadError) {
    let start = count
    let failure: Int32 = data.withUnsafeBytes { bytes in
      var done = 0
      while done < bytes.count {
        guard let base = bytes.baseAddress else { return 0 }
        let written = pwrite(descriptor, base + done, bytes.count - done, off_t(start + done))
        if written < 0 {
          if errno == EINTR { continue }
          return errno
        }
        done += written
      }
      return 0
    }
    guard failure == 0 else { throw DownloadError.system(path, failure) }
    count += data.count
  }

  /// The SHA-256 of everything that has arrived, which is made durable first.
  func digest() throws(DownloadError) -> String {
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw DownloadError.system(path) }
    return try FileDigest.sha256(of: path)
  }

  /// Gives the file its name.
  func finish() throws(DownloadError) {
    guard rename(path, target) == 0 else { throw DownloadError.system(target) }
    unlink(path + ".version")
    let folder = open((target as NSString).deletingLastPathComponent, O_RDONLY)
    if folder >= 0 {
      _ = fsync(folder)
      close(folder)
    }
  }

  /// Removes what has arrived: it is of no use.
  func remove() {
    unlink(path)
    unlink(path + ".version")
  }

  /// Removes it when nothing has arrived.
  func removeIfEmpty() { if count == 0 { remove() } }

  /// Bytes that are free where the file lies; nil when nobody knows.
  var freeBytes: Int? {
    var status = statvfs()
    guard fstatvfs(descriptor, &status) == 0 else { return nil }
    return Int(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize))
  }
}

/// The SHA-256 of a file.
enum FileDigest {
  /// - Throws: ``DownloadError`` `notWritable` when the file cannot be read.
  static func sha256(of path: String) throws(DownloadError) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw unreadable(path) }
    defer { close(descriptor) }
    let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
    defer { block.deallocate() }
    var stream = SHA256.Stream()
    while true {
      let count = read(descriptor, block.baseAddress, block.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw unreadable(path) }
      if count == 0 { return stream.hexadecimal }
      stream.update(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(block)[..<count]))
    }
  }

  private static func unreadable(_ path: String) -> DownloadError {
    DownloadError(
      .notWritable,
      "cannot read '\(path)': \(String(cString: strerror(errno))). Check its permissions.")
  }
}
