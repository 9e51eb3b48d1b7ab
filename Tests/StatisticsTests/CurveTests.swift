// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Statistics
import Testing

struct CurvesFixture: Decodable {
  struct Case: Decodable {
    var grid: String
    var x, y: [Double]
    var minima: [String: [Double]]
    var sensitivity: [String: Double]
  }
  var fits: [Case]
  var losses, expectedBest: [Double]
  enum CodingKeys: String, CodingKey {
    case fits, losses
    case expectedBest = "expected best"
  }

  static func load() throws -> CurvesFixture {
    try Fixtures.load("curves.json", as: CurvesFixture.self)
  }
}

struct OptimumFitTests {
  @Test func minimaOfAllShapesAgreeWithSciPy() throws {
    for expected in try CurvesFixture.load().fits {
      let curves = try SweepCurves(values: expected.x, replicates: [expected.y], cap: 50)
      let fit = try OptimumFit(curves)
      #expect(fit.fits.count == 4 && fit.uncertainty == .shapeOnly)
      for one in fit.fits {
        let minimum = try #require(expected.minima[one.shape.rawValue])
        // Near a minimum the loss is flat: its digits are those of the loss, its place has the square root of them.
        #expect(abs(log10(one.value) - minimum[0]) < 1e-6, "\(expected.grid) \(one.shape)")
        #expect(agree(one.loss, minimum[1], tolerance: 1e-12), "\(expected.grid) \(one.shape)")
      }
      let values = fit.fits.map(\.value)
      #expect(fit.valueInterval.lower == values.min() && fit.valueInterval.upper == values.max())
    }
  }

  @Test func aParabolaIsFoundExactlyByEveryShape() throws {
    let values = (-4...4).map { pow(10, -2 + Double($0) / 4) }
    let losses = values.map { 3 + 0.1 * pow(log10($0) + 1.9, 2) }
    let fit = try OptimumFit(SweepCurves(values: values, replicates: [losses, losses], cap: 10))
    for one in fit.fits where one.shape != .akima {
      #expect(
        agree(one.value, pow(10, -1.9), tolerance: 1e-9) && agree(one.loss, 3, tolerance: 1e-12))
    }
    // Akima's curve is not a parabola, but close.
    #expect(fit.fits.allSatisfy { abs(log10($0.value) + 1.9) < 0.02 })
    // Identical replicates leave only the shapes' spread.
    #expect(fit.uncertainty == .seedsAndShape && fit.edge == nil)
    #expect(log10(fit.valueInterval.upper) - log10(fit.valueInterval.lower) < 0.02)
    #expect(fit.bestValue == values[4])
  }

  @Test func anOptimumOnTheEdgeIsCalledSo() throws {
    let values = [0.001, 0.01, 0.1, 1, 10]
    let falling = try OptimumFit(
      SweepCurves(values: values, replicates: [[5, 4, 3, 2, 1]], cap: 10))
    #expect(falling.edge == .upper && falling.bestValue == 10 && agree(falling.value, 10))
    let rising = try OptimumFit(
      SweepCurves(values: values, replicates: [[1, 2, 3, 4, 5]], cap: 10))
    #expect(rising.edge == .lower && agree(rising.value, 0.001))
    let flat = try OptimumFit(SweepCurves(values: values, replicates: [[2, 2, 2, 2, 2]], cap: 10))
    #expect(flat.edge == .lower && flat.loss == 2)
  }

  @Test func threeValuesGiveOneShapeAndTwoGiveAnError() throws {
    let fit = try OptimumFit(
      SweepCurves(values: [0.1, 1, 10], replicates: [[2, 1, 2.5]], cap: 9))
    #expect(fit.fits.map(\.shape) == [.quadratic3])
    #expect(fit.valueInterval.lower == 0.1 && fit.valueInterval.upper == 10)
    #expect(throws: StatisticsError.self) {
      try OptimumFit(SweepCurves(values: [0.1, 1], replicates: [[2, 1]], cap: 9))
    }
  }

  @Test func oneCurveWithANoiseFloorHasSeedsAndShape() throws {
    let values = (-4...4).map { pow(10, Double($0) / 4) }
    let losses = values.map { 3 + 0.1 * pow(log10($0), 2) }
    let curves = try SweepCurves(values: values, replicates: [losses], cap: 10)
    let bare = try OptimumFit(curves)
    let noisy = try OptimumFit(curves, noiseFloor: 0.002)
    #expect(noisy.uncertainty == .noiseFloorAndShape)
    #expect(noisy.valueInterval.width > 3 * bare.valueInterval.width)
    #expect(noisy.lossInterval.width > 0.001)
    #expect(noisy == (try OptimumFit(curves, noiseFloor: 0.002)))
    #expect(try OptimumFit(curves, noiseFloor: .nan).uncertainty == .shapeOnly)
  }

  @Test func aDivergedCellCountsAsTheCapAndNotAsMissing() throws {
    let values = [0.001, 0.01, 0.1, 1, 10]
    let curves = try SweepCurves(
      values: values, replicates: [[4, 3, 3.1, .nan, .infinity], [4.1, 3, 3.2, 80, -.infinity]],
      cap: 6)
    #expect(curves.losses == [[4, 3, 3.1, 6, 6], [4.1, 3, 3.2, 6, 6]])
    #expect(curves.isCapped[0] == [false, false, false, true, true])
    let fit = try OptimumFit(curves)
    #expect(fit.bestValue == 0.01 && fit.valueInterval.isBounded && fit.lossInterval.isBounded)
  }

  @Test func valuesAreSortedAndBadGridsRefused() throws {
    let curves = try SweepCurves(values: [1, 0.1, 10], replicates: [[1, 2, 3]], cap: 9)
    #expect(curves.values == [0.1, 1, 10] && curves.losses == [[2, 1, 3]])
    func code(
      _ values: [Double], _ replicates: [[Double]], cap: Double = 9, axis: SweepAxis = .logarithmic
    ) -> StatisticsError.Code? {
      do {
        _ = try SweepCurves(values: values, replicates: replicates, cap: cap, axis: axis)
        return nil
      } catch { return error.code }
    }
    #expect(code([0, 1], [[1, 2]]) == .badGrid)
    #expect(code([-1, 1], [[1, 2]]) == .badGrid)
    #expect(code([.nan, 1], [[1, 2]], axis: .linear) == .badGrid)
    #expect(code([1, 1], [[1, 2]]) == .badGrid)
    #expect(code([0.9, 1], [[1, 2]], axis: .complement) == .badGrid)
    #expect(code([1, 2], [[1]]) == .ragged)
    #expect(code([], [[]]) == .tooFew && code([1], []) == .tooFew)
    #expect(code([1, 2], [[1, 2]], cap: .nan) == .outOfRange)
    #expect(code([0, 0.9], [[1, 2]], axis: .complement) == nil)
    #expect(code([0, -2], [[1, 2]], axis: .linear) == nil)
  }

  @Test func axesGoBackAndForth() {
    #expect(agree(SweepAxis.complement.position(of: 0.99), 2, tolerance: 1e-14))
    for axis in SweepAxis.allCases {
      for value in [1e-4, 0.3, 0.95] {
        #expect(agree(axis.value(at: axis.position(of: value)), value, tolerance: 1e-12))
      }
    }
  }
}

struct SensitivityTests {
  @Test func halvesAndWholeAgreeWithTheTrapezoidalRule() throws {
    for expected in try CurvesFixture.load().fits {
      let curves = try SweepCurves(values: expected.x, replicates: [expected.y], cap: 5)
      let sensitivity = Sensitivity(curves, halfWidth: 0.6)
      for (name, value) in [
        ("whole", sensitivity.whole), ("left", sensitivity.left), ("right", sensitivity.right),
      ] {
        #expect(agree(value?[0], expected.sensitivity[name] ?? .nan, tolerance: 1e-9), "\(name)")
      }
    }
  }

  @Test func aVeeHasAKnownSensitivity() throws {
    // 0.2 nats per decade to the left, 0.6 to the right: means over 1.5 decades are 0.15 and 0.45.
    let values = (-4...4).map { pow(10, Double($0) / 2) }
    let curve = values.map { 3 + (log10($0) < 0 ? -0.2 : 0.6) * log10($0) }
    let sensitivity = Sensitivity(
      try SweepCurves(values: values, replicates: [curve, curve.map { $0 + 1 }], cap: 7))
    #expect(!sensitivity.isClippedBelow && !sensitivity.isClippedAbove)
    for replicate in 0..<2 {
      #expect(agree(sensitivity.left?[replicate], 0.15))
      #expect(agree(sensitivity.right?[replicate], 0.45))
      #expect(agree(sensitivity.whole?[replicate], 0.3))
      #expect(agree(sensitivity.scale[replicate], replicate == 0 ? 4 : 3))
      #expect(agree(sensitivity.normalizedRight?[replicate], replicate == 0 ? 0.1125 : 0.15))
    }
    #expect(agree(sensitivity.lower, pow(10, -1.5)) && agree(sensitivity.upper, pow(10, 1.5)))
  }

  @Test func failedRunsCountAsTheLossAtInitialisation() throws {
    let values = [0.01, 0.1, 1, 10, 100]
    let failing = try SweepCurves(
      values: values, replicates: [[3.5, 3.2, 3, .nan, .infinity]], cap: 7)
    // min(l, l0) rises to 7 within the first decade and stays: (2 + 4 * 0.5) / 1.5.
    #expect(agree(Sensitivity(failing).right?[0], 4.0 / 1.5))
    #expect(agree(Sensitivity(failing).normalizedRight?[0], 1.0 / 1.5))
  }

  @Test func aWindowBeyondTheGridIsClippedAndSaysSo() throws {
    let values = [0.1, 1, 10, 100, 1000]
    let curves = try SweepCurves(values: values, replicates: [[3.1, 3, 3.3, 3.6, 3.9]], cap: 7)
    let sensitivity = Sensitivity(curves)
    #expect(sensitivity.isClippedBelow && !sensitivity.isClippedAbove)
    #expect(agree(sensitivity.lower, 0.1) && agree(sensitivity.left?[0], 0.05))
    let edge = Sensitivity(curves, optimum: 1e-5)
    #expect(edge.left == nil && edge.optimum == 0.1 && edge.whole != nil)
    let single = Sensitivity(try SweepCurves(values: [1], replicates: [[3]], cap: 7))
    #expect(single.whole == nil && single.left == nil && single.right == nil)
  }

  @Test func aLinearAxisUsesTheWholeGridUnlessAWidthIsGiven() throws {
    let curves = try SweepCurves(
      values: [0, 1, 2, 4], replicates: [[2, 1, 2, 4]], cap: 9, axis: .linear)
    let whole = Sensitivity(curves)
    #expect(whole.lower == 0 && whole.upper == 4 && !whole.isClippedAbove)
    // Areas above 1: 0.5, 0.5 and 4 over a width of 4.
    #expect(
      agree(whole.whole?[0], 1.25) && agree(whole.left?[0], 0.5) && agree(whole.right?[0], 1.5))
    #expect(agree(Sensitivity(curves, halfWidth: 1).whole?[0], 0.5))
  }
}

struct BasinTests {
  let values = (-4...4).map { pow(10, Double($0) / 2) }

  @Test func widthsAreInterpolatedBetweenGridPoints() throws {
    let curve = values.map { 3 + (log10($0) < 0 ? -0.2 : 0.6) * log10($0) }
    let width = try BasinWidth(
      SweepCurves(values: values, replicates: [curve, curve.map { $0 + 0.5 }], cap: 9), delta: 0.15)
    #expect(agree(width.basin.width, 0.75 + 0.25) && !width.basin.isAtLeast)
    #expect(agree(width.basin.lower, pow(10, -0.75)) && agree(width.basin.upper, pow(10, 0.25)))
    #expect(width.widths.allSatisfy { agree($0, 1) })
    #expect(agree(width.interval()?.lower, 1))
  }

  @Test func aBasinThatLeavesTheGridIsAtLeastThatWide() throws {
    let curve = values.map { 3 + max(0, log10($0)) }
    let width = try BasinWidth(
      SweepCurves(values: values, replicates: [curve, curve], cap: 9), delta: 0.1)
    // The lowest of equal losses is the first: the basin goes on below the grid.
    #expect(width.basin.isCensoredBelow && !width.basin.isCensoredAbove && width.basin.isAtLeast)
    #expect(agree(width.basin.width, 2.1))
    #expect(width.interval() == nil)
  }

  @Test func aSecondBasinBeyondARidgeDoesNotCount() throws {
    let width = try BasinWidth(
      SweepCurves(values: [1, 10, 100, 1000, 10000], replicates: [[4, 3, 4, 3.01, 4]], cap: 9),
      delta: 0.1)
    #expect(agree(width.basin.width, 0.2))
    #expect(throws: StatisticsError.self) {
      try BasinWidth(SweepCurves(values: [1, 2], replicates: [[1, 2]], cap: 9), delta: .nan)
    }
    let none = try BasinWidth(SweepCurves(values: [1, 2], replicates: [[1, 2]], cap: 9), delta: 0)
    #expect(none.basin.width == 0)
  }

  @Test func divergenceIsWhereHalfOfTheReplicatesFail() throws {
    let curves = try SweepCurves(
      values: [0.001, 0.01, 0.1, 1],
      replicates: [[6, 3, 3.4, .nan], [6, 3, .infinity, 6.2], [6, 3, 5.95, 3], [6, 3, 3.3, 9]],
      cap: 6)
    let threshold = try #require(DivergenceThreshold(curves))
    // At 0.1 one has blown up and one has not come 0.1 below the start; the failures at 0.001 are below the best.
    #expect(threshold.value == 0.1 && threshold.lastStable == 0.01 && threshold.failures == 2)
    #expect(threshold.shareInterval == Binomial.clopperPearson(successes: 2, of: 4))
    #expect(DivergenceThreshold.isFailure(loss: .nan, initialLoss: 6))
    #expect(DivergenceThreshold.isFailure(loss: -.infinity, initialLoss: 6))
    #expect(!DivergenceThreshold.isFailure(loss: 5.9, initialLoss: 6))
    let calm = try SweepCurves(values: [1, 2, 3], replicates: [[3, 2, 3]], cap: 6)
    #expect(DivergenceThreshold(calm) == nil)
  }
}
