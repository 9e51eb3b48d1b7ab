// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TextData

/// A public data set of llm.c shards that can be fetched by name.
public struct PublicShards: Sendable {
  /// What it is called.
  public let name: String
  /// The folder on the server that its files are in.
  public let address: String
  /// Name of the held-out shard.
  public let validationFile: String
  /// How many training shards there are.
  public let trainCount: Int

  /// 10 billion tokens of FineWeb (Penedo et al., 2024) in GPT-2's vocabulary, as the NanoGPT speedrun uses them; 10^8 tokens a
  /// shard.
  public static let fineweb10B = PublicShards(
    name: "fineweb10B",
    address: "https://huggingface.co/datasets/kjj0/fineweb10B-gpt2/resolve/main",
    validationFile: "fineweb_val_000000.bin", trainCount: 103)

  /// All that there are.
  public static let all = [fineweb10B]

  /// Name of a training shard, from 1.
  func trainFile(_ number: Int) -> String {
    let digits = String(number)
    return "fineweb_train_" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
      + ".bin"
  }
}

/// Fetches the held-out shard and the first training shards of a public data set into a folder, and checks them.
///
/// A file that is there is not fetched again: its SHA-256 is compared with the list `SHA256SUMS` beside it, or, where that does not
/// name it, with the server's. So a command that was killed goes on when it is given again, and one that had ended verifies.
public struct ShardFetch: Sendable {
  /// How far it is.
  public struct Progress: Equatable, Sendable {
    /// What happens to a file.
    public enum Stage: String, Sendable {
      /// A file that is there is read and compared.
      case verifying
      /// A file comes from the server.
      case fetching
    }
    /// Name of the file.
    public var file: String
    /// Number of the file, from 1.
    public var number: Int
    /// Files in all.
    public var count: Int
    /// What happens to it.
    public var stage: Stage
    /// Bytes that are there.
    public var bytes: Int
    /// Bytes of the whole file; nil while nobody knows.
    public var size: Int?
  }

  /// What is in the folder in the end.
  public struct Result: Codable, Equatable, Sendable {
    /// Names of all files, the held-out shard first.
    public var files: [String]
    /// Files that were fetched, at least in part.
    public var fetched: [String]
    /// Files that neither the list nor the server has a SHA-256 for: their sizes and headers were checked.
    public var unchecked: [String]
    /// Bytes of all files.
    public var bytes: Int
  }

  /// Which data set.
  public var shards: PublicShards
  /// How many training shards, from the first on.
  public var count: Int
  /// The folder; made where it is missing.
  public var folder: String
  /// Another server's folder with the same names; nil: the data set's own.
  public var address: String?
  /// Attempts in a row that may bring no byte before the network is given up.
  public var attempts = 5
  /// Seconds before the second such attempt; each later one waits twice as long.
  public var firstPause = 1.0

  /// Makes a fetch.
  ///
  /// - Parameters:
  ///   - shards: Which data set.
  ///   - count: How many training shards, from the first on.
  ///   - folder: The folder; made where it is missing.
  public init(_ shards: PublicShards, count: Int, folder: String) {
    self.shards = shards
    self.count = count
    self.folder = folder
  }

  /// Fetches and verifies.
  ///
  /// - Parameter progress: Is told how far it is, a few times a second.
  /// - Returns: What is in the folder.
  /// - Throws: ``DownloadError``; files that are whole stay, and so does what has arrived of the next.
  public func run(
    progress: (Progress) -> Void = { _ in }
  ) throws(DownloadError) -> Result {
    guard (1...shards.trainCount).contains(count) else {
      throw DownloadError(
        .invalidOption,
        "\(shards.name) has \(shards.trainCount) training shards, got \(count); give 1 to \(shards.trainCount)."
      )
    }
    let base = try baseAddress()
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw DownloadError(
        .notWritable, "cannot make the folder '\(folder)': \(error.localizedDescription).")
    }
    let files = [shards.validationFile] + (1...count).map(shards.trainFile)
    var result = Result(files: files, fetched: [], unchecked: [], bytes: 0)
    for (index, file) in files.enumerated() {
      var state = Progress(
        file: file, number: index + 1, count: files.count, stage: .fetching, bytes: 0)
      let path = folder + "/" + file
      var download = FileDownload(base.appendingPathComponent(file), to: path)
      download.attempts = attempts
      download.firstPause = firstPause
      download.check = { _ = try LLMCShard(path: $0) }
      if FileManager.default.fileExists(atPath: path) {
        state.stage = .verifying
        progress(state)
        let (bytes, isChecked) = try verify(file, download)
        result.bytes += bytes
        if !isChecked { result.unchecked.append(file) }
        continue
      }
      progress(state)
      let found = try download.run { bytes, size in
        (state.bytes, state.size) = (bytes, size)
        progress(state)
      } willName: { result throws(DownloadError) in
        try record(file, result.sha256)
      }
      result.fetched.append(file)
      if !found.isChecked { result.unchecked.append(file) }
      result.bytes += found.bytes
    }
    return result
  }

  private func baseAddress() throws(DownloadError) -> URL {
    let text = address ?? shards.address
    guard let url = URL(string: text), let scheme = url.scheme?.lowercased(), url.host != nil,
      scheme == "https" || scheme == "http"
    else {
      throw DownloadError(
        .invalidOption,
        "'\(text)' is not the address of a folder on a server; it begins with https:// or http://.")
    }
    return url
  }

  /// Compares a file that is there with the list beside it, or else with the server's checksum.
  ///
  /// - Returns: Its bytes, and whether there was a SHA-256 to compare with.
  private func verify(
    _ file: String, _ download: FileDownload
  ) throws(DownloadError) -> (bytes: Int, isChecked: Bool) {
    do {
      try download.check(download.path)
    } catch {
      throw DownloadError(.wrongContent, "\(error) Remove the file and give the command again.")
    }
    let list = try ChecksumList(folder: folder)
    if let expected = list.digests[file] {
      var one = ChecksumList()
      one.digests[file] = expected
      _ = try one.verify(folder: folder)
      let attributes = try? FileManager.default.attributesOfItem(atPath: download.path)
      return ((attributes?[.size] as? Int) ?? 0, true)
    }
    let found = try download.compareExisting()
    try record(file, found.sha256)
    return (found.bytes, found.isChecked)
  }

  private func record(_ file: String, _ digest: String) throws(DownloadError) {
    var list = try ChecksumList(folder: folder)
    list.digests[file] = digest
    try list.write(folder: folder)
  }
}
