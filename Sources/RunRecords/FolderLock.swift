// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A lock on a folder that ends with the process that holds it, however that ends.
final class FolderLock {
  static let fileName = "lock"

  private let descriptor: Int32

  /// Takes the lock of a folder.
  ///
  /// - Throws: ``RunRecordError`` when another process, or this one, holds it.
  init(folder: String) throws(RunRecordError) {
    let path = folder + "/" + Self.fileName
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .system("be locked", folder, errno: errno) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let number = errno
      var text = [UInt8](repeating: 0, count: 16)
      let count = max(0, read(descriptor, &text, text.count))
      guard number == EWOULDBLOCK else { throw .system("be locked", folder, errno: number) }
      let holder = String(decoding: text[..<count].prefix { $0 > 0x20 }, as: UTF8.self)
      throw RunRecordError(
        .locked,
        "\(folder): another process\(holder.isEmpty ? "" : " (\(holder))") is writing this run; "
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

  /// Whether somebody holds the lock of a folder now.
  static func isHeld(folder: String) -> Bool {
    let descriptor = open(folder + "/" + fileName, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return flock(descriptor, LOCK_SH | LOCK_NB) != 0
  }
}
