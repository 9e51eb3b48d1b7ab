// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LanguageModels
import Schedules

/// Finds everything that happens in the course of a run.
struct EventFinder {
  let configuration: TrainingConfiguration

  private var run: RunSchedule { configuration.schedule.run }
  private var steps: Int { configuration.training.steps }

  /// In the order of steps; of one step, first what the run does, then numbers, then groups.
  var events: [RunEvents.Event] {
    var found = stages
    found += course("learning_rate", run.learningRate)
    for scalar in run.scalars { found += course(scalar.description, scalar.schedule) }
    found += rotations + pauses + ends
    return found.enumerated().sorted { ($0.element.step, $0.offset) < ($1.element.step, $1.offset) }
      .map(\.element)
  }

  private var stages: [RunEvents.Event] {
    run.events.map {
      .init(
        step: $0.step, kind: .stage, name: $0.to, before: nil, after: nil,
        text: "stage '\($0.to)' follows '\($0.from)'")
    }
  }

  // MARK: - Numbers

  /// What a course does; a learning rate's values are shares of its peak.
  private func course(_ name: String, _ schedule: Schedule) -> [RunEvents.Event] {
    var found: [RunEvents.Event] = []
    var start = 0
    var last: ScheduleStage?
    for stage in schedule.stages where start < steps {
      if let last {
        found += transition(name, schedule, from: last, to: stage, at: start)
      } else if case .some = end(of: stage), !isConstant(stage) {
        found.append(way(name, schedule, from: 0, until: stage.steps ?? steps))
      }
      last = stage
      start += stage.steps ?? steps
    }
    if let cooldown = schedule.cooldown {
      found += ends(of: cooldown, name, schedule)
    }
    return found
  }

  /// The value at which a stage ends before any cooldown; nil: it never does.
  private func end(of stage: ScheduleStage) -> Double? {
    stage.steps.map { stage.curve.factor(at: $0, of: $0) }
  }

  private func isConstant(_ stage: ScheduleStage) -> Bool {
    if case .constant = stage.curve { return true }
    return false
  }

  private func transition(
    _ name: String, _ schedule: Schedule, from old: ScheduleStage, to new: ScheduleStage,
    at step: Int
  ) -> [RunEvents.Event] {
    var found: [RunEvents.Event] = []
    let first = new.curve.factor(at: 0, of: new.steps ?? 1)
    let (before, after) = (schedule.value(at: step - 1), schedule.value(at: step))
    if let last = end(of: old), abs(first - last) > 1e-12 * max(abs(first), abs(last)),
      before != after
    {
      found.append(
        .init(
          step: step, kind: schedule.isPiecewiseConstant ? .value : .jump, name: name,
          before: before, after: after,
          text: "\(name) \(words(before)) -> \(words(after))"))
    }
    if !isConstant(new) {
      found.append(way(name, schedule, from: step, until: step + (new.steps ?? steps - step)))
    } else if !isConstant(old) {
      found.append(
        .init(
          step: step, kind: .course, name: name, before: before, after: after,
          text: "\(name) stays at \(words(after))"))
    }
    return found
  }

  /// A curve that goes somewhere.
  private func way(
    _ name: String, _ schedule: Schedule, from step: Int, until end: Int
  ) -> RunEvents.Event {
    let last = min(end, steps) - 1
    let (first, value) = (schedule.value(at: step), schedule.value(at: last))
    return .init(
      step: step, kind: .course, name: name, before: nil, after: first,
      text: "\(name) goes from \(words(first)) to \(words(value)) at step \(last)")
  }

  private func ends(
    of cooldown: ScheduleCooldown, _ name: String, _ schedule: Schedule
  ) -> [RunEvents.Event] {
    let first = Int(cooldown.start.rounded(.up))
    let last = Int(cooldown.stop.rounded(.up))
    var found: [RunEvents.Event] = []
    if first < steps {
      let value = schedule.value(at: first)
      found.append(
        .init(
          step: first, kind: .course, name: name, before: nil, after: value,
          text:
            "\(name) begins to go to \(words(schedule.scale * cooldown.end)), from step \(words(cooldown.start)) to \(words(cooldown.stop))"
        ))
    }
    if last < steps {
      let value = schedule.value(at: last)
      found.append(
        .init(
          step: last, kind: .course, name: name, before: schedule.value(at: last - 1),
          after: value, text: "\(name) stays at \(words(value))"))
    }
    return found
  }

  /// Six digits that count, as few as it takes.
  private func words(_ value: Double) -> String {
    Int(exactly: value).map(String.init) ?? String(format: "%.6g", value)
  }

  // MARK: - The model

  private var rotations: [RunEvents.Event] {
    guard let rotation = configuration.model.rotation, rotation.followsWindow,
      let window = run.scalars.first(where: { $0.name == "attention_window" && $0.group == nil })
    else { return [] }
    var found: [RunEvents.Event] = []
    for step in window.schedule.events(forSteps: steps).map(\.step) {
      let windows = configuration.windows(upTo: step)
      guard windows.count > configuration.windows(upTo: step - 1).count else { continue }
      func yarn(_ windows: some Sequence<Int>) -> YaRN {
        YaRN(
          headWidth: rotation.headWidth, base: rotation.base,
          isHalfTruncated: rotation.isHalfTruncated, after: windows)
      }
      let (old, new) = (yarn(windows.dropLast()), yarn(windows))
      let turning = new.frequencies.filter { $0 > 0 }
      let shown = Set([0, turning.count / 2, turning.count - 1]).sorted()
        .map { "f_\($0) \(words(turning[$0]))" }
      found.append(
        .init(
          step: step, kind: .rotation, name: "attention_scale", before: old.attentionScale,
          after: new.attentionScale,
          text: "attention_scale \(words(old.attentionScale)) -> \(words(new.attentionScale)), "
            + shown.joined(separator: ", ")))
    }
    return found
  }

  // MARK: - Groups, and the end

  private var pauses: [RunEvents.Event] {
    run.pausedGroups.flatMap { group in
      let spans = run.pauseSpans(of: group)
      return spans.flatMap { span -> [RunEvents.Event] in
        let (start, end) = (span.steps.lowerBound, span.steps.upperBound)
        let what = span.mode == .zeroGradients ? "gets gradients of zero" : "is paused"
        let begin = RunEvents.Event(
          step: start, kind: .pauseBegin, name: group, before: nil, after: nil,
          text: "group '\(group)' \(what) for \(span.steps.count) steps")
        // Where another span follows at once, the group does not go on.
        if end >= steps || spans.contains(where: { $0.steps.lowerBound == end }) { return [begin] }
        return [
          begin,
          .init(
            step: end, kind: .pauseEnd, name: group, before: nil, after: nil,
            text: "group '\(group)' goes on"),
        ]
      }
    }
  }

  private var ends: [RunEvents.Event] {
    var found: [RunEvents.Event] = []
    if let untie = configuration.schedule.untie {
      found.append(
        .init(
          step: untie.step, kind: .untie, name: ModelConfiguration.tableName, before: nil,
          after: nil, text: untie.words))
    }
    found.append(
      .init(
        step: steps - 1, kind: .lastUpdate, name: "", before: nil, after: nil, text: "last update"))
    let final = configuration.evaluation.final.sorted { $0.key < $1.key }
      .map { ", \($0.key) \(words($0.value))" }.joined()
    found.append(
      .init(
        step: steps, kind: .finalEvaluation, name: "", before: nil, after: nil,
        text: "final evaluation" + final))
    return found
  }
}
