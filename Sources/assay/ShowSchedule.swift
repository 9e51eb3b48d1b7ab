// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Charts
import Foundation
import Schedules
import Training

/// `assay show schedule`.
struct ShowSchedule: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schedule",
    abstract:
      "Shows what changes in the course of a run: learning rate, other scalars, stages, pauses.",
    discussion: """
      Prints the steps at which something changes; smooth curves are shortened to five points, except with --csv and \
      --json. Any key can be given as --section.key=value.
      """)

  @Argument(help: ArgumentHelp("A TOML file, or the name of a preset.", valueName: "config"))
  var path: String

  @OptionGroup var overrides: Overrides

  @Option(
    name: .customLong("svg"),
    help: ArgumentHelp("A file for a drawing of it all.", valueName: "file.svg"))
  var image: String?

  @Flag(help: "Print one JSON object.")
  var json = false

  @Flag(
    help: "Print what happens when, tokens, and updates of every group; with --json as one object.")
  var events = false

  @Flag(help: "Print comma-separated values, one line for each step at which something changes.")
  var csv = false

  func validate() throws {
    if json, csv { throw ValidationError("--json and --csv exclude each other; choose one") }
    if events, csv { throw ValidationError("--events and --csv exclude each other; choose one") }
  }

  func run() throws {
    let configuration = try TrainingConfiguration(overrides.source(path))
    let courses = ScheduleCourses(
      run: configuration.schedule.run, learningRate: try configuration.learningRateSchedule(),
      untie: configuration.schedule.untie)
    if events {
      let events = try RunEvents(configuration)
      if json { try Console.json(events) } else { Console.data(events.table) }
    } else if json {
      try Console.json(courses.document)
    } else if csv {
      Console.write(courses.csv)
    } else {
      Console.data(courses.text)
    }
    guard let image else { return }
    let title = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    do {
      try Data(courses.svg(title: "Schedule of \(title)").utf8).write(
        to: URL(fileURLWithPath: image), options: .atomic)
    } catch {
      throw CommandFailure(
        .failed, "cannot write \(image): \(error.localizedDescription); choose another --svg")
    }
    Console.say("wrote \(image)")
  }
}

/// A run's schedule in the forms in which it is shown.
private struct ScheduleCourses {
  /// A scalar over the run.
  struct Course {
    let name: String
    let group: String?
    let schedule: Schedule

    /// `momentum`, or `momentum[scalars]`.
    var title: String { name + (group.map { "[\($0)]" } ?? "") }
  }

  let run: RunSchedule
  let courses: [Course]
  /// When tokens get a table of their own; nil: never, or from the first step.
  let untie: UntieSettings?

  init(run: RunSchedule, learningRate: Schedule, untie: UntieSettings?) {
    self.run = run
    self.untie = untie
    courses =
      [Course(name: ScheduledScalar.learningRate, group: nil, schedule: learningRate)]
      + run.scalars.map { Course(name: $0.name, group: $0.group, schedule: $0.schedule) }
  }

  /// The groups that are left alone at a step.
  private func paused(at step: Int) -> String {
    run.pausedGroups.filter { run.isPaused($0, at: step) }.joined(separator: " ")
  }

  // MARK: - For people

  /// The steps around everything that happens and three in between, without those at which nothing is new.
  private var tableSteps: [Int] {
    let marks = run.landmarks
    var steps: Set<Int> = [0]
    for (mark, next) in zip(marks, marks.dropFirst()) {
      steps.insert(next)
      for quarter in 1...3 { steps.insert(mark + (next - mark) * quarter / 4) }
    }
    var shown: [Int] = []
    for step in steps.sorted() {
      let isNew = shown.last.map { last in
        run.stage(at: step) != run.stage(at: last) || paused(at: step) != paused(at: last)
          || courses.contains { $0.schedule.value(at: step) != $0.schedule.value(at: last) }
      }
      if isNew ?? true { shown.append(step) }
    }
    return shown
  }

  /// The numbers at the steps that tell them all.
  var table: String {
    let hasPauses = !run.pauses.isEmpty
    var table = Table(
      [("step", .right)] + courses.map { ($0.title, .right) } + [("stage", .left)]
        + (hasPauses ? [("paused", .left)] : []))
    for step in tableSteps {
      table.add(
        [Numbers.grouped(step)]
          + courses.map { String(format: "%.6g", $0.schedule.value(at: step)) }
          + [run.stage(at: step)] + (hasPauses ? [paused(at: step)] : []))
    }
    return table.text
  }

  /// The table, and a line for each way in which a group is left alone and for the untying.
  var text: String {
    var lines = run.pausedGroups.flatMap { group in
      let spans = run.pauseSpans(of: group)
      return SchedulePause.Mode.allCases.compactMap { mode -> String? in
        let steps = spans.filter { $0.mode == mode }.map {
          "\(Numbers.grouped($0.steps.lowerBound)) to \(Numbers.grouped($0.steps.upperBound - 1))"
        }
        let what =
          mode == .hold ? "makes no updates" : "makes updates with gradients of zero"
        return steps.isEmpty
          ? nil
          : "pause (\(mode.rawValue)): group '\(group)' \(what) at steps "
            + steps.joined(separator: ", ")
      }
    }
    if let untie {
      lines.append(
        "untie_at \(Numbers.grouped(untie.step)) (\(untie.state.rawValue)): \(untie.words)")
    }
    return lines.isEmpty ? table : ([table, ""] + lines).joined(separator: "\n")
  }

  // MARK: - For programs

  /// One line for each step at which something changes, with all digits.
  var csv: String {
    func field(_ text: String) -> String {
      text.contains { ",\"\n\r".contains($0) }
        ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : text
    }
    func digits(_ value: Double) -> String { Int(exactly: value).map(String.init) ?? "\(value)" }
    var lines = [(["step"] + courses.map { field($0.title) } + ["stage", "paused"])]
    for step in run.changes {
      lines.append(
        ["\(step)"] + courses.map { digits($0.schedule.value(at: step)) }
          + [field(run.stage(at: step)), field(paused(at: step))])
    }
    return lines.map { $0.joined(separator: ",") + "\n" }.joined()
  }

  struct Document: Encodable {
    struct Scalar: Encodable {
      struct Change: Encodable {
        let step: Int
        let value: Double
      }
      let name: String
      let group: String?
      let changes: [Change]
    }
    struct Pause: Encodable {
      let group: String
      let step: Int
      let steps: Int
      let mode: String
    }
    struct Untie: Encodable {
      let step: Int
      let state: String
    }
    let steps: Int
    let scalars: [Scalar]
    let events: [StageEvent]
    let pauses: [Pause]
    let untie: Untie?
  }

  var document: Document {
    let changes = run.changes
    let scalars = courses.map { course in
      var found: [Document.Scalar.Change] = []
      for step in changes {
        let value = course.schedule.value(at: step)
        if found.last?.value != value { found.append(.init(step: step, value: value)) }
      }
      return Document.Scalar(name: course.name, group: course.group, changes: found)
    }
    let pauses = run.pausedGroups.flatMap { group in
      run.pauseSpans(of: group).map {
        Document.Pause(
          group: group, step: $0.steps.lowerBound, steps: $0.steps.count, mode: $0.mode.rawValue)
      }
    }
    return Document(
      steps: run.steps, scalars: scalars, events: run.events, pauses: pauses,
      untie: untie.map { .init(step: $0.step, state: $0.state.rawValue) })
  }

  // MARK: - As a drawing

  /// One small chart for each scalar, over the same steps, with the stages as lines and the pauses as bands.
  func svg(title: String) -> String {
    var steps = Set(run.landmarks)
    for point in 0...600 { steps.insert(Int(Double(run.steps - 1) * Double(point) / 600)) }
    let sorted = steps.sorted()
    let bands = run.pausedGroups.flatMap { group in
      run.pauses(of: group).map {
        ChartMark(
          Double($0.lowerBound), to: Double($0.upperBound), label: "\(group) paused")
      }
    }
    func unlabelled(_ mark: ChartMark) -> ChartMark { ChartMark(mark.start, to: mark.end) }
    let lines =
      run.events.isEmpty
      ? []
      : [ChartMark(0, label: run.stage(at: 0))]
        + run.events.map { ChartMark(Double($0.step), label: $0.to) }
    let charts = courses.enumerated().map { index, course in
      LineChart(
        title: index == 0 ? title : "",
        subtitle: index == 0 && !bands.isEmpty
          ? "shaded: \(run.pausedGroups.joined(separator: ", ")) paused" : "",
        xAxis: ChartAxis(
          title: index == courses.count - 1 ? "Step" : "",
          limits: 0...Double(max(run.steps - 1, 1))),
        yAxis: ChartAxis(title: course.title),
        series: [
          ChartSeries(
            name: "",
            points: sorted.map { ChartPoint(Double($0), course.schedule.value(at: $0)) },
            color: ChartColor.allCases[index % ChartColor.allCases.count])
        ],
        marks: bands.map(unlabelled) + (index == 0 ? lines : lines.map(unlabelled)))
    }
    let heights = courses.indices.map { index in
      // Title, subtitle and the title of the axis come on top of the same area for each.
      190 + (index == 0 ? 20 + (bands.isEmpty ? 0 : 18) + (lines.isEmpty ? 0 : 14) : 0)
        + (index == courses.count - 1 ? 20 : 0)
    }
    return ChartColumn(charts).svg(heights: heights)
  }
}

extension RunEvents {
  /// What happens when, and the sums.
  fileprivate var table: String {
    var table = Table([("step", .right), ("event", .left)])
    for event in events { table.add([Numbers.grouped(event.step), event.text]) }
    let updates = updates.map { group in
      let inherited =
        group.inherited > 0 ? " after \(Numbers.grouped(group.inherited)) inherited" : ""
      return "\(group.group) \(Numbers.grouped(group.updates))" + inherited
    }
    return [
      table.text, "", "\(Numbers.grouped(steps)) steps, \(Numbers.grouped(tokens)) tokens",
      "updates: " + updates.joined(separator: ", "),
    ].joined(separator: "\n")
  }
}
