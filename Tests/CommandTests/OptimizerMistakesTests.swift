// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// What can be wrong in `[optimizer]`: one line with value, place and remedy, before any work.
@Suite(.timeLimit(.minutes(20))) struct OptimizerMistakesTests {
  /// Lines after the header, and what the error has to say.
  struct Mistake: CustomTestStringConvertible, Sendable {
    let name: String
    let text: String
    let parts: [String]

    init(_ name: String, _ text: String, _ parts: String...) {
      self.name = name
      self.text = text
      self.parts = parts
    }

    var testDescription: String { name }
  }

  static let mistakes = [
    Mistake(
      "an unknown method", "[optimizer]\nname = \"nuon\"\nmomentum = 0.9\n", "\"nuon\"",
      "config.toml:3", "Did you mean 'muon'?"),
    Mistake(
      "an unknown method of a rule",
      "[[optimizer.rule]]\nroles = [\"head\"]\nmethod = \"adalayr-star\"\n",
      "\"adalayr-star\"", "config.toml:4", "Did you mean 'adalayer-star'?"),
    Mistake(
      "a key of another method", "[optimizer]\nname = \"muon\"\nbeta1 = 0.9\n",
      "beta1 is a key of adamw, ", "not of muon, which takes learning_rate, momentum",
      "optimizer.beta1 = 0.9 (config.toml:4)", "remove it or change the method"),
    Mistake(
      "a key of another method in a rule",
      "[[optimizer.rule]]\nroles = [\"head\"]\nmethod = \"sgd\"\nrho = 0.1\n",
      "rho is a key of sophia-g, not of sgd", "optimizer.rule[0].rho = 0.1 (config.toml:5)"),
    Mistake(
      "a key of no method", "[optimizer]\nlearning_rat = 0.1\n",
      "config.toml:3", "Did you mean 'optimizer.learning_rate'?"),
    Mistake(
      "a rule that matches nothing", "[[optimizer.rule]]\nroles = [\"mlp_gate\"]\n",
      "rule 1 of the optimizer matches no parameter: roles mlp_gate", "the model has the roles",
      "config.toml:3", "Change its conditions or remove it"),
    Mistake(
      "a rule that comes too late",
      "[[optimizer.rule]]\nshape = \"matrix\"\n[[optimizer.rule]]\nname = \"h\"\nroles = [\"head\"]\n",
      "rule 2 ('h')", "earlier rules take all of it", "config.toml:6", "put it before them"),
    Mistake(
      "an unknown role", "[[optimizer.rule]]\nroles = [\"heads\"]\n",
      "there is no role 'heads'; use hidden, norms, embedding, head", "config.toml:3"),
    Mistake(
      "a negative learning rate", "[optimizer]\nlearning_rate = -0.1\n",
      "config.toml:3: optimizer.learning_rate = -0.1 is out of range; accepted are the numbers in [0"
    ),
    Mistake(
      "a learning rate that is not a number", "[optimizer]\nlearning_rate = nan\n",
      "config.toml:3: optimizer.learning_rate = nan is out of range; accepted are the numbers in [0"
    ),
    Mistake(
      "an infinite decay", "[[optimizer.rule]]\nweight_decay = inf\n",
      "optimizer.rule[0].weight_decay = inf is out of range"),
    Mistake(
      "a beta of 1", "[optimizer]\nbeta1 = 1.0\n", "optimizer.beta1 = 1", "[0, 1)"),
    Mistake(
      "a part of an update", "[optimizer]\nname = \"sophia-g\"\ncurvature_every = 1.5\n",
      "optimizer.curvature_every = 1.5 (config.toml:4): it must lie in [1, 1e6], whole"),
    Mistake(
      "an option's choice", "[optimizer]\nname = \"muon\"\ncoefficients = \"quintik\"\n",
      "\"quintik\"", "config.toml:4", "Did you mean 'quintic'?"),
    Mistake(
      "parameters that a method does not take",
      "[[optimizer.rule]]\nroles = [\"head\"]\nmethod = \"muon\"\n",
      "rule 1 gives 'head.weight' (role head) to muon, which takes hidden matrices only",
      "config.toml:4", "let the rule match fewer roles or name another method"),
    Mistake(
      "decay of what does not decay",
      "[[optimizer.rule]]\nroles = [\"norms\"]\nweight_decay = 0.1\n",
      "sets weight_decay = 0.1, but none of its parameters decays", "config.toml:4",
      "add decays = true or leave weight_decay out"),
    Mistake(
      "a rate for what is frozen",
      "[[optimizer.rule]]\nroles = [\"norms\"]\ntrain = false\nlearning_rate = 0.1\n",
      "frozen parameters have no optimizer; remove the other keys", "config.toml:5"),
    Mistake(
      "a coupled rate of its own",
      "[[optimizer.rule]]\nroles = [\"head\"]\ncoupled = true\nlearning_rate = 0.1\n",
      "use learning_rate_multiplier", "config.toml:4", "config.toml:5"),
    Mistake(
      "two groups of one name",
      "[[optimizer.rule]]\nname = \"a\"\nroles = [\"head\"]\n[[optimizer.rule]]\nname = \"a\"\n",
      "two rules have the same name", "config.toml:3", "config.toml:6"),
    Mistake(
      "an average under a decaying rate",
      "[optimizer]\nname = \"schedule-free-adamw\"\n[schedule]\nkind = \"cosine\"\n",
      "schedule-free-adamw (group 'base') wants a constant learning rate",
      "schedule.kind = \"cosine\" (config.toml:5)", "use kind = \"constant\"",
      "schedule.allow_decay = true"),
    Mistake(
      "a schedule of a scalar that the method has not",
      "[optimizer]\nname = \"lion\"\n[schedule.momentum]\nto = 0.5\n",
      "schedule.momentum (config.toml:4)", "no scalar of this run has that name"),
  ]

  @Test(arguments: mistakes)
  func mistake(_ mistake: Mistake) throws {
    let workspace = try Workspace()
    try workspace.write("data.path = \"nowhere\"\n" + mistake.text, to: "config.toml")
    for verb in ["plan", "train"] {
      let result = try workspace.run(verb, "config.toml")
      #expect(result.code == 64, "\(result)")
      #expect(result.output.isEmpty, "\(result)")
      #expect(result.errors.hasPrefix("error: "), "\(result)")
      #expect(result.errors.split(separator: "\n").count == 1, "\(result)")
      for part in mistake.parts {
        #expect(result.errors.contains(part), "'\(part)' is missing: \(result)")
      }
    }
    #expect(try workspace.list(".") == ["config.toml"], "nothing was started")
  }

  @Test func aDecayingRateIsAllowedWhenAskedFor() throws {
    let workspace = try Workspace()
    try workspace.prepareData()
    try workspace.writeConfiguration(steps: 4)
    let result = try workspace.run(
      "plan", "config.toml", "--optimizer.name=schedule-free-sgd", "--schedule.kind=cosine",
      "--schedule.allow_decay=true")
    #expect(result.code == 0, "\(result)")
    // Left to itself the schedule is constant.
    let shown = try workspace.run(
      "show", "config", "config.toml", "--optimizer.name=schedule-free-sgd")
    #expect(shown.output.contains("kind = \"constant\""), "\(shown)")
  }

  @Test func gainsTakeTheBasesNumbersWithoutItsDecay() throws {
    let workspace = try Workspace()
    try workspace.prepareData()
    try workspace.writeConfiguration(steps: 4)
    let result = try workspace.run(
      "plan", "config.toml", "--json",
      "--optimizer.rule=[{name = \"gains\", roles = [\"norms\"], beta2 = 0.99}]")
    #expect(result.code == 0, "\(result)")
    let table = try #require(try result.json()["optimizer"] as? [String: Any])
    let rows = try #require(table["rows"] as? [[String: Any]])
    for row in rows where row["group"] as? String == "gains" {
      #expect(row["weightDecay"] as? Double == 0, "\(row)")
    }
  }

  @Test func aRunOfAnotherMethodIsNotContinued() throws {
    let workspace = try Workspace()
    try workspace.prepareData()
    try workspace.writeConfiguration(steps: 4)
    #expect(try workspace.run("train", "config.toml", "-o", "run").code == 0)
    let weights = try workspace.weights(of: "run")
    let other = try workspace.run("train", "config.toml", "-o", "run", "--optimizer.name=lion")
    #expect(other.code == 2, "\(other)")
    #expect(other.errors.hasPrefix("error: "), "\(other)")
    #expect(other.errors.contains("optimizer.name"), "\(other)")
    #expect(try workspace.weights(of: "run") == weights)
    let rule = try workspace.run(
      "train", "config.toml", "-o", "run",
      "--optimizer.rule=[{roles = [\"head\"], method = \"sgd\"}]")
    #expect(rule.code == 2 && rule.errors.contains("optimizer.rule"), "\(rule)")
  }
}
