// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import RandomStreams
import RunRecords
import Testing

@testable import Comparison

private let beta = "optimizer.beta1"

private func axis(_ values: [Double], arms: [String]) -> StudyRecord.Axis {
  StudyRecord.Axis(
    name: "momentum", keys: Dictionary(uniqueKeysWithValues: arms.map { ($0, [beta]) }),
    grids: Dictionary(uniqueKeysWithValues: arms.map { ($0, values.map { .number($0) }) }),
    isLogarithmic: false, isAutomatic: false, extensionFactor: 1)
}

private func sweep(
  _ name: String, _ key: String, _ values: StudyRecord.Sweep.Values, arms: [String] = ["a", "b"],
  seeds: Int = 2
) -> StudyRecord.Sweep {
  StudyRecord.Sweep(
    name: name, keys: Dictionary(uniqueKeysWithValues: arms.map { ($0, [key]) }), values: values,
    variants: ["main"], seedCount: seeds, isLogarithmic: false)
}

@Suite struct StudyProtocolTests {
  let surface = LossSurface(optimum: ["a": 0.02, "b": 0.3], noise: 0.003)
  /// Everything a study can have, small.
  let study = simulatedStudy(
    grids: ["a": halfDecades(from: 1e-3, 4), "b": halfDecades(from: 1e-3, 5)],
    axes: [axis([0.8, 0.9, 0.95], arms: ["a"])],
    sweeps: [
      sweep("rate", LossSurface.rate, .factors([0.1, 1, 10])),
      sweep("momentum", beta, .absolute([.number(0.5), .number(0.9)])),
    ],
    targets: .init(losses: [3.2], includesBaseline: true, ladder: [0.5, 0.8, 1], seedCount: 2),
    stopping: .init(divergenceMargin: nil, races: true, auditShare: 0.3),
    defaults: [beta: .number(0.9)])

  // MARK: - Seeds

  @Test func tuningTakesTuningSeedsAndNothingElseTakesThem() throws {
    var results: [TrialResult] = []
    while true {
      let progress = try StudyProtocol.next(study, results)
      if progress.isComplete { break }
      for (point, isTuning) in progress.needed.map({ ($0, progress.tuned.isEmpty) }) {
        #expect(point.seed.purpose == (isTuning ? .tuning : .reporting))
        #expect((isTuning ? [101, 102] : [1, 2, 3]).contains(point.seed.initial))
      }
      results += progress.needed.map { surface.result($0) }
    }
  }

  @Test func whatReportingSeedsShowNeverChangesWhatIsTuned() throws {
    let finished = try run(study, surface)
    let upside = finished.results.map { result in
      guard result.point.seed.purpose == .reporting else { return result }
      return TrialResult(
        point: result.point, identity: result.identity, status: .finished, steps: 100,
        finalNumbers: ["validationLoss": 6 - (result.finalLoss ?? 0)],
        evaluations: result.evaluations)
    }
    #expect(try StudyProtocol.next(study, upside).tuned == finished.progress.tuned)
  }

  @Test func onlyResultsOfTheRightKindCountAsReportingOrTuning() throws {
    let seeds = try StudySeeds(study)
    func result(_ seed: TrialSeed, isAudit: Bool = false) -> TrialResult {
      surface.result(
        TrialPoint(variant: "main", arm: "a", seed: seed, knobs: [:]), isAudit: isAudit)
    }
    #expect(seeds.reporting(result(TrialSeed(.reporting, 2)))?.seed.number == 2)
    #expect(seeds.tuning(result(TrialSeed(.tuning, 101)))?.seed.number == 101)
    #expect(seeds.reporting(result(TrialSeed(.tuning, 101))) == nil)
    #expect(seeds.reporting(result(TrialSeed(.tuning, 2))) == nil)
    #expect(seeds.tuning(result(TrialSeed(.reporting, 2))) == nil)
    #expect(seeds.reporting(result(TrialSeed(.calibration, 2))) == nil)
    #expect(seeds.reporting(result(TrialSeed(.reporting, 9))) == nil)
    #expect(seeds.reporting(result(TrialSeed(.reporting, 2), isAudit: true)) == nil)
  }

  @Test(arguments: [([1, 2], [2, 3]), ([1, 1], [2]), ([9], [3, 3])])
  func aSeedThatServesTwiceIsRefused(tuning: [Int], reporting: [Int]) {
    let study = simulatedStudy(
      grids: ["a": [0.1]], tuningSeeds: tuning, reportingSeeds: reporting)
    #expect(throws: ProtocolError.self) { try StudyProtocol.next(study, []) }
  }

  // MARK: - Resumption

  @Test(arguments: [UInt64](1...6))
  func aStudyGoesOnFromAnyPartOfItsTrials(seed: UInt64) throws {
    let whole = try run(study, surface)
    let stream = RandomStream(seed: seed, name: "kept")
    let share = Double(seed) / 7
    let kept = whole.results.enumerated().filter { stream.uniform(at: $0.offset) < share }
      .map(\.element)
    let needed = try StudyProtocol.next(study, kept).needed
    #expect(Set(needed).isDisjoint(with: kept.map(\.point)))
    #expect(Set(needed).isSubset(of: whole.points))
    let resumed = try run(study, from: kept, batch: 3, surface)
    #expect(Set(resumed.points) == Set(whole.points))
    #expect(resumed.results.count == whole.results.count)
    #expect(resumed.progress == whole.progress)
  }

  @Test func theOrderOfResultsChangesNothing() throws {
    let whole = try run(study, surface)
    for part in [20, 47, whole.results.count] {
      let results = Array(whole.results.prefix(part))
      let forward = try StudyProtocol.next(study, results)
      #expect(try StudyProtocol.next(study, results.reversed()) == forward)
      #expect(try StudyProtocol.next(study, results.shuffled(seed: 3)) == forward)
    }
  }

  @Test func nothingIsAskedForTwice() throws {
    let points = try run(study, batch: 1, surface).points
    #expect(Set(points).count == points.count)
  }

  @Test(arguments: [RunOutcome.Status.running, .interrupted, .failed])
  func aTrialThatDidNotEndIsNeededAgain(status: RunOutcome.Status) throws {
    let first = try StudyProtocol.next(study, []).needed
    let results = first.enumerated().map { index, point in
      index != 4
        ? surface.result(point)
        : TrialResult(
          point: point, identity: "x", status: status, steps: 40,
          evaluations: [.init(step: 0, loss: 6)])
    }
    #expect(try StudyProtocol.next(study, results).needed == [first[4]])
  }

  @Test func trialsOfNoUseAreLeftAlone() throws {
    let whole = try run(study, surface)
    let stranger = TrialPoint(
      variant: "main", arm: "nobody", seed: TrialSeed(.reporting, 1), knobs: [:])
    let copy = TrialResult(
      point: whole.results[0].point, identity: "zzz", status: .finished, steps: 1,
      finalNumbers: ["validationLoss": 0], evaluations: [])
    let more = whole.results + [surface.result(stranger), copy]
    #expect(try StudyProtocol.next(study, more) == whole.progress)
  }

  // MARK: - Other knobs

  @Test func aBetterValueOfAnotherKnobIsTakenAndTheRateLookedAtAgain() throws {
    var steep = surface
    (steep.others, steep.noise) = ([beta: (0.95, 4)], 1e-3)
    let study = simulatedStudy(
      grids: ["a": halfDecades(from: 1e-3, 5), "b": halfDecades(from: 1e-3, 5)],
      tuningSeeds: [101, 102, 103], axes: [axis([0.8, 0.9, 0.95], arms: ["a"])],
      defaults: [beta: .number(0.9)])
    let finished = try run(study, steep)
    let (a, b) = try (
      #require(finished.progress.tuned[ArmInVariant(arm: "a", variant: "main")]),
      #require(finished.progress.tuned[ArmInVariant(arm: "b", variant: "main")])
    )
    #expect(a.moves.map(\.isAccepted) == [true])
    #expect(a.knobs[beta] == .number(0.95))
    #expect(abs(a.moves[0].gain - 0.2) < 0.01)
    #expect(b.moves.isEmpty)
    #expect(b.knobs[beta] == .number(0.9))
    #expect(a.trials == b.trials)
    let rates = Set(
      a.history.filter { $0.knobs[beta] == .number(0.95) }.map { $0.knobs[LossSurface.rate] })
    #expect(rates.count == 3)
  }

  @Test func aValueThatIsBetterByNoiseOnlyIsNotTaken() throws {
    var taken = 0
    for seed in UInt64(1)...20 {
      var flat = surface
      (flat.noise, flat.seed) = (0.02, seed)
      let study = simulatedStudy(
        grids: ["a": halfDecades(from: 1e-3, 5)], tuningSeeds: [101, 102, 103],
        reportingSeeds: [1], axes: [axis([0.8, 0.9], arms: ["a"])],
        defaults: [beta: .number(0.9)])
      let cell = try run(study, flat).progress.tuned[ArmInVariant(arm: "a", variant: "main")]
      if cell?.knobs[beta] != .number(0.9) { taken += 1 }
    }
    // 5 % of 20; the chosen cell was selected for its noise, which makes it rarer still.
    #expect(taken <= 3)
  }

  // MARK: - After tuning

  @Test func sweepsTurnAroundTheTunedCellAndShareItsTrials() throws {
    let finished = try run(study, surface)
    let plan = try StudyPlan(study)
    for name in plan.cells {
      let tuned = try #require(finished.progress.tuned[name])
      let cells = plan.sweepCells(study.sweeps[0], name, tuned: tuned.knobs)
      let center = try #require(tuned.knobs[LossSurface.rate]?.number)
      #expect(cells.map(\.factor) == [0.1, 1, 10])
      #expect(cells[1].knobs == tuned.knobs)
      #expect(abs((cells[2].value.number ?? 0) / center - 10) < 0.01)
      for cell in cells {
        let seeds = finished.points.filter {
          $0.arm == name.arm && $0.knobs == cell.knobs && $0.seed.purpose == .reporting
            && $0.horizon == 1
        }.map(\.seed.initial)
        #expect(seeds.sorted() == (cell.factor == 1 ? [1, 2, 3] : [1, 2]))
      }
    }
  }

  @Test func theLadderClimbsAtTheTunedCell() throws {
    let finished = try run(study, surface)
    for (name, cell) in finished.progress.tuned {
      for horizon in [0.5, 0.8] {
        let rung = finished.points.filter { $0.arm == name.arm && $0.horizon == horizon }
        #expect(rung.map(\.seed.initial).sorted() == [1, 2])
        #expect(rung.allSatisfy { $0.knobs == cell.knobs })
      }
    }
    #expect(finished.points.allSatisfy { $0.horizon == 1 || $0.seed.purpose == .reporting })
  }

  @Test func withoutTuningArmsRunAsDeclared() throws {
    var plain = study
    plain.tuning = nil
    plain.sweeps = []
    plain.targets = nil
    let finished = try run(plain, surface)
    #expect(finished.points.count == 6)
    #expect(finished.points.allSatisfy { $0.knobs == plain.arms[0].defaults })
    #expect(finished.progress.tuned.isEmpty)
  }

  // MARK: - Audits

  @Test func aShareOfStoppedTrialsIsRunAgainAndDecidesNothing() throws {
    let stopping = simulatedStudy(
      grids: ["a": halfDecades(from: 1e-4, 9), "b": halfDecades(from: 1e-4, 9)],
      variants: (1...6).map { "v\($0)" },
      stopping: .init(divergenceMargin: nil, races: true, auditShare: 0.25))
    func trial(_ point: TrialPoint, _ isAudit: Bool) -> TrialResult {
      let result = surface.result(point, isAudit: isAudit)
      let isLost = point.seed.purpose == .tuning && (result.cappedLoss ?? 0) > 3.3
      guard isLost, !isAudit else { return result }
      return TrialResult(
        point: point, identity: result.identity, status: .stopped, steps: 10,
        evaluations: [.init(step: 0, loss: 6), .init(step: 10, loss: 5)])
    }
    let finished = try run(stopping, trial)
    let stopped = finished.results.filter { $0.status == .stopped }
    let audits = finished.results.filter(\.isAudit)
    #expect(stopped.count > 50)
    // Four standard deviations of a binomial count.
    let expected = 0.25 * Double(stopped.count)
    #expect(abs(Double(audits.count) - expected) < 4 * (expected * 0.75).squareRoot())
    #expect(Set(audits.map(\.point)).isSubset(of: stopped.map(\.point)))
    let without = try StudyProtocol.next(stopping, finished.results.filter { !$0.isAudit })
    #expect(without.tuned == finished.progress.tuned)
    #expect(without.needed.isEmpty)
    #expect(Set(without.audits) == Set(audits.map(\.point)))
    #expect(without.phases.values.contains(.audit))
  }

  @Test func aCertifiedDivergenceCountsAsStoppedAndAnInfiniteLossDoesNot() {
    var rule = study
    rule.stopping = .init(divergenceMargin: 1, races: false, auditShare: 1)
    func ended(_ losses: [Double]) -> TrialResult {
      TrialResult(
        point: TrialPoint(
          variant: "main", arm: "a", seed: TrialSeed(.tuning, 101), knobs: [:]), identity: "",
        status: .diverged, steps: 10,
        evaluations: losses.enumerated().map { .init(step: $0.offset, loss: $0.element) })
    }
    #expect(StudyProtocol.wasStoppedByRule(ended([6, 8, 8, 8]), of: rule))
    #expect(!StudyProtocol.wasStoppedByRule(ended([6, 8, 8, .infinity]), of: rule))
    #expect(!StudyProtocol.wasStoppedByRule(ended([6, 8, 6.5, 8]), of: rule))
    #expect(!StudyProtocol.wasStoppedByRule(ended([6, 8, 8]), of: rule))
    #expect(ended([6, 8, 8, 8]).cappedLoss == 6)
  }

  // MARK: - Price

  @Test(arguments: [UInt64](1...8))
  func theNumberOfTrialsLiesWithinItsBounds(seed: UInt64) throws {
    let stream = RandomStream(seed: seed, name: "study")
    func choice(_ count: Int, _ index: Int) -> Int {
      Int(stream.uniform(at: index) * Double(count))
    }
    let study = simulatedStudy(
      grids: [
        "a": halfDecades(from: 1e-3, 3 + choice(5, 0)),
        "b": halfDecades(from: 1e-3, 3 + choice(5, 1)),
      ],
      tuningSeeds: Array(101...(101 + choice(3, 2))), extensions: choice(5, 3),
      refines: choice(2, 4) == 1,
      axes: choice(2, 5) == 1 ? self.study.tuning.map { [$0.axes[1]] } ?? [] : [],
      sweeps: self.study.sweeps, targets: self.study.targets, defaults: [beta: .number(0.9)])
    var surface = LossSurface(
      optimum: ["a": 0.02, "b": [1e-4, 0.03, 10][choice(3, 6)]], noise: 0.01)
    surface.others = [beta: (0.8, 3)]
    let estimate = try StudyProtocol.estimate(study)
    let finished = try run(study, surface)
    let count = finished.results.count
    #expect(
      estimate.total.least <= count && count <= estimate.total.most,
      "\(count) trials, \(estimate.total)")
    #expect(
      estimate.total.least <= estimate.total.expected
        && estimate.total.expected <= estimate.total.most)
    for arm in ["a", "b"] {
      let tuned = finished.points.count { $0.arm == arm && $0.seed.purpose == .tuning }
      let bounds = [StudyPhase.coarse, .extending, .refining, .axes].map { phase in
        estimate.entries.filter { $0.phase == phase && $0.arm == arm }
          .reduce(TrialCount(0)) { $0 + $1.trials }
      }.reduce(TrialCount(0), +)
      #expect(bounds.least <= tuned && tuned <= bounds.most, "\(arm): \(tuned), \(bounds)")
    }
    let progress = try StudyProtocol.next(study, Array(finished.results.prefix(12)))
    #expect(progress.endedCount == 12)
    #expect(progress.expectedTotal.least <= count && count <= progress.expectedTotal.most)
  }

  @Test func aStudyWithoutTuningHasAnExactPrice() throws {
    var plain = study
    plain.tuning = nil
    plain.stopping = .init(divergenceMargin: nil, races: false, auditShare: 0)
    let total = try StudyProtocol.estimate(plain).total
    #expect(total.least == total.most)
    #expect(try run(plain, surface).results.count == total.least)
  }
}

extension Array {
  /// The elements in an order that depends on the seed only.
  fileprivate func shuffled(seed: UInt64) -> [Element] {
    let stream = RandomStream(seed: seed, name: "order")
    return enumerated().sorted { stream.uint64(at: $0.offset) < stream.uint64(at: $1.offset) }
      .map(\.element)
  }
}
