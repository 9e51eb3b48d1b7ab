// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Writes the shards of one part of a data set.
final class PartWriter {
  private let folder: String
  private let name: String
  private let tokenizer: Tokenizer
  private let tokensPerShard: Int
  private let opener: AtomicFile.Opener
  private var shard: TokenShardWriter?
  private var shards: [DatasetManifest.Shard] = []
  private var documents = 0
  private var textBytes = 0

  init(
    folder: String, name: String, tokenizer: Tokenizer, tokensPerShard: Int,
    opener: @escaping AtomicFile.Opener
  ) {
    self.folder = folder
    self.name = name
    self.tokenizer = tokenizer
    self.tokensPerShard = tokensPerShard
    self.opener = opener
  }

  /// Appends whole or partial documents, each beginning with end of text.
  func append(_ tokens: [Int32], documents: Int, textBytes: Int) throws(DataError) {
    self.documents += documents
    self.textBytes += textBytes
    var start = 0
    while start < tokens.count {
      let shard = try currentShard()
      let end = min(tokens.count, start + tokensPerShard - shard.tokenCount)
      let result = tokens.withUnsafeBufferPointer { buffer in
        Result { () throws(DataError) in
          try shard.append(UnsafeBufferPointer(rebasing: buffer[start..<end]))
        }
      }
      try result.get()
      if shard.tokenCount == tokensPerShard { try finishShard() }
      start = end
    }
  }

  /// Completes the last shard.
  func finish() throws(DataError) -> DatasetManifest.Part {
    try finishShard()
    let tokens = shards.reduce(0) { $0 + $1.tokens }
    return DatasetManifest.Part(
      documents: documents, tokens: tokens, textBytes: textBytes,
      bytesPerToken: tokens == 0 ? 0 : Double(textBytes) / Double(tokens), shards: shards)
  }

  private var fileName: String {
    let digits = String(shards.count)
    return "\(name)-\(String(repeating: "0", count: max(0, 5 - digits.count)))\(digits).tokens"
  }

  private func currentShard() throws(DataError) -> TokenShardWriter {
    if let shard { return shard }
    let writer = try TokenShardWriter(
      path: folder + "/" + fileName, tokenizer: tokenizer, opener: opener)
    shard = writer
    return writer
  }

  private func finishShard() throws(DataError) {
    guard let writer = shard else { return }
    let header = try writer.finish()
    shards.append(
      DatasetManifest.Shard(
        file: fileName, tokens: header.tokenCount,
        checksum: Checksum.hexadecimal(header.checksum)))
    shard = nil
  }
}
