// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import Comparison
import Foundation

/// A study's report: one HTML file that needs nothing else, the same in Markdown with its images, and tables as CSV.
///
/// Everything comes from the analysis, so that a report can be made again from records alone, and the same analysis gives the same
/// bytes.
public struct Report: Sendable {
  /// What it is about.
  public let analysis: StudyAnalysis
  /// The small parameters of its runs, by variant.
  public let scalars: [(variant: String, scalars: ScalarComparison)]
  private let document: ReportDocument
  private let lookCount: Int

  /// Writes a report.
  ///
  /// - Parameters:
  ///   - analysis: what is known about a study, finished or not.
  ///   - scalars: the small parameters of its runs, by variant.
  public init(
    _ analysis: StudyAnalysis, scalars: [(variant: String, scalars: ScalarComparison)] = []
  ) {
    self.analysis = analysis
    self.scalars = scalars
    let contents = ReportContents(analysis, scalars: scalars)
    document = contents.document()
    lookCount = contents.lookCount
  }

  /// The report as one HTML file: readable without a network and without scripts, light or dark, on paper.
  ///
  /// The whole analysis is in it as JSON, in the element `analysis`.
  public var html: String {
    HTMLPage(document: document, data: compactJSON, lookCount: lookCount).text
  }

  /// The report as Markdown; its images are ``figures``, expected in the folder `figures` beside it.
  public var markdown: String { MarkdownPage(document: document, figureFolder: "figures").text }

  /// The images by the names of their files.
  public var figures: [String: String] {
    var result: [String: String] = [:]
    for block in document.sections.flatMap(\.blocks) {
      if case .figure(let figure) = block { result[figure.name + ".svg"] = figure.svg }
    }
    return result
  }

  /// The tables by the names of their files, with all digits; tables without rows are left out, but for the leaderboard and the trials.
  public var csvFiles: [String: String] {
    ReportTables(analysis).files.merging(ScalarTables(comparisons: scalars).files) { own, _ in own }
  }

  /// The analysis as JSON with sorted keys, a line break at its end.
  public var json: String {
    // An analysis can always be encoded; if that ever changes, the page still stands.
    (try? analysis.json()).map { String(decoding: $0, as: UTF8.self) } ?? "{}\n"
  }

  /// The same without spaces: it is not read by people.
  private var compactJSON: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .iso8601
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return (try? encoder.encode(analysis)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }
}
