// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A tensor file that cannot be read or written: which file, what is wrong, and the remedy.
public struct TensorFileError: Error, Equatable, CustomStringConvertible {
  /// The kinds of error.
  public enum Code: String, Sendable {
    /// The file is missing, a folder, or may not be read.
    case unreadable
    /// The file ends before the header does.
    case tooShort
    /// The header's length is beyond the limit.
    case headerTooLong
    /// The header is not the JSON object that the format asks for.
    case malformedHeader
    /// Two tensors, or two metadata keys, have the same name.
    case duplicateName
    /// The element type is none of those known here.
    case unknownElementType
    /// The shape and the number of bytes do not fit each other.
    case sizeMismatch
    /// A tensor lies, wholly or partly, behind the end of the file.
    case outOfFile
    /// Two tensors share bytes.
    case overlap
    /// Some bytes of the file belong to no tensor.
    case uncoveredBytes
    /// A tensor has a name that is reserved, or none by that name is in the file.
    case unknownTensor
    /// A tensor has another element type or another number of elements than asked for.
    case mismatch
    /// The folder or file may not be written.
    case notWritable
    /// The disk is full, or a quota or file-size limit is reached.
    case diskFull
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
  static func system(_ action: String, _ path: String, errno number: Int32) -> TensorFileError {
    let reason = String(cString: strerror(number))
    switch number {
    case ENOSPC, EDQUOT, EFBIG:
      return TensorFileError(
        .diskFull, "\(path): cannot \(action): \(reason); free space, then start again")
    case EACCES, EPERM, EROFS:
      return TensorFileError(
        .notWritable, "\(path): cannot \(action): \(reason); choose a folder you may write to")
    default:
      return TensorFileError(.systemFailure, "\(path): cannot \(action): \(reason)")
    }
  }
}
