// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Small files that survive a power failure once their names have been brought to the disk too.
enum DurableFile {
  /// Writes bytes and brings them to the disk.
  static func write(_ data: Data, to path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    guard descriptor >= 0 else { throw failure("write", path) }
    defer { close(descriptor) }
    try data.withUnsafeBytes { bytes in
      var rest = bytes[...]
      while !rest.isEmpty {
        #if canImport(Darwin)
          let count = Darwin.write(descriptor, rest.baseAddressOfSlice, rest.count)
        #elseif canImport(Glibc)
          let count = Glibc.write(descriptor, rest.baseAddressOfSlice, rest.count)
        #else
          let count = Musl.write(descriptor, rest.baseAddressOfSlice, rest.count)
        #endif
        if count < 0 {
          if errno == EINTR { continue }
          throw failure("write", path)
        }
        rest = rest.dropFirst(count)
      }
    }
    guard fsync(descriptor) == 0 else { throw failure("write", path) }
  }

  /// Brings the names in a folder to the disk; file systems that cannot are left to themselves.
  static func synchronize(folder: String) throws {
    let descriptor = open(folder, O_RDONLY)
    guard descriptor >= 0 else { throw failure("open", folder) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw failure("write", folder) }
  }

  private static func failure(_ verb: String, _ path: String) -> TrainingError {
    TrainingError(.file, "cannot \(verb) \(path): \(String(cString: strerror(errno)))")
  }
}

extension Slice<UnsafeRawBufferPointer> {
  fileprivate var baseAddressOfSlice: UnsafeRawPointer? {
    UnsafeRawBufferPointer(rebasing: self).baseAddress
  }
}
