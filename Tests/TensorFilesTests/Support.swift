// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import TensorFiles

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
}

func raw<Element>(_ values: [Element]) -> [UInt8] {
  values.withUnsafeBytes { Array($0) }
}

typealias Part = (name: String, type: TensorFileElementType, shape: [Int], bytes: [UInt8])

@discardableResult
func write(
  _ parts: [Part], metadata: [String: String] = [:], to path: String
) throws -> TensorFileWriter.Summary {
  var all: [UInt8] = []
  var ranges: [Range<Int>] = []
  for part in parts {
    ranges.append(all.count..<(all.count + part.bytes.count))
    all += part.bytes
  }
  return try all.withUnsafeBytes { memory in
    let tensors = zip(parts, ranges).map { part, range in
      TensorFileWriter.Tensor(
        name: part.name, elementType: part.type, shape: part.shape,
        bytes: UnsafeRawBufferPointer(rebasing: memory[range]))
    }
    return try TensorFileWriter.write(tensors, metadata: metadata, to: path)
  }
}

func failure(_ body: () throws -> Void) -> TensorFileError? {
  do {
    try body()
    return nil
  } catch { return error as? TensorFileError }
}

func fixture(_ name: String) -> String {
  var folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  folder = folder.deletingLastPathComponent().appendingPathComponent("Fixtures/TensorFiles")
  return folder.appendingPathComponent(name).path
}

func widened16(_ pattern: UInt16) -> Float { widened(pattern) }

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
