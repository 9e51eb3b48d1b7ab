// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import RunRecords
import Statistics

/// One run as far as a comparison of scalars needs it.
struct ScalarRun {
  let folder: String
  let record: TrajectoryRecord?
  let float8: [Float8Record]
  /// Why nothing is known of an 8-bit head; nil where all could be read.
  let problem: String?
  /// Where the run is after each recorded step, as the alignment counts.
  let positions: [Double]
  /// The values of parameters that are shown value by value; of others they are made when they are needed.
  private var known: [String: [[Double]]] = [:]

  init(_ folder: String, _ alignment: ScalarComparison.Alignment) throws(RunRecordError) {
    self.folder = folder
    record = try TrajectoryRecord.read(run: folder)
    // What was recorded of parameters can be shown whatever became of the metrics.
    do {
      (float8, problem) = (try Float8Record.read(run: folder), nil)
    } catch {
      (float8, problem) = ([], "What an 8-bit head of \(folder) did is left out: \(error)")
    }
    guard let record else {
      positions = []
      return
    }
    let stages = StageAlignment(record.header)
    positions = record.steps.map { step in
      alignment == .step ? Double(step) : stages.position(after: step)
    }
    for parameter in record.parameters where parameter.isShownWhole {
      known[parameter.name] = made(parameter)
    }
  }

  /// All values of a parameter over the recorded steps, one course for each value.
  func courses(_ parameter: TrajectoryHeader.Parameter) -> [[Double]]? {
    known[parameter.name] ?? made(parameter)
  }

  private func made(_ parameter: TrajectoryHeader.Parameter) -> [[Double]]? {
    guard let record, record.course(parameter.name) != nil else { return nil }
    return (0..<parameter.count).map { place in
      record.course(parameter.name, place)?.map(Double.init) ?? []
    }
  }

  /// The place of the first record of each stage but the first, with the stage's number.
  var transitions: [(stage: Int, place: Int)] {
    guard let record else { return [] }
    return record.header.alignedStages.enumerated().dropFirst().compactMap { stage, found in
      record.steps.firstIndex { $0 >= found.firstStep }.map { (stage, $0) }
    }
  }
}

extension TrajectoryHeader {
  /// The stages that runs are aligned by, and between which jumps are looked for; of those beyond the end nothing is known.
  ///
  /// A stage of one step has no course that could lie over another's: it is how a schedule says that one thing changes a step later than
  /// the others. It counts as the first step of the stage after it.
  var alignedStages: [Stage] {
    let inside = stages.filter { $0.firstStep < max(1, steps) }
    var result: [Stage] = []
    var start: Int?
    for (index, stage) in inside.enumerated() {
      let next = index + 1 < inside.count ? inside[index + 1].firstStep : nil
      let first = start ?? stage.firstStep
      if let next, next - stage.firstStep <= 1 {
        start = first
      } else {
        result.append(Stage(name: stage.name, firstStep: first))
        start = nil
      }
    }
    return result
  }

  /// The first steps of these stages but the first.
  var alignedTransitions: [Int] { alignedStages.dropFirst().map(\.firstStep) }
}

extension StageAlignment {
  /// The stages of a run.
  init(_ header: TrajectoryHeader) {
    self.init(starts: [0] + header.alignedTransitions, steps: max(1, header.steps))
  }
}

extension TrajectoryHeader.Parameter {
  /// Parameters of a few numbers that mean something each are shown number by number.
  static let shownScalars = 64
  /// Of others no more than so many.
  static let shownValues = 16

  /// Whether each of its values is a scalar of its own.
  var isShownWhole: Bool { count <= (role == "scalar" ? Self.shownScalars : Self.shownValues) }

  /// Whether its root mean square is shown.
  var hasMeanSquare: Bool { !isShownWhole || (role != "scalar" && count > 1) }

  /// The scalars that are shown of it: names, and values from all its courses.
  var scalars: [(name: String, course: ([[Double]]) -> [Double])] {
    var result: [(name: String, course: ([[Double]]) -> [Double])] = []
    if hasMeanSquare { result.append(("\(name), root mean square", Self.meanSquare)) }
    if isShownWhole {
      result += (0..<count).map { place in (valueName(place), { $0[place] }) }
    }
    return result
  }

  private static func meanSquare(_ courses: [[Double]]) -> [Double] {
    guard let first = courses.first else { return [] }
    return first.indices.map { index in
      var sum = 0.0
      for course in courses { sum += course[index] * course[index] }
      return (sum / Double(courses.count)).squareRoot()
    }
  }
}
