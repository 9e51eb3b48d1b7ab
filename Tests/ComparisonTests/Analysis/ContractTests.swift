// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords
import Testing

@testable import Comparison

@Suite struct ContractTests {
  private let losses = [3.01, 3.02, 2.99, 3.0, 3.03]

  /// A study in which one arm has another value of a field.
  private func study(
    _ field: FairnessContract.Field, declared: Bool, onlySeed: Int? = nil
  ) throws -> StudyOnDisk {
    let folder = try StudyOnDisk(
      measuredStudy(
        arms: ["a", "b", "c"], differences: declared ? ["c": [field]] : [:]))
    try folder.add(["a": losses, "b": losses, "c": losses])
    for (seed, loss) in zip(1...5, losses) where onlySeed == nil || seed == onlySeed {
      let point = TrialPoint(
        variant: "main", arm: "c", seed: TrialSeed(.reporting, seed), knobs: [:])
      try folder.add(finished(point, loss), .init(contract: [field: "something else"]))
    }
    return folder
  }

  private func refusal(_ body: () throws -> Void) -> ComparisonError? {
    do {
      try body()
      return nil
    } catch { return error as? ComparisonError }
  }

  @Test(arguments: FairnessContract.Field.allCases)
  func aDifferenceThatNobodyDeclaredIsRefusedWithFieldArmsValuesAndRemedy(
    field: FairnessContract.Field
  ) throws {
    let folder = try study(field, declared: false)
    let error = try #require(refusal { _ = try folder.analysis() })
    #expect(error.code == .unequalContracts)
    #expect(error.fields == [field])
    #expect(error.message.contains(field.rawValue))
    #expect(error.message.contains("a, b:"))
    #expect(error.message.contains("c: something else"))
    #expect(error.message.contains("differs = [\"\(field.rawValue)\"]"))
  }

  @Test func aDifferenceAtTheEndOfLongTextsIsShownFromWhereItBegins() throws {
    let beginning =
      "10485760 targets, context length 262144, 0123456789abcdef, attention_window 2561.0 after the last step, "
    let texts = ["769.0", "641.0"].map {
      beginning + "attention_window_short \($0) after the last step"
    }
    #expect(
      ContractCheck.shortened(texts) == [
        "...769.0 after the last step", "...641.0 after the last step",
      ])
    #expect(ContractCheck.shortened([texts[0], ""]).last == "(nothing)")
    let parts = [true, false].map {
      "speedrun, vocabulary 50304, width 768, layers 11, parts {\"activation\":\"relu-squared\",\"attentionFreeLayers\":[6],"
        + "\"hasHeadGates\":\($0),\"softCap\":15}"
    }
    #expect(
      ContractCheck.shortened(parts) == [
        "...\"hasHeadGates\":true,\"softCap\":15}", "...\"hasHeadGates\":false,\"softCap\":15}",
      ])
    #expect(ContractCheck.shortened(["a", "b"]) == ["a", "b"])
    let long = String(repeating: "x", count: 200)
    #expect(ContractCheck.shortened(["a", long]) == ["a", long.prefix(117) + "..."])
    let folder = try StudyOnDisk(measuredStudy(arms: ["a", "b"]))
    for (arm, text) in zip(["a", "b"], texts) {
      try folder.add([arm: losses], .init(contract: [.evaluationTokens: text]))
    }
    let error = try #require(refusal { _ = try folder.analysis() })
    #expect(error.fields == [.evaluationTokens])
    #expect(error.message.contains("769.0") && error.message.contains("641.0"))
  }

  @Test func aDifferenceInOneSeedIsFound() throws {
    let folder = try study(.data, declared: false, onlySeed: 4)
    let error = try #require(refusal { _ = try folder.analysis() })
    #expect(error.message.contains("seed 4"))
  }

  @Test func everyFieldThatDiffersIsNamed() throws {
    let folder = try study(.data, declared: false)
    let point = TrialPoint(variant: "main", arm: "b", seed: TrialSeed(.reporting, 2), knobs: [:])
    try folder.add(finished(point, 3), .init(contract: [.clipping: "none"]))
    let error = try #require(refusal { _ = try folder.analysis() })
    #expect(Set(error.fields) == [.data, .clipping])
  }

  @Test func aDeclaredDifferencePassesAndStandsInTheTitle() throws {
    let analysis = try study(.schedule, declared: true).analysis()
    #expect(analysis.title == "measured (schedule differs for c (declared))")
    let condition = try #require(
      analysis.variants[0].contract.conditions.first { $0.field == .schedule })
    #expect(!condition.isEqual)
    #expect(condition.values.map(\.arms) == [["a", "b"], ["c"]])
    #expect(condition.values.map(\.isDeclared) == [false, true])
  }

  @Test func anUnequalContractThatIsAllowedStandsInTheTitle() throws {
    let analysis = try study(.clipping, declared: false).analysis(allowsUnequal: true)
    #expect(analysis.title.contains("clipping differs for c (not declared)"))
  }

  @Test func equalArmsHaveATitleWithoutDifferences() throws {
    let folder = try StudyOnDisk(measuredStudy(arms: ["a", "b"]))
    try folder.add(["a": losses, "b": losses])
    let analysis = try folder.analysis()
    #expect(analysis.title == "measured")
    let conditions = analysis.variants[0].contract.conditions
    #expect(conditions.allSatisfy { $0.isEqual })
    #expect(conditions.filter(\.dependsOnSeed).map(\.field) == [.initialWeights, .tokenOrder])
  }

  @Test func runsWithoutAContractAreRefused() throws {
    let folder = try StudyOnDisk(measuredStudy(arms: ["a", "b"]))
    try folder.add(["a": losses])
    try folder.add(["b": losses], .init(contract: nil))
    let error = try #require(refusal { _ = try folder.analysis() })
    #expect(error.code == .missingContract)
    #expect(error.message.contains("main.b"))
    #expect(error.message.contains("contract.json"))
    let analysis = try folder.analysis(allowsUnequal: true)
    #expect(analysis.marks.contains { $0.trials.count == 5 && $0.text.contains("contract") })
  }

  @Test func sweepsAreComparedAtEqualValuesOnly() throws {
    let sweep = sweepOf(
      "batch", "training.batch_tokens", .absolute([.number(8), .number(16)]), arms: ["a", "b"],
      seeds: 1)
    let folder = try StudyOnDisk(
      measuredStudy(
        arms: ["a", "b"], seeds: 1, sweeps: [sweep],
        defaults: ["training.batch_tokens": .number(8)]))
    func add(_ arm: String, _ value: Double, _ batch: String) throws {
      let point = TrialPoint(
        variant: "main", arm: arm, seed: TrialSeed(.reporting, 1),
        knobs: ["training.batch_tokens": .number(value)])
      try folder.add(finished(point, 3), .init(contract: [.batchTokens: batch]))
    }
    for arm in ["a", "b"] {
      try add(arm, 8, "8")
      try add(arm, 16, "16")
    }
    #expect(try folder.analysis().arm("a").sweeps[0].points.count == 2)
    try add("b", 16, "17")
    let error = try #require(refusal { _ = try folder.analysis() })
    #expect(error.message.contains("sweep batch"))
  }

  @Test func differentTuningEffortStandsInTheTitle() throws {
    let grid = halfDecades(from: 1e-3, 4)
    var study = simulatedStudy(grids: ["a": grid, "b": grid])
    study.tuning?.axes[0].keys["b"] = nil
    study.tuning?.axes[0].grids["b"] = nil
    let folder = try StudyOnDisk(study)
    for result in try run(study, LossSurface(optimum: ["a": 0.01, "b": 0.01])).results {
      try folder.add(result)
    }
    let analysis = try folder.analysis()
    let trials = analysis.variants[0].contract.tuningTrials
    #expect(trials[0] > 4)
    #expect(trials[1] == 0)
    #expect(analysis.title == "simulated (tuning trials differ: a \(trials[0]), b 0)")
  }
}
