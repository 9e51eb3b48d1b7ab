// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import RandomStreams
public import RunRecords

extension StudyProtocol {
  /// Evaluations in a row above the limit that certify a divergence.
  public static let certifyingEvaluations = 3

  /// Whether a rule of the study ended a trial that could have gone on: it lost a race, or its losses certified a divergence.
  ///
  /// A trial that ended on numbers that are not finite was not stopped: there was nothing left to run.
  public static func wasStoppedByRule(_ result: TrialResult, of study: StudyRecord) -> Bool {
    if result.isAudit { return false }
    if result.status == .stopped { return true }
    guard result.status == .diverged, let margin = study.stopping.divergenceMargin,
      let initial = result.initialLoss, initial.isFinite
    else { return false }
    let last = result.evaluations.suffix(certifyingEvaluations)
    return last.count == certifyingEvaluations
      && last.allSatisfy { $0.loss.isFinite && $0.loss > initial + margin }
  }

  /// Whether a stopped trial is among those that are run again to the end: drawn with the study's audit share, from the
  /// declaration and the trial alone, so that nobody can choose.
  public static func isAudited(_ point: TrialPoint, of study: StudyRecord) -> Bool {
    let stream = RandomStream(seed: StableHash.hash(study.hash), name: "audit/" + name(of: point))
    return stream.uniform(at: 0) < study.stopping.auditShare
  }

  /// A text that names a trial and no other.
  private static func name(of point: TrialPoint) -> String {
    let seed = "\(point.seed.purpose.rawValue) \(point.seed.initial) \(point.seed.data)"
    let knobs = point.knobs.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    return ([point.variant, point.arm, seed, "\(point.horizon)"] + knobs).joined(separator: "/")
  }
}
