// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Optimizers
import Testing

/// The numbers that the host computes before each update, against closed forms.
@Suite struct HostScalarTests {
  /// Sums and products of a few dozen doubles, against the same numbers in another order.
  private let rounding = 1e-13

  private func scalars<Method: OptimizerMethod>(
    _ method: Method, _ hyperparameters: [String: Double] = [:], updates: Int
  ) -> [[String: Double]] {
    var memory: [String: Double] = [:]
    let complete = Method.card.defaults.merging(hyperparameters) { $1 }
    return (1...updates).map { method.scalars(complete, update: $0, memory: &memory) }
  }

  private func isNear(_ a: Double?, _ b: Double) -> Bool {
    a.map { abs($0 - b) <= rounding * max(1, abs(b)) } ?? false
  }

  @Test("Adafactor's beta2 is 0 at first and rises; capped where it has a cap")
  func risingDecay() throws {
    for numbers in [scalars(Adafactor2018(), updates: 3), scalars(AdafactorBV(), updates: 3)] {
      #expect(numbers[0]["beta2"] == 0)
      #expect(numbers[0]["one_minus_beta2"] == 1)
      #expect(isNear(numbers[2]["beta2"], 1 - pow(3, -0.8)))
      #expect(isNear(numbers[2]["one_minus_beta2"], pow(3, -0.8)))
    }
    let capped = try #require(scalars(AdafactorBV(), ["beta2_cap": 0.5], updates: 9).last)
    #expect(capped["beta2"] == 0.5)
    #expect(capped["one_minus_beta2"] == 0.5)
  }

  @Test("ADOPT's first update starts v and moves nothing; the clip then is 1, 2^(1/4), ...")
  func firstUpdate() {
    let numbers = scalars(ADOPT(), ["weight_decay": 0.1], updates: 3)
    #expect(numbers[0]["beta2"] == 0)
    #expect(numbers[0]["one_minus_beta2"] == 1)
    #expect(numbers[0]["clip"] == 0)
    #expect(numbers[0]["decay"] == 0)
    #expect(numbers[1]["beta2"] == 0.9999)
    #expect(numbers[1]["clip"] == 1)
    #expect(numbers[1]["decay"] == nil)
    #expect(isNear(numbers[2]["clip"], pow(2, 0.25)))
    #expect(scalars(ADOPT(), ["clip_exponent": 0], updates: 1)[0]["clip"] == 0)
  }

  @Test("AdEMAMix's alpha and the half-life of beta3 rise in lines to their ends")
  func warmups() {
    let numbers = scalars(
      AdEMAMix(), ["alpha": 8, "alpha_warmup": 4, "beta3_warmup": 10], updates: 12)
    #expect(numbers.prefix(5).map { $0["alpha"] } == [2, 4, 6, 8, 8])
    let halfLives = numbers.map { log(0.5) / log($0["beta3"] ?? .nan) }
    let (start, end) = (log(0.5) / log(0.9), log(0.5) / log(0.9999))
    for (index, halfLife) in halfLives.prefix(10).enumerated() {
      let share = Double(index + 1) / 10
      // The logarithm of a number near 1 - 1e-4 loses four digits.
      #expect(abs(halfLife / ((1 - share) * start + share * end) - 1) < 1e4 * rounding)
    }
    #expect(numbers[11]["beta3"] == 0.9999)
    for number in numbers {
      #expect(isNear(number["one_minus_beta3"], 1 - (number["beta3"] ?? .nan)))
    }
    #expect(scalars(AdEMAMix(), updates: 1)[0]["beta3"] == 0.9999)
    #expect(scalars(AdEMAMix(), updates: 1)[0]["alpha"] == 5)
  }

  @Test("NAdamW's weights: a constant momentum, or the paper's warm-up")
  func nesterovWeights() throws {
    let optax = try NAdamW(MethodOptions(NAdamW.card, ["form": "optax"]))
    let constant = scalars(optax, ["beta1": 0.9], updates: 3)[2]
    #expect(isNear(constant["gradient_weight"], 0.1 / (1 - pow(0.9, 3))))
    #expect(isNear(constant["momentum_weight"], 0.9 / (1 - pow(0.9, 4))))
    let warming = scalars(NAdamW(), ["beta1": 0.9], updates: 2)[1]
    let mu = (1...3).map { 0.9 * (1 - 0.5 * pow(0.96, 0.004 * Double($0))) }
    #expect(isNear(warming["gradient_weight"], (1 - mu[1]) / (1 - mu[0] * mu[1])))
    #expect(isNear(warming["momentum_weight"], mu[2] / (1 - mu[0] * mu[1] * mu[2])))
  }

  @Test(
    "Adalayer's measured statistics are corrected for their batches, and for the updates if they go on"
  )
  func frozenCorrection() throws {
    let frozen = scalars(AdalayerFrozen(), ["statistics_batches": 3], updates: 2)
    #expect(frozen.allSatisfy { isNear($0["beta2_correction"], 1 - pow(0.95, 3)) })
    #expect(isNear(frozen[1]["beta1_correction"], 1 - 0.81))
    let options = try MethodOptions(AdalayerFrozen.card, ["statistics": "running"])
    let running = scalars(AdalayerFrozen(options), ["statistics_batches": 3], updates: 2)
    #expect(isNear(running[1]["beta2_correction"], 1 - pow(0.95, 5)))
  }

  @Test("LAMB decays inside its step only")
  func decayInside() {
    #expect(scalars(LAMB(), updates: 1)[0]["decay"] == 0)
  }
}
