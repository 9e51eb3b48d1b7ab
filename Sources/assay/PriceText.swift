// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Comparison
import Studies

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
      let memory = arm.cost.memory
      var cells = [
        arm.arm, Self.words(arm.trials), Numbers.grouped(arm.cost.steps),
        Numbers.short(Double(arm.cost.chargedTokens)), Numbers.short(arm.cost.flops),
        arm.seconds.map { (arm.isMeasured ? "" : "~") + Numbers.seconds($0) } ?? "?",
        Numbers.bytes(Int(memory.weights)), Numbers.bytes(Int(memory.gradients)),
        Numbers.bytes(Int(memory.state)), memory.activations.map { Numbers.bytes(Int($0)) } ?? "?",
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
