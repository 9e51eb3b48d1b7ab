// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import LanguageModels
import Schedules

/// Numbers that the host gives a model before a run of its programs, by their leaves' names.
public struct ModelNumbers: Equatable, Sendable {
  /// Of scalar leaves.
  public var scalars: [String: Double] = [:]
  /// Of float32 inputs.
  public var vectors: [String: [Float]] = [:]

  /// None.
  public init() {}
}

extension TrainingConfiguration {
  /// Scalars that a model may read, by their leaves' and their schedules' names.
  ///
  /// A leaf that nobody sets would be 0: a window of one key.
  static let modelScalars = [
    "attention_window", "attention_window_short", "prediction_weight_2", "prediction_weight_3",
    "z_loss",
  ]

  /// What the model reads at a step: a pure function of the schedule, nothing is remembered.
  ///
  /// Rotary frequencies and the scale of attention follow the windows of the stages up to the step.
  func modelNumbers(at step: Int) -> ModelNumbers {
    var numbers = ModelNumbers()
    for name in Self.modelScalars {
      numbers.scalars[name] =
        schedule.run.ownValue(of: name, at: step) ?? model.configuredScalars[name]
    }
    guard let rotation = model.rotation else { return numbers }
    let yarn = YaRN(
      headWidth: rotation.headWidth, base: rotation.base,
      isHalfTruncated: rotation.isHalfTruncated,
      after: rotation.followsWindow ? windows(upTo: step) : [])
    numbers.scalars["attention_scale"] = yarn.attentionScale
    numbers.vectors["rotary_frequencies"] = yarn.frequencies.map { Float($0) }
    return numbers
  }

  /// What the model reads in an evaluation.
  ///
  /// - Parameter step: steps made; after the last step, what was in force at the last, and what `[evaluation.final]` replaces.
  /// - Returns: the numbers.
  func evaluationNumbers(after step: Int) -> ModelNumbers {
    var numbers = modelNumbers(at: min(step, training.steps - 1))
    if step >= training.steps { numbers.scalars.merge(evaluation.final) { $1 } }
    return numbers
  }

  /// The windows that were in force up to a step, each change once.
  func windows(upTo step: Int) -> [Int] {
    guard
      let scalar = schedule.run.scalars.first(where: {
        $0.name == "attention_window" && $0.group == nil
      })
    else { return model.attentionWindow.map { [$0] } ?? [] }
    let starts = [0] + scalar.schedule.events(forSteps: step + 1).map(\.step)
    var windows: [Int] = []
    for start in starts {
      let window = Int(scalar.schedule.value(at: start))
      if windows.last != window { windows.append(window) }
    }
    return windows
  }

  /// The largest value of a window over the run, the last evaluation included; nil: nothing schedules it.
  func largest(window name: String) -> Int? {
    guard schedule.run.ownValue(of: name, at: 0) != nil else { return nil }
    let windows =
      (0..<training.steps).compactMap { schedule.run.ownValue(of: name, at: $0) }
      + [evaluation.final[name]].compactMap(\.self)
    return windows.max().map { Int($0) }
  }

  /// Whether the weight of the z-loss changes.
  var schedulesZLoss: Bool { schedule.run.ownValue(of: "z_loss", at: 0) != nil }
}
