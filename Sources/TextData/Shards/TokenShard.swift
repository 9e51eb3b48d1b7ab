// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A memory-mapped token shard whose header has been checked.
public struct TokenShard: Sendable {
  /// Path of the file.
  public let path: String
  /// What the file says about itself.
  public let header: TokenShardHeader
  private let file: FileBytes

  /// Maps a shard and checks its header; the payload is not read.
  ///
  /// - Parameter path: Path of the file.
  /// - Throws: ``DataError`` `unreadableFile`, `wrongFormat`, `wrongVersion`, `corruptData` or
  ///   `truncatedData`.
  public init(path: String) throws(DataError) {
    self.path = path
    file = try FileBytes(path: path)
    header = try TokenShardHeader(file.bytes, path: path)
  }

  /// The payload as part of a token stream; keeps the mapping alive.
  var segment: TokenStream.Segment {
    TokenStream.Segment(
      bytes: UnsafeRawBufferPointer(rebasing: file.bytes[TokenShardHeader.size...]),
      width: header.width, owner: file)
  }

  /// Reads the whole payload and compares its checksum with the header's.
  ///
  /// - Throws: ``DataError`` `corruptData` when they differ.
  /// - Complexity: One pass over the file, several GB/s when it is in memory.
  public func verifyChecksum() throws(DataError) {
    let computed = Checksum.of(
      UnsafeRawBufferPointer(rebasing: file.bytes[TokenShardHeader.size...]))
    guard computed == header.checksum else {
      throw DataError(
        .corruptData,
        "'\(path)' is corrupt: its tokens have checksum \(Checksum.hexadecimal(computed)), the header "
          + "says \(Checksum.hexadecimal(header.checksum)). Prepare the data again.")
    }
  }
}
