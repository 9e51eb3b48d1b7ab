// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// How long a step takes lately: the median of the last steps, which one slow step does not move.
struct StepPace {
  private static let capacity = 31
  private var recent: [Double] = []
  private var next = 0
  private var sorted: [Double] = []

  init() {
    recent.reserveCapacity(Self.capacity)
    sorted.reserveCapacity(Self.capacity)
  }

  mutating func add(_ seconds: Double) {
    if recent.count < Self.capacity {
      recent.append(seconds)
    } else {
      recent[next] = seconds
      next = (next + 1) % Self.capacity
    }
    sorted.removeAll(keepingCapacity: true)
    sorted.append(contentsOf: recent)
    sorted.sort()
  }

  /// The median; 0 before the first step.
  var seconds: Double { sorted.isEmpty ? 0 : sorted[sorted.count / 2] }
}
