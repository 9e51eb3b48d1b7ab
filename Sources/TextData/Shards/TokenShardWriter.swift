// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Writes one token shard, which appears under its name only when ``finish()`` has succeeded.
public final class TokenShardWriter {
  private let file: AtomicFile
  private var header: TokenShardHeader
  private var checksum = Checksum()
  private let staging = TokenStaging()

  /// Begins a shard.
  ///
  /// - Parameters:
  ///   - path: Path of the shard; an existing file is replaced at the end.
  ///   - tokenizer: What the tokens were made with; decides the width.
  /// - Throws: ``DataError`` when the place cannot be written.
  public convenience init(path: String, tokenizer: Tokenizer) throws(DataError) {
    try self.init(path: path, tokenizer: tokenizer, opener: AtomicFile.createFile)
  }

  init(path: String, tokenizer: Tokenizer, opener: AtomicFile.Opener) throws(DataError) {
    file = try AtomicFile(path: path, opener: opener)
    header = TokenShardHeader(tokenizer: tokenizer)
    try writeHeader(append: true)
  }

  /// Number of tokens so far.
  public var tokenCount: Int { header.tokenCount }

  /// Appends tokens.
  ///
  /// - Parameter tokens: Ids below the vocabulary size.
  /// - Throws: ``DataError`` `vocabularyMismatch` for another id, or when writing fails.
  public func append(_ tokens: UnsafeBufferPointer<Int32>) throws(DataError) {
    let largest = try staging.encode(tokens, width: header.width) { bytes throws(DataError) in
      checksum.update(bytes)
      try file.write(bytes)
    }
    guard largest < header.vocabularySize || tokens.isEmpty else {
      throw DataError(
        .vocabularyMismatch,
        "token id \(largest) does not fit the vocabulary of \(header.vocabularySize) of shard "
          + "'\(file.path)'.")
    }
    header.largestToken = max(header.largestToken, Int32(largest))
    header.tokenCount += tokens.count
    header.documentCount += tokens.count { $0 == header.endOfText }
  }

  /// Completes the header and gives the shard its name.
  ///
  /// - Returns: The header as written.
  /// - Throws: ``DataError`` when writing fails; then no shard appears.
  public func finish() throws(DataError) -> TokenShardHeader {
    header.checksum = checksum.value
    try writeHeader(append: false)
    try file.commit()
    return header
  }

  private func writeHeader(append: Bool) throws(DataError) {
    let bytes = header.encoded
    let result = bytes.withUnsafeBytes { raw in
      Result { () throws(DataError) in
        if append { try file.write(raw) } else { try file.overwriteStart(raw) }
      }
    }
    try result.get()
  }
}
