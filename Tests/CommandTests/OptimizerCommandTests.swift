// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// `plan`, `show optimizer`, `export` and `sample`.
@Suite(.timeLimit(.minutes(20))) struct OptimizerCommandTests {
  /// A workspace with data and a configuration whose optimizer is given.
  private func workspace(_ optimizer: String, steps: Int = 20) throws -> Workspace {
    let workspace = try Workspace()
    try workspace.prepareData()
    try workspace.writeConfiguration(steps: steps)
    let plain = String(decoding: try workspace.read("config.toml"), as: UTF8.self)
    try workspace.write(plain + "\n" + optimizer, to: "config.toml")
    return workspace
  }

  // MARK: - plan

  private static let policy = """
    [optimizer]
    name = "muon"
    [[optimizer.rule]]
    name = "norms"
    roles = ["norms"]
    train = false
    [[optimizer.rule]]
    name = "others"
    ineligible = true
    method = "adamw"
    coupled = true
    learning_rate_multiplier = 0.5
    """

  @Test func aPlanShowsGroupsParametersAndTotals() throws {
    let workspace = try workspace(Self.policy)
    let result = try workspace.run("plan", "config.toml")
    #expect(result.code == 0 && result.errors.isEmpty, "\(result)")
    let lines = result.output.split(separator: "\n").map(String.init)
    #expect(lines[0] == "norms: frozen", "\(result)")
    #expect(lines.contains { $0.hasPrefix("others: adamw, beta1 0.9, beta2 0.95,") }, "\(result)")
    #expect(lines.contains { $0.hasPrefix("base: muon, coefficients quintic,") }, "\(result)")
    let cells = lines.map { $0.split(separator: " ").map(String.init) }
    #expect(
      cells.contains(["head.weight", "head", "257", "x", "16", "0.01", "0.1", "33", "kB"]),
      "\(result)")
    #expect(
      cells.contains(["final_norm.gain", "norm_gain", "16", "-", "-", "0", "B"]), "\(result)")
    #expect(
      result.output.contains("11,360 parameters, 11,296 trained; optimizer state "), "\(result)")
    #expect(
      result.output.contains(
        "20 steps, 2,560 tokens; 20 gradient evaluations over 2,560 tokens"), "\(result)")
    #expect(!workspace.exists("runs"), "a plan starts nothing")
  }

  @Test func aPlanAsJSONHasTheSameNumbers() throws {
    let workspace = try workspace(Self.policy)
    let json = try workspace.run("plan", "config.toml", "--json").json()
    #expect(json["parameters"] as? Int == 11360)
    #expect(json["trainedParameters"] as? Int == 11296)
    #expect(json["steps"] as? Int == 20 && json["tokens"] as? Int == 2560)
    #expect(json["gradientEvaluations"] as? Int == 20)
    let table = try #require(json["optimizer"] as? [String: Any])
    let rows = try #require(table["rows"] as? [[String: Any]])
    let bytes = rows.compactMap { $0["stateBytes"] as? Int }
    #expect(bytes.reduce(0, +) == table["stateBytes"] as? Int)
    // AdamW keeps two numbers for each of the tables' 2 x 257 x 16, Muon one for each of 16 x 16 x 4 + 2 x 64 x 16.
    #expect(table["stateBytes"] as? Int == 8 * 8224 + 4 * 3072)
    let head = try #require(rows.first { $0["parameter"] as? String == "head.weight" })
    #expect(head["group"] as? String == "others" && head["method"] as? String == "adamw")
    #expect(head["learningRate"] as? Double == 0.01 && head["weightDecay"] as? Double == 0.1)
    let norm = try #require(rows.first { $0["parameter"] as? String == "final_norm.gain" })
    #expect(norm["method"] == nil && norm["learningRate"] == nil)
  }

  @Test func aPlanChargesExtraGradients() throws {
    let workspace = try workspace("[optimizer]\nname = \"sophia-g\"\ncurvature_every = 8\n")
    let json = try workspace.run("plan", "config.toml", "--json").json()
    // Before updates 1, 9 and 17 of 20.
    #expect(json["gradientEvaluations"] as? Int == 23)
    #expect(json["chargedTokens"] as? Int == 23 * 128)
    #expect(json["tokens"] as? Int == 20 * 128)
    let frozen = try workspace.run(
      "plan", "config.toml", "--json", "--optimizer.name=adalayer-frozen",
      "--optimizer.statistics_batches=7")
    // The key of the other method stands in the file.
    #expect(frozen.code == 64 && frozen.errors.contains("curvature_every"), "\(frozen)")
  }

  @Test func theTableIsStoredWithTheRun() throws {
    let workspace = try workspace(Self.policy, steps: 2)
    let plan = try workspace.run("plan", "config.toml", "--json").json()
    #expect(try workspace.run("train", "config.toml", "-o", "run").code == 0)
    let stored =
      try JSONSerialization.jsonObject(with: workspace.read("run/optimizer.json"))
      as? NSDictionary
    #expect(stored != nil && stored == plan["optimizer"] as? NSDictionary)
  }

  // MARK: - show optimizer

  @Test func anUnknownMethodIsCode64WithTheNearest() throws {
    let result = try Command.run("show", "optimizer", "adanw")
    #expect(result.code == 64 && result.output.isEmpty, "\(result)")
    #expect(
      result.errors.hasPrefix("error: unknown optimizer 'adanw'; did you mean 'adamw'?"),
      "\(result)")
    #expect(result.errors.split(separator: "\n").count == 1, "\(result)")
    let both = try Command.run("show", "optimizer", "adamw", "--json", "--markdown")
    #expect(both.code == 64 && both.errors.contains("choose one"), "\(both)")
  }

  @Test(arguments: ["adamw", "muon", "sophia-g", "schedule-free-adamw"])
  func aCardAsJSONHasEveryKey(name: String) throws {
    let card = try Command.run("show", "optimizer", name, "--json").json()
    for key in ["name", "paper", "equation", "state", "parameters", "evaluates", "schedule"] {
      #expect(card[key] is String, "\(name): \(key)")
    }
    #expect(card["name"] as? String == name && card["extraGradients"] is String)
    #expect(try #require(card["stateBytesPerParameter"] as? Double) >= 4)
    #expect(try #require(card["flopsPerParameter"] as? Double) >= 1)
    for key in ["options", "deviations", "caveats"] {
      #expect(card[key] is [Any], "\(name): \(key)")
    }
    let hyperparameters = try #require(card["hyperparameters"] as? [[String: Any]])
    #expect(hyperparameters.first?["name"] as? String == "learning_rate")
    for hyperparameter in hyperparameters {
      #expect(hyperparameter["default"] is Double)
      for key in ["name", "range", "summary", "source"] {
        #expect(!(hyperparameter[key] as? String ?? "").isEmpty, "\(name): \(hyperparameter)")
      }
    }
    let rate = try #require(hyperparameters.first?["search"] as? [Double])
    #expect(rate.count > 3 && rate == rate.sorted())
  }

  // MARK: - export

  @Test func anExportHoldsTheAverageUnlessTheTrainedWeightsAreAskedFor() throws {
    let workspace = try workspace("[optimizer]\nname = \"schedule-free-adamw\"\n")
    #expect(try workspace.run("train", "config.toml", "-o", "run").code == 0)
    for weights in ["evaluated", "trained"] {
      let result = try workspace.run(
        "export", "run", "--weights", weights, "-o", weights + ".safetensors")
      #expect(result.code == 0, "\(result)")
      #expect(result.output == weights + ".safetensors\n", "\(result)")
      #expect(result.errors.contains("\(weights) weights of step 20"), "\(result)")
    }
    let usual = try workspace.run("export", "run", "-o", "usual.safetensors")
    #expect(usual.code == 0, "\(usual)")
    #expect(
      try workspace.read("usual.safetensors") == workspace.read("evaluated.safetensors"))
    let evaluated = try Safetensors(workspace.read("evaluated.safetensors"))
    let trained = try Safetensors(workspace.read("trained.safetensors"))
    #expect(evaluated.names == trained.names && evaluated.names.contains("head.weight"))
    #expect(!evaluated.names.contains { $0.hasPrefix("optimizer.") })
    let name = "head.weight"
    let (average, last) = (try #require(evaluated.ranges[name]), try #require(trained.ranges[name]))
    #expect(
      try workspace.read("evaluated.safetensors")[average]
        != workspace.read("trained.safetensors")[last])
    // The trained weights are those of the checkpoint.
    let checkpoint = try workspace.weights(of: "run")
    let kept = try #require(try Safetensors(checkpoint).ranges[name])
    #expect(try workspace.read("trained.safetensors")[last] == checkpoint[kept])
  }

  @Test func withoutAnAverageBothExportsAreTheSame() throws {
    let workspace = try workspace("[optimizer]\nname = \"adamw\"\n")
    #expect(try workspace.run("train", "config.toml", "-o", "run").code == 0)
    for weights in ["evaluated", "trained"] {
      let result = try workspace.run("export", "run", "--weights", weights, "-o", weights)
      #expect(result.code == 0, "\(result)")
    }
    #expect(try workspace.read("evaluated") == workspace.read("trained"))
  }

  @Test func mistakesOfAnExport() throws {
    let workspace = try workspace("", steps: 2)
    #expect(try workspace.run("train", "config.toml", "-o", "run").code == 0)
    let choice = try workspace.run("export", "run", "--weights", "averaged", "-o", "out")
    #expect(choice.code == 64 && choice.errors.contains("use evaluated or trained"), "\(choice)")
    let step = try workspace.run("export", "run", "--step", "1", "-o", "out")
    #expect(step.code == 1 && step.errors.contains("no checkpoint of step 1"), "\(step)")
    let none = try workspace.run("export", "data", "-o", "out")
    #expect(none.code == 2 && none.errors.contains("data holds no checkpoint"), "\(none)")
    #expect(!workspace.exists("out"))
  }

  // MARK: - sample

  @Test func aSampleIsAFunctionOfItsSeed() throws {
    let workspace = try workspace("", steps: 40)
    #expect(try workspace.run("train", "config.toml", "-o", "run").code == 0)
    func sample(_ arguments: String...) throws -> String {
      let result = try Command.run(
        ["sample", "run", "--prompt", "the loss", "--tokens", "24"] + arguments,
        in: workspace.folder)
      #expect(result.code == 0 && result.errors.isEmpty, "\(result)")
      #expect(result.output.hasPrefix("the loss"), "\(result)")
      return result.output
    }
    let first = try sample("--seed", "3")
    #expect(try sample("--seed", "3") == first)
    #expect(try sample("--seed", "4") != first)
    #expect(
      try sample("--temperature", "0", "--seed", "3")
        == sample("--temperature", "0", "--seed", "4"))
    for (option, value, text) in [
      ("--tokens", "0", "at least 1"), ("--temperature", "-1", "0 or more"),
    ] {
      let result = try workspace.run("sample", "run", "\(option)=\(value)")
      #expect(result.code == 64 && result.errors.contains(text), "\(result)")
    }
  }
}
