// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import RunRecords
import Statistics

extension CourseAnalysis {
  /// Joins the courses of replicates.
  ///
  /// - Parameters:
  ///   - courses: of each replicate steps and values, all finite.
  ///   - tokens: tokens at a step, where recorded.
  ///   - level: coverage of the band.
  init?(_ courses: [[(step: Int, value: Double)]], tokens: [Int: Double] = [:], level: Double) {
    var byStep: [Int: [Double]] = [:]
    for course in courses {
      for (step, value) in course { byStep[step, default: []].append(value) }
    }
    guard !byStep.isEmpty else { return nil }
    steps = byStep.keys.sorted()
    let samples = steps.map { Sample(byStep[$0] ?? []) }
    // Student's quantile costs far more than a mean, and depends on the count alone.
    var quantiles: [Int: Double] = [:]
    func half(_ sample: Sample) -> Double? {
      guard let error = sample.standardError else { return nil }
      let quantile =
        quantiles[sample.count]
        ?? StudentT(degreesOfFreedom: Double(sample.count - 1)).quantile((1 + level) / 2)
      quantiles[sample.count] = quantile
      return error * quantile
    }
    mean = samples.map { $0.mean ?? 0 }
    let halves = samples.map(half)
    lower = zip(mean, halves).map { mean, half in half.map { mean - $0 } }
    upper = zip(mean, halves).map { mean, half in half.map { mean + $0 } }
    counts = samples.map(\.count)
    self.tokens = steps.map { tokens[$0] }
  }

  /// Validation losses of replicates, each capped at its loss at initialisation.
  static func losses(of measured: [Measured], initialLoss: Double?, level: Double)
    -> CourseAnalysis?
  {
    let runs = measured.compactMap { measured in
      measured.trial.map { (trial: $0, isDiverged: measured.replicate.state == .diverged) }
    }
    let steps = Set(runs.flatMap { $0.trial.evaluations.map(\.step) }).sorted()
    var tokens: [Int: Double] = [:]
    let courses = runs.map { trial, isDiverged -> [(step: Int, value: Double)] in
      let own = trial.evaluations.first?.loss
      let cap = own.flatMap { $0.isFinite ? $0 : nil } ?? initialLoss
      let last = trial.evaluations.last?.step ?? -1
      // What diverged stays in the mean at its cap: a mean over survivors would end below the leaderboard's.
      let after = isDiverged ? cap.map { cap in steps.filter { $0 > last }.map { ($0, cap) } } : nil
      return trial.evaluations.compactMap { evaluation in
        if let count = evaluation.tokens { tokens[evaluation.step] = count }
        guard let cap else {
          return evaluation.loss.isFinite ? (evaluation.step, evaluation.loss) : nil
        }
        // NaN is no number below the cap.
        return (evaluation.step, evaluation.loss < cap ? evaluation.loss : cap)
      } + (after ?? [])
    }
    return CourseAnalysis(courses, tokens: tokens, level: level)
  }
}

extension StatisticAnalysis {
  /// The recorded statistics of replicates, by name.
  static func all(of measured: [Measured], level: Double) -> [StatisticAnalysis] {
    let trials = measured.compactMap(\.trial)
    let names = Set(trials.flatMap(\.statistics.keys)).sorted()
    return names.compactMap { name in
      let courses = trials.map { trial in
        (trial.statistics[name] ?? []).filter(\.value.isFinite)
      }
      guard let course = CourseAnalysis(courses, level: level) else { return nil }
      let parts = name.split(separator: ".").map(String.init)
      return StatisticAnalysis(
        metric: name, quantity: parts.first ?? name,
        role: parts.count > 2 ? parts.dropFirst().dropLast().joined(separator: ".") : "",
        statistic: parts.count > 1 ? parts[parts.count - 1] : "", course: course)
    }
  }
}

extension CostAnalysis {
  /// Means over runs that trained to the end.
  init(_ trials: [LoadedTrial]) {
    func mean(_ name: String) -> Double? { Sample(trials.compactMap { $0.finalNumber(name) }).mean }
    // Trials run beside others and beside whatever else the machine does: of their medians, the one that was disturbed least.
    func undisturbed(_ name: String) -> Double? {
      trials.compactMap { $0.finalNumber(name) }.min()
    }
    steps = Sample(trials.compactMap { $0.outcome.map { Double($0.completedSteps) } }).mean
    tokens = mean("tokens")
    chargedTokens = mean("chargedTokens")
    gradientEvaluations = mean("gradientEvaluations")
    flops = mean("trainingFLOPs")
    seconds = undisturbed("trainingSeconds")
    millisecondsPerUpdate = undisturbed("optimizerMilliseconds")
    millisecondsPerStep = undisturbed("forwardBackwardMilliseconds").flatMap { gradients in
      millisecondsPerUpdate.map { gradients + $0 }
    }
    stateBytes = mean("optimizerStateBytes")
    parameters = mean("parameters")
    peakBytes = trials.compactMap { $0.finalNumber("peakBytes") }.max()
  }
}
