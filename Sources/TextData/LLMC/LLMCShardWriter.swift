// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Writes an llm.c shard some tokens at a time; it appears under its name when it is whole.
public final class LLMCShardWriter {
  /// The format counts tokens in 31 bits.
  static let largestTokenCount = Int(Int32.max)

  private let file: AtomicFile
  private let staging = TokenStaging()
  /// Number of tokens so far.
  public private(set) var tokenCount = 0

  /// Begins a shard.
  ///
  /// - Parameter path: Path of the file; an existing one is replaced at the end.
  /// - Throws: ``DataError`` when the place cannot be written.
  public convenience init(path: String) throws(DataError) {
    try self.init(path: path, opener: AtomicFile.createFile)
  }

  init(path: String, opener: AtomicFile.Opener) throws(DataError) {
    file = try AtomicFile(path: path, opener: opener)
    let header = Self.header(tokenCount: 0)
    let result = header.withUnsafeBytes { raw in
      Result { () throws(DataError) in try file.write(raw) }
    }
    try result.get()
  }

  /// The first 1,024 bytes of a shard.
  ///
  /// - Parameter tokenCount: Below 2^31.
  /// - Returns: Magic, version, count and zeros.
  static func header(tokenCount: Int) -> [UInt8] {
    var header = [UInt8](repeating: 0, count: LLMCShard.headerSize)
    header.withUnsafeMutableBytes { raw in
      raw.storeLittleEndian(LLMCShard.magic, at: 0)
      raw.storeLittleEndian(LLMCShard.version, at: 4)
      raw.storeLittleEndian(Int32(tokenCount), at: 8)
    }
    return header
  }

  /// Appends tokens.
  ///
  /// - Parameter tokens: Ids below 65,536.
  /// - Throws: ``DataError`` `vocabularyMismatch` for another id, `invalidOption` when the shard has 2^31 tokens or more, or
  ///   when writing fails.
  public func append(_ tokens: UnsafeBufferPointer<Int32>) throws(DataError) {
    guard tokens.count <= Self.largestTokenCount - tokenCount else {
      throw DataError(
        .invalidOption,
        "\(tokenCount + tokens.count) tokens are too many for one '.bin' shard, which holds fewer than 2^31. "
          + "Write several shards.")
    }
    let largest = try staging.encode(tokens, width: .two) { bytes throws(DataError) in
      try file.write(bytes)
    }
    guard largest <= UInt16.max else {
      throw DataError(
        .vocabularyMismatch, "token id \(largest) does not fit the 16 bits of '\(file.path)'.")
    }
    tokenCount += tokens.count
  }

  /// Completes the header and gives the shard its name.
  ///
  /// - Throws: ``DataError`` when writing fails; then no shard appears.
  public func finish() throws(DataError) {
    let header = Self.header(tokenCount: tokenCount)
    let result = header.withUnsafeBytes { raw in
      Result { () throws(DataError) in try file.overwriteStart(raw) }
    }
    try result.get()
    try file.commit()
  }
}
