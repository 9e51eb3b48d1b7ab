// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Human text on standard error, data on standard output.
enum Console {
  /// Whether a person watches standard error.
  static let isTerminal = isatty(STDERR_FILENO) == 1

  /// One line for a person.
  static func say(_ line: String, end: String = "\n") { write(line + end, to: STDERR_FILENO) }

  /// Data for a program, as it is.
  static func write(_ text: String) { write(text, to: STDOUT_FILENO) }

  /// Data for a program.
  static func data(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }

  /// One line for a program that waits for it; false when nobody can read it any more.
  static func deliver(_ line: String) -> Bool { write(line + "\n", to: STDOUT_FILENO) }

  /// Data for a program, as JSON with sorted keys.
  ///
  /// - Throws: an encoding error.
  static func json(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    data(String(decoding: try encoder.encode(value), as: UTF8.self))
  }

  /// Writes all of a text in as few system calls as possible; a closed pipe is no error of ours.
  @discardableResult
  private static func write(_ text: String, to descriptor: Int32) -> Bool {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      #if canImport(Darwin)
        let count = bytes.withUnsafeBytes { Darwin.write(descriptor, $0.baseAddress, $0.count) }
      #else
        let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      #endif
      if count < 0 {
        if errno == EINTR { continue }
        return false
      }
      bytes = bytes.dropFirst(count)
    }
    return true
  }
}
