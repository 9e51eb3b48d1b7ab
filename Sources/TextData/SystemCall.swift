// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// The last failed system call, as an error about a file.
enum SystemCall {
  static var errorNumber: Int32 { errno }

  /// The C library's words for `number`, for example "No such file or directory".
  static func description(of number: Int32) -> String {
    String(cString: strerror(number))
  }

  /// The error for a failure to read `path`.
  static func readError(_ path: String, _ number: Int32 = errno) -> DataError {
    DataError(
      .unreadableFile,
      "cannot read '\(path)': \(description(of: number)). Check the path and its permissions.")
  }

  /// The error for a failure to write `path`.
  static func writeError(_ path: String, _ number: Int32 = errno) -> DataError {
    switch number {
    case ENOSPC, EDQUOT:
      DataError(
        .diskFull,
        "cannot write '\(path)': the disk is full (\(description(of: number))). "
          + "Nothing usable was left behind; free some space or choose another place.")
    case EACCES, EPERM, EROFS:
      DataError(
        .notWritable,
        "cannot write '\(path)': \(description(of: number)). "
          + "Choose a folder that you may write to.")
    default:
      DataError(.writeFailed, "cannot write '\(path)': \(description(of: number)).")
    }
  }
}
