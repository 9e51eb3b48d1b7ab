// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Refuses runs that count twice: a repeated seed is no replicate, and a p-value from repeats of one seed means nothing.
enum DuplicateCheck {
  /// Equal losses at so many validations, after the first, are one run and no chance: a deviation of 0.001 and four digits give about
  /// 1 in 30 at each.
  static let certainValidations = 4

  /// Checks sets.
  ///
  /// - Throws: ``SpeedRecordError`` with code `duplicate`, naming every pair.
  static func require(_ sets: [RunSet]) throws(SpeedRecordError) {
    var problems: [String] = []
    for (index, set) in sets.enumerated() {
      for (at, run) in set.runs.enumerated() {
        for other in set.runs[..<at] {
          if let seed = run.seed, seed == other.seed {
            problems.append(
              "\(other.label) and \(run.label) of '\(set.name)' both have seed \(seed)")
          } else if let checksum = run.checksum, checksum == other.checksum {
            problems.append("\(other.label) and \(run.label) of '\(set.name)' are the same file")
          } else if equalValidations(run, other) >= certainValidations(run) {
            problems.append(
              "\(other.label) and \(run.label) of '\(set.name)' have equal losses at all "
                + "\(equalValidations(run, other)) validations: one run, or one seed twice")
          }
        }
        for earlier in sets[..<index] {
          for other in earlier.runs where isSameRun(run, other) {
            problems.append(
              "\(run.label) stands in '\(earlier.name)' and in '\(set.name)'")
          }
        }
      }
    }
    guard !problems.isEmpty else { return }
    let shown = problems.prefix(10).joined(separator: "; ")
    let rest = problems.count > 10 ? "; and \(problems.count - 10) more" : ""
    throw SpeedRecordError(
      .duplicate,
      "runs count twice: \(shown)\(rest). Repeats of one seed say nothing about others: leave out all but one of each"
    )
  }

  /// Files of logs are compared by content; Assay's runs of equal content are the same run only under one path, for a change that
  /// does nothing gives equal bits honestly.
  private static func isSameRun(_ a: RecordedRun, _ b: RecordedRun) -> Bool {
    if let checksum = a.checksum, checksum == b.checksum {
      return a.origin == .log || a.path == b.path
    }
    // A log with another header, or with times of its own, is still the same run.
    return a.origin == .log && equalValidations(a, b) >= certainValidations
  }

  /// How many validations after the first are equal in both; 0 unless all are.
  static func equalValidations(_ a: RecordedRun, _ b: RecordedRun) -> Int {
    guard a.curve.count == b.curve.count, !a.curve.isEmpty else { return 0 }
    // Runs that were validated once only, and diverged by then, are not alike by that.
    if a.curve.count == 1, !a.curve[0].loss.isFinite { return 0 }
    let pairs = zip(a.curve, b.curve)
    // Bits, so that two runs that became NaN alike are alike.
    let isEqual = pairs.allSatisfy {
      $0.step == $1.step && $0.loss.bitPattern == $1.loss.bitPattern
    }
    return isEqual ? a.curve.count { $0.step > 0 } : 0
  }

  /// Losses with all their digits need one validation only.
  private static func certainValidations(_ run: RecordedRun) -> Int {
    run.origin == .assay ? 1 : certainValidations
  }
}

extension RecordedRun {
  /// How messages call it.
  var label: String { path ?? name }
}
