// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Why a file could not be fetched.
public struct DownloadError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What went wrong, as a closed set.
  public enum Code: String, Sendable, CaseIterable {
    /// An option has a value outside its range.
    case invalidOption
    /// There is no network, the server does not answer, or the connection was cut again and again.
    case network
    /// The server does not have the file.
    case notFound
    /// The server refused, or answered in a way that is not understood.
    case refused
    /// The file has another size than the server said.
    case wrongSize
    /// The file has another checksum than the server, or the list beside it, says.
    case wrongChecksum
    /// The file is not a token shard.
    case wrongContent
    /// The disk is full.
    case diskFull
    /// The place may not be written to, or writing failed.
    case notWritable
    /// Another process is fetching the same file.
    case inUse
  }

  /// What went wrong, as a closed set.
  public let code: Code
  /// What happened, which value, where, and what to do.
  public let message: String

  /// Makes an error.
  ///
  /// - Parameters:
  ///   - code: What went wrong.
  ///   - message: What happened, which value, where, and what to do.
  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// The message.
  public var description: String { message }

  /// A system call that failed at a file.
  static func system(_ path: String, _ number: Int32 = errno) -> DownloadError {
    let reason = String(cString: strerror(number))
    if number == ENOSPC || number == EDQUOT {
      return DownloadError(
        .diskFull,
        "cannot write '\(path)': the disk is full (\(reason)). Free some space and give the command again; it goes on from there."
      )
    }
    return DownloadError(
      .notWritable, "cannot write '\(path)': \(reason). Choose a folder that you may write to.")
  }
}
