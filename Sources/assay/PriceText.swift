// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Comparison
import Studies
import Training

/// A price as a person reads it.
extension StudyPrice {
  /// A table of the arms, and what the whole study costs.
  var text: String {
    let variants = Set(arms.map(\.variant)).count
    var columns: [(title: String, alignment: Table.Alignment)] = [
      ("arm", .left), ("trials", .right), ("steps", .right), ("tokens", .right), ("FLOP", .right),
      ("a trial", .right), ("weights", .right), ("gradients", .right), ("state", .right),
      ("activations", .right),
    ]
    if variants > 1 { columns.insert(("variant", .left), at: 0) }
    var table = Table(columns)
    for arm in arms {
      let estimate = arm.cost.estimate
      var cells = [
        arm.arm, Self.words(arm.trials), Numbers.grouped(arm.cost.steps),
        Numbers.short(Double(estimate.chargedTokens)), Numbers.short(estimate.totalFLOPs),
        arm.seconds.map { (arm.isMeasured ? "" : "~") + Numbers.seconds($0) } ?? "?",
        Numbers.bytes(estimate.memory.weights), Numbers.bytes(estimate.memory.gradients),
        Numbers.bytes(estimate.memory.optimizerState), Numbers.bytes(estimate.memory.activations),
      ]
      if variants > 1 { cells.insert(arm.variant, at: 0) }
      table.add(cells)
    }
    var lines = [table.text, ""]
    lines.append(
      "\(Self.words(trials)) trials" + (done > 0 ? ", \(Numbers.grouped(done)) of them done" : "")
        + "; \(Self.words(tokens, Numbers.short)) tokens, \(Self.words(flops, Numbers.short))FLOP")
    let layout = "\(slots) at a time with \(threads) thread\(threads == 1 ? "" : "s") each"
    let time = seconds.map { "about " + Self.words($0, Numbers.seconds) } ?? "an unknown time"
    lines.append("\(time) on this machine, \(layout), in \(Numbers.bytes(Int(memoryBytes)))")
    if let sharing {
      let trials =
        sharing.trials == 1 ? "the trial" : "the \(Numbers.grouped(sharing.trials)) trials"
      let programs =
        sharing.programs == 1 ? "1 program" : "\(Numbers.grouped(sharing.programs)) programs"
      lines.append(
        "up to \(sharing.runs) trials that differ in numbers alone share a program on \(sharing.device): "
          + "\(trials) that can start now are \(programs); times are of trials alone")
    }
    return lines.joined(separator: "\n")
  }

  private static func words(_ count: TrialCount) -> String {
    count.least == count.most
      ? Numbers.grouped(count.expected)
      : "\(Numbers.grouped(count.least)) to \(Numbers.grouped(count.most)), likely \(Numbers.grouped(count.expected))"
  }

  private static func words(_ bounds: Bounds, _ number: (Double) -> String) -> String {
    let (least, expected, most) = (
      number(bounds.least), number(bounds.expected), number(bounds.most)
    )
    return least == most ? expected : "\(expected) (\(least) to \(most))"
  }
}
