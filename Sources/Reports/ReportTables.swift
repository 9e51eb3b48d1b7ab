// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Comparison
import RunRecords
import Statistics

/// An analysis as tables for other programs.
struct ReportTables {
  let analysis: StudyAnalysis

  init(_ analysis: StudyAnalysis) { self.analysis = analysis }

  var files: [String: String] {
    let always = ["leaderboard.csv": leaderboard(), "trials.csv": trials()]
    let others = [
      "differences.csv": differences(), "curves.csv": curves(), "sweeps.csv": sweeps(),
      "optima.csv": optima(), "targets.csv": targets(), "claims.csv": claims(),
      "statistics.csv": statistics(),
      "budget.csv": budget(), "contract.csv": contract(), "stops.csv": stops(),
      "marks.csv": marks(),
      "seeds.csv": seeds(),
    ].filter { !$0.value.isEmpty }
    return always.merging(others) { first, _ in first }.mapValues(\.text)
  }

  private typealias Value = CSVFile.Value

  private func interval(_ interval: ConfidenceInterval?) -> [Value] {
    [.number(interval?.lower), .number(interval?.upper)]
  }

  private func estimate(_ estimate: Estimate?) -> [Value] {
    [.number(estimate?.value)] + interval(estimate?.interval)
  }

  private func censored(_ estimate: CensoredEstimate?) -> [Value] {
    [.number(estimate?.value), .text(estimate?.bound.rawValue ?? "")] + interval(estimate?.interval)
  }

  private func leaderboard() -> CSVFile {
    var file = CSVFile([
      "variant", "rank", "arm", "is_baseline", "loss", "loss_lower", "loss_upper", "count",
      "diverged", "failed",
      "missing", "standard_deviation", "median", "above_floor", "bits_per_byte", "is_undertuned",
      "tuned",
      "parameters", "steps", "tokens", "charged_tokens", "gradient_evaluations", "flops", "seconds",
      "milliseconds_per_step", "milliseconds_per_update", "state_bytes", "peak_bytes",
    ])
    for variant in analysis.variants {
      for row in variant.leaderboard {
        let arm = variant.arms.first { $0.name == row.arm }
        let tuned = (arm?.knobs ?? []).filter(\.isTuned).map { "\($0.name)=\($0.value)" }
        let cost = row.cost
        file.add(
          [.text(variant.name), .count(row.rank), .text(row.arm), .flag(row.isBaseline)]
            + estimate(row.loss) + [
              .count(row.loss.count), .count(row.diverged), .count(row.failed), .count(row.missing),
              .number(row.standardDeviation), .number(row.median), .number(row.aboveFloor?.value),
              .number(row.bitsPerByte?.value), .flag(arm?.isUndertuned),
              .text(tuned.joined(separator: "; ")),
              .number(cost.parameters), .number(cost.steps), .number(cost.tokens),
              .number(cost.chargedTokens),
              .number(cost.gradientEvaluations), .number(cost.flops), .number(cost.seconds),
              .number(cost.millisecondsPerStep), .number(cost.millisecondsPerUpdate),
              .number(cost.stateBytes),
              .number(cost.peakBytes),
            ])
      }
    }
    return file
  }

  private func trials() -> CSVFile {
    var file = CSVFile([
      "identity", "variant", "arm", "purpose", "initial_seed", "data_seed", "knobs", "horizon",
      "status", "reason",
      "is_diverged", "loss", "initial_loss", "steps", "seconds", "folder", "revision", "machine",
      "contract_hash",
      "is_audit", "marks", "problems",
    ])
    for trial in analysis.trials {
      let point = trial.point
      let knobs = (point?.knobs ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
      file.add([
        .text(trial.identity), .text(point?.variant ?? ""), .text(point?.arm ?? ""),
        .text(point?.seed.purpose.rawValue ?? ""),
        .count(point?.seed.initial), .count(point?.seed.data), .text(knobs.joined(separator: "; ")),
        .number(point?.horizon), .text(trial.status?.rawValue ?? ""), .text(trial.reason ?? ""),
        .flag(trial.isDiverged), .number(trial.loss), .number(trial.initialLoss),
        .count(trial.steps),
        .number(trial.seconds), .text(trial.folder), .text(trial.revision), .text(trial.machine),
        .text(trial.contractHash ?? ""), .flag(trial.isAudit),
        .text(trial.marks.map(\.rawValue).joined(separator: "; ")),
        .text(trial.problems.joined(separator: "; ")),
      ])
    }
    return file
  }

  private func seeds() -> CSVFile {
    var file = CSVFile(["variant", "arm", "seed", "loss", "state", "trial"])
    for variant in analysis.variants {
      for arm in variant.arms {
        for item in arm.replicates {
          file.add([
            .text(variant.name), .text(arm.name), .count(item.seed), .number(item.loss),
            .text(item.state.rawValue),
            .text(item.trial ?? ""),
          ])
        }
      }
    }
    return file
  }

  private func differences() -> CSVFile {
    var file = CSVFile([
      "variant", "arm", "other", "is_in_family", "estimate", "lower", "upper", "standard_error",
      "degrees_of_freedom", "method", "p", "adjusted_p", "adjustment", "exact_p", "equivalence_p",
      "adjusted_equivalence_p",
      "verdict", "text", "power", "detectable_difference", "count_for_observed",
      "count_for_equivalence",
    ])
    for variant in analysis.variants {
      for item in variant.differences {
        let test = item.test
        file.add(
          [
            .text(variant.name), .text(item.arm), .text(item.other), .flag(item.isInFamily),
            .number(test.estimate),
          ]
            + interval(test.interval) + [
              .number(test.standardError), .number(test.degreesOfFreedom),
              .text(test.method.rawValue),
              .number(test.pValue), .number(item.adjustedPValue), .text(item.adjustment.rawValue),
              .number(item.permutation?.pValue),
              .number(item.equivalence?.pValue), .number(item.adjustedEquivalencePValue),
              .text(item.verdict.word.rawValue), .text(item.verdict.text),
              .number(item.power.power),
              .number(item.power.detectableDifference), .count(item.power.countForObserved),
              .count(item.power.countForEquivalence),
            ])
      }
    }
    return file
  }

  private func course(_ course: CourseAnalysis, _ names: [Value], into file: inout CSVFile) {
    for (index, step) in course.steps.enumerated() where index < course.mean.count {
      func value(_ list: [Double?]) -> Value { .number(index < list.count ? list[index] : nil) }
      file.add(
        names + [
          .count(step), value(course.tokens), .number(course.mean[index]), value(course.lower),
          value(course.upper),
          .count(index < course.counts.count ? course.counts[index] : nil),
        ])
    }
  }

  private func curves() -> CSVFile {
    var file = CSVFile(["variant", "arm", "step", "tokens", "loss", "lower", "upper", "count"])
    for variant in analysis.variants {
      for arm in variant.arms {
        guard let curve = arm.lossCurve else { continue }
        course(curve, [.text(variant.name), .text(arm.name)], into: &file)
      }
    }
    return file
  }

  private func statistics() -> CSVFile {
    var file = CSVFile([
      "variant", "arm", "metric", "quantity", "role", "statistic", "step", "tokens", "value",
      "lower", "upper", "count",
    ])
    for variant in analysis.variants {
      for arm in variant.arms {
        for item in arm.statistics {
          course(
            item.course,
            [
              .text(variant.name), .text(arm.name), .text(item.metric), .text(item.quantity),
              .text(item.role),
              .text(item.statistic),
            ], into: &file)
        }
      }
    }
    return file
  }

  private func sweeps() -> CSVFile {
    var file = CSVFile([
      "variant", "arm", "knob", "keys", "purpose", "value", "factor", "loss", "lower", "upper",
      "count", "diverged",
      "failed", "is_chosen",
    ])
    for variant in analysis.variants {
      for arm in variant.arms {
        for curve in arm.tuningCurves + arm.sweeps {
          for point in curve.points {
            file.add(
              [
                .text(variant.name), .text(arm.name), .text(curve.name),
                .text(curve.keys.joined(separator: "; ")),
                .text(curve.purpose.rawValue), .text(point.value.description),
                .number(point.factor),
              ] + estimate(point.loss) + [
                .count(point.loss.count), .count(point.diverged), .count(point.failed),
                .flag(point.isChosen),
              ])
          }
        }
      }
    }
    return file
  }

  private func optima() -> CSVFile {
    var file = CSVFile([
      "variant", "arm", "knob", "purpose", "chosen", "optimum", "optimum_lower", "optimum_upper",
      "loss",
      "loss_lower", "loss_upper", "uncertainty", "edge", "sensitivity", "sensitivity_left",
      "sensitivity_right",
      "sensitivity_normalized", "basins", "diverges_from",
    ])
    for variant in analysis.variants {
      for arm in variant.arms {
        for curve in arm.tuningCurves + arm.sweeps {
          let fit = curve.optimum
          let basins = curve.basins.map { basin in
            "\(basin.name)=\(basin.width.bound == .atLeast ? ">=" : "")\(basin.width.value.map { "\($0)" } ?? "")"
          }
          file.add(
            [
              .text(variant.name), .text(arm.name), .text(curve.name),
              .text(curve.purpose.rawValue),
              .text(curve.chosen?.description ?? ""), .number(fit?.value),
            ] + interval(fit?.valueInterval) + [.number(fit?.loss)] + interval(fit?.lossInterval)
              + [
                .text(fit?.uncertainty.rawValue ?? ""), .text(fit?.edge?.rawValue ?? ""),
                .number(curve.sensitivity?.whole.value), .number(curve.sensitivity?.left.value),
                .number(curve.sensitivity?.right.value),
                .number(curve.sensitivity?.normalized.value),
                .text(basins.joined(separator: "; ")), .number(curve.divergence?.from),
              ])
        }
      }
    }
    return file
  }

  private func targets() -> CSVFile {
    let measures = [
      "fraction", "steps", "tokens", "flops", "seconds", "speed_up_steps", "speed_up_flops",
      "speed_up_seconds",
    ]
    var file = CSVFile(
      ["variant", "target", "loss", "arm", "reached", "count"]
        + measures.flatMap { [$0, $0 + "_bound", $0 + "_lower", $0 + "_upper"] })
    for variant in analysis.variants {
      for target in variant.targets {
        for arm in target.arms {
          file.add(
            [
              .text(variant.name), .text(target.name), .number(target.loss), .text(arm.arm),
              .count(arm.reached),
              .count(arm.count),
            ] + censored(arm.fraction) + censored(arm.steps) + censored(arm.tokens)
              + censored(arm.flops)
              + censored(arm.seconds) + censored(arm.speedUpInSteps) + censored(arm.speedUpInFlops)
              + censored(arm.speedUpInSeconds))
        }
      }
    }
    return file
  }

  private func claims() -> CSVFile {
    var file = CSVFile([
      "claim", "family", "variant", "statement", "relation", "outcome", "left", "left_lower",
      "left_upper", "right",
      "right_lower", "right_upper", "difference", "difference_lower", "difference_upper",
      "threshold", "p",
      "adjusted_p", "opposite_p", "adjusted_opposite_p", "text",
    ])
    for item in analysis.claims {
      file.add(
        [
          .text(item.name), .text(item.claim.family), .text(item.variant),
          .text(item.claim.statement),
          .text(item.claim.relation.rawValue), .text(item.outcome.rawValue),
        ] + estimate(item.left) + estimate(item.right) + estimate(item.difference) + [
          .number(item.threshold), .number(item.pValue), .number(item.adjustedPValue),
          .number(item.oppositePValue),
          .number(item.adjustedOppositePValue), .text(item.text),
        ])
    }
    return file
  }

  private func budget() -> CSVFile {
    var file = CSVFile(["variant", "arm", "trials", "expected_best", "band_lower", "band_upper"])
    for variant in analysis.variants {
      for arm in variant.arms {
        for point in arm.budgetCurve {
          file.add([
            .text(variant.name), .text(arm.name), .count(point.trials), .number(point.expectedBest),
            .number(point.band.lower), .number(point.band.upper),
          ])
        }
      }
    }
    return file
  }

  private func contract() -> CSVFile {
    var file = CSVFile([
      "variant", "condition", "is_equal", "depends_on_seed", "value", "arms", "is_declared",
    ])
    for variant in analysis.variants {
      for condition in variant.contract.conditions {
        for value in condition.values {
          file.add([
            .text(variant.name), .text(condition.field.rawValue), .flag(condition.isEqual),
            .flag(condition.dependsOnSeed), .text(value.value),
            .text(value.arms.joined(separator: "; ")),
            .flag(value.isDeclared),
          ])
        }
      }
    }
    return file
  }

  private func stops() -> CSVFile {
    var file = CSVFile([
      "trial", "variant", "arm", "reason", "step", "loss", "audited_loss", "regret",
    ])
    for stop in analysis.stops {
      file.add([
        .text(stop.trial), .text(stop.variant), .text(stop.arm), .text(stop.reason),
        .count(stop.step),
        .number(stop.loss), .number(stop.auditedLoss), .number(stop.regret),
      ])
    }
    return file
  }

  private func marks() -> CSVFile {
    var file = CSVFile(["kind", "text", "trials"])
    for mark in analysis.marks {
      file.add([
        .text(mark.kind.rawValue), .text(mark.text), .text(mark.trials.joined(separator: "; ")),
      ])
    }
    return file
  }
}
