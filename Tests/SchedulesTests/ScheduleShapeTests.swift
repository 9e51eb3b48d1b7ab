// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Schedules
import Testing

/// Values worked out by hand, from the equations and not from the code.
@Suite struct ScheduleShapeTests {
  /// Values of a few operations in `Double`, each of which rounds once.
  static let rounding = 4e-16

  /// What is left of the way at quarters of it.
  static let quarters: [(shape: ScheduleShape, left: [Double])] = [
    (.linear, [1, 0.75, 0.5, 0.25, 0]),
    (.cosine, [1, 0.853_553_390_593_273_8, 0.5, 0.146_446_609_406_726_2, 0]),
    (.squareRoot, [1, 0.5, 0.292_893_218_813_452_5, 0.133_974_596_215_561_4, 0]),
    (.polynomial(power: 2), [1, 0.5625, 0.25, 0.0625, 0]),
    (
      .polynomial(power: 0.5),
      [1, 0.866_025_403_784_438_6, 0.707_106_781_186_547_5, 0.5, 0]
    ),
    (.rex, [1, 6.0 / 7, 2.0 / 3, 0.4, 0]),
  ]

  @Test(arguments: 0..<quarters.count)
  func shapesHaveTheValuesOfTheirEquations(index: Int) {
    let (shape, left) = Self.quarters[index]
    for (quarter, expected) in left.enumerated() {
      let value = shape.remaining(after: Double(quarter), of: 4)
      #expect(abs(value - expected) <= Self.rounding, "\(shape.name) after \(quarter)/4")
    }
  }

  @Test(arguments: 0..<quarters.count)
  func shapesOnlyFallAndDoNotDependOnTheUnitOfTime(index: Int) {
    let shape = Self.quarters[index].shape
    for step in 0..<100 {
      let value = shape.remaining(after: Double(step), of: 100)
      #expect(value > shape.remaining(after: Double(step + 1), of: 100))
      #expect(abs(value - shape.remaining(after: Double(step) / 8, of: 12.5)) <= Self.rounding)
    }
  }

  @Test func aRampLeadsFromItsFirstValueToItsLastUpOrDown() {
    for (from, to) in [(1.0, 0.1), (0.85, 0.95), (0.0, 3.0), (2.0, 2.0)] {
      for (shape, left) in Self.quarters {
        let curve = ScheduleCurve.ramp(from: from, to: to, shape: shape)
        #expect(curve.factor(at: 0, of: 4) == from)
        #expect(curve.factor(at: 4, of: 4) == to)
        let third = curve.factor(at: 3, of: 4)
        #expect(abs(third - (left[3] * from + (1 - left[3]) * to)) <= 4 * Self.rounding)
      }
    }
  }

  @Test func theInverseSquareRootFallsToHalfAfterThreeTimeScales() {
    let curve = ScheduleCurve.inverseSquareRoot(from: 6, timescale: 4)
    #expect(curve.factor(at: 0, of: 1) == 6)
    #expect(curve.factor(at: 5, of: 1) == 4)
    #expect(curve.factor(at: 12, of: 1) == 3)
    #expect(curve.factor(at: 60, of: 1) == 1.5)
  }

  @Test func warmUpStartsAtItsShareAndNotAtZero() {
    let curve = ScheduleCurve.warmUp(to: 2)
    #expect((0..<4).map { curve.factor(at: $0, of: 4) } == [0.5, 1, 1.5, 2])
  }

  @Test(arguments: [0, -1, Double.nan, .infinity])
  func powersAndTimeScalesAreAboveZero(number: Double) {
    for curve in [
      ScheduleCurve.ramp(from: 1, to: 0, shape: .polynomial(power: number)),
      .inverseSquareRoot(from: 1, timescale: number),
    ] {
      do throws(ScheduleError) {
        _ = try Schedule(stages: [ScheduleStage(name: "tail", steps: 3, curve: curve)])
        Issue.record("\(curve) was accepted")
      } catch {
        #expect(error.code == .invalidValue)
        #expect(error.message.contains("'tail'") && error.message.contains("\(number)"))
      }
    }
  }
}
