// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph
import Testing

@testable import Training

@Suite struct SpikeGuardTests {
  @Test("Nothing is judged until the window is half full")
  func halfFull() {
    var spikes = SpikeGuard(window: 6, deviations: 2)
    for loss in [1.0, 2] {
      spikes.take(loss: loss, gradientNorm: 3)
      #expect(spikes.limits == (.infinity, .infinity))
    }
    spikes.take(loss: 3, gradientNorm: 3)
    // 1, 2, 3: mean 2 and deviation 1; equal norms have none.
    #expect(spikes.limits == (4, 3))
  }

  @Test("The window holds the last finite steps, and their limits are rounded to single precision")
  func window() {
    var spikes = SpikeGuard(window: 3, deviations: 1)
    for loss in [100, 1, .nan, 2, .infinity, 3] { spikes.take(loss: loss, gradientNorm: 0.1) }
    spikes.take(loss: 4, gradientNorm: .nan)
    #expect(spikes.limits == (3, Float(0.1)))
    // 2, 3, 4.1
    spikes.take(loss: 4.1, gradientNorm: 0.1)
    let mean = 9.1 / 3
    let squares = [2, 3, 4.1].reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    #expect(abs(Double(spikes.limits.loss) - (mean + (squares / 2).squareRoot())) < 1e-6)
  }
}

@Suite struct SkippedStepTests {
  /// A step after some that make its guard judge: half of a window of four.
  private func judged(
    _ which: TestRuntime, accumulationSteps: Int, deviations: Double
  ) throws -> (small: SmallStep, source: SyntheticSource) {
    let small = try SmallStep(which, accumulationSteps: accumulationSteps)
    small.step.state.spikes = SpikeGuard(window: 4, deviations: deviations)
    let source = smallSource()
    for _ in 0..<2 {
      try source.fill(small.step.batch)
      #expect(try small.step.run(small.settings()).isUpdated)
    }
    try source.fill(small.step.batch)
    return (small, source)
  }

  @Test(
    "A spike changes neither weights nor state nor clock, and enters the window",
    arguments: TestRuntime.allCases, [1, 2])
  func spike(_ which: TestRuntime, accumulationSteps: Int) throws {
    // So far below the mean of two steps that every third one is out of line.
    let (small, source) = try judged(
      which, accumulationSteps: accumulationSteps, deviations: -1000)
    let (before, clock) = (small.everything, small.step.state.clock)
    let old = try #require(small.step.state.spikes)
    let result = try small.step.run(small.settings())
    #expect(result.skip == .spike)
    #expect(result.loss.isFinite && result.gradientNorm > 0)
    #expect(small.everything == before)
    #expect(small.step.state.clock == clock)
    #expect(small.step.state.spikes != old)
    // Without a guard the same step is made.
    small.step.state.spikes = nil
    #expect(try small.step.run(small.settings()).isUpdated)
    #expect(small.everything != before)
    #expect(small.step.state.clock != clock)
    withExtendedLifetime(source) {}
  }

  @Test(
    "Each of loss and norm is judged by its own limit", arguments: TestRuntime.allCases, [1, 2])
  func limits(_ which: TestRuntime, accumulationSteps: Int) throws {
    let (probe, _) = try judged(which, accumulationSteps: accumulationSteps, deviations: 1000)
    let found = try probe.step.run(probe.settings())
    #expect(found.isUpdated)
    // Guards that have seen two equal steps: what lies above them is a spike.
    for (loss, norm) in [(1.001, 1.001), (0.999, 1.001), (1.001, 0.999)] {
      let (small, _) = try judged(which, accumulationSteps: accumulationSteps, deviations: 1000)
      var spikes = SpikeGuard(window: 4, deviations: 1000)
      for _ in 0..<2 {
        spikes.take(loss: found.loss * loss, gradientNorm: found.gradientNorm * norm)
      }
      small.step.state.spikes = spikes
      let result = try small.step.run(small.settings())
      #expect(result.isUpdated == (loss > 1 && norm > 1), "\(loss), \(norm)")
      #expect(result.loss == found.loss && result.gradientNorm == found.gradientNorm)
    }
  }

  @Test(
    "The limit of the loss is one of the mean, whatever gradients are taken of",
    arguments: TestRuntime.allCases, [1, 2])
  func divisor(_ which: TestRuntime, accumulationSteps: Int) throws {
    for (factor, isUpdated) in [(1.001, true), (0.999, false)] {
      let (small, _) = try judged(which, accumulationSteps: accumulationSteps, deviations: 1000)
      let (probe, _) = try judged(which, accumulationSteps: accumulationSteps, deviations: 1000)
      var settings = try small.settings()
      settings.lossDivisor = 3
      let found = try probe.step.run(settings)
      var spikes = SpikeGuard(window: 4, deviations: 1000)
      for _ in 0..<2 {
        spikes.take(loss: found.loss * factor, gradientNorm: found.gradientNorm * 2)
      }
      small.step.state.spikes = spikes
      #expect(try small.step.run(settings).isUpdated == isUpdated)
    }
  }

  @Test("The time of the update is told apart where one program does both")
  func seconds() throws {
    let small = try SmallStep(.cpu)
    try smallSource().fill(small.step.batch)
    let made = try small.step.run(small.settings())
    #expect(made.optimizerSeconds > 0 && made.forwardBackwardSeconds > made.optimizerSeconds / 100)
  }
}
