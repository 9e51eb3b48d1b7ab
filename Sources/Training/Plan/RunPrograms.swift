// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import LanguageModels
import Optimizers
public import TensorGraph
import TextData

/// The programs that a run takes its steps and evaluates with, made but not compiled; what measures beside them has programs of its own.
public struct RunPrograms {
  /// One program with the name that it goes by.
  public struct Entry {
    /// `step`, or `micro-batch` and `update` where a step has several micro-batches; `evaluation`.
    ///
    /// Where sequences have several lengths or tokens are looked up in the head for a while, what is special about it follows.
    public let name: String
    /// The program.
    public let program: Program
  }

  /// Those of its steps, then that of an evaluation.
  public let entries: [Entry]

  /// Makes them; reads no more of the data than their description.
  ///
  /// - Parameters:
  ///   - configuration: The run.
  ///   - vocabularySize: Of the data; nil: `model.vocabulary_size`, or else read from the data set.
  /// - Throws: Errors of configuration and data, `GraphError`.
  public init(_ configuration: TrainingConfiguration, vocabularySize: Int? = nil) throws {
    let size =
      try vocabularySize ?? configuration.model.vocabularySize
      ?? DatasetDescription(folder: configuration.data.path).vocabularySize
    let model = try configuration.modelConfiguration(vocabularySize: size).makeModel()
    let optimizer = try configuration.optimizer(for: model.parameters)
    let precision = RuntimeProvider(configuration.machine).precision(
      configuration.machine.precision)
    var entries: [Entry] = []
    for entry in configuration.variants {
      let definition = configuration.definition(
        entry, model.configuration, optimizer, precision: precision)
      let suffix = Self.suffix(entry.variant, among: configuration.variants.map(\.variant))
      func add(_ name: String, _ program: Program) {
        entries.append(Entry(name: name + suffix, program: program))
      }
      if configuration.microBatches(of: entry).count == 1 {
        add("step", try definition.stepProgram())
      } else {
        add("micro-batch", try definition.accumulationProgram())
        add("update", try definition.updateProgram())
      }
    }
    let whole = configuration.definition(
      configuration.variants[0], model.configuration, optimizer, precision: precision,
      isWhole: true)
    let asked = configuration.evaluation.tokens == 0 ? Int.max : configuration.evaluation.tokens
    let data = try? DatasetDescription(folder: configuration.data.path)
    let tokens = min(asked, data.map { $0.validationTokens - 1 } ?? asked)
    let evaluated = configuration.evaluated(whole, looksUpInHead: false)
    let sequences = Evaluator.sequences(
      of: tokens, contextLength: configuration.evaluationContextLength)
    entries.append(
      Entry(name: "evaluation", program: try evaluated.evaluationProgram(sequences: sequences)))
    self.entries = entries
  }

  private static func suffix(_ variant: StepVariant, among all: [StepVariant]) -> String {
    var parts: [String] = []
    if Set(all.map(\.contextLength)).count > 1 { parts.append("\(variant.contextLength)") }
    if Set(all.map(\.looksUpInHead)).count > 1 {
      parts.append(variant.looksUpInHead ? "tied" : "untied")
    }
    return parts.map { "-" + $0 }.joined()
  }
}
