// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Checksums of the records of a run that has ended, by which an edited file is noticed: the file `seal.json`.
///
/// It is no protection against who wants to deceive, for whoever edits a record can also seal it again.
public struct RunSeal: Codable, Equatable, Sendable {
  /// The files that are sealed, where they exist.
  public static let fileNames = [
    RunFolder.FileName.configurationJSON, RunFolder.FileName.contract,
    RunFolder.FileName.optimizer, RunFolder.FileName.metrics, RunFolder.FileName.trial,
    RunFolder.FileName.outcome, RunFolder.FileName.trajectories, RunFolder.FileName.sessions,
  ]

  /// The version of the file.
  public private(set) var format = 1
  /// SHA-256 of each file, in hexadecimal, by its name.
  public let files: [String: String]

  /// Takes the checksums of a run's files as they are now, or as they will be.
  init(
    of path: String, replacing replaced: [String: Data] = [:], sha256: ([UInt8]) -> String
  ) throws(RunRecordError) {
    var files: [String: String] = [:]
    for name in Self.fileNames {
      let file = path + "/" + name
      if let data = replaced[name] {
        files[name] = sha256([UInt8](data))
      } else if access(file, F_OK) == 0 {
        files[name] = sha256([UInt8](try readFile(file)))
      }
    }
    self.files = files
  }

  /// The seal of a run.
  ///
  /// - Parameter path: the folder of the run.
  /// - Returns: the seal; nil when there is none, because the run has not ended.
  /// - Throws: ``RunRecordError`` when the file is damaged.
  public static func read(from path: String) throws(RunRecordError) -> RunSeal? {
    let file = path + "/" + RunFolder.FileName.seal
    guard access(file, F_OK) == 0 else { return nil }
    return try jsonValue(RunSeal.self, from: try readFile(file), path: file)
  }

  /// The files of a run that are not as they were when it ended: edited, removed or added.
  ///
  /// - Parameters:
  ///   - path: the folder of the run.
  ///   - sha256: hexadecimal SHA-256 of some bytes.
  /// - Returns: names, sorted; empty when nothing was changed. Nil when the run has no seal.
  /// - Throws: ``RunRecordError`` when a file cannot be read.
  public static func editedFiles(
    of path: String, sha256: ([UInt8]) -> String
  ) throws(RunRecordError) -> [String]? {
    guard let seal = try read(from: path) else { return nil }
    let now = try RunSeal(of: path, sha256: sha256).files
    return Set(seal.files.keys).union(now.keys).filter { seal.files[$0] != now[$0] }.sorted()
  }
}

extension RunFolder {
  /// Stores how the run ended, sealed.
  ///
  /// The seal is written first, so that every run whose outcome says that it ended has one.
  ///
  /// - Parameters:
  ///   - outcome: the outcome, the last file of the run to be written.
  ///   - sha256: hexadecimal SHA-256 of some bytes.
  /// - Throws: ``RunRecordError`` when the disk is full or read-only.
  public func seal(
    with outcome: RunOutcome, sha256: ([UInt8]) -> String
  ) throws(RunRecordError) {
    let data = try jsonData(outcome, path: file(FileName.outcome))
    let seal = try RunSeal(of: path, replacing: [FileName.outcome: data], sha256: sha256)
    try write(try jsonData(seal, path: file(FileName.seal)), to: FileName.seal)
    try write(data, to: FileName.outcome)
  }

  /// Removes the seal of a run that goes on.
  ///
  /// - Throws: ``RunRecordError`` when the folder is read-only.
  public func breakSeal() throws(RunRecordError) {
    guard unlink(file(FileName.seal)) == 0 || errno == ENOENT else {
      throw .system("be removed", file(FileName.seal), errno: errno)
    }
  }
}
