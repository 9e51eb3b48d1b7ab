// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A run folder that cannot be made, read or written: which file, what is wrong, and the remedy.
public struct RunRecordError: Error, Equatable, CustomStringConvertible {
  /// The kinds of error.
  public enum Code: String, Sendable {
    /// There is something in the place of a new run.
    case alreadyExists
    /// The folder is missing or holds no run.
    case notARun
    /// Another process writes this run.
    case locked
    /// The folder or a file may not be written.
    case notWritable
    /// The disk is full, or a quota or file-size limit is reached.
    case diskFull
    /// A file is not what was written.
    case damaged
    /// Any other failure of the system.
    case systemFailure
  }

  /// The kind of error.
  public var code: Code

  /// What happened, with file and values, and the remedy.
  public var message: String

  /// Creates an error with its full message.
  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// The message.
  public var description: String { message }

  /// An error for a failed system call.
  static func system(_ action: String, _ path: String, errno number: Int32) -> RunRecordError {
    let reason = String(cString: strerror(number))
    switch number {
    case ENOSPC, EDQUOT, EFBIG:
      return RunRecordError(
        .diskFull, "\(path): cannot \(action): \(reason); free space, then resume the run")
    case EACCES, EPERM, EROFS:
      return RunRecordError(
        .notWritable, "\(path): cannot \(action): \(reason); choose a folder you may write to")
    default:
      return RunRecordError(.systemFailure, "\(path): cannot \(action): \(reason)")
    }
  }
}
