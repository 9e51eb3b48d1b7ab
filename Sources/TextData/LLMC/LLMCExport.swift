// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Writes a prepared data set as a folder of llm.c shards, for programs that read those (`assay data export`).
///
/// Shards are named `NAME_train_000001.bin` and on, `NAME_val_000000.bin` and on, each of ``tokensPerShard`` tokens but the
/// last of its part; `tokenizer.json` lies beside them. The tokens are the same in the same order.
public struct LLMCExport: Sendable {
  /// What was written.
  public struct Result: Codable, Equatable, Sendable {
    /// Names of the training shards.
    public var train: [String]
    /// Names of the held-out shards.
    public var validation: [String]
    /// Tokens in the training shards.
    public var trainTokens: Int
    /// Tokens in the held-out shards.
    public var validationTokens: Int
  }

  /// Folder of the data set.
  public var input: String
  /// Folder to make.
  public var output: String
  /// First part of the shards' names; letters, digits, `-` and `.`.
  public var name = "text"
  /// Tokens of a shard, 1 ..< 2^31; the public FineWeb shards have 10^8.
  public var tokensPerShard = 100_000_000
  /// Whether a data set of that name may be replaced.
  public var replacesExisting = false

  /// Makes an export with the usual sizes.
  ///
  /// - Parameters:
  ///   - input: Folder of the data set.
  ///   - output: Folder to make.
  public init(input: String, output: String) {
    self.input = input
    self.output = output
  }

  /// Writes the folder, which appears when it is whole.
  ///
  /// - Parameter progress: Is told the share of tokens that are written, from time to time.
  /// - Returns: What was written.
  /// - Throws: ``DataError`` `vocabularyMismatch` for a vocabulary beyond 16 bits, `invalidOption`, `outputExists`, the errors
  ///   of ``TokenDataset``, or when writing fails.
  public func run(progress: (Double) -> Void = { _ in }) throws(DataError) -> Result {
    guard tokensPerShard >= 1, tokensPerShard <= LLMCShardWriter.largestTokenCount else {
      throw DataError(
        .invalidOption, "a '.bin' shard holds 1 to 2^31 - 1 tokens, got \(tokensPerShard).")
    }
    let allowed: Set<Character> = ["-", "."]
    guard let first = name.first, first != ".",
      name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) || allowed.contains($0) })
    else {
      throw DataError(
        .invalidOption,
        "'\(name)' cannot begin the names of shards: use letters, digits, '-' and '.'.")
    }
    let dataset = try TokenDataset(folder: input, checksums: .always)
    guard dataset.vocabularySize <= 1 << 16 else {
      throw DataError(
        .vocabularyMismatch,
        "the vocabulary of '\(input)' has \(dataset.vocabularySize) ids, and llm.c shards hold 16 bits of each: at most 65,536."
      )
    }
    let tokenizer = try dataset.loadTokenizer()
    let staging = try StagingFolder(output: output, replacing: replacesExisting)
    let total = dataset.train.count + dataset.validation.count
    var done = 0
    func write(_ stream: TokenStream, _ part: String, from number: Int) throws(DataError)
      -> [String]
    {
      var names: [String] = []
      var start = 0
      while start < stream.count {
        let digits = String(number + names.count)
        let shard =
          "\(name)_\(part)_" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
          + ".bin"
        let end = min(stream.count, start + tokensPerShard)
        let writer = try LLMCShardWriter(path: staging.path + "/" + shard)
        while start < end {
          let block = stream.tokens(start..<min(end, start + (1 << 20)))
          let result = block.withUnsafeBufferPointer { buffer in
            Swift.Result { () throws(DataError) in try writer.append(buffer) }
          }
          try result.get()
          start += block.count
          done += block.count
          progress(Double(done) / Double(max(1, total)))
        }
        try writer.finish()
        names.append(shard)
      }
      return names
    }
    let validation = try write(dataset.validation, "val", from: 0)
    let train = try write(dataset.train, "train", from: 1)
    try tokenizer.write(to: staging.path + "/" + DatasetManifest.tokenizerFileName)
    try staging.commit()
    return Result(
      train: train, validation: validation, trainTokens: dataset.train.count,
      validationTokens: dataset.validation.count)
  }
}
