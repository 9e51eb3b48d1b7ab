// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Charts
import Comparison
import RunRecords
import Statistics

extension ReportContents {
  /// One figure and table for each sweep.
  func sweeps() -> ReportSection? {
    var names = study.sweeps.map(\.name)
    for curve in variants.flatMap(\.arms).flatMap(\.sweeps) where !names.contains(curve.name) {
      names.append(curve.name)
    }
    var blocks: [ReportBlock] = []
    for name in names {
      let curves = variants.map { variant in
        (
          variant: variant,
          curves: variant.arms.flatMap { arm in
            arm.sweeps.filter { $0.name == name }.map { (arm: arm.name, curve: $0) }
          }
        )
      }
      let all = curves.flatMap(\.curves)
      guard all.contains(where: { Self.hasLosses($0.curve) }) else { continue }
      blocks.append(.heading(name))
      let keys = Set(all.flatMap(\.curve.keys)).sorted().joined(separator: ", ")
      let caption =
        "\(name) (\(keys)) turned around the tuned arms, everything else as tuned, on reporting seeds. Bars: intervals over seeds."
      let isNamed = all.contains { $0.curve.points.contains { $0.value.number == nil } }
      let figures =
        isNamed
        ? namedFigure(
          name: Self.fileName("sweep", name), title: "Final loss against \(name)", curves: curves,
          caption: caption
        ).map { [$0] } ?? []
        : knobFigure(
          name: Self.fileName("sweep", name), title: "Final loss against \(name)", knob: name,
          curves: curves, axis: .values, caption: caption)
      blocks += figures.map { .figure($0) }
      for (variant, curves) in curves where curves.contains(where: { Self.hasLosses($0.curve) }) {
        blocks.append(
          .table(
            knobTable(
              curves,
              caption: (hasVariants ? "\(variant.name): " : "")
                + "loss by \(name); * marks the tuned value")))
      }
    }
    return section("sweeps", "Sweeps", blocks)
  }

  /// How much a wrong value costs, and how wide the good values are.
  func sensitivity() -> ReportSection? {
    var blocks: [ReportBlock] = []
    if let figure = sensitivityFigure() { blocks.append(.figure(figure)) }
    let table = sensitivityTable().withoutEmptyColumns
    if !table.rows.isEmpty { blocks.append(.table(table)) }
    if !blocks.isEmpty {
      blocks.insert(
        .paragraph(
          "Sensitivity is the mean over a window around the optimum, uniform along the axis, of min(loss, loss at initialisation) "
            + "minus the lowest loss (Wortsman et al., 2023). The half below the optimum says how slow an arm gets, the half "
            + "above how stable it is. A basin is the width of the values whose loss is within a tolerance of the lowest."
        ),
        at: 0)
    }
    return section("sensitivity", "Sensitivity and basins", blocks)
  }

  /// The curves of an arm: of tuning, then of sweeps.
  private func curves(_ arm: ArmAnalysis) -> [KnobCurve] { arm.tuningCurves + arm.sweeps }

  private func sensitivityFigure() -> ReportFigure? {
    // The first knob that has a sensitivity, the learning rate as a rule.
    guard
      let name = variants.flatMap(\.arms).flatMap(curves).first(where: { $0.sensitivity != nil })?
        .name
    else { return nil }
    var rows: [RowChart.Row] = []
    // Widths compare only at one tolerance.
    let margins = Set(variants.compactMap(\.margin.value))
    let tolerance = margins.count == 1 ? "margin" : "0.05 nats"
    var hasBasin = false
    var isLinear = false
    for variant in variants {
      let arms = variant.arms.compactMap { arm in
        // On reporting seeds where there is such a sweep.
        let own = curves(arm).filter { $0.name == name && $0.sensitivity != nil }
        return (own.last { $0.purpose == .reporting } ?? own.first).map { (arm.name, $0) }
      }
      if hasVariants, !arms.isEmpty { rows.append(RowChart.Row(heading: variant.name)) }
      for (arm, curve) in arms {
        guard let sensitivity = curve.sensitivity else { continue }
        let basin = curve.basins.first { $0.name == tolerance }
        hasBasin = hasBasin || basin?.width.value != nil
        isLinear = isLinear || curve.axis == .linear
        rows.append(
          RowChart.Row(
            name: arm, look: look(arm),
            cells: [
              cell(sensitivity.left), cell(sensitivity.right),
              .init(
                estimate: basin?.width.value, lower: basin?.width.interval?.lower,
                upper: basin?.width.interval?.upper, note: basin.map { censored($0.width) } ?? ""),
            ]))
      }
    }
    guard !rows.isEmpty else { return nil }
    let basinWords = tolerance == "margin" ? "the margin" : tolerance
    var scales = [
      RowChart.Scale(ChartAxis(title: "Below the optimum", unit: "nats")),
      RowChart.Scale(ChartAxis(title: "Above the optimum", unit: "nats")),
      RowChart.Scale(
        ChartAxis(title: "Basin within \(basinWords)", unit: isLinear ? "" : "decades")),
    ]
    if !hasBasin {
      scales.removeLast()
      for index in rows.indices where rows[index].look != nil { rows[index].cells.removeLast() }
    }
    return ReportFigure(
      name: "sensitivity",
      caption:
        "Sensitivity to \(name) below and above the optimum (less is better), and the width of the basin within \(basinWords) (more is better).",
      svg: RowChart(title: "Sensitivity to \(name)", scales: scales, rows: rows).svg(width: 960))
  }

  private func cell(_ estimate: Estimate) -> RowChart.Cell {
    RowChart.Cell(
      estimate: estimate.value, lower: estimate.interval?.lower, upper: estimate.interval?.upper)
  }

  private func sensitivityTable() -> ReportTable {
    var tolerances: [String] = []
    for basin in variants.flatMap(\.arms).flatMap(curves).flatMap(\.basins)
    where !tolerances.contains(basin.name) {
      tolerances.append(basin.name)
    }
    var table = ReportTable(
      [
        "<variant", "<arm", "<knob", "<seeds", "<window", "sensitivity (nats)", "below", "above",
        "of the gap to initialisation",
      ] + tolerances.map { "basin: \($0)" } + ["<half diverge from"])
    for variant in variants {
      for arm in variant.arms {
        for curve in curves(arm)
        where curve.sensitivity != nil || !curve.basins.isEmpty || curve.divergence != nil {
          let item = curve.sensitivity
          var cells: [ReportTable.Cell] = [
            .init(hasVariants ? variant.name : ""), armCell(arm.name), .init(curve.name),
            .init(curve.purpose.rawValue),
            .init(
              item.map {
                "\(ReportNumber.knob($0.from)) to \(ReportNumber.knob($0.to))"
                  + ($0.isCut ? ", cut" : "")
              } ?? ""), .init(item.map { bracketed($0.whole) } ?? ""),
            .init(item.map { bracketed($0.left) } ?? ""),
            .init(item.map { bracketed($0.right) } ?? ""),
            .init(item.map { bracketed($0.normalized) } ?? ""),
          ]
          for tolerance in tolerances {
            let basin = curve.basins.first { $0.name == tolerance }
            let unit = curve.axis == .linear ? "" : " decades"
            cells.append(
              .init(
                basin.map { $0.width.value == nil ? ReportNumber.none : censored($0.width) + unit }
                  ?? ""))
          }
          cells.append(
            .init(
              curve.divergence.map { divergence in
                ReportNumber.knob(divergence.from) + ", \(ReportNumber.percent(divergence.share))"
                  + (divergence.interval.map {
                    " [\(ReportNumber.percent($0.lower)), \(ReportNumber.percent($0.upper))]"
                  } ?? "")
              } ?? ""))
          table.add(cells)
        }
      }
    }
    return table
  }
}
