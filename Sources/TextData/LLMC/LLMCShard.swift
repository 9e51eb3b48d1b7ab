// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// The `.bin` shards of llm.c and modded-nanogpt: GPT-2 tokens as 16-bit numbers.
///
/// Little-endian: int32 magic 20240520, int32 version 1, int32 token count n, zeros up to byte 1023, then
/// n unsigned 16-bit ids. The file has exactly 1024 + 2 n bytes. Every document begins with the
/// end-of-text token 50256; a document may continue in the next shard.
public struct LLMCShard: Sendable {
  static let magic: Int32 = 20_240_520
  static let version: Int32 = 1
  static let headerSize = 1024

  /// Path of the file.
  public let path: String
  /// Number of tokens.
  public let tokenCount: Int
  private let file: FileBytes

  /// Maps a shard and checks its header and size.
  ///
  /// - Parameter path: Path of the file.
  /// - Throws: ``DataError`` `unreadableFile`, `wrongFormat`, `wrongVersion` or `truncatedData`.
  public init(path: String) throws(DataError) {
    self.path = path
    file = try FileBytes(path: path)
    let bytes = file.bytes
    guard bytes.count >= 4, bytes.loadLittleEndian(at: 0, as: Int32.self) == Self.magic else {
      throw DataError(
        .wrongFormat,
        "'\(path)' is not an llm.c token shard: it does not begin with the number \(Self.magic).")
    }
    guard bytes.count >= Self.headerSize else {
      throw DataError(
        .truncatedData,
        "'\(path)' is truncated: \(bytes.count) bytes are less than its header of \(Self.headerSize)."
      )
    }
    let version = bytes.loadLittleEndian(at: 4, as: Int32.self)
    guard version == Self.version else {
      throw DataError(
        .wrongVersion,
        "'\(path)' has version \(version) of the llm.c shard format; only \(Self.version) is known."
      )
    }
    tokenCount = Int(bytes.loadLittleEndian(at: 8, as: Int32.self))
    guard tokenCount >= 0, bytes.count == Self.headerSize + 2 * tokenCount else {
      throw DataError(
        .truncatedData,
        "'\(path)' has the wrong size: \(tokenCount) tokens need \(Self.headerSize) + 2 x \(tokenCount) "
          + "bytes, the file has \(bytes.count). Fetch or make it again.")
    }
  }

  /// The tokens as a stream; the largest id is not known before they are read.
  ///
  /// - Parameter endOfText: The token that stands before every document.
  /// - Returns: A stream over the mapped file.
  public func stream(endOfText: Int32 = 50256) -> TokenStream {
    TokenStream(
      segments: [segment], endOfText: endOfText, largestToken: Int32(UInt16.max))
  }

  /// The payload as part of a token stream; keeps the mapping alive.
  var segment: TokenStream.Segment {
    TokenStream.Segment(
      bytes: UnsafeRawBufferPointer(rebasing: file.bytes[Self.headerSize...]), width: .two,
      owner: file)
  }

  /// A checksum of the number of tokens and of a sample of them: 16 blocks of 64 KiB, evenly spread with the first and the
  /// last among them, or all tokens where there are no more.
  ///
  /// Another text, another tokenizer or another order of documents is found; a few bytes that were altered between two blocks
  /// of a large shard are not. For that there are checksums over whole files.
  var sampleChecksum: UInt64 {
    let payload = UnsafeRawBufferPointer(rebasing: file.bytes[Self.headerSize...])
    var checksum = Checksum()
    withUnsafeBytes(of: UInt64(tokenCount).littleEndian) { checksum.update($0) }
    if payload.count <= Self.sampleBlocks * Self.sampleBlockBytes {
      checksum.update(payload)
    } else {
      let last = payload.count - Self.sampleBlockBytes
      for block in 0..<Self.sampleBlocks {
        let start = last / (Self.sampleBlocks - 1) * block
        let first = block == Self.sampleBlocks - 1 ? last : start
        checksum.update(
          UnsafeRawBufferPointer(rebasing: payload[first..<first + Self.sampleBlockBytes]))
      }
    }
    return checksum.value
  }

  static let sampleBlocks = 16
  static let sampleBlockBytes = 64 << 10

  /// Writes a shard, atomically.
  ///
  /// - Parameters:
  ///   - tokens: Ids below 65,536, fewer than 2^31; each document begins with end of text.
  ///   - path: Path of the file; an existing one is replaced.
  /// - Throws: ``DataError`` `vocabularyMismatch` for a larger id, `invalidOption` for too many tokens, or
  ///   when writing fails.
  public static func write(_ tokens: [Int32], to path: String) throws(DataError) {
    let writer = try LLMCShardWriter(path: path)
    let result = tokens.withUnsafeBufferPointer { buffer in
      Result { () throws(DataError) in try writer.append(buffer) }
    }
    try result.get()
    try writer.finish()
  }
}
