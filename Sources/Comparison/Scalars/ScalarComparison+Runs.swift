// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Foundation
import RunRecords

extension ScalarComparison.Arm {
  /// Puts runs together that differ in nothing but seeds.
  ///
  /// - Parameter folders: folders of runs.
  /// - Returns: arms in the order of their first runs, each named after the arm whose trials they are, or else after what its folders'
  ///   names have in common.
  /// - Throws: ``ComparisonError`` when a folder holds no run.
  public static func grouped(_ folders: [String]) throws(ComparisonError) -> [Self] {
    var groups: [(hash: String, folders: [String])] = []
    for folder in folders {
      let hash: String
      do {
        let record = try RunRecord(path: folder)
        hash = try ResolvedConfiguration(json: record.configurationJSON)
          .contentHash(excluding: ResolvedConfiguration.keysOfReplicates)
      } catch {
        throw ComparisonError(.noRecords, "\(error)")
      }
      if let index = groups.firstIndex(where: { $0.hash == hash }) {
        if !groups[index].folders.contains(folder) { groups[index].folders.append(folder) }
      } else {
        groups.append((hash, [folder]))
      }
    }
    var result: [Self] = []
    for group in groups {
      let wanted = trialName(of: group.folders) ?? name(of: group.folders)
      var (name, number) = (wanted, 1)
      while result.contains(where: { $0.name == name }) {
        number += 1
        name = "\(wanted) (\(number))"
      }
      result.append(Self(name: name, folders: group.folders))
    }
    return result
  }

  /// Its runs, without those that repeat another: with the same configuration and the same seeds a run has the same numbers, and a
  /// copy would say that seeds make no difference.
  ///
  /// - Returns: the runs, and a note for each copy.
  func withoutCopies(
    _ alignment: ScalarComparison.Alignment
  ) throws(RunRecordError) -> (runs: [ScalarRun], notes: [String]) {
    var (runs, notes): ([ScalarRun], [String]) = ([], [])
    var seen: [String: String] = [:]
    for folder in folders {
      let run = try ScalarRun(folder, alignment)
      if run.record != nil, let identity = Self.identity(folder) {
        if let other = seen[identity] {
          notes.append(
            "\(name): \(folder) is left out: it has the seeds of \(other), and a copy says nothing of how much runs differ."
          )
          continue
        }
        seen[identity] = folder
      }
      runs.append(run)
    }
    return (runs, notes)
  }

  /// What a run's numbers follow from, seeds included; nil where the folder does not say.
  private static func identity(_ folder: String) -> String? {
    guard let record = try? RunRecord(path: folder),
      let configuration = try? ResolvedConfiguration(json: record.configurationJSON)
    else { return nil }
    let seeds = ["training.seed", "training.data_seed"]
    return configuration.contentHash(
      excluding: ResolvedConfiguration.keysOfReplicates.filter { !seeds.contains($0) })
  }

  /// Variant and arm, where all are trials of one.
  private static func trialName(of folders: [String]) -> String? {
    let names = Set(
      folders.map { folder in
        (try? RunRecord(path: folder))?.trial.map { "\($0.point.variant).\($0.point.arm)" }
      })
    return names.count == 1 ? names.first.flatMap { $0 } : nil
  }

  /// What the last parts of paths begin with, without what numbers them.
  static func name(of folders: [String]) -> String {
    let names = folders.map { folder in
      folder.split(separator: "/").last.map(String.init) ?? folder
    }
    guard var common = names.first, names.count > 1 else { return names.first ?? "" }
    for name in names { common = String(common.commonPrefix(with: name)) }
    let words = common.reversed().drop { $0.isNumber || "-_. ".contains($0) }.reversed()
    // `seed-` and `s` are left of `adamw-seed-1` and `adamw-s1`.
    var parts = String(words).split(separator: "-", omittingEmptySubsequences: false)
    if parts.count > 1, ["s", "seed"].contains(parts.last?.lowercased()) { parts.removeLast() }
    let name = parts.joined(separator: "-")
    return name.isEmpty ? names[0] : name
  }
}

extension ScalarComparison {
  /// The scalars of a study, from the runs that report.
  ///
  /// - Parameters:
  ///   - analysis: of the study.
  ///   - results: the records that it was made from.
  ///   - alignment: how runs are placed over each other; nil: by step, or by stage where arms have as many stages but other steps.
  /// - Returns: one comparison for each variant that has anything to show, by the variant's name; runs that cannot be read are left
  ///   out and named in the notes.
  public static func all(
    of analysis: StudyAnalysis, _ results: StudyResults, alignment: Alignment? = nil
  ) -> [(variant: String, scalars: ScalarComparison)] {
    let folders = Dictionary(
      results.trials.map { ($0.identity, $0.folder) }, uniquingKeysWith: { first, _ in first })
    return analysis.variants.compactMap { variant in
      var damaged: [String] = []
      let arms = variant.arms.compactMap { arm -> Arm? in
        let trained: [Replicate.State] = [.finished, .diverged]
        let own = arm.replicates.filter { trained.contains($0.state) }
          .compactMap { $0.trial.flatMap { folders[$0] } }
          .filter { folder in
            do {
              return try TrajectoryRecord.read(run: folder) != nil
            } catch {
              damaged.append("\(error)")
              return false
            }
          }
        return own.isEmpty ? nil : Arm(name: arm.name, folders: own)
      }
      let baseline = arms.contains { $0.name == analysis.study.baseline }
      let (wanted, level) = (alignment ?? .step, analysis.study.rule.level)
      func made(_ alignment: Alignment) throws -> ScalarComparison {
        try ScalarComparison(
          arms: arms, baseline: baseline ? analysis.study.baseline : nil, alignment: alignment,
          level: level)
      }
      var result: ScalarComparison
      do {
        result = try made(wanted)
        let isShifted = result.arms.count > 1 && result.transitionsDiffer
        // Where stages differ in number, the note on transitions says what is seen instead.
        if alignment == nil, isShifted, let staged = try? made(.stage) { result = staged }
      } catch {
        // A section that says why it is empty, rather than none.
        guard let none = try? ScalarComparison(arms: [], baseline: nil) else { return nil }
        result = none
        damaged.append("\(error)")
      }
      if result.isEmpty, damaged.isEmpty { return nil }
      result.notes += damaged
      return (variant.name, result)
    }
  }
}
