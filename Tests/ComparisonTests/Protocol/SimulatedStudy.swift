// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RandomStreams
import RunRecords

@testable import Comparison

/// A loss as a function of knobs and seed: what a study is run on here instead of models.
struct LossSurface: Sendable {
  static let initialLoss = 6.0
  static let rate = "optimizer.learning_rate"

  /// The best learning rate of each arm.
  var optimum: [String: Double]
  /// Nats per squared decade below and above the optimum.
  var curvature = (below: 0.3, above: 0.6)
  /// Decades above the optimum from which on a trial diverges.
  var divergence = 1.2
  /// Nats that an arm is worse everywhere.
  var offsets: [String: Double] = [:]
  /// Standard deviation between seeds, in nats.
  var noise = 0.0
  /// Nats that are lost for a unit of distance of another key from its best value.
  var others: [String: (best: Double, slope: Double)] = [:]
  /// The seed of the noise.
  var seed: UInt64 = 1

  /// The result of a trial that runs to its end.
  func result(_ point: TrialPoint, isAudit: Bool = false) -> TrialResult {
    let rate = point.knobs[Self.rate]?.number ?? optimum[point.arm] ?? 1
    let decades = log10(rate / (optimum[point.arm] ?? 1))
    // Far from the optimum hardly anything is learned.
    let excess = (decades < 0 ? curvature.below : curvature.above) * decades * decades
    var loss = 3 + 2.98 * (1 - exp(-excess / 2.98)) + 0.1 * (1 - point.horizon)
    for (key, course) in others {
      loss += course.slope * abs((point.knobs[key]?.number ?? course.best) - course.best)
    }
    let knobs = point.knobs.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined()
    let stream = RandomStream(
      seed: seed, name: "\(point.variant)/\(point.arm)/\(point.seed.initial)/\(knobs)")
    loss += offsets[point.arm] ?? 0
    loss += noise * stream.normal(at: 0)
    let isDiverged = decades > divergence
    return TrialResult(
      point: point, identity: "\(point.hashValue)", isAudit: isAudit,
      status: isDiverged ? .diverged : .finished, steps: isDiverged ? 3 : 100,
      finalNumbers: isDiverged ? [:] : ["validationLoss": loss],
      evaluations: [.init(step: 0, loss: Self.initialLoss)]
        + (isDiverged ? [] : [.init(step: 100, loss: loss)]))
  }
}

/// A study for simulations: what is not given is as simple as can be.
func simulatedStudy(
  grids: [String: [Double]], variants: [String] = ["main"], tuningSeeds: [Int] = [101, 102],
  reportingSeeds: [Int] = [1, 2, 3], extensions: Int = 4, refines: Bool = true,
  isAutomatic: Bool = true, upperBound: Double? = nil, axes: [StudyRecord.Axis] = [],
  sweeps: [StudyRecord.Sweep] = [], targets: StudyRecord.Targets? = nil,
  stopping: StudyRecord.Stopping = .init(divergenceMargin: nil, races: false, auditShare: 0),
  defaults: [String: KnobValue] = [:]
) -> StudyRecord {
  let names = grids.keys.sorted()
  let rate = StudyRecord.Axis(
    name: "learning rate",
    keys: Dictionary(uniqueKeysWithValues: names.map { ($0, [LossSurface.rate]) }),
    grids: grids.mapValues { $0.map { .number($0) } }, isLogarithmic: true,
    isAutomatic: isAutomatic, extensionFactor: 10.squareRoot(), upperBound: upperBound)
  return StudyRecord(
    name: "simulated", question: "", variants: variants.map { .init(name: $0, changes: [:]) },
    arms: names.map { name in
      StudyRecord.Arm(
        name: name, method: name, changes: [:], differences: [], variants: variants,
        steps: Dictionary(uniqueKeysWithValues: variants.map { ($0, 100) }),
        defaults: defaults.merging([LossSurface.rate: .number(0.01)]) { given, _ in given })
    },
    baseline: names[0],
    tuning: StudyRecord.Tuning(
      seeds: tuningSeeds, axes: [rate] + axes, extensionLimit: extensions, refines: refines),
    sweeps: sweeps, reportingSeeds: reportingSeeds, budget: .init(unit: .steps, amount: 100),
    targets: targets,
    rule: .init(
      level: 0.05, margin: .absolute(0.01), pairing: .never, family: [], exploresAllPairs: false),
    stopping: stopping, claims: [], declaredAt: Date(timeIntervalSince1970: 0), revision: "test",
    command: "test", hash: "0123456789abcdef")
}

/// Half a decade apart, `count` values from the first.
func halfDecades(from first: Double, _ count: Int) -> [Double] {
  (0..<count).map { KnobScale.rounded(first * pow(10, Double($0) / 2)) }
}

/// A study that was run to its end.
struct FinishedStudy {
  let progress: StudyProgress
  let results: [TrialResult]
  /// The points in the order in which they were asked for.
  var points: [TrialPoint] { results.filter { !$0.isAudit }.map(\.point) }
}

/// Runs a study to its end, starting with some results, `batch` trials before it asks again.
func run(
  _ study: StudyRecord, from start: [TrialResult] = [], batch: Int = .max,
  _ trial: (TrialPoint, Bool) -> TrialResult
) throws -> FinishedStudy {
  var results = start
  for _ in 0..<10_000 {
    let progress = try StudyProtocol.next(study, results)
    if progress.isComplete { return FinishedStudy(progress: progress, results: results) }
    if progress.needed.isEmpty {
      results += progress.audits.map { trial($0, true) }
    } else {
      results += progress.needed.prefix(batch).map { trial($0, false) }
    }
  }
  throw EndlessStudy()
}

struct EndlessStudy: Error {}

func run(
  _ study: StudyRecord, from start: [TrialResult] = [], batch: Int = .max, _ surface: LossSurface
) throws -> FinishedStudy {
  try run(study, from: start, batch: batch) { surface.result($0, isAudit: $1) }
}
