// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Comparison
import Foundation
import RunRecords
import Statistics

extension ReportContents {
  /// What stands below the title.
  func lead() -> [ReportBlock] {
    var blocks: [ReportBlock] = []
    if !study.question.isEmpty { blocks.append(.paragraph(study.question)) }
    let completion = analysis.completion
    var facts = [
      count(study.arms.count, "arm"),
      hasVariants ? count(study.variants.count, "variant") : "",
      count(completion.done, "finished trial"),
      count(study.reportingSeeds.count, "reporting seed"),
      analysis.isDeclared
        ? "declared \(ReportNumber.time(study.declaredAt))" : "not declared before the runs",
      "report made \(ReportNumber.time(analysis.madeAt))",
    ].filter { !$0.isEmpty }
    if !completion.isComplete {
      facts.insert("incomplete: " + completionWords(completion), at: 0)
    }
    blocks.append(.paragraph(facts.joined(separator: " \u{00B7} ")))
    return blocks
  }

  func completionWords(_ completion: StudyCompletion) -> String {
    let parts = [
      completion.missing > 0 ? "\(ReportNumber.count(completion.missing)) to be run" : "",
      completion.unfinished > 0 ? "\(ReportNumber.count(completion.unfinished)) unfinished" : "",
      completion.failed > 0 ? "\(ReportNumber.count(completion.failed)) failed" : "",
    ].filter { !$0.isEmpty }
    return parts.isEmpty ? "more trials will be asked for" : parts.joined(separator: ", ")
  }

  /// The result in words: verdicts, then how far they reach.
  func answer() -> ReportSection? {
    var blocks: [ReportBlock] = []
    if !analysis.completion.isComplete {
      blocks.append(
        .answer(
          "The study is not complete (\(completionWords(analysis.completion))), so all this may change."
        ))
    }
    // One paragraph; with several variants one for each, for their losses are never pooled.
    var paragraphs = variants.map { verdictSentences($0).joined(separator: " ") }.filter {
      !$0.isEmpty
    }
    if paragraphs.isEmpty { paragraphs = ["No arm has a final loss on a reporting seed yet."] }
    paragraphs[paragraphs.count - 1] += " " + scaleSentence()
    blocks += paragraphs.map { .answer($0) }
    if !analysis.claims.isEmpty { blocks.append(.paragraph(claimSummary())) }
    let serious = analysis.marks.filter { $0.kind != .other }
    if !serious.isEmpty {
      blocks.append(.paragraph("Before believing the numbers, read what the records say:"))
      blocks.append(.list(serious.prefix(8).map(\.text)))
      if analysis.marks.count > 8 || serious.count < analysis.marks.count {
        blocks.append(
          .paragraph("All \(analysis.marks.count) remarks stand under Warnings and marks."))
      }
    }
    return section("answer", "Answer", blocks)
  }

  /// Who is how against the baseline in one variant.
  private func verdictSentences(_ variant: VariantAnalysis) -> [String] {
    guard let first = variant.leaderboard.first(where: { $0.rank != nil }) else { return [] }
    var sentences: [String] = []
    let place = hasVariants ? "In \(variant.name), the" : "The"
    let ties = first.tiedWith.isEmpty ? "" : ", which cannot be told from \(some(first.tiedWith))"
    let result = "\(loss(first.loss)) \(Self.lossUnit) over \(count(first.loss.count, "seed"))"
    sentences.append(
      variant.leaderboard.count == 1
        ? "\(place) mean loss of \(first.arm) is \(result); with one arm there is nothing to compare."
        : "\(place) lowest mean loss is that of \(first.arm): \(result)\(ties).")

    let differences = variant.differences.filter { $0.other == study.baseline }
    func arms(_ words: Verdict.Word...) -> [String] {
      let items = differences.filter { words.contains($0.verdict.word) }
      // Many are in the table below; a sentence of forty intervals says nothing.
      guard items.count <= 6 else { return [some(items.map(\.arm))] }
      return items.map { item in
        "\(item.arm) (\(difference(item.test.estimate, item.test.interval)))"
      }
    }
    func names(_ words: Verdict.Word...) -> [String] {
      differences.filter { words.contains($0.verdict.word) }.map(\.arm)
    }
    let baseline = study.baseline
    let margin =
      variant.margin.value.map { "\u{00B1}" + ReportNumber.significant($0, 2) } ?? "the margin"
    var clauses: [String] = []
    if !arms(.better).isEmpty { clauses.append("\(list(arms(.better))) better") }
    if !arms(.slightlyBetter).isEmpty {
      clauses.append(
        "\(list(arms(.slightlyBetter))) better by less than the margin that matters (\(margin))")
    }
    if !arms(.equivalent, .tie).isEmpty {
      clauses.append("\(list(arms(.equivalent, .tie))) equivalent within \(margin)")
    }
    if !arms(.slightlyWorse).isEmpty {
      clauses.append(
        "\(list(arms(.slightlyWorse))) worse by less than the margin that matters (\(margin))")
    }
    if !arms(.worse).isEmpty { clauses.append("\(list(arms(.worse))) worse") }
    if !clauses.isEmpty {
      sentences.append("Against \(baseline): \(clauses.joined(separator: "; ")).")
    }
    let open = names(.undecided)
    if !open.isEmpty {
      sentences.append("Undecided against \(baseline): \(some(open)).")
    }
    if !names(.unknown).isEmpty {
      sentences.append("Too few replicates to say anything: \(some(names(.unknown))).")
    }
    let diverged = variant.leaderboard.filter { $0.diverged > 0 }
    if !diverged.isEmpty {
      sentences.append(
        "Diverged on reporting seeds: "
          + some(diverged.map { "\($0.arm) (\($0.diverged) of \($0.loss.count))" }) + ".")
    }
    return sentences
  }

  /// How far the result reaches: what was trained on what, and no further.
  private func scaleSentence() -> String {
    let costs = variants.flatMap(\.leaderboard).map(\.cost)
    var parts: [String] = []
    if let parameters = range(costs.compactMap(\.parameters), ReportNumber.short) {
      parts.append("models of \(parameters) parameters")
    }
    if let tokens = range(costs.compactMap(\.tokens), ReportNumber.short) {
      parts.append("\(tokens) tokens a run")
    }
    let data = Set(
      variants.flatMap(\.contract.conditions).filter { $0.field == .data }.flatMap(\.values).map(
        \.value))
    if data.count == 1, let value = data.first, value.count <= 80 {
      parts.append("the data \(value)")
    } else if data.count > 1 {
      parts.append("\(data.count) data sets")
    }
    if variants.contains(where: { $0.entropyFloor != nil }) { parts.append("synthesized text") }
    let n = study.reportingSeeds.count
    parts.append(n == 1 ? "a single seed" : "\(n) seeds an arm")
    return
      "This is about \(list(parts)), tuned in the space that is printed below: no claim beyond."
  }

  private func claimSummary() -> String {
    func number(_ outcome: ClaimResult.Outcome) -> Int {
      analysis.claims.filter { $0.outcome == outcome }.count
    }
    let parts = [
      (number(.holds), "hold"), (number(.fails), "fail"),
      (number(.notDistinguishable), "cannot be distinguished"), (number(.noData), "lack data"),
    ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    return
      "Of \(count(analysis.claims.count, "claim")) with pass rules fixed beforehand: \(list(parts))."
  }
}
