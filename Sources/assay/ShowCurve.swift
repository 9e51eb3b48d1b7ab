// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Charts
import Configurations
import Foundation
import RunRecords

/// `assay show curve`.
struct ShowCurve: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "curve",
    abstract: "Draws the loss of one run or more as SVG.",
    discussion: """
      One run: its training loss, every step and smoothed, and its validation loss. Several runs: the validation loss of \
      each. Losses are cross-entropy in nats a token, without auxiliary losses.
      """)

  @Argument(help: ArgumentHelp("Folders of runs.", valueName: "run"))
  var folders: [String]

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "The file to write; by default the image goes to standard output.", valueName: "file.svg"))
  var output: String?

  @Option(help: ArgumentHelp("The title; by default the names of the runs.", valueName: "text"))
  var title: String?

  func run() throws {
    let curves = try folders.map { try LossCurve($0) }
    let chart = LineChart(
      title: title ?? curves.map(\.name).joined(separator: ", "),
      subtitle: curves.count == 1 ? curves[0].subtitle : "",
      xAxis: ChartAxis(title: "Tokens"),
      yAxis: ChartAxis(title: "Loss", unit: "nats per token"),
      series: curves.count == 1 ? curves[0].ownSeries : curves.map(\.comparedSeries))
    guard chart.series.contains(where: { !$0.points.isEmpty }) else {
      throw CommandFailure(
        .failed, "\(folders.joined(separator: ", ")): no step is recorded yet; train first")
    }
    guard let output else { return Console.data(chart.svg()) }
    do {
      try Data((chart.svg() + "\n").utf8).write(to: URL(fileURLWithPath: output), options: .atomic)
    } catch {
      throw CommandFailure(
        .failed, "cannot write \(output): \(error.localizedDescription); choose another --output")
    }
    Console.say("wrote \(output)")
  }
}

/// The losses of a run, from its record.
private struct LossCurve {
  /// The last part of the folder's name.
  let name: String
  /// Model, optimizer and steps.
  let subtitle: String
  private var training: [ChartPoint] = []
  private var validation: [ChartPoint] = []

  init(_ folder: String) throws {
    let record = try RunRecord(path: folder)
    name = URL(fileURLWithPath: folder).lastPathComponent
    let configuration = try ResolvedConfiguration(json: record.configurationJSON)
    func text(_ key: String) -> String { configuration[key]?.value?.plainText ?? "?" }
    subtitle =
      "\(text("model.architecture")), width \(text("model.width")), \(text("model.layers")) layers; "
      + "\(text("optimizer.name")), learning rate \(text("optimizer.learning_rate")); "
      + "\(text("training.batch_tokens")) tokens a step"
    let metrics = try record.metrics()
    while let line = try metrics.next() {
      guard let tokens = line.number("tokens") else { continue }
      if let loss = line.number("crossEntropy") { training.append(ChartPoint(tokens, loss)) }
      if let loss = line.number("validationLoss") { validation.append(ChartPoint(tokens, loss)) }
    }
  }

  /// Training and validation of a run that stands alone.
  var ownSeries: [ChartSeries] {
    // A hundredth of the run: short enough to follow the curve, long enough to see through the noise.
    let length = max(1, (training.last?.x ?? 1) / 100)
    return [
      ChartSeries(name: "training, every step", points: training, style: .faintLine, color: .blue),
      ChartSeries(
        name: "training", points: ChartPoint.smoothed(training, halfLife: length), color: .blue),
      ChartSeries(
        name: "validation", points: validation, style: .lineWithMarkers, color: .vermilion),
    ]
  }

  /// One line among others.
  var comparedSeries: ChartSeries {
    ChartSeries(name: name, points: validation, style: .lineWithMarkers)
  }
}
