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
      return (steps - settings.every + interval(every)) / interval(every)
    case nil: return 0
    }
  }

  /// Those of one step, on batches like its own; what is taken before the first step is the first one's.
  ///
  /// - Parameter step: A step, from 0.
  /// - Returns: A number from 0; over all steps of a run they sum up to ``extraEvaluations(steps:)``.
  public func extraEvaluations(at step: Int) -> Int {
    switch card?.observation {
    case .firstBatches(let count): return step == 0 ? Int(hyperparameters[count] ?? 0) : 0
    case .sampledLabels(let every):
      // Before the update that is the first of so many; a group that rests makes it at the last of its steps.
      return step % interval(every) == settings.every - 1 ? 1 : 0
    case nil: return 0
    }
  }

  /// Steps from one extra evaluation to the next.
  private func interval(_ every: String) -> Int {
    max(1, Int(hyperparameters[every] ?? 1)) * settings.every
  }
}
