// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Comparison
import Configurations
import Foundation
import Optimizers
import RunRecords
import Testing
import Training

@testable import Studies

@Suite struct StudyDeclarationTests {
  @Test func everythingInAStudyFileIsUnderstood() throws {
    let declaration = try read(fullStudy)
    let study = declaration.record
    #expect(declaration.folder == "studies/full")
    #expect(declaration.text == fullStudy)
    #expect((study.name, study.question, study.baseline) == ("full", "Which?", "adamw"))
    #expect(study.variants.map(\.name) == ["short", "long"])
    #expect(study.variants[1].changes == ["model.variant": "\"plain\""])
    #expect(study.arms.map(\.name) == ["adamw", "sgd", "lion"])
    #expect(study.arms[2].method == "lion")
    #expect(study.arms[2].variants == ["short"])
    #expect(study.arms[2].differences == [.schedule])
    #expect(study.arms[0].steps == ["short": 200, "long": 400])
    #expect(study.reportingSeeds == [1, 2, 3, 4, 5, 6])
    #expect(study.budget == .init(unit: .tokens, amount: 12800))
    #expect(
      study.targets
        == .init(losses: [3.2], includesBaseline: true, ladder: [0.5, 1], seedCount: 3))
    #expect(
      study.rule
        == .init(
          level: 0.01, margin: .share(0.2, of: "adamw", to: "sgd", atLeast: 1), pairing: .always,
          family: [["sgd", "adamw"]], exploresAllPairs: true))
    #expect(study.stopping == .init(divergenceMargin: 1, races: true, auditShare: 0.5))
    #expect(study.claims.count == 1)
    #expect(study.claims[0].left.factor == 0.5)
    #expect(study.claims[0].right?.variant == "short")
    #expect((study.claims[0].relation, study.claims[0].value) == (.notBelow, 0.1))
  }

  @Test func tuningTakesGridsFromTheStudyOrTheCard() throws {
    let tuning = try #require(try read(fullStudy).record.tuning)
    #expect(tuning.seeds == [101, 102, 103])
    #expect(tuning.extensionLimit == 3)
    #expect(tuning.axes.map(\.name) == ["learning rate", "decay", "momentum"])
    let rate = tuning.axes[0]
    #expect(Set(rate.keys.keys) == ["adamw", "lion"])
    #expect(rate.grids["lion"] == [.number(1e-4), .number(1e-3)])
    // Five points, half a decade apart, around the card's 1e-3.
    #expect(
      rate.grids["adamw"]
        == [1e-4, 3.162e-4, 1e-3, 3.162e-3, 1e-2].map { .number($0) })
    #expect(rate.isAutomatic && rate.isLogarithmic)
    #expect(rate.upperBound == 1e4)
    #expect(tuning.axes[1].grids["sgd"] == [.number(0), .number(0.1)])
    #expect(
      tuning.axes[2].keys == [
        "sgd": ["optimizer.momentum"], "lion": ["optimizer.beta1", "optimizer.beta2"],
      ])
    let card = try read(smallStudy("[tuning]\nlearning_rate = \"card\"")).record.tuning
    #expect(card?.axes[0].grids["adamw"]?.first == .number(1e-4))
    #expect(card?.axes[0].grids["adamw"]?.last == .number(0.1))
    #expect(card?.axes[0].grids["adamw"]?.count == 7)
    #expect(card?.extensionLimit == 0)
    #expect(try read(smallStudy("[tuning]")).record.tuning?.extensionLimit == 4)
    #expect(try read(smallStudy("")).record.tuning == nil)
  }

  @Test func sweepsHaveValuesFactorsOrSwitches() throws {
    let study = try read(fullStudy).record
    #expect(study.sweeps.map(\.name) == ["rate", "batch", "norm"])
    #expect(study.sweeps[0].values == .factors([0.1, 0.3162, 1, 3.162, 10]))
    #expect(study.sweeps[0].isLogarithmic)
    #expect(study.sweeps[0].seedCount == 2)
    #expect(study.sweeps[1].keys == ["adamw": ["training.batch_tokens"]])
    #expect(study.sweeps[1].variants == ["short"])
    #expect(study.sweeps[1].seedCount == 5)
    #expect(study.sweeps[2].values == .absolute([.text("true"), .text("false")]))
    #expect(study.arms[0].defaults(in: "short")["model.qk_norm"] == .text("true"))
    #expect(study.arms[0].defaults(in: "long")["model.qk_norm"] == .text("false"))
    #expect(study.arms[0].defaults(in: "long")["training.batch_tokens"] == .number(64))
  }

  @Test func anArmThatNamesItsMethodStartsFromItsCard() throws {
    let study = """
      base = "tiny"
      [[arm]]
      name = "own"
      [[arm]]
      optimizer.name = "adamw"
      [[arm]]
      optimizer.name = "sgd"
      """
    let declaration = try read(study)
    func configuration(_ arm: String) throws -> TrainingConfiguration {
      try declaration.configuration(
        for: TrialPoint(variant: "main", arm: arm, seed: TrialSeed(.reporting, 3), knobs: [:]))
    }
    let (own, adamw, sgd) = (
      try configuration("own"), try configuration("adamw"), try configuration("sgd")
    )
    #expect(own.optimizer.learningRate == 7e-3)
    #expect(adamw.optimizer.learningRate == 1e-3)
    #expect(adamw.optimizer.policy.hyperparameters["beta2"] != 0.97)
    #expect(sgd.optimizer.name == "sgd")
    for configuration in [own, adamw, sgd] {
      #expect(configuration.optimizer.gradientClip == 0.5)
      #expect((configuration.training.seed, configuration.training.dataSeed) == (3, 3))
      #expect(configuration.training.steps == 100)
    }
  }

  @Test func aTrialIsWhatItsPointSays() throws {
    let declaration = try read(fullStudy)
    let knobs = declaration.record.arms[2].defaults(in: "short").merging([
      "optimizer.learning_rate": .number(0.5), "optimizer.beta1": .number(0.5),
    ]) { $1 }
    let point = TrialPoint(
      variant: "short", arm: "lion", seed: TrialSeed(.tuning, 101, data: 7), knobs: knobs,
      horizon: 0.5)
    let configuration = try declaration.configuration(for: point)
    #expect(configuration.training.steps == 100)
    #expect((configuration.training.seed, configuration.training.dataSeed) == (101, 7))
    #expect(configuration.training.divergenceMargin == 1)
    #expect(configuration.optimizer.learningRate == 0.5)
    #expect(configuration.optimizer.policy.hyperparameters["beta1"] == 0.5)
    #expect(configuration.optimizer.policy.rules.map(\.name) == ["head", "norms"])
    #expect(configuration.schedule.kind == .linear)
    #expect(configuration.evaluation.every == 20)
    let audit = try declaration.configuration(for: point, isAudit: true)
    #expect(audit.training.divergenceMargin == nil)
    let identity = try declaration.identity(of: point)
    #expect(identity.wholeMatch(of: /short\.lion\.[0-9a-f]{12}/) != nil)
    #expect(try declaration.identity(of: point, isAudit: true).hasSuffix(".audit"))
  }

  @Test func layersSayOnWhichLineOfTheStudyAKeyStands() throws {
    let declaration = try read(fullStudy)
    let point = TrialPoint(
      variant: "long", arm: "adamw", seed: TrialSeed(.reporting, 1),
      knobs: declaration.record.arms[0].defaults(in: "long"))
    let layers = try declaration.layers(for: point)
    #expect(layers.map(\.label).prefix(2) == ["study defaults", "preset tiny"])
    #expect(layers.dropFirst(2).allSatisfy { $0.label.hasPrefix("study ") })
    let trial = try declaration.configuration(for: point)
    #expect(trial.checkpoint.final == .none && trial.checkpoint.seconds == 20)
    let arm = try #require(layers.first { $0.label.hasSuffix("arm adamw") })
    let line = try #require(
      fullStudy.split(separator: "\n", omittingEmptySubsequences: false)
        .firstIndex { $0.hasPrefix("optimizer.beta2") })
    let lines = arm.text.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines[line] == "optimizer.beta2 = 0.95")
  }

  // MARK: - Budgets

  @Test(arguments: [
    ("steps = 70", 70, 70), ("tokens = 6400", 100, 100),
    // One extra gradient in ten for the second arm: 91 + ceil(91 / 10) = 101 evaluations of 64 tokens.
    ("charged_tokens = 6464", 101, 91), ("charged_tokens = 6463", 100, 90),
    ("seconds = 10", 25, 25),
  ])
  func aBudgetBecomesSteps(budget: String, first: Int, second: Int) throws {
    let study = """
      base = "tiny"
      [budget]
      \(budget)
      [[arm]]
      optimizer.name = "signum"
      [[arm]]
      optimizer.name = "sophia-g"
      """
    let record = try read(study, speed: 2.5).record
    #expect(record.arms.map { $0.steps["main"] } == [first, second])
    let declares = record.arms[1].differences.contains(.trainingTokens)
    #expect(declares == (first != second))
  }

  @Test func operationsOfGradientsAndUpdatesAreCharged() throws {
    func steps(_ amount: Double) throws -> [Int?] {
      let study = """
        base = "tiny"
        [budget]
        flops = \(amount)
        [[arm]]
        optimizer.name = "sgd"
        [[arm]]
        optimizer.name = "adamw"
        """
      return try read(study).record.arms.map { $0.steps["main"] }
    }
    let (one, ten) = (try steps(1e9), try steps(1e10))
    let (sgd, adamw) = (try #require(one[0]), try #require(one[1]))
    #expect(sgd > adamw)
    #expect(abs((ten[0] ?? 0) - 10 * sgd) < 10)
  }

  @Test func armsMayBeEvaluatedInDifferentWaysWhereTheySaySo() throws {
    let declared = """
      evaluation.final.attention_window = 17
      differs = ["evaluationTokens"]
      """
    #expect(problems(smallStudy("", arms: declared)) == [])
    // Of all targets it does not matter which would have been chosen.
    let all = "evaluation.selection = \"first\"\n[common]\nevaluation.tokens = 0"
    #expect(problems(smallStudy("", arms: all)) == [])
  }

  @Test func aSweepOfTheBatchKeepsTheTokens() throws {
    let declaration = try read(fullStudy)
    for (batch, steps) in [(32.0, 400), (64, 200), (128, 100)] {
      let knobs = declaration.record.arms[0].defaults(in: "short").merging([
        "training.batch_tokens": .number(batch)
      ]) { $1 }
      let point = TrialPoint(
        variant: "short", arm: "adamw", seed: TrialSeed(.reporting, 1), knobs: knobs)
      #expect(try declaration.configuration(for: point).training.steps == steps)
      #expect(try declaration.configuration(for: point).totalTokens == 12800)
    }
  }

  // MARK: - Sizes

  @Test func sizesAddToTheStudyAndReplaceItsValues() throws {
    let study = """
      base = "tiny"
      default_size = "small"
      [budget]
      steps = 10
      [[arm]]
      optimizer.name = "adamw"
      [[arm]]
      optimizer.name = "sgd"
      [[sweep]]
      name = "decay"
      key = "optimizer.weight_decay"
      values = [0, 0.1]
      [size.small.budget]
      steps = 20
      [size.large]
      folder = "elsewhere"
      [size.large.budget]
      steps = 3000
      [[size.large.arm]]
      name = "sgd"
      optimizer.momentum = 0.5
      [[size.large.sweep]]
      name = "width"
      key = "model.layers"
      values = [1, 2]
      """
    let small = try read(study).record
    #expect(small.arms[0].steps == ["main": 20])
    #expect(small.sweeps.map(\.name) == ["decay"])
    let large = try read(study, size: "large")
    #expect(large.record.arms.map(\.name) == ["adamw", "sgd"])
    #expect(large.record.arms[0].steps == ["main": 3000])
    #expect(large.record.arms[1].changes["optimizer.momentum"] == "0.5")
    #expect(large.record.sweeps.map(\.name) == ["decay", "width"])
    #expect(large.folder == "elsewhere")
    #expect(try read(study, overrides: ["budget.steps=7"]).record.arms[0].steps == ["main": 7])
    #expect(problems(study, size: "lagre")[0].contains("did you mean 'large'?"))
    #expect(problems(smallStudy(""), size: "large")[0].contains("has no sizes"))
    let open = study.replacing("default_size = \"small\"", with: "")
    #expect(problems(open)[0].contains("sizes large, small; choose one"))
  }

  // MARK: - Records

  @Test func aRecordSurvivesItsFileToTheBit() throws {
    let record = try read(fullStudy).record
    let folder = NSTemporaryDirectory() + "assay-record-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try StudyFolder(folder).write(record)
    #expect(try StudyFolder(folder).record() == record)
  }

  @Test func theHashIsThatOfTheDeclarationAlone() throws {
    let hash = try read(fullStudy).record.hash
    #expect(try read(fullStudy + "\n# a remark\n").record.hash == hash)
    for (old, new) in [
      ("audit = 0.5", "audit = 0.4"), ("beta2 = 0.95", "beta2 = 0.96"),
      ("[1e-4, 1e-3]", "[1e-4, 2e-3]"),
      ("reporting = 6", "reporting = 7"), ("\"not-below\"", "\"below\""),
    ] {
      #expect(try read(fullStudy.replacing(old, with: new)).record.hash != hash, "\(new)")
    }
    // Even a change of the base alone.
    let base = tinyBase.replacing("width = 32", with: "width = 64")
    #expect(try read(fullStudy, base: base).record.hash != hash)
  }

  @Test func theProtocolAsksForNothingThatTheDeclarationCannotRun() throws {
    let declaration = try read(fullStudy)
    let progress = try StudyProtocol.next(declaration.record, [])
    #expect(!progress.needed.isEmpty)
    let identities = try progress.needed.map { try declaration.identity(of: $0) }
    #expect(Set(identities).count == progress.needed.count)
  }
}
