// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import RunRecords
import Statistics

extension ScalarComparison {
  /// Values on either side of a transition that make a jump.
  static let jumpWindow = 5

  /// Lays runs over each other.
  ///
  /// - Parameters:
  ///   - arms: runs that differ in nothing but seeds, together; names differ.
  ///   - baseline: the arm that the others are compared with; nil: none.
  ///   - alignment: how runs are placed over each other.
  ///   - level: the chance that anything departs in equal sets, in all arms' scalars together, arm by arm.
  /// - Throws: ``ComparisonError`` when runs have different numbers of stages and are to be aligned by them; `RunRecordError` when a
  ///   run cannot be read.
  public init(
    arms: [Arm], baseline: String?, alignment: Alignment = .step, level: Double = 0.05
  ) throws {
    var runs: [String: [ScalarRun]] = [:]
    var (kept, found): ([Arm], [String]) = ([], [])
    for arm in arms {
      let (own, copies) = try arm.withoutCopies(alignment)
      runs[arm.name] = own
      kept.append(Arm(name: arm.name, folders: own.map(\.folder)))
      found += copies + own.compactMap(\.problem)
    }
    self.alignment = alignment
    self.arms = kept
    self.baseline = baseline
    notes = found
    transitionsDiffer = false
    let all = kept.flatMap { runs[$0.name] ?? [] }
    if alignment == .stage { try Self.requireSameStages(all) }
    let first = (baseline.flatMap { runs[$0] } ?? all).first { $0.record != nil }
    (transitions, pauses) = first?.record.map { Self.marks($0.header, alignment) } ?? ([], [])
    positions = Self.positions(all.map(\.positions), alignment)

    let making = Making(
      arms: kept, baseline: baseline, runs: runs, positions: positions, alignment: alignment)
    scalars = making.scalars()
    let family = scalars.count { scalar in scalar.courses.contains { $0.arm == baseline } }
    let hasBaseline = (baseline.flatMap { runs[$0]?.count } ?? 0) >= 2
    let rule =
      hasBaseline && family > 0 && arms.count > 1
      ? DepartureRule(steps: positions.count, scalars: family, level: level) : nil
    self.rule = rule
    let (left, gaps) = rule.map(making.departures) ?? ([], [])
    departures = left
    notes += gaps
    roughness = making.roughness()
    let spaced = kept.map(\.name).filter { !making.isSpacedAsBaseline($0) }
    if !spaced.isEmpty {
      notes.append(
        "Recorded at other distances than the baseline: \(spaced.joined(separator: ", ")). Second differences over more steps are "
          + "larger: their roughness is not put in relation to the baseline's.")
    }
    jumps = making.jumps()
    norms = making.norms()
    numbers = making.numbers()
    float8 = making.float8()

    let silent = all.filter { $0.record == nil }.map(\.folder)
    if !silent.isEmpty {
      notes.append(
        "Without a record of trajectories (metrics.trajectories): \(silent.joined(separator: ", "))."
      )
    }
    if baseline != nil, !hasBaseline, arms.count > 1 {
      notes.append(
        "The baseline has fewer than two runs: how much seeds differ is not known, and no departure can be told from chance."
      )
    }
    let headers = all.compactMap(\.record).map(\.header)
    transitionsDiffer = Set(headers.map(\.alignedTransitions)).count > 1
    if alignment == .step, transitionsDiffer {
      notes.append(
        "The runs have transitions at different steps; those of \(baseline ?? arms.first?.name ?? "") are marked. Aligned by stage they "
          + "lie over each other.")
    }
  }

  private static func requireSameStages(_ runs: [ScalarRun]) throws(ComparisonError) {
    let counted = runs.compactMap { run in
      run.record.map { (run.folder, StageAlignment($0.header).starts.count) }
    }
    guard let first = counted.first, let other = counted.first(where: { $0.1 != first.1 }) else {
      return
    }
    throw ComparisonError(
      .ambiguousRuns,
      "\(first.0) has \(first.1) stages and \(other.0) has \(other.1), those of one step counted with the next: they cannot be "
        + "aligned by stage; align them by step"
    )
  }

  private static func marks(
    _ header: TrajectoryHeader, _ alignment: Alignment
  ) -> (transitions: [Mark], pauses: [Mark]) {
    let stages = StageAlignment(header)
    // A step's value is what comes after it, so what begins with a step begins after the step before.
    func place(_ step: Int) -> Double {
      alignment == .step ? Double(step) - 0.5 : step > 0 ? stages.position(after: step - 1) : 0
    }
    let transitions = header.alignedStages.dropFirst().map {
      Mark(start: place($0.firstStep), name: $0.name)
    }
    let pauses = header.pauses.map {
      Mark(start: place($0.from), end: place(min($0.to, header.steps)), name: $0.group)
    }
    return (transitions, pauses)
  }

  private static func positions(_ runs: [[Double]], _ alignment: Alignment) -> [Double] {
    let runs = runs.filter { !$0.isEmpty }
    guard let first = runs.first else { return [] }
    if runs.allSatisfy({ $0 == first }) { return first }
    return alignment == .step ? Set(runs.joined()).sorted() : StageAlignment.grid(runs)
  }
}

/// The parts of a comparison, from runs that were read.
private struct Making {
  let arms: [ScalarComparison.Arm]
  let baseline: String?
  let runs: [String: [ScalarRun]]
  let positions: [Double]
  let alignment: ScalarComparison.Alignment

  private func runs(_ arm: String) -> [ScalarRun] { (runs[arm] ?? []).filter { $0.record != nil } }

  /// The parameters that any run recorded, in the order of the first that has them.
  private func parameters(
    _ list: (TrajectoryRecord) -> [TrajectoryHeader.Parameter]
  ) -> [TrajectoryHeader.Parameter] {
    var result: [TrajectoryHeader.Parameter] = []
    for record in arms.flatMap({ runs($0.name) }).compactMap(\.record) {
      for parameter in list(record) where !result.contains(where: { $0.name == parameter.name }) {
        result.append(parameter)
      }
    }
    return result
  }

  /// A run's values at the positions of the comparison; NaN where it has none.
  private func placed(_ values: [Double], _ run: ScalarRun) -> [Double] {
    if run.positions == positions { return values }
    let last = run.positions.last ?? 0
    if alignment == .step {
      let known = Dictionary(zip(run.positions, values), uniquingKeysWith: { $1 })
      return positions.map { known[$0] ?? .nan }
    }
    let resampled = StageAlignment.resample(values, at: run.positions, to: positions)
    // Nothing is made up beyond the end of a run.
    return zip(positions, resampled).map { $0 > last + 1e-9 ? .nan : $1 }
  }

  /// The values of one scalar in the runs of an arm, placed.
  private func placed(
    _ parameter: TrajectoryHeader.Parameter, _ course: ([[Double]]) -> [Double], _ arm: String
  ) -> [[Double]] {
    runs(arm).compactMap { run in
      run.courses(parameter).map { placed(course($0), run) }
    }
  }

  func scalars() -> [ScalarComparison.Scalar] {
    parameters(\.parameters).flatMap { parameter in
      parameter.scalars.map { name, course in
        ScalarComparison.Scalar(
          name: name, parameter: parameter,
          courses: arms.compactMap { arm in
            let values = placed(parameter, course, arm.name)
            return values.isEmpty
              ? nil : .init(arm: arm.name, envelope: TrajectoryEnvelope(values))
          })
      }
    }
  }

  /// First departures, the earliest first; and what could not be compared.
  func departures(
    _ rule: DepartureRule
  ) -> (departures: [ScalarComparison.ArmDeparture], notes: [String]) {
    guard let baseline else { return ([], []) }
    var result: [ScalarComparison.ArmDeparture] = []
    var compared: [String: [Int]] = [:]
    for parameter in parameters(\.parameters) {
      for (name, course) in parameter.scalars {
        let expected = placed(parameter, course, baseline)
        for arm in arms where arm.name != baseline {
          let found = placed(parameter, course, arm.name)
          if found.isEmpty || expected.isEmpty { continue }
          let count = DepartureRule.comparablePlaces(found, expected).count
          compared[arm.name, default: []].append(count)
          // A twentieth of what is compared, as where nothing is missing.
          var own = rule
          own.persistence = DepartureRule.persistence(steps: count)
          guard let departure = own.departure(of: found, from: expected) else { continue }
          result.append(
            .init(
              arm: arm.name, scalar: name, position: positions[departure.place],
              departure: departure))
        }
      }
    }
    let sorted = result.enumerated().sorted {
      ($0.element.position, $0.offset) < ($1.element.position, $1.offset)
    }.map(\.element)
    return (
      sorted, arms.compactMap { arm in compared[arm.name].flatMap { note(on: arm.name, $0) } }
    )
  }

  /// What is said where not all places of an arm's scalars can be compared.
  private func note(on arm: String, _ counts: [Int]) -> String? {
    guard let least = counts.min(), let most = counts.max(), least < positions.count else {
      return nil
    }
    let range = least == most ? "\(least)" : "\(least) to \(most)"
    let rows = Set([least, most].map(DepartureRule.persistence)).sorted().map(String.init)
    let rest =
      most < DepartureRule.persistence(steps: most)
      ? "too few to tell a departure"
      : "a departure takes \(rows.joined(separator: " to ")) of them in a row"
    return
      "\(arm) is compared with the baseline only where all runs of both have finite values: at \(range) of \(positions.count) "
      + "places; \(rest). The others are left out."
  }

  /// Whether an arm's runs have as many steps between two records as the baseline's; true without a baseline.
  func isSpacedAsBaseline(_ arm: String) -> Bool {
    func spacing(_ arm: String) -> Set<Int> {
      Set(runs(arm).compactMap { $0.record?.header.every })
    }
    guard let baseline, !spacing(arm).isEmpty, !spacing(baseline).isEmpty else { return true }
    return spacing(arm) == spacing(baseline)
  }

  func roughness() -> [ScalarComparison.RoughnessRow] {
    parameters(\.parameters).flatMap { parameter -> [ScalarComparison.RoughnessRow] in
      var rows = arms.compactMap { arm -> ScalarComparison.RoughnessRow? in
        let courses = runs(arm.name).compactMap { $0.courses(parameter) }
        if courses.isEmpty { return nil }
        return .init(
          parameter: parameter.name, arm: arm.name,
          everyStep: Estimate(courses.compactMap(Roughness.secondDifferences), level: 0.95),
          updates: Estimate(courses.compactMap(Roughness.secondDifferencesOfUpdates), level: 0.95))
      }
      let expected = rows.first { $0.arm == baseline }?.updates.value
      for index in rows.indices where isSpacedAsBaseline(rows[index].arm) {
        guard let expected, expected > 0, let own = rows[index].updates.value else { continue }
        rows[index].ratio = own / expected
      }
      return rows
    }
  }

  func jumps() -> [ScalarComparison.JumpRow] {
    parameters(\.parameters).flatMap { parameter in
      parameter.scalars.flatMap { name, course in
        arms.flatMap { arm in jumps(parameter, name, course, arm.name) }
      }
    }
  }

  private func jumps(
    _ parameter: TrajectoryHeader.Parameter, _ name: String, _ course: ([[Double]]) -> [Double],
    _ arm: String
  ) -> [ScalarComparison.JumpRow] {
    let runs = runs(arm)
    guard let stages = runs.first?.record?.header.alignedStages else { return [] }
    var found: [Int: [TransitionJump]] = [:]
    for run in runs {
      guard let courses = run.courses(parameter) else { continue }
      let transitions = run.transitions
      let jumps = TransitionJump.all(
        course(courses), at: transitions.map(\.place), window: ScalarComparison.jumpWindow)
      for jump in jumps {
        guard let stage = transitions.first(where: { $0.place == jump.place })?.stage else {
          continue
        }
        found[stage, default: []].append(jump)
      }
    }
    return found.sorted { $0.key < $1.key }.compactMap { stage, jumps in
      guard stages.indices.contains(stage) else { return nil }
      let unusual = jumps.compactMap(\.unusual)
      return .init(
        scalar: name, arm: arm,
        transition: "\(stages[stage - 1].name) \u{2192} \(stages[stage].name)",
        step: stages[stage].firstStep, size: Sample(jumps.map(\.size)).mean ?? 0,
        unusual: unusual.count == jumps.count ? Sample(unusual).mean : nil)
    }
  }

  func norms() -> [ScalarComparison.Norm] {
    parameters(\.summarized).compactMap { parameter in
      let records = arms.map { arm in (arm.name, runs(arm.name).compactMap(\.record)) }
      let steps = Set(records.flatMap(\.1).flatMap(\.summarySteps)).sorted()
      func courses(_ statistic: String) -> [ScalarComparison.Course] {
        records.compactMap { arm, records in
          let rows = records.compactMap { record -> [Double]? in
            guard let found = record.summary(parameter.name, statistic) else { return nil }
            let known = Dictionary(zip(record.summarySteps, found), uniquingKeysWith: { $1 })
            return steps.map { known[$0].map(Double.init) ?? .nan }
          }
          return rows.isEmpty ? nil : .init(arm: arm, envelope: TrajectoryEnvelope(rows))
        }
      }
      let norms = courses("norm")
      if norms.isEmpty || steps.count < 2 { return nil }
      return .init(
        parameter: parameter, steps: steps, courses: norms,
        quantiles: TrajectoryHeader.summaryNames.filter { $0 != "norm" }.map {
          .init(name: $0, courses: courses($0))
        })
    }
  }

  /// The numbers that steps were made with, in the order of the first run that has them.
  func numbers() -> [ScalarComparison.Number] {
    var names: [String] = []
    for record in arms.flatMap({ runs($0.name) }).compactMap(\.record) {
      for name in record.header.numbers where !names.contains(name) { names.append(name) }
    }
    return names.map { name in
      .init(
        name: name,
        courses: arms.compactMap { arm in
          let rows = runs(arm.name).compactMap { run in
            run.record?.number(name).map { placed($0.map(Double.init), run) }
          }
          return rows.isEmpty ? nil : .init(arm: arm.name, envelope: TrajectoryEnvelope(rows))
        })
    }
  }

  func float8() -> [ScalarComparison.Float8Course] {
    arms.flatMap { arm in
      Float8Record.Tensor.allCases.compactMap { tensor in
        var found: [Int: [Float8Record.Measurement]] = [:]
        for record in (runs[arm.name] ?? []).flatMap(\.float8) {
          if let own = record.tensors[tensor] { found[record.step, default: []].append(own) }
        }
        let steps = found.keys.sorted()
        guard let limit = steps.first.flatMap({ found[$0]?.first?.limit }) else { return nil }
        func mean(_ value: (Float8Record.Measurement) -> Double) -> [Double] {
          steps.map { Sample((found[$0] ?? []).map(value)).mean ?? .nan }
        }
        return .init(
          arm: arm.name, tensor: tensor, limit: limit, steps: steps, scale: mean(\.scale),
          saturated: mean(\.saturated),
          quantiles: Float8Record.shares.indices.map { row in mean { $0.quantiles[row] } })
      }
    }
  }
}
