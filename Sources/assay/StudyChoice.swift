// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Comparison
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
  ///
  /// A budget in seconds needs the arms' speeds before their steps are known: they are measured once, and then stand with the study.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - jobs: trials at a time, where somebody chose.
  ///   - stop: asked while speeds are measured.
  /// - Returns: the study.
  /// - Throws: `ConfigurationError` with everything that is wrong with it; errors of processes and files.
  func declaration(
    _ path: String, jobs: Int? = nil, stop: StopRequest = StopRequest()
  ) throws -> StudyDeclaration {
    var surroundings = StudyDeclaration.Surroundings { try Presets.find($0)?.text }
    surroundings.revision = CodeRevision.current()
    // Any speed will do to learn what the study is; it is read again with the right one.
    surroundings.stepsPerSecond = { _, _, _ in 1000 }
    let draft = try StudyDeclaration(
      file: path, size: size, overrides: overrides.values, surroundings)
    let budget = draft.record.budget
    guard budget.unit == .seconds else { return draft }
    if StudyFolder.isStudy(draft.folder) {
      let stored = try StudyFolder(draft.folder).record()
      surroundings.stepsPerSecond = { cell, _, seconds in
        let steps = stored.arm(named: cell.arm)?.steps[cell.variant] ?? 1
        // In the middle between this number of steps and the next.
        return (Double(steps) + 0.5) / seconds
      }
    } else {
      let session = try StudySession(
        draft.record, text: draft.text, requests: draft, at: draft.folder)
      guard
        let measured = try session.throughput(jobs: jobs, stop: stop, note: { Console.say($0) })
      else { throw ExitStatus.interrupted.exit }
      surroundings.stepsPerSecond = { cell, _, _ in
        measured.speed(variant: cell.variant, arm: cell.arm)?.stepsPerSecond ?? 1
      }
    }
    return try StudyDeclaration(
      file: path, size: size, overrides: overrides.values, surroundings)
  }
}
