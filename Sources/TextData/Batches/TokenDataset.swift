// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A prepared data set, opened: shards are memory-mapped, headers checked.
public struct TokenDataset: Sendable {
  /// When the payload of shards is read to compare checksums.
  public enum ChecksumPolicy: Sendable {
    /// Never; ``TokenDataset/verifyChecksums()`` can be called later.
    case never
    /// When all shards together are small enough for it to cost milliseconds: 64 MiB.
    case whenCheap
    /// Always.
    case always
  }

  static let cheapBytes = 64 << 20

  /// Folder of the data set.
  public let folder: String
  /// What the data set says about itself.
  public let manifest: DatasetManifest
  /// The tokens to train on.
  public let train: TokenStream
  /// The held-out tokens.
  public let validation: TokenStream
  private let shards: [TokenShard]

  /// Opens a data set folder.
  ///
  /// - Parameters:
  ///   - folder: What `assay data prepare` made.
  ///   - checksums: When to read all tokens and compare their checksums.
  /// - Throws: ``DataError`` when the manifest or a shard is missing, of another format or version,
  ///   truncated, corrupt, or of another data set.
  /// - Complexity: Milliseconds, unless checksums of much data are asked for.
  public init(folder: String, checksums: ChecksumPolicy = .whenCheap) throws(DataError) {
    self.folder = folder
    manifest = try DatasetManifest.read(folder: folder)
    let trainShards = try Self.open(manifest.train, manifest, folder)
    let validationShards = try Self.open(manifest.validation, manifest, folder)
    shards = trainShards + validationShards
    train = Self.stream(trainShards, manifest)
    validation = Self.stream(validationShards, manifest)
    let bytes = shards.reduce(0) { $0 + $1.header.tokenCount * $1.header.width.rawValue }
    switch checksums {
    case .never: break
    case .whenCheap: if bytes <= Self.cheapBytes { try verifyChecksums() }
    case .always: try verifyChecksums()
    }
  }

  private static func open(
    _ part: DatasetManifest.Part, _ manifest: DatasetManifest, _ folder: String
  ) throws(DataError) -> [TokenShard] {
    var shards: [TokenShard] = []
    for entry in part.shards {
      let shard = try TokenShard(path: folder + "/" + entry.file)
      let header = shard.header
      guard Checksum.hexadecimal(header.vocabularyHash) == manifest.tokenizer.hash,
        header.vocabularySize == manifest.tokenizer.vocabularySize,
        header.endOfText == manifest.tokenizer.endOfText
      else {
        throw DataError(
          .vocabularyMismatch,
          "'\(shard.path)' was made with another vocabulary "
            + "(\(Checksum.hexadecimal(header.vocabularyHash)), \(header.vocabularySize) entries) than the "
            + "manifest names (\(manifest.tokenizer.hash), \(manifest.tokenizer.vocabularySize) entries). "
            + "Prepare the data again.")
      }
      guard header.tokenCount == entry.tokens,
        Checksum.hexadecimal(header.checksum) == entry.checksum
      else {
        throw DataError(
          .corruptData,
          "'\(shard.path)' is not the shard that the manifest names: it has \(header.tokenCount) tokens "
            + "with checksum \(Checksum.hexadecimal(header.checksum)) instead of \(entry.tokens) with "
            + "\(entry.checksum). Prepare the data again.")
      }
      shards.append(shard)
    }
    return shards
  }

  private static func stream(_ shards: [TokenShard], _ manifest: DatasetManifest) -> TokenStream {
    TokenStream(
      segments: shards.map(\.segment), endOfText: manifest.tokenizer.endOfText,
      largestToken: shards.map(\.header.largestToken).max() ?? 0)
  }

  /// Number of ids; a model needs at least as many.
  public var vocabularySize: Int { manifest.tokenizer.vocabularySize }

  /// Reads all tokens and compares their checksums with the headers'.
  ///
  /// - Throws: ``DataError`` `corruptData` naming the first shard that differs.
  public func verifyChecksums() throws(DataError) {
    for shard in shards { try shard.verifyChecksum() }
  }

  /// Reads the tokenizer that lies in the folder.
  ///
  /// - Returns: The tokenizer the tokens were made with.
  /// - Throws: ``DataError`` when the file is missing, damaged or of another vocabulary.
  public func loadTokenizer() throws(DataError) -> Tokenizer {
    let path = folder + "/" + DatasetManifest.tokenizerFileName
    let tokenizer = try Tokenizer.file(path)
    guard tokenizer.hashText == manifest.tokenizer.hash else {
      throw DataError(
        .vocabularyMismatch,
        "'\(path)' is not the tokenizer of this data set: its hash is \(tokenizer.hashText), the manifest "
          + "names \(manifest.tokenizer.hash). Prepare the data again.")
    }
    return tokenizer
  }
}
