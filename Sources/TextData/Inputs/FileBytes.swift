// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// The bytes of a file: mapped when large, read when small (a mapping costs at least a page and a
/// system limits how many there are).
///
/// Sendable because the bytes are never written after `init`.
final class FileBytes: @unchecked Sendable {
  /// For owners that keep this object in a property, as long as it lives; others use ``withBytes(_:)``.
  let bytes: UnsafeRawBufferPointer
  private let isMapped: Bool

  private static let mappingThreshold = 64 << 10

  init(path: String) throws(DataError) {
    let descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else { throw SystemCall.readError(path) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw SystemCall.readError(path) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw DataError(.unreadableFile, "cannot read '\(path)': it is not a regular file.")
    }
    let size = Int(status.st_size)
    if size >= Self.mappingThreshold {
      guard let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED
      else { throw SystemCall.readError(path) }
      bytes = UnsafeRawBufferPointer(start: start, count: size)
      isMapped = true
      return
    }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(size, 1), alignment: 16)
    var done = 0
    while done < size {
      let count = read(descriptor, buffer.baseAddress.map { $0 + done }, size - done)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        let number = count < 0 ? errno : EIO
        buffer.deallocate()
        throw SystemCall.readError(path, number)
      }
      done += count
    }
    bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<size])
    isMapped = false
  }

  /// Calls `body` with the bytes, which are valid until it returns.
  func withBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    // A local reference may end before a pointer taken from it does.
    defer { withExtendedLifetime(self) {} }
    return try body(bytes)
  }

  deinit {
    if isMapped {
      munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
    } else {
      bytes.deallocate()
    }
  }
}
