// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Charts
import Comparison

extension ReportContents {
  /// What a step, the state and extra gradients cost.
  func cost() -> ReportSection? {
    var blocks: [ReportBlock] = []
    if let figure = costFigure() { blocks.append(.figure(figure)) }
    for variant in variants {
      let table = costTable(variant).withoutEmptyColumns
      // More than the arms' names.
      guard table.columns.count > 1 else { continue }
      blocks += heading(variant)
      blocks.append(.table(table))
    }
    return section("cost", "Cost", blocks)
  }

  /// Gradient evaluations that a step needs beyond its own.
  private func extraGradients(_ cost: CostAnalysis) -> Double? {
    guard let evaluations = cost.gradientEvaluations, let steps = cost.steps, steps > 0 else {
      return nil
    }
    return max(0, evaluations / steps - 1)
  }

  private func costFigure() -> ReportFigure? {
    typealias Measure = (
      title: String, unit: String, value: (CostAnalysis) -> Double?, text: (Double) -> String
    )
    let all: [Measure] = [
      ("A step", "ms", { $0.millisecondsPerStep }, { ReportNumber.significant($0, 3) }),
      ("The update in it", "ms", { $0.millisecondsPerUpdate }, { ReportNumber.significant($0, 3) }),
      ("State", "bytes a parameter", { $0.statePerParameter }, { ReportNumber.significant($0, 3) }),
      ("Extra gradients a step", "", extraGradients, { ReportNumber.significant($0, 2) }),
    ]
    let rows = variants.flatMap { variant in variant.arms.map { (variant, $0.name) } }
    func cost(_ arm: String, _ variant: VariantAnalysis) -> CostAnalysis? {
      variant.leaderboard.first { $0.arm == arm }?.cost
    }
    let measures = all.filter { measure in
      rows.contains { cost($0.1, $0.0).flatMap(measure.value).map { $0 > 0 } ?? false }
    }
    guard !measures.isEmpty else { return nil }
    var drawn: [RowChart.Row] = []
    for variant in variants {
      if hasVariants { drawn.append(RowChart.Row(heading: variant.name)) }
      for arm in variant.arms {
        drawn.append(
          RowChart.Row(
            name: arm.name, look: look(arm.name),
            cells: measures.map { measure in
              let value = cost(arm.name, variant).flatMap(measure.value)
              return RowChart.Cell(bar: value, note: value.map(measure.text) ?? "")
            }))
      }
    }
    return ReportFigure(
      name: "cost",
      caption:
        "The least disturbed of the runs: medians of its steps. Trials ran beside each other, so these are times under load.",
      svg: RowChart(
        title: "Cost",
        scales: measures.map { RowChart.Scale(ChartAxis(title: $0.title, unit: $0.unit)) },
        rows: drawn
      ).svg(width: 960))
  }

  private func costTable(_ variant: VariantAnalysis) -> ReportTable {
    var table = ReportTable([
      "<arm", "parameters", "steps", "tokens", "charged tokens", "gradient evaluations", "FLOPs",
      "time of a run",
      "ms a step", "ms of it the update", "state", "state bytes a parameter", "peak memory",
    ])
    for row in variant.leaderboard {
      let cost = row.cost
      func text(_ value: Double?, _ write: (Double) -> String) -> ReportTable.Cell {
        .init(value.map(write) ?? "")
      }
      table.add([
        armCell(row.arm), text(cost.parameters, ReportNumber.short),
        text(cost.steps, ReportNumber.short),
        text(cost.tokens, ReportNumber.short), text(cost.chargedTokens, ReportNumber.short),
        text(cost.gradientEvaluations, ReportNumber.short), text(cost.flops, ReportNumber.short),
        text(cost.seconds, ReportNumber.duration),
        text(cost.millisecondsPerStep) { ReportNumber.significant($0, 3) },
        text(cost.millisecondsPerUpdate) { ReportNumber.significant($0, 3) },
        text(cost.stateBytes, ReportNumber.bytes),
        text(cost.statePerParameter) { ReportNumber.significant($0, 3) },
        text(cost.peakBytes, ReportNumber.bytes),
      ])
    }
    return table
  }
}

extension CostAnalysis {
  /// Bytes of optimizer state for each trained parameter.
  var statePerParameter: Double? {
    guard let stateBytes, let parameters, parameters > 0 else { return nil }
    return stateBytes / parameters
  }
}
