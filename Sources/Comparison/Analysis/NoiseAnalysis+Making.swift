// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords
import Statistics

extension NoiseAnalysis {
  /// The noise of a variant: from calibration where there is one, else the baseline's among the replicates that report.
  ///
  /// - Parameters:
  ///   - variant: the variant's name.
  ///   - baseline: the arm whose noise is the unit, where calibration measured it.
  ///   - arms: the replicates that report, by arm in the order of the declaration.
  ///   - calibration: the noise floor.
  ///   - level: coverage of intervals.
  init(
    variant: String, baseline: String, arms: [(name: String, measured: [Measured])],
    calibration: Calibration?, level: Double
  ) {
    let spreads = calibration?.spreads.filter { $0.variant == variant && $0.varied == .both } ?? []
    let unit = spreads.filter { $0.arm == baseline && $0.deviation != nil }
    let calibrated = Pooled((unit.isEmpty ? spreads : unit).map(\.losses))
    let whole = arms.filter { $0.measured.count(.diverged) == 0 }
    let residual = Pooled(whole.map(\.measured.losses))
    residualDeviation = residual.deviation
    if let calibration, calibrated.degreesOfFreedom > 0 {
      source = .calibration
      deviation = calibrated.deviation
      interval = calibrated.interval(level: level)
      degreesOfFreedom = calibrated.degreesOfFreedom
      correlations = calibration.pairs.filter { $0.variant == variant }.map(\.correlation)
      return
    }
    // Of the baseline alone, as in a calibration: else a noisy arm would widen the margin within which it counts as alike.
    let own = Pooled(whole.filter { $0.name == baseline }.map(\.measured.losses))
    let found = own.degreesOfFreedom > 0 ? own : residual
    source = found.degreesOfFreedom > 0 ? .residuals : .unknown
    deviation = found.deviation
    interval = found.interval(level: level)
    degreesOfFreedom = found.degreesOfFreedom
    var pairs: [ArmCorrelation] = []
    for (index, first) in whole.enumerated() {
      for second in whole.dropFirst(index + 1) {
        pairs.append(
          ArmCorrelation(
            first.name, first.measured.lossesBySeed, second.name, second.measured.lossesBySeed,
            level: level))
      }
    }
    correlations = pairs.filter { $0.count >= 3 }
  }

  /// The correlation that calibration measured between two arms; nil without one.
  func calibratedCorrelation(_ arm: String, _ other: String) -> Double? {
    guard source == .calibration else { return nil }
    return correlations.first {
      ($0.arm, $0.other) == (arm, other) || ($0.arm, $0.other) == (other, arm)
    }?.value
  }
}

extension ArmCorrelation {
  /// Over the seeds that both have.
  init(
    _ arm: String, _ losses: [Int: Double], _ other: String, _ others: [Int: Double], level: Double
  ) {
    let (first, second) = Tests.matched(losses, others)
    let correlation = Correlation(first, second, level: level)
    self.init(
      arm: arm, other: other, value: first.count >= 3 ? correlation.coefficient : nil,
      interval: correlation.interval, count: first.count)
  }
}

/// One deviation from several cells, each around its own mean.
struct Pooled {
  let deviation: Double?
  let degreesOfFreedom: Int

  init(_ cells: [[Double]]) {
    var squares = 0.0
    var freedom = 0
    for cell in cells {
      guard let variance = Sample(cell).variance else { continue }
      squares += variance * Double(cell.count - 1)
      freedom += cell.count - 1
    }
    degreesOfFreedom = freedom
    deviation = freedom > 0 ? (squares / Double(freedom)).squareRoot() : nil
  }

  /// The chi-square interval of the deviation.
  func interval(level: Double) -> ConfidenceInterval? {
    guard let deviation else { return nil }
    let n = Double(degreesOfFreedom)
    let distribution = ChiSquare(degreesOfFreedom: n)
    return ConfidenceInterval(
      lower: deviation * (n / distribution.quantile((1 + level) / 2)).squareRoot(),
      upper: deviation * (n / distribution.quantile((1 - level) / 2)).squareRoot(), level: level)
  }
}

extension MarginAnalysis {
  /// The margin of a variant.
  ///
  /// - Parameters:
  ///   - margin: as declared.
  ///   - losses: median losses of the tuned arms, by name: a diverged replicate moves no margin.
  ///   - noise: the noise of the variant.
  init(
    _ margin: StudyRecord.ComparisonRule.Margin, losses: [String: Double], noise: NoiseAnalysis
  ) {
    let unit = noise.source == .calibration ? "the calibrated noise" : "the study's own noise"
    switch margin {
    case .absolute(let nats):
      value = nats
      explanation = "\(Self.text(nats)) nats, as declared"
    case .deviations(let count):
      value = noise.deviation.map { count * $0 }
      explanation = "\(Self.text(count)) standard deviations of \(unit)"
      if value == nil { explanation += ", which is not known yet" }
    case .share(let share, let from, let to, let atLeast):
      let gap = "\(Self.text(share * 100)) % of the gap between \(from) and \(to)"
      guard let first = losses[from], let second = losses[to] else {
        value = nil
        explanation = "\(gap), which is not known yet"
        return
      }
      let wanted = share * abs(second - first)
      let least = atLeast > 0 ? noise.deviation.map { atLeast * $0 } : 0
      value = max(wanted, least ?? 0)
      explanation = "\(gap) (\(Self.text(abs(second - first))) nats)"
      if let least, least > wanted {
        explanation =
          "\(Self.text(atLeast)) standard deviations of \(unit), which is more than \(explanation)"
      } else if least == nil {
        explanation += "; the noise, which bounds it from below, is not known"
      }
    }
  }

  /// A number with three significant digits.
  static func text(_ value: Double) -> String { String(format: "%.3g", value) }
}
