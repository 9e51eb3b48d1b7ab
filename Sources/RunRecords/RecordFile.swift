// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A small JSON file in the form that all records have: sorted keys, ISO 8601 dates, texts for numbers that are not finite.
public enum RecordFile {
  /// Reads a file.
  ///
  /// - Parameters:
  ///   - type: what it holds.
  ///   - path: the file.
  /// - Returns: the value; nil when there is no such file.
  /// - Throws: ``RunRecordError`` when it cannot be read or is not what was written.
  public static func read<Value: Decodable>(
    _ type: Value.Type, at path: String
  ) throws(RunRecordError) -> Value? {
    guard access(path, F_OK) == 0 else { return nil }
    return try jsonValue(type, from: try readFile(path), path: path)
  }

  /// Writes a file, as a whole or not at all.
  ///
  /// - Parameters:
  ///   - value: what to write.
  ///   - path: the file, in a folder that exists.
  /// - Throws: ``RunRecordError`` when the disk is full or read-only; an old file is kept.
  public static func write(_ value: some Encodable, to path: String) throws(RunRecordError) {
    try writeFileAtomically(try jsonData(value, path: path), to: path)
  }
}
