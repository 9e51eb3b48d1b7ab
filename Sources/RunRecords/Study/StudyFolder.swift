// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The folder of a study.
///
///     study.toml         the declaration as it was given
///     study.json         the declaration as it was understood; its presence makes a folder a study
///     calibration.json   the noise floor, when it was measured
///     throughput.json    steps a second of each arm, by processes and threads
///     trials/IDENTITY/   one run folder for each trial, with `trial.json`
///     report/            made from all of that
///     lock               held by whoever runs trials
public struct StudyFolder: Sendable {
  /// The names of files.
  public enum FileName {
    /// The declaration as it was given.
    public static let declaration = "study.toml"
    /// The declaration as it was understood.
    public static let record = "study.json"
    /// The noise floor.
    public static let calibration = "calibration.json"
    /// Steps a second.
    public static let throughput = "throughput.json"
    /// The folder of trials.
    public static let trials = "trials"
    /// The folder of the report.
    public static let report = "report"
  }

  /// The path.
  public let path: String

  /// Names a folder, which need not be there.
  public init(_ path: String) { self.path = path }

  /// Whether a folder holds a study.
  public static func isStudy(_ path: String) -> Bool {
    access(path + "/" + FileName.record, F_OK) == 0
  }

  /// The path of a file.
  public func file(_ name: String) -> String { path + "/" + name }

  /// The path of a trial's folder.
  public func trial(_ identity: String) -> String {
    path + "/" + FileName.trials + "/" + identity
  }

  /// The folders of all trials that have begun, sorted by name.
  public func trials() -> [String] {
    let folder = path + "/" + FileName.trials
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.sorted().map { folder + "/" + $0 }.filter(RunFolder.isRun)
  }

  /// The study's declaration.
  ///
  /// - Throws: ``RunRecordError`` when it is missing or damaged.
  public func record() throws(RunRecordError) -> StudyRecord {
    let path = file(FileName.record)
    return try jsonValue(StudyRecord.self, from: try readFile(path), path: path)
  }

  /// Stores the declaration, as a whole or not at all.
  ///
  /// - Throws: ``RunRecordError`` when the disk is full or read-only.
  public func write(_ record: StudyRecord) throws(RunRecordError) {
    let path = file(FileName.record)
    try writeFileAtomically(try jsonData(record, path: path), to: path)
  }

  /// Stores the declaration as it was given, as a whole or not at all.
  ///
  /// - Parameter text: TOML.
  /// - Throws: ``RunRecordError`` when the disk is full or read-only.
  public func write(declaration text: String) throws(RunRecordError) {
    try writeFileAtomically(Data(text.utf8), to: file(FileName.declaration))
  }
}
