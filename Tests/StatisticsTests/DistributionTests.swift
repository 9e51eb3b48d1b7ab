// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Statistics
import Testing

struct DistributionTests {
  struct Content: Decodable {
    var tails: [[Cell]]
    var quantiles: [[Cell]]
    var proportions: [[Double]]
    enum CodingKeys: String, CodingKey {
      case tails, quantiles
      case proportions = "clopper-pearson"
    }
  }

  let content: Content

  init() throws { content = try Fixtures.load("distributions.json", as: Content.self) }

  typealias Distribution = (
    lower: (Double) -> Double, upper: (Double) -> Double, quantile: ((Double) -> Double)?
  )

  func distribution(_ name: String, _ p: [Double]) throws -> Distribution {
    switch name {
    case "normal": return (Normal.cumulative, Normal.upperTail, Normal.quantile)
    case "t":
      let t = StudentT(degreesOfFreedom: p[0])
      return (t.cumulative, t.upperTail, t.quantile)
    case "chi-square":
      let chiSquare = ChiSquare(degreesOfFreedom: p[0])
      return (chiSquare.cumulative, chiSquare.upperTail, chiSquare.quantile)
    case "beta":
      let beta = BetaDistribution(p[0], p[1])
      return (beta.cumulative, beta.upperTail, beta.quantile)
    case "f":
      let f = FRatio(p[0], p[1])
      return (f.cumulative, f.upperTail, f.quantile)
    case "binomial":
      let binomial = Binomial(count: Int(p[0]), probability: p[1])
      return ({ binomial.cumulative(Int($0)) }, { binomial.upperTail(Int($0)) }, nil)
    default:
      try #require(name == "noncentral-t")
      let t = NoncentralT(degreesOfFreedom: p[0], noncentrality: p[1])
      return (t.cumulative, t.upperTail, nil)
    }
  }

  /// Noncentral tails are sums of terms up to 1, here and in SciPy: small ones have absolute accuracy.
  @Test func tailsAgreeWithSciPy() throws {
    #expect(content.tails.count > 300)
    for row in content.tails {
      let (lower, upper, _) = try distribution(row[0].name, row[1].list)
      let x = try #require(row[2].number)
      let absolute = row[0].name == "noncentral-t" ? 1e-12 : 0
      for (value, cell) in [(lower(x), row[3]), (upper(x), row[4])] {
        let expected = try #require(cell.number)
        #expect(
          agree(value, expected, absolute: absolute),
          "\(row[0].name) \(row[1].list) \(x): \(value), \(expected)")
      }
    }
  }

  @Test func quantilesAgreeWithSciPy() throws {
    #expect(content.quantiles.count > 200)
    for row in content.quantiles {
      let (_, _, inverse) = try distribution(row[0].name, row[1].list)
      let quantile = try #require(inverse)
      let p = try #require(row[2].number)
      let expected = try #require(row[3].number)
      // Near a quantile of 0 a share has no more digits than its distance from 1/2.
      #expect(
        agree(quantile(p), expected, absolute: 1e-14),
        "\(row[0].name) \(row[1].list) \(p): \(quantile(p)), \(expected)")
    }
  }

  @Test func quantilesInvertTails() throws {
    for row in content.quantiles {
      let (lower, upper, inverse) = try distribution(row[0].name, row[1].list)
      let p = try #require(row[2].number)
      let quantile = try #require(inverse)
      let x = quantile(p)
      // Shares close to 1 keep too few digits of what is missing to 1; quantiles that round to 0 keep none.
      guard x != 0, !(row[0].name == "beta" && (x < 1e-290 || x > 1 - 1e-5)) else { continue }
      #expect(
        agree(p < 0.5 ? lower(x) : upper(x), p < 0.5 ? p : 1 - p, tolerance: 1e-11),
        "\(row[0].name) \(row[1].list) \(p) \(x)")
    }
  }

  @Test func proportionsHaveTheExactInterval() {
    for row in content.proportions {
      let interval = Binomial.clopperPearson(
        successes: Int(row[1]), of: Int(row[0]), level: row[2])
      #expect(agree(interval.lower, row[3]) && agree(interval.upper, row[4]), "\(row): \(interval)")
    }
    let unknown = Binomial.clopperPearson(successes: 0, of: 0)
    #expect(unknown == ConfidenceInterval(lower: 0, upper: 1, level: 0.95))
  }

  @Test func endsOfTheRangeAreDefined() {
    let t = StudentT(degreesOfFreedom: 4)
    let chiSquare = ChiSquare(degreesOfFreedom: 4)
    #expect(Normal.quantile(0) == -.infinity && Normal.quantile(1) == .infinity)
    #expect(Normal.quantile(0.5) == 0 && Normal.quantile(-0.1).isNaN && Normal.quantile(.nan).isNaN)
    #expect(t.quantile(0) == -.infinity && t.quantile(1) == .infinity && t.quantile(0.5) == 0)
    #expect(
      t.cumulative(.infinity) == 1 && t.cumulative(-.infinity) == 0 && t.cumulative(.nan).isNaN)
    #expect(t.twoSided(0) == 1)
    #expect(chiSquare.quantile(0) == 0 && chiSquare.quantile(1) == .infinity)
    #expect(chiSquare.cumulative(-1) == 0 && chiSquare.upperTail(.infinity) == 0)
    #expect(Binomial(count: 3, probability: 0.5).cumulative(-1) == 0)
    #expect(Binomial(count: 3, probability: 0.5).cumulative(3) == 1)
  }

  @Test func infiniteDegreesOfFreedomAreTheNormal() {
    let t = StudentT(degreesOfFreedom: .infinity)
    for z in [-5.0, -0.3, 0, 1.2, 7] { #expect(t.cumulative(z) == Normal.cumulative(z)) }
    #expect(t.quantile(0.975) == Normal.quantile(0.975))
  }

  @Test func farTailsOfCauchyStayFinite() {
    // For one degree of freedom the tail is atan(1 / t) / pi.
    let t = StudentT(degreesOfFreedom: 1)
    for x in [1e3, 1e100, 1e155, 1e200] {
      #expect(agree(t.upperTail(x), 1 / (.pi * x), tolerance: 1e-6 / x + 1e-12 + 1 / (x * x)))
    }
    #expect(agree(t.quantile(1e-250), -1e250 / .pi, tolerance: 1e-11))
  }

  @Test(arguments: [0.7, 3, 40])
  func densitiesAreDerivativesOfTheirDistributions(degreesOfFreedom: Double) {
    let t = StudentT(degreesOfFreedom: degreesOfFreedom)
    let h = 1e-4
    for x in [-2.0, 0, 0.4, 3] {
      // Central differences leave h^2 / 6 of the third derivative.
      #expect(
        agree((t.cumulative(x + h) - t.cumulative(x - h)) / (2 * h), t.density(x), tolerance: 1e-6))
      #expect(
        agree(
          (Normal.cumulative(x + h) - Normal.cumulative(x - h)) / (2 * h), Normal.density(x),
          tolerance: 1e-6))
    }
  }
}
