// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A lock on a folder that ends with the process that holds it, however that ends.
final class FolderLock {
  static let fileName = "lock"

  let descriptor: Int32

  /// Takes the lock of a folder.
  ///
  /// - Parameters:
  ///   - folder: the folder.
  ///   - activity: what its holder does, for the message.
  /// - Throws: ``RunRecordError`` when another process, or this one, holds it.
  init(folder: String, activity: String = "is writing this run") throws(RunRecordError) {
    let path = folder + "/" + Self.fileName
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .system("be locked", folder, errno: errno) }
    // Somebody who only looks whether it is held has it for microseconds.
    var isTaken = flock(descriptor, LOCK_EX | LOCK_NB) == 0
    for _ in 0..<10 where !isTaken && errno == EWOULDBLOCK {
      usleep(5000)
      isTaken = flock(descriptor, LOCK_EX | LOCK_NB) == 0
    }
    guard isTaken else {
      let number = errno
      let holder = Self.holder(descriptor)
      guard number == EWOULDBLOCK else { throw .system("be locked", folder, errno: number) }
      throw RunRecordError(
        .locked,
        "\(folder): another process\(holder.isEmpty ? "" : " (\(holder))") \(activity); "
          + "wait for it or stop it")
    }
    // The number is for messages only: nothing depends on its being written.
    let holder = Array("\(ProcessInfo.processInfo.processIdentifier)\n".utf8)
    _ = ftruncate(descriptor, 0)
    _ = pwrite(descriptor, holder, holder.count, 0)
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }

  /// What the last holder wrote: its process number.
  static func holder(_ descriptor: Int32) -> String {
    var text = [UInt8](repeating: 0, count: 16)
    let count = max(0, pread(descriptor, &text, text.count, 0))
    return String(decoding: text[..<count].prefix { $0 > 0x20 }, as: UTF8.self)
  }

  /// Whether somebody holds the lock of a folder now.
  static func isHeld(folder: String) -> Bool {
    let descriptor = open(folder + "/" + fileName, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return flock(descriptor, LOCK_SH | LOCK_NB) != 0
  }
}
