// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Foundation
import LanguageModels
import Optimizers
import TensorGraph
import Testing
import Training

/// `Docs/optimizers/policies.md` is true: every example is a configuration, and its groups are those that stand under it.
@Suite struct PolicyPageTests {
  /// An example, and the lines under it.
  struct Example: CustomTestStringConvertible, Sendable {
    let line: Int
    let configuration: String
    let groups: String

    var testDescription: String { "the example in line \(line)" }
  }

  static let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Docs/optimizers/policies.md")

  /// Every `toml` block, with the `text` block that follows it.
  static let examples: [Example] = {
    guard let text = try? String(contentsOf: page, encoding: .utf8) else { return [] }
    var examples: [Example] = []
    var blocks: [(language: String, line: Int, text: String)] = []
    var open = false
    for (index, line) in text.components(separatedBy: "\n").enumerated() {
      if line.hasPrefix("```") {
        open.toggle()
        if open { blocks.append((String(line.dropFirst(3)), index + 1, "")) }
      } else if open {
        blocks[blocks.count - 1].text += line + "\n"
      }
    }
    for (index, block) in blocks.enumerated() where block.language == "toml" {
      let next = index + 1 < blocks.count ? blocks[index + 1] : block
      examples.append(
        Example(
          line: block.line, configuration: block.text,
          groups: next.language == "text" ? next.text : ""))
    }
    return examples
  }()

  @Test("The page has its examples")
  func count() {
    #expect(Self.examples.count >= 12)
  }

  @Test("An example can be read, fits a decoder, and has the groups under it", arguments: examples)
  func example(_ example: Example) throws {
    var source = ConfigurationSource()
    try source.add(preset: "policies.md:\(example.line)", text: example.configuration)
    try source.add(overrides: [
      "--data.path=data", "--model.width=16", "--model.heads=2", "--model.layers=2",
    ])
    let configuration = try TrainingConfiguration(source)
    let model = try configuration.modelConfiguration(vocabularySize: 11).makeModel()
    let optimizer = try configuration.optimizer(for: model.parameters)
    let table = OptimizerTable(optimizer)
    #expect(table.rows.count == model.parameters.count, "every parameter has a place")
    let lines = table.groups.map { words($0, table.rows) + "\n" }.joined()
    #expect(lines == example.groups, "\(example.configuration)")
  }

  /// `scalars: adamw (beta1 0.8): norm_gain, rate 0.01, decay 0.0`: what differs from the card stands in brackets.
  private func words(_ group: OptimizerTable.Group, _ rows: [OptimizerTable.Row]) -> String {
    let card = OptimizerRegistry.methods.first { $0.card.name == group.method }?.card
    let numbers = group.hyperparameters.filter { name, value in
      !["learning_rate", "weight_decay"].contains(name) && card?.defaults[name] != value
    }
    let options = group.options.filter { name, choice in
      card?.options.first { $0.name == name }?.standard != choice
    }
    let special =
      (numbers.mapValues { "\($0)" }.merging(options) { $1 }.merging(group.settings) { $1 })
      .sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    let method = (group.method ?? "frozen") + (special.isEmpty ? "" : " (\(special))")

    let rows = rows.filter { $0.group == group.name }
    let rates = rows.map { row in
      row.learningRate.map { ", rate \($0), decay \(row.weightDecay)" } ?? ""
    }
    var seen: Set<String> = []
    let distinct = rates.filter { seen.insert($0).inserted }
    let parts = distinct.map { rate in
      roles(zip(rows, rates).filter { $0.1 == rate }.map(\.0.role)) + rate
    }
    return "\(group.name): \(method): \(parts.joined(separator: "; "))"
  }

  /// Roles in their order, those of a decoder's blocks as `hidden`.
  private func roles(_ keys: [String]) -> String {
    let hidden = ["attention_query", "attention_key", "attention_value", "attention_output"]
    let all = Set(keys)
    let isHidden = all.isSuperset(of: hidden + ["mlp_in", "mlp_out"])
    let others = ParameterRole.allCases.filter { all.contains($0.key) }
      .filter { !(isHidden && $0.isHiddenMatrix) }.map(\.key)
    return ((isHidden ? ["hidden"] : []) + others).joined(separator: " ")
  }
}
