// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Statistics
import Testing

struct RoughnessTests {
  @Test("A line has none, a parabola its curvature, a zigzag four times its height")
  func shapes() {
    let line = (0..<20).map { 3 - 0.5 * Double($0) }
    #expect(Roughness.secondDifferences([line]) == 0)
    let parabola = (0..<20).map { Double($0 * $0) }
    #expect(Roughness.secondDifferences([parabola]) == 2)
    let zigzag = (0..<20).map { $0 % 2 == 0 ? 1.0 : -1 }
    #expect(Roughness.secondDifferences([zigzag]) == 4)
    // Over both together it is the mean of squares.
    #expect(Roughness.secondDifferences([parabola, zigzag]) == 10.0.squareRoot())
    #expect(Roughness.secondDifferences([[1, 2]]) == nil)
    #expect(Roughness.secondDifferences([[1, 2, .nan, 4, 5]]) == nil)
    #expect(Roughness.secondDifferences([[1, 2, .nan, 4, 6, 9]]) == 1)
  }

  @Test("White noise of deviation s has sqrt(6) s, independent steps have sqrt(2) s")
  func noise() throws {
    var noise = Noise("roughness")
    let white = noise.sample(20_000, deviation: 0.1)
    #expect(abs(try #require(Roughness.secondDifferences([white])) / (0.1 * sqrt(6)) - 1) < 0.03)
    var walk = [0.0]
    for step in white { walk.append((walk.last ?? 0) + step) }
    #expect(abs(try #require(Roughness.secondDifferences([walk])) / (0.1 * sqrt(2)) - 1) < 0.03)
  }

  /// Updated after odd steps, as a parameter is whose gradients are summed over two steps.
  @Test("From update to update, steps in which nothing moved do not count")
  func updates() throws {
    let moves: [Double] = [0, 1, 4, 9, 16, 25]
    let course = moves.flatMap { [$0, $0] }.dropFirst()
    #expect(Roughness.updates([Array(course)]) == [1, 3, 5, 7, 9])
    #expect(Roughness.secondDifferencesOfUpdates([Array(course)]) == 2)
    // Held for three more in the middle: the pause is not a bend.
    let paused = [0.0, 0, 1, 1, 4, 4, 4, 4, 4, 9, 9, 16, 16]
    #expect(Roughness.secondDifferencesOfUpdates([paused]) == 2)
    // One value of several moved: the parameter was updated.
    #expect(Roughness.updates([[0, 0, 0, 1], [5, 5, 6, 6]]) == [2, 3])
    #expect(Roughness.updates([]) == [] && Roughness.updates([[1]]) == [])
  }
}

struct TransitionJumpTests {
  @Test("A jump is the difference of medians, which one wild value does not move")
  func size() throws {
    var values = [Double](repeating: 1, count: 50) + [Double](repeating: 3, count: 50)
    values[47] = 1000
    values[52] = -1000
    let jump = try #require(TransitionJump.all(values, at: [50]).first)
    #expect(jump.size == 2 && jump.place == 50)
    #expect(jump.unusual == nil, "nothing moves elsewhere")
    #expect(TransitionJump.all(values, at: [3]).isEmpty)
    #expect(TransitionJump.all(values, at: [96]).isEmpty)
    values[48] = .nan
    #expect(TransitionJump.all(values, at: [50]).isEmpty)
  }

  @Test("A drift is no unusual jump; a step in it is")
  func unusual() throws {
    var noise = Noise("jumps")
    var values = (0..<400).map { 0.1 * Double($0) + 0.2 * noise.normal() }
    let plain = try #require(TransitionJump.all(values, at: [200]).first)
    #expect(abs(plain.size - 0.5) < 0.6)
    #expect(abs(try #require(plain.unusual)) < 4)
    for index in 200..<400 { values[index] += 3 }
    let step = try #require(TransitionJump.all(values, at: [200]).first)
    #expect(try #require(step.unusual) > 10)
  }
}

struct TrajectoryEnvelopeTests {
  @Test("An envelope is the range of runs, or the mean and deviations")
  func kinds() {
    let runs: [[Double]] = [[1, 2, .nan], [3, 2, 5], [5, 2, .nan, 9]]
    let range = TrajectoryEnvelope(runs)
    #expect(range.mean == [3, 2, 5] && range.lower == [1, 2, 5] && range.upper == [5, 2, 5])
    let deviations = TrajectoryEnvelope(runs, .deviations(1.5))
    #expect(deviations.lower == [0, 2, 5] && deviations.upper == [6, 2, 5])
    #expect(TrajectoryEnvelope([]).mean.isEmpty)
  }
}

struct StageAlignmentTests {
  @Test("A stage ends at its number, whatever its length")
  func positions() {
    let short = StageAlignment(starts: [0, 2, 4], steps: 8)
    #expect((0..<8).map(short.position) == [0.5, 1, 1.5, 2, 2.25, 2.5, 2.75, 3])
    let long = StageAlignment(starts: [0, 4, 8], steps: 10)
    #expect(long.position(after: 3) == 1 && long.position(after: 9) == 3)
  }

  @Test("Runs of different lengths are compared where they have come equally far")
  func resampling() {
    let short = StageAlignment(starts: [0, 2], steps: 6)
    let long = StageAlignment(starts: [0, 4], steps: 8)
    let places = [short, long].map { run in (0..<run.steps).map(run.position) }
    let grid = StageAlignment.grid(places)
    #expect(grid == [0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2])
    // The same function of the position comes back, but for what lies before the first value.
    for own in places {
      let values = own.map { 10 * $0 }
      let found = StageAlignment.resample(values, at: own, to: grid)
      #expect(found == grid.map { 10 * max($0, own[0]) })
    }
    #expect(StageAlignment.resample([7, 8], at: [1, 2], to: [0.5, 3]) == [7, 8])
    #expect(StageAlignment.resample([], at: [], to: grid) == [])
  }
}

/// What runs that differ in nothing but seeds look like, one scalar after the other.
enum EqualRuns: String, CaseIterable {
  /// Every step anew.
  case white
  /// Each value is 0.9 of the one before, and noise.
  case correlated
  /// A random walk.
  case walk
  /// The same for as many steps as make a departure, then drawn anew: the most false alarms that there can be.
  case blocks
  /// An offset from the first step to the last.
  case offset
  /// Adam on noise, updated at every second step: its first updates are of one size and of either sign, which is not normal at all.
  case adam

  func course(_ steps: Int, block: Int, _ noise: inout Noise) -> [Double] {
    var value = noise.normal()
    if self == .adam { return Self.adam(steps, &noise) }
    return (0..<steps).map { step in
      switch self {
      case .white: value = noise.normal()
      case .correlated: value = 0.9 * value + 0.19.squareRoot() * noise.normal()
      case .walk: value += noise.normal()
      case .blocks: if step % block == 0 { value = noise.normal() }
      case .offset, .adam: break
      }
      return value
    }
  }

  private static func adam(_ steps: Int, _ noise: inout Noise) -> [Double] {
    var (value, gradient, m, v) = (0.0, 0.0, 0.0, 0.0)
    return (0..<steps).map { step in
      gradient += value + noise.normal()
      if step % 2 == 1 {
        let updates = Double((step + 1) / 2)
        m = 0.9 * m + 0.1 * gradient
        v = 0.99 * v + 0.01 * gradient * gradient
        let correction = (1 - pow(0.99, updates)).squareRoot() / (1 - pow(0.9, updates))
        value -= 0.04 * correction * m / (v.squareRoot() + 1e-8)
        gradient = 0
      }
      return value
    }
  }
}

struct DepartureRuleTests {
  static let (steps, scalars, persistence) = (120, 4, 6)

  /// How often anything departs in equal sets.
  static func falseAlarms(
    _ kind: EqualRuns, baseline: Int, others: Int, repetitions: Int, level: Double = 0.05,
    isOutside: (([[Double]], [[Double]]) -> Bool)? = nil
  ) -> Tally {
    var noise = Noise("departure-\(kind)-\(baseline)-\(others)")
    let rule = DepartureRule(
      steps: steps, scalars: scalars, level: level, persistence: persistence)
    return Tally(
      "a departure in equal sets of \(baseline) and \(others), \(kind.rawValue)",
      repetitions: repetitions
    ) {
      // All runs are drawn, whatever is found, so that repetitions do not depend on each other.
      let found = (0..<scalars).map { _ -> Bool in
        let runs = (0..<(baseline + others)).map { _ in
          kind.course(steps, block: persistence, &noise)
        }
        let (first, rest) = (Array(runs.prefix(baseline)), Array(runs.dropFirst(baseline)))
        return isOutside?(rest, first) ?? (rule.departure(of: rest, from: first) != nil)
      }
      return found.contains(true)
    }
  }

  @Test(
    "In equal sets anything departs at most as often as the rule says, however values hang together",
    arguments: EqualRuns.allCases, [(4, 4), (4, 1), (3, 2)])
  func level(kind: EqualRuns, sizes: (baseline: Int, others: Int)) {
    let tally = Self.falseAlarms(
      kind, baseline: sizes.baseline, others: sizes.others, repetitions: 200)
    #expect(tally.lies(in: 0...0.05), "\(tally)")
  }

  @Test("The level is used up where values stay the same for as long as a departure takes")
  func levelIsReached() {
    let tally = Self.falseAlarms(
      .blocks, baseline: 4, others: 4, repetitions: 400, level: 0.4)
    // 1 - (1 - 0.4/80)^80
    #expect(tally.lies(in: 0.33...0.4), "\(tally)")
  }

  @Test(
    "Outside of mean +/- 2 sd for as long is no departure: equal sets are there most of the time")
  func twoDeviations() {
    func isOutside(_ others: [[Double]], _ baseline: [[Double]]) -> Bool {
      let envelope = TrajectoryEnvelope(baseline, .deviations(2))
      var length = 0
      for place in 0..<Self.steps {
        let value = others[0][place]
        length = value < envelope.lower[place] || value > envelope.upper[place] ? length + 1 : 0
        if length == Self.persistence { return true }
      }
      return false
    }
    let tally = Self.falseAlarms(
      .walk, baseline: 4, others: 1, repetitions: 100, isOutside: isOutside)
    #expect(tally.share > 0.5, "\(tally)")
  }

  @Test("A scalar that goes its own way is found, at the step from which seeds do not explain it")
  func power() throws {
    var noise = Noise("departure-power")
    let rule = DepartureRule(steps: 200, scalars: 10)
    let critical = try #require(rule.criticalValue(steps: 200, baseline: 4, others: 4))
    func runs(_ slope: Double) -> [[Double]] {
      (0..<4).map { _ in (0..<200).map { max(0, Double($0) - 100) * slope + noise.normal() } }
    }
    let baseline = runs(0)
    let found = try #require(rule.departure(of: runs(-1), from: baseline))
    #expect(!found.isAbove)
    // Twice what is needed if the deviations were known.
    let needed = 100 + Int(critical * 0.5.squareRoot())
    #expect((needed / 2 + 50)...(needed + Int(critical)) ~= found.place, "\(found), \(needed)")
    #expect(found.place + found.length <= 200 && found.length >= rule.persistence)
    #expect(try #require(found.deviations) > critical * 0.5.squareRoot())
    #expect(rule.departure(of: runs(0), from: baseline) == nil)
  }

  @Test("What does not differ within sets but between them departs; what stands still does not")
  func still() throws {
    let rule = DepartureRule(steps: 60, scalars: 1)
    let flat = [[Double]](repeating: [Double](repeating: 1, count: 60), count: 3)
    #expect(rule.departure(of: flat, from: flat) == nil)
    let other = [[Double](repeating: 1, count: 20) + [Double](repeating: 2, count: 40)]
    let found = try #require(rule.departure(of: other, from: flat))
    #expect(found.place == 20 && found.length == 40 && found.isAbove && found.deviations == nil)
    #expect(rule.departure(of: other, from: [flat[0]]) == nil, "one run knows no deviation")
    #expect(found.total == 40 && found.isAtEnd)
    // Out, back, out on the other side, and back: the first counts as the departure, and both as time outside.
    let twice =
      [1.0, 1] + [Double](repeating: 3, count: 10) + [Double](repeating: 1, count: 20)
      + [Double](repeating: 0, count: 8) + [Double](repeating: 1, count: 20)
    let both = try #require(rule.departure(of: [twice], from: flat))
    #expect(both.place == 2 && both.length == 10 && both.total == 18 && !both.isAtEnd)
    let gap = [[Double](repeating: .nan, count: 60)]
    #expect(rule.departure(of: gap, from: flat) == nil)
    // Too short a stay outside is none.
    let brief = [[Double](repeating: 1, count: 57) + [2, 2, 2]]
    #expect(rule.departure(of: brief, from: flat) == nil)
  }

  @Test("Places where a run has no value are left out: they neither break a departure nor end one")
  func gaps() throws {
    let rule = DepartureRule(steps: 12, scalars: 1, persistence: 5)
    let baseline = [[Double]](repeating: [Double](repeating: 1, count: 120), count: 3)
    // Recorded at every tenth step, apart from step 60 on; and the same run where it ended at step 100.
    let sparse = (0..<120).map { $0 % 10 > 0 ? Double.nan : $0 < 60 ? 1 : 2 }
    let found = try #require(rule.departure(of: [sparse], from: baseline))
    #expect(found.place == 60 && found.length == 6 && found.total == 6 && found.isAtEnd)
    let ended = sparse.enumerated().map { $0 > 100 ? .nan : $1 }
    let short = try #require(rule.departure(of: [ended], from: baseline))
    #expect(short.place == 60 && short.length == 5 && short.isAtEnd)
    #expect(DepartureRule.comparablePlaces([ended], baseline) == (0...10).map { 10 * $0 })
  }

  /// The sizes that the documentation names.
  @Test("How far apart sets have to lie")
  func sizes() throws {
    let rule = DepartureRule(steps: 2000, scalars: 47)
    #expect(rule.persistence == 100)
    let pair = try #require(rule.criticalValue(steps: 2000, baseline: 4, others: 4))
    #expect(agree(pair * 0.5.squareRoot(), 7.2, tolerance: 0.01))
    let single = try #require(rule.criticalValue(steps: 2000, baseline: 4, others: 1))
    #expect(agree(single * 1.25.squareRoot(), 38.7, tolerance: 0.01))
    #expect(rule.criticalValue(steps: 2000, baseline: 1, others: 4) == nil)
    #expect(rule.criticalValue(steps: 99, baseline: 4, others: 4) == nil)
  }
}
