// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Statistics
import Testing

/// The union of the shapes' intervals holds the true optimum of smooth basins as the protocol measured.
///
/// 0.92 to 0.99 for its place, 0.86 to 0.95 for its height; five replicates on a grid of quarter decades.
struct OptimumCoverageTests {
  /// Basins of a loss against decades from the optimum; about 0.03 nats a decade away, as small language models have.
  enum Basin: String, CaseIterable {
    case parabola, exponentialRight, steepExponentialRight, flatBottom
    /// Curvature jumps at the optimum itself, which no smooth shape follows: what the union of intervals covers less than it claims.
    case twiceSteeperRight, threeTimesSteeperRight

    func loss(_ u: Double) -> Double {
      switch self {
      case .parabola: 0.033 * u * u
      case .twiceSteeperRight: (u < 0 ? 0.025 : 0.05) * u * u
      case .threeTimesSteeperRight: (u < 0 ? 0.02 : 0.06) * u * u
      // Slope 0 at the optimum; a straight wall far left, an exponential one to the right.
      case .exponentialRight: 0.02 * (exp(1.6 * u) - 1 - 1.6 * u)
      case .steepExponentialRight: 0.01 * (exp(2.5 * u) - 1 - 2.5 * u)
      case .flatBottom: 0.025 * u * u + 0.02 * u * u * u * u
      }
    }
  }

  struct Measured {
    var value: [String: Int] = [:]
    var loss: [String: Int] = [:]
    var width = 0.0
    var count = 0
  }

  /// Five replicates on a grid of quarter decades, the optimum anywhere between two points.
  func measure(_ basin: Basin, replicates: Int, repetitions: Int, resamples: Int) throws -> Measured
  {
    var noise = Noise("optimum-\(basin)-\(replicates)")
    var measured = Measured()
    for repetition in 0..<repetitions {
      let optimum = (Double(repetition) + 0.5) / Double(repetitions) / 4 - 2
      let positions = (-4...4).map { -2 + Double($0) / 4 }
      let curves = (0..<replicates).map { _ in
        // A part of the noise is shared by all learning rates of a seed: it moves the height, not the place.
        let shared = 0.0008 * noise.normal()
        return positions.map { 4.9 + basin.loss($0 - optimum) + shared + 0.0012 * noise.normal() }
      }
      let fit = try OptimumFit(
        SweepCurves(values: positions.map { pow(10, $0) }, replicates: curves, cap: 6),
        noiseFloor: replicates == 1 ? 0.00144 : nil, resamples: resamples, seed: UInt64(repetition))
      let value = pow(10, optimum)
      for one in fit.fits {
        if one.valueInterval.contains(value) { measured.value[one.shape.rawValue, default: 0] += 1 }
        if one.lossInterval.contains(4.9) { measured.loss[one.shape.rawValue, default: 0] += 1 }
      }
      if fit.valueInterval.contains(value) { measured.value["union", default: 0] += 1 }
      if fit.lossInterval.contains(4.9) { measured.loss["union", default: 0] += 1 }
      measured.width += log10(fit.valueInterval.upper / fit.valueInterval.lower)
      measured.count += 1
    }
    return measured
  }

  @Test(arguments: Basin.allCases)
  func theUnionOfShapesHoldsTheOptimum(basin: Basin) throws {
    let measured = try measure(
      basin, replicates: 5, repetitions: 100 * Tally.scale, resamples: Tally.scale > 1 ? 199 : 99)
    for name in ["quadratic-3", "quadratic-5", "cubic-5", "akima", "union"] {
      let value = Tally(
        "x* in \(basin.rawValue), \(name)", hits: measured.value[name] ?? 0, of: measured.count)
      let loss = Tally(
        "L* in \(basin.rawValue), \(name)", hits: measured.loss[name] ?? 0, of: measured.count)
      if name == "union" {
        let range =
          switch basin {
          case .twiceSteeperRight: 0.87...0.9
          case .threeTimesSteeperRight: 0.8...0.84
          default: 0.92...0.99
          }
        #expect(value.lies(in: range), "\(basin): \(value)")
        #expect(loss.lies(in: 0.86...0.95), "\(basin): \(loss)")
      }
    }
    if Tally.scale > 1 {
      print("measured width of x* in \(basin.rawValue): \(measured.width / Double(measured.count))")
    }
  }

  @Test func oneCurveAndANoiseFloorHoldTheOptimumToo() throws {
    let measured = try measure(
      .twiceSteeperRight, replicates: 1, repetitions: 40 * Tally.scale,
      resamples: Tally.scale > 1 ? 199 : 99)
    let value = Tally(
      "x* of one curve with a noise floor", hits: measured.value["union"] ?? 0, of: measured.count)
    // A known deviation needs no resampling of five curves, which alone makes intervals short.
    #expect(value.lies(in: 0.96...1), "\(value)")
  }

  @Test func sensitivityPerReplicateCoversTheTrueOne() throws {
    var noise = Noise("sensitivity")
    let values = (-6...6).map { pow(10, Double($0) / 4) }
    let truth = values.map { 4.9 + Basin.twiceSteeperRight.loss(log10($0)) }
    let exact = Sensitivity(try SweepCurves(values: values, replicates: [truth], cap: 6))
    let tally = try Tally("t interval of right sensitivity, n = 5", repetitions: 150) {
      let curves = try SweepCurves(
        values: values, replicates: (0..<5).map { _ in truth.map { $0 + 0.0012 * noise.normal() } },
        cap: 6)
      let right = Sensitivity(curves, optimum: 1).right ?? []
      return Sample(right).interval()?.contains(exact.right?[0] ?? 0) ?? false
    }
    #expect(tally.lies(in: 0.93...0.97), "\(tally)")
  }
}
