// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A folder of llm.c shards, which is a data set without a manifest: the public FineWeb shards, for example.
///
/// `*_train_*.bin` are the tokens to train on, `*_val_*.bin` the held-out ones, each in the order of their names. A
/// `tokenizer.json` beside them, Assay's or Hugging Face's, says what the tokens mean; without one they are GPT-2's:
/// 50,257 ids, and 50256 before every document.
public struct LLMCFolder: Sendable {
  /// Ids of GPT-2's vocabulary.
  public static let vocabularySizeOfGPT2 = 50_257
  /// GPT-2's end of text, which stands before every document.
  public static let endOfTextOfGPT2: Int32 = 50_256

  /// Path of the folder.
  public let folder: String
  /// Shards to train on, by name.
  public let train: [LLMCShard]
  /// Held-out shards, by name.
  public let validation: [LLMCShard]
  /// What the tokens mean; nil without a file that says so: GPT-2's.
  public let tokenizer: Tokenizer?

  /// Whether a folder is such a data set: it has a training shard by name, and no manifest of a prepared data set.
  ///
  /// - Parameter folder: Any path.
  /// - Returns: The names decide; nothing is opened.
  public static func isOne(_ folder: String) -> Bool {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return !names.contains(DatasetManifest.fileName)
      && names.contains { isShard($0, part: "train") || isShard($0, part: "val") }
  }

  /// Whether a folder is such a data set and holds nothing else: shards, what says what they mean and are, and parts of a fetch.
  ///
  /// - Parameter folder: Any path.
  /// - Returns: The names decide; nothing is opened.
  static func isOnlyOne(_ folder: String) -> Bool {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return isOne(folder)
      && names.allSatisfy { name in
        var whole = name
        for suffix in [".version", ".part"] where whole.hasSuffix(suffix) {
          whole.removeLast(suffix.count)
        }
        return isShard(whole, part: "train") || isShard(whole, part: "val")
          || name == DatasetManifest.tokenizerFileName || name == "SHA256SUMS"
      }
  }

  private static func isShard(_ name: String, part: String) -> Bool {
    name.hasSuffix(".bin") && name.contains("_\(part)_") && !name.hasPrefix(".")
  }

  /// Maps all shards of a folder and checks their headers and sizes.
  ///
  /// - Parameter folder: The folder.
  /// - Throws: ``DataError`` `unreadableFile` when a part has no shard, the errors of ``LLMCShard`` and of
  ///   `tokenizer.json`.
  public init(_ folder: String) throws(DataError) {
    self.folder = folder
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    } catch {
      throw DataError(
        .unreadableFile, "cannot read the folder '\(folder)': \(error.localizedDescription)")
    }
    func shards(_ part: String) throws(DataError) -> [LLMCShard] {
      var shards: [LLMCShard] = []
      for name in names where Self.isShard(name, part: part) {
        shards.append(try LLMCShard(path: folder + "/" + name))
      }
      guard !shards.isEmpty else {
        throw DataError(
          .unreadableFile,
          "the folder '\(folder)' has no shard '*_\(part)_*.bin'. A data set of llm.c shards needs shards to train on and "
            + "at least one held-out shard, such as fineweb_train_000001.bin and fineweb_val_000000.bin."
        )
      }
      return shards
    }
    train = try shards("train")
    validation = try shards("val")
    tokenizer =
      names.contains(DatasetManifest.tokenizerFileName)
      ? try Tokenizer.file(folder + "/" + DatasetManifest.tokenizerFileName) : nil
  }

  /// Number of ids: one more than the largest that a token may have.
  public var vocabularySize: Int { tokenizer?.vocabularySize ?? Self.vocabularySizeOfGPT2 }

  /// The token that stands before every document.
  public var endOfText: Int32 { tokenizer?.endOfText ?? Self.endOfTextOfGPT2 }

  /// The shards of a part as one stream.
  ///
  /// What ids they hold is not known before they are read: readers compare each with the model's vocabulary.
  func stream(_ shards: [LLMCShard]) -> TokenStream {
    TokenStream(
      segments: shards.map(\.segment), endOfText: endOfText,
      largestToken: Int32(vocabularySize - 1))
  }

  /// Identity of the tokens for records: over the vocabulary, and the size and ``LLMCShard/sampleChecksum`` of every
  /// shard in order, 16 hexadecimal digits.
  ///
  /// - Complexity: Reads at most 1 MiB of each shard.
  var contentHash: String {
    var text = "llm.c \(vocabularySize) \(endOfText)"
    for shards in [train, validation] {
      text += "|"
      for shard in shards {
        text += "\(shard.tokenCount):\(Checksum.hexadecimal(shard.sampleChecksum));"
      }
    }
    return Checksum.hexadecimal(Array(text.utf8).withUnsafeBytes { Checksum.of($0) })
  }
}
