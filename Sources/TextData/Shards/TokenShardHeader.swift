// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// The first 128 bytes of a token shard, little-endian.
///
/// | bytes | content |
/// |---|---|
/// | 0-7 | magic, the ASCII text `ASSAYTOK` |
/// | 8-11 | version, 1 |
/// | 12-15 | bytes per token, 2 or 4 |
/// | 16-23 | hash of the vocabulary |
/// | 24-31 | number of tokens n |
/// | 32-39 | number of documents that begin in this shard |
/// | 40-47 | XXH64 of the payload |
/// | 48-51 | size of the vocabulary |
/// | 52-55 | largest token id in the payload |
/// | 56-59 | id of the end of text |
/// | 60-119 | zeros |
/// | 120-127 | XXH64 of bytes 0-119 |
/// | 128.. | payload: n unsigned token ids |
public struct TokenShardHeader: Equatable, Sendable {
  /// Bytes before the payload.
  public static let size = 128
  static let magic: UInt64 = 0x4B4F_5459_4153_5341  // "ASSAYTOK"
  static let version: UInt32 = 1

  /// Bytes per token.
  public var width: TokenWidth
  /// Hash of the vocabulary, ``Tokenizer/hash``.
  public var vocabularyHash: UInt64
  /// Number of ids in the vocabulary.
  public var vocabularySize: Int
  /// The token that stands before every document.
  public var endOfText: Int32
  /// Tokens in the payload.
  public var tokenCount = 0
  /// Documents that begin in this shard.
  public var documentCount = 0
  /// XXH64 of the payload.
  public var checksum: UInt64 = 0
  /// Largest id in the payload; 0 when it is empty.
  public var largestToken: Int32 = 0

  init(tokenizer: Tokenizer) {
    width = TokenWidth(vocabularySize: tokenizer.vocabularySize)
    vocabularyHash = tokenizer.hash
    vocabularySize = tokenizer.vocabularySize
    endOfText = tokenizer.endOfText
  }

  /// The header as bytes.
  var encoded: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Self.size)
    bytes.withUnsafeMutableBytes { raw in
      raw.storeLittleEndian(Self.magic, at: 0)
      raw.storeLittleEndian(Self.version, at: 8)
      raw.storeLittleEndian(UInt32(width.rawValue), at: 12)
      raw.storeLittleEndian(vocabularyHash, at: 16)
      raw.storeLittleEndian(UInt64(tokenCount), at: 24)
      raw.storeLittleEndian(UInt64(documentCount), at: 32)
      raw.storeLittleEndian(checksum, at: 40)
      raw.storeLittleEndian(UInt32(vocabularySize), at: 48)
      raw.storeLittleEndian(UInt32(largestToken), at: 52)
      raw.storeLittleEndian(UInt32(endOfText), at: 56)
      raw.storeLittleEndian(Checksum.of(UnsafeRawBufferPointer(rebasing: raw[..<120])), at: 120)
    }
    return bytes
  }

  /// Reads the header of a shard and checks it against the size of the file.
  ///
  /// - Parameters:
  ///   - bytes: The whole file.
  ///   - path: Its name, for errors.
  /// - Throws: ``DataError`` `wrongFormat`, `wrongVersion`, `corruptData` or `truncatedData`.
  init(_ bytes: UnsafeRawBufferPointer, path: String) throws(DataError) {
    let remedy = "Prepare the data again."
    guard bytes.count >= 8, bytes.loadLittleEndian(at: 0, as: UInt64.self) == Self.magic else {
      throw DataError(
        .wrongFormat, "'\(path)' is not a token shard: it does not begin with 'ASSAYTOK'. \(remedy)"
      )
    }
    guard bytes.count >= Self.size else {
      throw DataError(
        .truncatedData,
        "'\(path)' is truncated: \(bytes.count) bytes are less than its header. \(remedy)")
    }
    let version = bytes.loadLittleEndian(at: 8, as: UInt32.self)
    guard version == Self.version else {
      throw DataError(
        .wrongVersion,
        "'\(path)' has version \(version) of the shard format; this Assay reads \(Self.version). "
          + remedy)
    }
    let computed = Checksum.of(UnsafeRawBufferPointer(rebasing: bytes[..<120]))
    guard computed == bytes.loadLittleEndian(at: 120, as: UInt64.self),
      let width = TokenWidth(rawValue: Int(bytes.loadLittleEndian(at: 12, as: UInt32.self))),
      let tokenCount = Int(exactly: bytes.loadLittleEndian(at: 24, as: UInt64.self)),
      let documentCount = Int(exactly: bytes.loadLittleEndian(at: 32, as: UInt64.self)),
      let largestToken = Int32(exactly: bytes.loadLittleEndian(at: 52, as: UInt32.self)),
      let endOfText = Int32(exactly: bytes.loadLittleEndian(at: 56, as: UInt32.self))
    else {
      throw DataError(
        .corruptData, "'\(path)' is corrupt: its header does not match its own checksum. \(remedy)")
    }
    let (payload, overflow) = tokenCount.multipliedReportingOverflow(by: width.rawValue)
    guard !overflow, payload == bytes.count - Self.size else {
      throw DataError(
        .truncatedData,
        "'\(path)' has the wrong size: \(tokenCount) tokens of \(width.rawValue) bytes need "
          + "\(Self.size) + \(tokenCount) x \(width.rawValue) bytes, the file has \(bytes.count). "
          + remedy)
    }
    self.width = width
    vocabularyHash = bytes.loadLittleEndian(at: 16, as: UInt64.self)
    vocabularySize = Int(bytes.loadLittleEndian(at: 48, as: UInt32.self))
    self.endOfText = endOfText
    self.tokenCount = tokenCount
    self.documentCount = documentCount
    checksum = bytes.loadLittleEndian(at: 40, as: UInt64.self)
    self.largestToken = largestToken
  }
}

extension UnsafeMutableRawBufferPointer {
  func storeLittleEndian<Number: FixedWidthInteger>(_ number: Number, at offset: Int) {
    storeBytes(of: number.littleEndian, toByteOffset: offset, as: Number.self)
  }
}

extension UnsafeRawBufferPointer {
  func loadLittleEndian<Number: FixedWidthInteger & BitwiseCopyable>(
    at offset: Int, as type: Number.Type
  ) -> Number {
    Number(littleEndian: loadUnaligned(fromByteOffset: offset, as: type))
  }
}
