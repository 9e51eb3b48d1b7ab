// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

extension RunSchedule {
  /// The groups of parameters that are left alone at some time, sorted.
  public var pausedGroups: [String] { Set(pauses.map(\.group)).sorted() }

  /// Those of them with a pause of one mode.
  public func pausedGroups(_ mode: SchedulePause.Mode) -> Set<String> {
    Set(pauses.filter { $0.mode == mode }.map(\.group))
  }

  /// The steps around everything that happens: between two of them every scalar follows one smooth curve.
  public var landmarks: [Int] {
    var found = Set(learningRate.landmarks(forSteps: steps))
    for scalar in scalars { found.formUnion(scalar.schedule.landmarks(forSteps: steps)) }
    let moments =
      events.map(\.step)
      + pausedGroups.flatMap { group in
        pauseSpans(of: group).flatMap { [$0.steps.lowerBound, $0.steps.upperBound] }
      }
    for moment in moments { found.formUnion([moment - 1, moment]) }
    return found.filter { $0 >= 0 && $0 < steps }.sorted()
  }

  /// The steps at which something is different from the step before, beginning with the first step.
  ///
  /// - Complexity: O(number of steps that are returned + number of landmarks).
  public var changes: [Int] {
    let schedules = [learningRate] + scalars.map(\.schedule)
    let marks = landmarks
    var moments = Set([0] + events.map(\.step))
    for group in pausedGroups {
      for span in pauseSpans(of: group) {
        moments.formUnion([span.steps.lowerBound, span.steps.upperBound])
      }
    }
    var result: [Int] = []
    func isDifferent(_ step: Int, _ other: Int) -> Bool {
      schedules.contains { $0.value(at: step) != $0.value(at: other) }
    }
    for (mark, next) in zip(marks, marks.dropFirst() + [steps]) {
      if moments.contains(mark) || (mark > 0 && isDifferent(mark, mark - 1)) { result.append(mark) }
      guard next - mark > 1 else { continue }
      // A curve with the same value at three places is a constant: none of ours swings.
      let isStill = !isDifferent(mark, next - 1) && !isDifferent(mark, (mark + next) / 2)
      if isStill { continue }
      for step in (mark + 1)..<next where isDifferent(step, step - 1) { result.append(step) }
    }
    return result
  }
}
