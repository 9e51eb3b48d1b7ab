// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Dispatch
public import RunRecords

/// A study with all its trials, read from its folder.
public struct StudyResults: Sendable {
  /// The study as it was declared.
  public let study: StudyRecord
  /// The path of the folder, as it was named.
  public let folder: String
  /// All trials, sorted by the names of their folders.
  public let trials: [LoadedTrial]
  /// The noise floor, where it was measured.
  public let calibration: Calibration?
  /// What could not be read, in words.
  public let problems: [String]
  /// Whether somebody declared the study before it ran; otherwise its runs were picked afterwards, and nothing is missing.
  public let isDeclared: Bool

  /// Reads a study.
  ///
  /// Damaged trials are read as far as that goes and marked; only a study whose declaration cannot be read is an error.
  ///
  /// - Parameters:
  ///   - folder: the folder of the study.
  ///   - checksSeals: whether the files of trials are compared with their seals.
  /// - Throws: `RunRecordError` when there is no `study.json`, or it is damaged.
  public init(folder: String, checksSeals: Bool = true) throws(RunRecordError) {
    let files = StudyFolder(folder)
    let study = try files.record()
    var problems: [String] = []
    var calibration: Calibration?
    do throws(RunRecordError) {
      calibration = try RecordFile.read(
        Calibration.self, at: files.file(StudyFolder.FileName.calibration))
    } catch {
      problems.append(error.message)
    }
    self.init(
      study: study, folder: folder,
      trials: Self.load(
        files.trials(), metrics: Self.metrics(of: study), checksSeals: checksSeals),
      calibration: calibration, problems: problems)
  }

  /// Puts together what was read elsewhere.
  ///
  /// - Parameters:
  ///   - study: the declaration.
  ///   - folder: the path to name in reports.
  ///   - trials: in any order.
  ///   - calibration: the noise floor; nil: not measured.
  ///   - problems: what could not be read, in words.
  ///   - isDeclared: whether the study was declared before it ran.
  public init(
    study: StudyRecord, folder: String, trials: [LoadedTrial], calibration: Calibration? = nil,
    problems: [String] = [], isDeclared: Bool = true
  ) {
    self.isDeclared = isDeclared
    self.study = study
    self.folder = folder
    self.trials = trials.sorted { $0.identity < $1.identity }
    self.calibration = calibration
    self.problems = problems
  }

  /// What the protocol needs of all trials.
  public var results: [TrialResult] { trials.compactMap(\.result) }

  /// The metrics that claims name.
  private static func metrics(of study: StudyRecord) -> [String] {
    Set(study.claims.flatMap { [$0.left.metric, $0.right?.metric] }.compactMap { $0 }).sorted()
  }

  /// Reads folders, several at once.
  private static func load(
    _ folders: [String], metrics: [String], checksSeals: Bool
  ) -> [LoadedTrial] {
    var loaded = [LoadedTrial?](repeating: nil, count: folders.count)
    loaded.withUnsafeMutableBufferPointer { buffer in
      // Every iteration writes its own element, and the buffer outlives them all.
      nonisolated(unsafe) let elements = buffer
      DispatchQueue.concurrentPerform(iterations: folders.count) { index in
        elements[index] = LoadedTrial(
          folder: folders[index], metrics: metrics, checksSeal: checksSeals)
      }
    }
    return loaded.compactMap { $0 }
  }
}
