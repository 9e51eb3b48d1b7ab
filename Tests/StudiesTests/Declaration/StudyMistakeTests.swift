// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords
import Testing
import TextData

@testable import Studies

/// A mistake and what the message about it has to say.
struct Mistake: CustomTestStringConvertible {
  var study: String
  var clauses: [String]
  var testDescription: String { clauses[0] }

  init(_ study: String, _ clauses: String...) {
    self.study = study
    self.clauses = clauses
  }

  /// A mistake in what follows the arms of a small study, from line 6.
  init(more: String, _ clauses: String...) {
    study = smallStudy(more)
    self.clauses = clauses
  }
}

private let sweep = "[[sweep]]\nname = \"s\"\n"
private let claim = "[[claim]]\nname = \"c\"\nstatement = \"s\"\nrelation = \"below\"\n"

@Suite struct StudyMistakeTests {
  /// The study's only problem, with all clauses; a second one would be noise.
  private func check(_ mistake: Mistake) {
    let found = problems(mistake.study)
    #expect(found.count == 1, "\(found)")
    for clause in mistake.clauses {
      #expect(found.contains { $0.contains(clause) }, "'\(clause)' in \(found)")
    }
  }

  @Test(arguments: [
    Mistake("base = \"tiny\"", "the study has no arms", "write [[arm]]"),
    Mistake("[[arm]]\noptimizer.name = \"sgd\"", "base is missing"),
    Mistake(
      "base = \"tinny.toml\"\n[[arm]]\noptimizer.name = \"sgd\"", "no such configuration file"),
    Mistake(smallStudy("", arms: "[[arm]]\noptimizer.name = \"sgd\""), "two arms are called 'sgd'"),
    Mistake(smallStudy("", arms: "[[arm]]\noptimizer.beta1 = 0.8"), "needs a name"),
    Mistake(
      smallStudy("", arms: "[[arm]]\nname = \"a/b\"\noptimizer.name = \"sgd\""),
      "\"a/b\" (test.toml:7)", "letters, digits"),
    Mistake(
      more: "[[variant]]\nname = \"v\"\n[[variant]]\nname = \"v\"", "two variants are called 'v'"),
    Mistake(more: "[[variant]]\nmodel.layers = 2", "variant[0].name is missing"),
    Mistake(
      "baseline = \"adanw\"\n" + smallStudy(""), "there is no arm 'adanw'", "did you mean 'adamw'?"),
    Mistake(
      "bseline = \"adamw\"\n" + smallStudy(""), "test.toml:1: unknown key bseline", "'baseline'"),
    Mistake(
      smallStudy("", arms: "variants = [\"mian\"]"), "no variant 'mian'", "did you mean 'main'?"),
    Mistake(smallStudy("", arms: "variants = []"), "it would run nowhere"),
    Mistake(
      smallStudy("", arms: "differs = [\"schedul\"]"), "no field of the contract",
      "did you mean 'schedule'?"),
  ])
  func armsAndVariants(_ mistake: Mistake) { check(mistake) }

  @Test(arguments: [
    Mistake(
      smallStudy("", arms: "optimizer.momentun = 0.5"),
      "arm 'sgd': study test.toml, arm sgd, line 6: unknown key",
      "'optimizer.momentum'"),
    Mistake(
      smallStudy("", arms: "optimizer.momentum = 1.5"), "arm 'sgd': ", "line 6", "out of range"),
    Mistake(
      smallStudy("", arms: "optimizer.beta2 = 0.5"), "arm 'sgd': beta2 is a key of", "not of sgd"),
    Mistake(
      smallStudy("", arms: "learningrate = 0.5"),
      "arm[1].learningrate = 0.5 (test.toml:6): there is no such key",
      "did you mean 'learning_rate'?"),
    Mistake(
      more: "[common]\nmodel.widht = 3", "test.toml, common, line 8: unknown key model.widht"),
    Mistake(
      more: "[[variant]]\nname = \"a\"\n[[variant]]\nname = \"b\"\nmodel.layers = 0",
      "variant 'b': study test.toml, variant b, line 11: model.layers = 0 is out of range"),
    Mistake(
      more: "[common]\ntraining.seed = 3", "training.seed = 3 belongs to the study", "[seeds]"),
    Mistake(
      more: "[common]\ntraining.steps = 3\n[budget]\nsteps = 5", "training.steps = 3 contradicts",
      "budget.steps"),
    Mistake(
      smallStudy("", arms: "[[arm]]\noptimizer.name = \"schedule-free-adamw\""),
      "arm 'schedule-free-adamw': ", "kind = \"constant\""),
    Mistake(
      smallStudy(
        "", arms: "[[arm.optimizer.rule]]\nname = \"r\"\nroles = [\"hed\"]\ntrain = false"),
      "arm 'sgd': ", "hed"),
    Mistake(
      smallStudy("", arms: "schedule.kind = \"linear\""), "they differ in schedule (adamw: cosine",
      "write differs = [\"schedule\"] in 'sgd'"),
    Mistake(smallStudy("", arms: "optimizer.gradient_clip = 0"), "they differ in clipping"),
    Mistake(
      smallStudy("", arms: "evaluation.final.attention_window = 17"),
      "they differ in evaluationTokens (adamw: 65536 targets, selection spread, context length 32, attention across documents; "
        + "sgd: 65536 targets, selection spread, context length 32, attention across documents, "
        + "attention_window 17.0 after the last step)",
      "write differs = [\"evaluationTokens\"] in 'sgd'"),
    // The held-out text is evaluated with the mask too.
    Mistake(
      smallStudy("", arms: "data.document_mask = true\ndiffers = [\"tokenOrder\"]"),
      "they differ in evaluationTokens", "attention inside documents"),
    Mistake(
      smallStudy("", arms: "evaluation.context_length = 16"), "they differ in evaluationTokens",
      "context length 16"),
    Mistake(
      smallStudy("", arms: "evaluation.selection = \"first\""), "they differ in evaluationTokens",
      "selection first"),
    Mistake(
      smallStudy(
        "[common]\nschedule.stage = [{ name = \"a\", until = 0.5, attention_window = 4 }, { name = \"b\", attention_window = 8 }]\n"
          + "[budget]\nflops = 1e9"),
      "cannot be turned into steps while attention windows", "give budget.steps"),
    Mistake(
      smallStudy(
        "[common]\nschedule.stage = [{ name = \"a\", until = 0.5, attention_window = 4 }, { name = \"b\", attention_window = 8 }]\n"
          + "[budget]\nseconds = 60"),
      "budget.seconds cannot be turned into steps while attention windows", "give budget.steps"),
    Mistake(
      smallStudy("", arms: "training.steps = 50\ndiffers = [\"schedule\"]"),
      "they differ in trainingTokens"),
    Mistake(
      smallStudy("[tuning]\n[seeds]\ntuning = 2", arms: "learning_rate = \"fixed\""),
      "they differ in tuning (adamw: at most 16 trials; sgd: none)",
      "write differs = [\"tuning\"] in 'sgd'"),
  ])
  func configurationsOfArms(_ mistake: Mistake) { check(mistake) }

  @Test(arguments: [
    Mistake(
      more:
        "[seeds]\ntuning = 2\n[tuning.axis.warm]\nkey = \"schedule.warmup_fraction\"\nvalues = [0.1, 0.3]",
      "may give 'adamw' another schedule", "write differs = [\"schedule\"] in every arm")
  ])
  func conditionsThatTuningWouldChange(_ mistake: Mistake) { check(mistake) }

  @Test(arguments: [
    Mistake(more: "[seeds]\nreporting = [1, 2, 1]", "seed 1 stands there twice"),
    Mistake(more: "[tuning]\n[seeds]\ntuning = [14, 14]", "seed 14 stands there twice"),
    Mistake(more: "[tuning]\n[seeds]\ntuning = [2, 9]", "seed 2 would report what it chose"),
    Mistake(more: "[seeds]\ntuning = 2", "nothing is tuned"),
    Mistake(more: "[seeds]\nreporting = 0", "how many seeds"),
    Mistake(more: "[seeds]\nreporting = [-1]", "numbers from 0"),
    Mistake(more: "[seeds]\nreporting = \"five\"", "how many seeds"),
    Mistake(more: "[budget]\nsteps = 5\ntokens = 640", "a budget has one unit"),
    Mistake(more: "[budget]\nsteps = 5.5", "expected a whole number"),
    Mistake(more: "[budget]\nsteps = -5", "out of range"),
    Mistake(more: "[budget]\nstesp = 5", "unknown key budget.stesp", "'budget.steps'"),
    Mistake(
      more: "[budget]\ntokens = 100", "no multiple of training.batch_tokens = 64", "use 64 or 128"),
    Mistake(
      more: "[budget]\ncharged_tokens = 60", "budget.charged_tokens = 60 does not pay for one step"),
    Mistake(more: "[budget]\nseconds = 60", "needs the speed of every arm"),
    Mistake(
      more: "[budget]\nsteps = 5\n[[variant]]\nname = \"v\"\nbudget.tokens = 64",
      "the study's budget is in steps"),
    Mistake(
      more: "[[variant]]\nname = \"v\"\nbudget.steps = 64", "has no [budget] that it replaces"),
    Mistake(
      more:
        "[budget]\ntokens = 6400\n[common]\nschedule.stage = [{ name = \"a\", until = 0.5, batch_tokens = 64 }, { name = \"b\", batch_tokens = 128 }]",
      "while the batch changes"),
  ])
  func seedsAndBudgets(_ mistake: Mistake) { check(mistake) }

  @Test(arguments: [
    Mistake(
      more: "[tuning]\nlearning_rate = \"atuo\"", "expected auto, card, fixed",
      "did you mean 'auto'?"),
    Mistake(more: "[tuning]\nlearning_rate = [0.1, 0]", "numbers above 0"),
    Mistake(more: "[tuning]\nlearning_rate = []", "at least one value"),
    Mistake(more: "[tuning]\nlearning_rate = { log = [0, 1] }", "begins above 0"),
    Mistake(more: "[tuning]\nlearning_rate = { log = [1, 0.1] }", "the smaller first"),
    Mistake(
      more: "[tuning]\nlearning_rate = { log = [0.1, 1], linear = [0, 1] }", "give one of log"),
    Mistake(more: "[tuning]\nlearning_rate = { points = 3 }", "give one of log"),
    Mistake(more: "[tuning]\nlearning_rate = { log = [1, 1.001], points = 900 }", "use fewer"),
    Mistake(more: "[tuning]\nlearning_rate = [1e5]", "optimizer.learning_rate", "out of range"),
    Mistake(
      more: "[tuning.learning_rates]\nsdg = \"card\"", "there is no arm 'sdg'",
      "did you mean 'sgd'?"),
    Mistake(
      smallStudy("[tuning.learning_rates]\nsgd = \"card\"", arms: "learning_rate = \"auto\""),
      "given twice"),
    Mistake(more: "[tuning]\nrefin = true", "unknown key tuning.refin", "'tuning.refine'"),
    Mistake(
      more: "[tuning.axis.decay]\nkey = \"optimizer.weight_decay\"\nvalues = [0, 0.1]",
      "needs two at least", "axis 'decay'"),
    Mistake(
      more: "[seeds]\ntuning = 2\n[tuning.axis.beta]\nkey = \"optimizer.beta2\"\nvalues = [0.9]",
      "arm 'sgd': ", "axis beta, line 9", "not of sgd"),
    Mistake(
      more:
        "[seeds]\ntuning = 2\n[tuning.axis.beta]\nkey = \"optimizer.beta2\"\nvalues = [0.9]\narms = []",
      "no arm has it"),
    Mistake(
      more:
        "[seeds]\ntuning = 2\n[tuning.axis.beta]\nvalues = [0.9]\n[tuning.axis.beta.arms]\nadam = \"optimizer.beta2\"",
      "there is no arm 'adam'", "did you mean 'adamw'?"),
  ])
  func tuning(_ mistake: Mistake) { check(mistake) }

  @Test(arguments: [
    Mistake(more: sweep + "values = [1]", "give key = \"section.key\""),
    Mistake(more: sweep + "key = \"optimizer.weight_decay\"", "values are missing"),
    Mistake(
      more: sweep + "key = \"optimizer.weight_decay\"\nvalues = [0, 0]", "0 stands there twice"),
    Mistake(more: sweep + "key = \"optimizer.weight_decay\"\nvalues = [0, \"a\"]", "mixed"),
    Mistake(more: sweep + "key = \"optimizer.weight_decay\"\nvalues = [0, inf]", "not finite"),
    Mistake(
      more: sweep + "key = \"optimizer.weight_decay\"\nvalues = [0]\nfactors = [1]", "not both"),
    Mistake(
      more: sweep + "key = \"optimizer.weight_decay\"\nfactors = [-1, 1]",
      "factors are numbers above 0"),
    Mistake(
      more: sweep + "key = \"model.attention_window\"\nfactors = [1, 2]", "no number other than 0"),
    Mistake(
      more: sweep + "key = \"optimizer.weight_decay\"\nvalues = [0, 1]\nlogarithmic = true",
      "logarithmic = false"),
    Mistake(
      more: sweep + "key = \"optimizer.weight_decay\"\nvalues = [0]\nseeds = 6",
      "there are 5 reporting seeds"),
    Mistake(
      more: sweep + "key = \"training.seed\"\nvalues = [1]", "belongs to the study's protocol"),
    Mistake(
      more: sweep + "key = \"optimizer.weight_decai\"\nvalues = [1]",
      "test.toml, sweep s, line 8: unknown key",
      "'optimizer.weight_decay'"),
    Mistake(more: sweep + "key = \"optimizer.beta2\"\nvalues = [0.9]", "arm 'sgd': ", "not of sgd"),
    Mistake(
      more: sweep + "key = \"optimizer.weight_decay\"\nvalues = [0]\narms = [\"sgdd\"]",
      "there is no arm 'sgdd'"),
    Mistake(
      more: sweep + "key = \"optimizer.weight_decay\"\nvalues = [0]\narms = [\"sgd\", \"sgd\"]",
      "named twice"),
    Mistake(
      more: sweep
        + "key = \"optimizer.weight_decay\"\nvalues = [0]\n[sweep.arms]\nsgd = \"optimizer.momentum\"",
      "given twice"),
    Mistake(more: sweep + "values = [0]\n[sweep.arms]\nsgd = 3", "expected a key in quotes"),
    Mistake(more: sweep + "values = [0]\nkeys = []", "a key is missing"),
    Mistake(
      more: sweep + "key = \"optimizer.weight_decay\"\nvalues = [0]\n" + sweep
        + "key = \"optimizer.weight_decay\"\nvalues = [1]", "two sweeps are called 's'"),
    Mistake(
      more: sweep + "key = \"optimizer.weight_decay\"\nvalues = [0]\nvariants = [\"x\"]",
      "no variant 'x'"),
    Mistake(
      more: "[budget]\ntokens = 6400\n" + sweep
        + "key = \"training.batch_tokens\"\nvalues = [64, 96]",
      "no multiple of training.batch_tokens = 96"),
  ])
  func sweeps(_ mistake: Mistake) { check(mistake) }

  @Test(arguments: [
    Mistake(more: "[target]\nbaseline = false", "there is no loss to reach"),
    Mistake(more: "[target]\nladder = [0.5]", "add 1.0"),
    Mistake(more: "[target]\nladder = [0.5, 0.5, 1]", "stands there twice"),
    Mistake(
      more: "[target]\nlosses = [3]\nladder = [0.5, 0.502, 1]", "two lengths make 50",
      "a ladder that lies wider"),
    Mistake(more: "[target]\nladder = [0, 1]", "out of range"),
    Mistake(more: "[target]\nseeds = 7", "there are 5 reporting seeds"),
    // ln 256 = 5.545
    Mistake(more: "[target]\nlosses = [5.6]", "reached before the first step", "5.545"),
    Mistake(
      more: "[common]\nschedule.cooldown_steps = 3\nschedule.kind = \"wsd\"\n[target]",
      "schedule.cooldown_steps = 3", "test.toml, common", "give cooldown_fraction"),
    Mistake(more: "[rule]\nlevel = 0.9", "out of range"),
    Mistake(more: "[rule]\nmargin = {}", "give a number"),
    Mistake(more: "[rule]\nmargin = { share = 0.1 }", "needs the two arms"),
    Mistake(more: "[rule]\nmargin = { from = \"sgd\", to = \"adamw\" }", "give share"),
    Mistake(
      more: "[rule]\nmargin = { share = 0.1, from = \"sgd\", to = \"sgd\" }", "an arm and itself"),
    Mistake(
      more: "[rule]\nmargin = { share = 0.1, from = \"sgd\", to = \"adam\" }", "no arm 'adam'"),
    Mistake(more: "[rule]\npairing = \"sometimes\"", "calibrated, never, always"),
    Mistake(more: "[rule]\nfamily = [[\"sgd\", \"lion\"]]", "there is no arm 'lion'"),
    Mistake(more: "[rule]\nfamily = [\"sgd\"]", "pairs of different arms"),
    Mistake(
      more: "[rule]\nfamily = [[\"sgd\", \"adamw\"], [\"adamw\", \"sgd\"]]", "remove one pair"),
    Mistake(more: "[stopping]\nrace = true", "only tuning trials race"),
    Mistake(more: "[stopping]\naudit = 2", "out of range"),
    Mistake(more: "[stopping]\ndivergence = 2", "unknown key stopping.divergence"),
  ])
  func targetsAndRules(_ mistake: Mistake) { check(mistake) }

  @Test(arguments: [
    Mistake(more: claim + "left = { kind = \"loss\", arm = \"adan\" }", "there is no arm 'adan'"),
    Mistake(more: claim + "left = { kind = \"los\", arm = \"sgd\" }", "Did you mean 'loss'?"),
    Mistake(more: claim, "a claim is about a quantity"),
    Mistake(more: claim + "left = { kind = \"spread\", arm = \"sgd\" }", "measured over a sweep"),
    Mistake(
      more: claim + "left = { kind = \"loss\", arm = \"sgd\", sweep = \"s\" }",
      "the study has no sweeps"),
    Mistake(
      more: claim + "left = { kind = \"loss\", arm = \"sgd\", at = 1 }",
      "a value belongs to a sweep"),
    Mistake(
      more: claim + "left = { kind = \"loss\", arm = \"sgd\", variant = \"x\" }", "no variant 'x'"),
    Mistake(more: claim + "left = { kind = \"metric\", arm = \"sgd\" }", "a metric has a name"),
    Mistake(
      more: claim
        + "left = { kind = \"metric\", arm = \"sgd\", metric = \"effectiveRate.norm_gain.q50\" }",
      "no run records 'effectiveRate.norm_gain.q50'", "did you mean 'effectiveRate.normGain.q50'?"),
    Mistake(more: claim + "left = { kind = \"steps-to-target\", arm = \"sgd\" }", "write [target]"),
    Mistake(
      more: "[[claim]]\nname = \"c\"\nstatement = \"s\"\nleft = { kind = \"loss\", arm = \"sgd\" }",
      "a claim needs a relation", "not-below"),
    Mistake(
      more: claim + "left = { kind = \"loss\", arm = \"sgd\" }\n" + claim
        + "left = { kind = \"loss\", arm = \"sgd\" }", "two claims are called 'c'"),
  ])
  func claims(_ mistake: Mistake) { check(mistake) }

  private static let decay =
    sweep + "key = \"optimizer.weight_decay\"\nvalues = [0, 0.1]\narms = [\"adamw\"]\n"

  @Test(arguments: [
    Mistake(
      more: decay + claim + "left = { kind = \"spread\", arm = \"sgd\", sweep = \"s\" }",
      "arm 'sgd' is not part of that sweep"),
    Mistake(
      more: decay + claim + "left = { kind = \"loss\", arm = \"adamw\", sweep = \"s\", at = 0.2 }",
      "none of the sweep's values, 0.0, 0.1"),
    Mistake(
      more: decay + claim + "left = { kind = \"basin\", arm = \"adamw\", sweep = \"s\" }",
      "measured in decades"),
    Mistake(
      more: decay + claim + "left = { kind = \"distance\", arm = \"adamw\", sweep = \"s\" }",
      "a distance is measured to another arm"),
    Mistake(
      more: decay + claim
        + "left = { kind = \"spread\", arm = \"adamw\", sweep = \"s\", from = 1, to = 0 }",
      "ends before it begins"),
    Mistake(
      more: decay + claim + "left = { kind = \"spread\", arm = \"adamw\", sweep = \"t\" }",
      "there is no sweep 't'"),
  ])
  func claimsAboutSweeps(_ mistake: Mistake) { check(mistake) }

  @Test func allMistakesAreReportedTogether() {
    let found = problems(
      smallStudy(
        "[seeds]\nreporting = [1, 1]\n[rule]\nlevel = 2\n[targt]\nlosses = [3]\n[common]\nmodel.widht = 3",
        arms: "optimizer.momentum = 2"))
    #expect(found.count == 5, "\(found)")
  }

  @Test func dataThatAreNotThereAreAMistakeOfAStudyThatIsToRun() {
    let found = problems(smallStudy(""), requiresData: true)
    #expect(found.count == 1)
    #expect(found[0].contains("nowhere"))
  }

  @Test func aTargetBelowTheEntropyOfSyntheticTextIsOutOfReach() throws {
    let folder = NSTemporaryDirectory() + "assay-synthetic-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var synthesis = DatasetSynthesis(output: folder)
    synthesis.process.vocabulary = 64
    synthesis.process.classes = 4
    (synthesis.tokens, synthesis.validationTokens) = (2000, 500)
    let floor = try #require(try synthesis.run().synthetic).entropyRate
    let base = tinyBase.replacing("\"nowhere\"", with: "\"\(folder)\"")
    func found(_ loss: Double) -> [String] {
      problems(smallStudy("[target]\nlosses = [\(loss)]"), base: base, requiresData: true)
    }
    #expect(found(floor - 0.01).first?.contains("the entropy of the text") == true)
    #expect(found(floor + 0.01).isEmpty)
    let record = try read(smallStudy(""), base: base, requiresData: true).record
    #expect(record.variants[0].entropyFloor == floor)
  }
}
