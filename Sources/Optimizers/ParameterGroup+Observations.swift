// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

extension ParameterGroup {
  /// Gradient evaluations beyond the one of every step that the group's method takes in a run.
  ///
  /// - Parameter steps: Steps of the run.
  /// - Returns: A number from 0.
  public func extraEvaluations(steps: Int) -> Int {
    switch card?.observation {
    case .firstBatches(let count): return Int(hyperparameters[count] ?? 0)
    case .sampledLabels(let every):
      let interval = max(1, Int(hyperparameters[every] ?? 1)) * settings.every
      return (steps + interval - 1) / interval
    case nil: return 0
    }
  }
}
