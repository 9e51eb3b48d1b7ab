// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import LanguageModels

/// What of the model's section is a number that the host gives before each run, rather than a part of the equations.
extension ModelSettings {
  /// How rotary positions of a model turn, where the host gives their frequencies.
  struct Rotation: Equatable, Sendable {
    /// D.
    var headWidth: Int
    /// Of the first frequencies.
    var base: Double
    /// Whether only half of the pairs rotate.
    var isHalfTruncated: Bool
    /// Whether frequencies and the scale of attention change with the window, see `YaRN`.
    var followsWindow: Bool
  }

  /// How rotary positions turn; nil: frequencies are constants of the equations.
  var rotation: Rotation? {
    guard let speedrun, let model = try? configuration(vocabularySize: 2, masksDocuments: false)
    else { return nil }
    return Rotation(
      headWidth: model.headWidth, base: YaRN.standardBase,
      isHalfTruncated: speedrun.rotation == .halfTruncated, followsWindow: speedrun.followsWindow)
  }

  /// What of the model a schedule can change.
  var schedulable: [SchedulableScalar] {
    let weights = 2..<2 + max(0, (speedrun?.predictions ?? 1) - 1)
    return [.attentionWindow(configured: attentionWindow)]
      + (speedrun == nil ? [] : [.shortAttentionWindow(configured: shortAttentionWindow)])
      + weights.map { .predictionWeight($0, configured: nil) } + [.zLoss(configured: zLoss)]
  }

  /// What could be scheduled if the model predicted more tokens ahead, and why it has no effect as it is.
  var withoutEffect: [String: String] {
    let predictions = speedrun?.predictions ?? 1
    var reasons: [String: String] = [:]
    for distance in 2...3 where distance > predictions {
      let name = SchedulableScalar.predictionWeight(distance, configured: nil).name
      let far = predictions == 1 ? "the next token only" : "\(predictions) tokens ahead"
      reasons[name] =
        "training predicts \(far), so the weight of token \(distance) has no effect; remove it, or set "
        + (speedrun == nil
          ? "model.architecture = \"speedrun\" and model.predictions = \(distance)"
          : "model.predictions = \(distance)")
    }
    return reasons
  }

  /// Scalars without a schedule, by their leaves' names; the model's own leaves are among them.
  var configuredScalars: [String: Double] {
    var scalars = ["z_loss": zLoss]
    scalars["attention_window"] = attentionWindow.map(Double.init)
    scalars["attention_window_short"] = shortAttentionWindow.map(Double.init)
    return scalars
  }
}
