// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension Workspace {
  /// Writes data, `config.toml` and a study `study.toml` of two arms: three learning rates each on one tuning seed, then as many
  /// reporting seeds as asked for; `more` stands at the end of the file.
  func writeStudy(
    steps: Int = 20, seeds: Int = 2, checkpointEvery: Int = 0, arms: String = Workspace.twoArms,
    tuning: String = Workspace.threeRates, more: String = ""
  ) throws {
    if !exists("data") { try prepareData() }
    try writeConfiguration(steps: steps, checkpointEvery: checkpointEvery)
    try write(
      """
      name = "tiny"
      question = "Which of two?"
      base = "config.toml"
      folder = "study"

      [common]
      evaluation.every = \(max(1, steps / 4))
      checkpoint.final = "none"

      [budget]
      steps = \(steps)

      [seeds]
      reporting = \(seeds)
      \(tuning)
      \(arms)
      \(more)
      """, to: "study.toml")
  }

  /// Three learning rates on one tuning seed, and one more at an edge.
  static let threeRates = """
    tuning = [101]
    [tuning]
    learning_rate = { log = [1e-3, 1e-1], points = 3 }
    extensions = 1
    refine = false
    """

  /// AdamW and Lion.
  static let twoArms = plainArms + "\nlearning_rate = { log = [1e-4, 1e-2], points = 3 }"

  /// The same as declared, without tuning.
  static let plainArms = """
    [[arm]]
    optimizer.name = "adamw"
    [[arm]]
    optimizer.name = "lion"
    """

  /// The files of all trials that are the same bits whenever the study runs, by path below the study's folder.
  func deterministicFiles(of study: String = "study") throws -> [String: Data] {
    var files: [String: Data] = [:]
    for trial in try list(study + "/trials") {
      for name in [
        "metrics.jsonl", "trajectories.bin", "contract.json", "configuration.json",
        "optimizer.json", "trial.json",
      ] {
        files["\(trial)/\(name)"] = try read("\(study)/trials/\(trial)/\(name)")
      }
    }
    var record = try #require(
      try JSONSerialization.jsonObject(with: read(study + "/study.json")) as? [String: Any])
    record["declaredAt"] = nil
    files["study.json"] = try JSONSerialization.data(
      withJSONObject: record, options: [.sortedKeys])
    return files
  }

  /// How the trials of a study ended, by folder.
  func statuses(of study: String = "study") throws -> [String: String] {
    var result: [String: String] = [:]
    for trial in try list(study + "/trials") {
      let outcome =
        try JSONSerialization.jsonObject(with: read("\(study)/trials/\(trial)/outcome.json"))
        as? [String: Any]
      result[trial] = outcome?["status"] as? String
    }
    return result
  }
}

/// The processes that a process has started.
func children(of parent: pid_t) -> [pid_t] {
  #if os(Linux)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.compactMap { name in
      guard let process = pid_t(name),
        let status = try? String(contentsOfFile: "/proc/\(name)/stat", encoding: .utf8),
        // `number (name) state parent`, and a name may hold anything but the last bracket.
        let fields = status.split(separator: ")").last?.split(separator: " "), fields.count > 1
      else { return nil }
      return pid_t(fields[1]) == parent ? process : nil
    }
  #else
    guard let found = try? Running(["/usr/bin/pgrep", "-P", "\(parent)"]).wait() else { return [] }
    return found.output.split(separator: "\n").compactMap { pid_t($0) }
  #endif
}
