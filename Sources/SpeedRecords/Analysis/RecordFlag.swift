// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Something that a reader of a record has to know before believing it.
public struct RecordFlag: Codable, Equatable, Sendable {
  /// The kinds of doubt.
  public enum Code: String, Codable, CaseIterable, Sendable {
    /// The number of runs was not fixed beforehand.
    case runsNotFixed = "runs-not-fixed"
    /// There are fewer runs than were fixed: some were left out.
    case runsMissing = "runs-missing"
    /// There are more runs than were fixed: some were added after looking.
    case runsAdded = "runs-added"
    /// A seed took part in choosing hyperparameters.
    case tunedOnSeed = "tuned-on-seed"
    /// Runs of one set ended at different steps though they were planned alike: each was stopped by itself.
    case stoppedPerRun = "stopped-per-run"
    /// Runs of one set have different lengths.
    case stepsDiffer = "steps-differ"
    /// The target, the rule or the level is another than what was fixed beforehand.
    case otherRule = "other-rule"
    /// Times were measured on different machines, or nobody knows on which.
    case otherMachine = "other-machine"
    /// Runs of one set are of different recipes: the configuration or the source text differs in more than seeds.
    case recipesDiffer = "recipes-differ"
    /// A run diverged, so that there is no mean.
    case diverged
    /// Without one of the runs the verdict is another.
    case restsOnOneRun = "rests-on-one-run"
    /// Two runs have equal losses at a few validations: perhaps the same run twice.
    case similarRuns = "similar-runs"
    /// The same seed has the same losses in two sets: the change does nothing.
    case changeIsInert = "change-is-inert"
    /// The exchange rate cannot be told from 0, or is not of the setup that is judged.
    case weakExchangeRate = "weak-exchange-rate"
    /// Only printed numbers are known: their rounding limits what can be said.
    case roundedNumbers = "rounded-numbers"
    /// Some runs say nothing of the time or the loss.
    case numbersMissing = "numbers-missing"
  }

  /// The kind.
  public let code: Code
  /// The set; nil when it is about several.
  public let set: String?
  /// What is the matter, with numbers, and what it does.
  public let text: String

  /// Makes a flag.
  public init(_ code: Code, _ set: String?, _ text: String) {
    self.code = code
    self.set = set
    self.text = text
  }
}
