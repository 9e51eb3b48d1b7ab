// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

extension Schedule {
  /// Steps of a run between which nothing but one smooth curve happens.
  ///
  /// - Parameter steps: the number of steps of the run, at least 1.
  /// - Returns: the first and the last step of the run, of each stage and of the cooldown, rising, without repetition.
  public func landmarks(forSteps steps: Int) -> [Int] {
    var found: Set<Int> = [0, steps - 1]
    var start = 0
    for stage in stages {
      guard let length = stage.steps else { break }
      start += length
      found.formUnion([start - 1, start])
    }
    if let cooldown {
      for end in [cooldown.start, cooldown.stop] {
        let step = Int(end.rounded(.down))
        found.formUnion([step, step + 1])
      }
    }
    return found.filter { $0 >= 0 && $0 < steps }.sorted()
  }

  /// Whether some value of a run is below an earlier one.
  ///
  /// - Parameter steps: the number of steps of the run, at least 1.
  /// - Returns: whether the schedule falls anywhere; a warm-up alone does not.
  public func isDecaying(forSteps steps: Int) -> Bool {
    // Every curve is monotone between landmarks; only a cooldown over a rising stage need not be, hence the points between.
    let marks = landmarks(forSteps: steps)
    var highest = -Double.infinity
    for (mark, next) in zip(marks, marks.dropFirst() + [steps]) {
      for step in stride(from: mark, to: next, by: max(1, (next - mark) / 64)) {
        let value = value(at: step)
        // Rounding on the way up is no decay.
        if value < highest - abs(highest) * 1e-12 { return true }
        highest = max(highest, value)
      }
    }
    return false
  }

  /// Whether every stage keeps one value, so that the scalar changes in jumps only.
  public var isPiecewiseConstant: Bool {
    cooldown == nil
      && stages.allSatisfy { stage in
        if case .constant = stage.curve { return true }
        return false
      }
  }
}
