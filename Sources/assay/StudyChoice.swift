// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Comparison
import Configurations
import Foundation
import RunRecords
import Studies
import Training

/// Which study of a file is meant: its size, and keys on top of it.
struct StudyChoice: ParsableArguments {
  @Option(
    help: ArgumentHelp("Which of the study's sizes, where it has several.", valueName: "name"))
  var size: String?

  @OptionGroup var overrides: Overrides

  /// Reads the study.
  func declaration(
    _ path: String, jobs: Int? = nil, stop: StopRequest = StopRequest()
  ) throws -> StudyDeclaration {
    try Self.declaration(path, size: size, overrides: overrides.values) { draft in
      let session = try StudySession(
        draft.record, text: draft.text, requests: draft, at: draft.folder)
      guard
        let measured = try session.throughput(jobs: jobs, stop: stop, note: { Console.say($0) })
      else { throw ExitStatus.interrupted.exit }
      return measured
    }
  }

  /// Reads a study.
  ///
  /// A budget in seconds needs the arms' speeds before their steps are known: they are measured once, and then stand with the study.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - size: which of its sizes.
  ///   - overrides: keys on top of it.
  ///   - requiresData: whether the data sets have to be there.
  ///   - measure: finds the speeds of a study's arms; nil: they are computed.
  static func declaration(
    _ path: String, size: String?, overrides: [String], requiresData: Bool = true,
    measure: ((StudyDeclaration) throws -> ThroughputRecord)? = nil
  ) throws -> StudyDeclaration {
    var surroundings = StudyDeclaration.Surroundings { try Presets.find($0)?.text }
    surroundings.revision = CodeRevision.current()
    surroundings.requiresData = requiresData
    // Any speed will do to learn what the study is; it is read again with the right one.
    surroundings.stepsPerSecond = { _, _ in 1000 }
    func read() throws -> StudyDeclaration {
      try StudyDeclaration(file: path, size: size, overrides: overrides, surroundings)
    }
    let draft = try read()
    let budget = draft.record.budget
    guard budget.unit == .seconds else { return draft }
    if StudyFolder.isStudy(draft.folder) {
      let stored = try StudyFolder(draft.folder).record()
      surroundings.stepsPerSecond = { cell, _ in
        let steps = stored.arm(named: cell.arm)?.steps[cell.variant] ?? 1
        // In the middle between this number of steps and the next.
        return (Double(steps) + 0.5) / budget.amount
      }
    } else {
      let speeds =
        try measure?(draft)
        ?? StudySession(draft.record, text: draft.text, requests: draft, at: draft.folder)
        .computedThroughput(at: nil)
      surroundings.stepsPerSecond = { cell, _ in
        speeds.speed(variant: cell.variant, arm: cell.arm)?.stepsPerSecond ?? 1
      }
    }
    return try read()
  }

  /// Whether a file declares a study: it has arms.
  ///
  /// - Throws: `ConfigurationError` when it cannot be read or is not TOML.
  static func isStudy(_ path: String) throws -> Bool {
    guard path.hasSuffix(".toml"), FileManager.default.fileExists(atPath: path) else {
      return false
    }
    return try ConfigurationSource(file: path).has("arm")
  }
}
