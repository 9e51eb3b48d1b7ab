// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords
import Testing

/// A folder that is deleted with the value that owns it.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "assay-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  func write(_ name: String, _ text: String) throws -> String {
    let file = path + "/" + name
    try Data(text.utf8).write(to: URL(fileURLWithPath: file))
    return file
  }
}

func text(_ path: String) throws -> String {
  String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
}

func names(in folder: String) throws -> [String] {
  try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
}

func failure(_ body: () throws -> Void) -> RunRecordError? {
  do {
    try body()
    return nil
  } catch { return error as? RunRecordError }
}

/// Runs something on a disk with room for a few pages; only root can have one, and only on Linux.
func withTinyDisk(kilobytes: Int, _ body: (String) throws -> Void) throws {
  let folder = try TemporaryFolder()
  try #require(
    run("mount", "-t", "tmpfs", "-o", "size=\(kilobytes)k", "tmpfs", folder.path))
  defer { run("umount", folder.path) }
  try body(folder.path)
}

/// Whether ``withTinyDisk(kilobytes:_:)`` works here.
let hasTinyDisk: Bool = {
  guard geteuid() == 0, let folder = try? TemporaryFolder() else { return false }
  guard run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder.path) else { return false }
  run("umount", folder.path)
  return true
}()

@discardableResult
private func run(_ arguments: String...) -> Bool {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = arguments
  process.standardError = FileHandle.nullDevice
  guard (try? process.run()) != nil else { return false }
  process.waitUntilExit()
  return process.terminationStatus == 0
}
