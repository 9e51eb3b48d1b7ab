// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import RunRecords
import Statistics

/// One run as far as a comparison of scalars needs it.
struct ScalarRun {
  let folder: String
  let record: TrajectoryRecord?
  let float8: [Float8Record]
  /// Where the run is after each recorded step, as the alignment counts.
  let positions: [Double]
  /// The values of parameters that are shown value by value; of others they are made when they are needed.
  private var known: [String: [[Double]]] = [:]

  init(_ folder: String, _ alignment: ScalarComparison.Alignment) throws(RunRecordError) {
    self.folder = folder
    record = try TrajectoryRecord.read(run: folder)
    float8 = try Float8Record.read(run: folder)
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
    return record.header.stages.enumerated().dropFirst().compactMap { stage, found in
      record.steps.firstIndex { $0 >= found.firstStep }.map { (stage, $0) }
    }
  }
}

extension StageAlignment {
  /// The stages of a run; of stages that begin beyond its end nothing is known.
  init(_ header: TrajectoryHeader) {
    let steps = max(1, header.steps)
    let starts = Set(header.stages.map(\.firstStep).filter { $0 > 0 && $0 < steps })
    self.init(starts: [0] + starts.sorted(), steps: steps)
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
