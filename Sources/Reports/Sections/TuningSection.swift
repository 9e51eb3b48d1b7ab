// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Comparison
import RunRecords
import Statistics

extension ReportContents {
  /// Loss against each tuned knob, the optima, and what tuning did.
  func tuning() -> ReportSection? {
    var names: [String] = []
    for curve in variants.flatMap(\.arms).flatMap(\.tuningCurves) where !names.contains(curve.name)
    {
      names.append(curve.name)
    }
    var blocks: [ReportBlock] = []
    for name in names {
      let curves = variants.map { variant in
        (
          variant: variant,
          curves: variant.arms.flatMap { arm in
            arm.tuningCurves.filter { $0.name == name }.map { (arm: arm.name, curve: $0) }
          }
        )
      }
      blocks += tuningFigures(name, curves)
    }
    let optima = optimaTable()
    if !optima.rows.isEmpty { blocks.append(.table(optima.withoutEmptyColumns)) }
    let steps = historyTable()
    if !steps.rows.isEmpty {
      blocks += [.heading("What tuning did"), .table(steps.withoutEmptyColumns)]
    }
    let title = names.isEmpty ? "Tuning" : "Final loss against \(list(names))"
    return section("tuning", title, blocks)
  }

  private func tuningFigures(
    _ name: String, _ curves: [(variant: VariantAnalysis, curves: [ArmCurve])]
  ) -> [ReportBlock] {
    let caption =
      "Tuning seeds: they say where the optimum lies, never how low an arm gets. Bars: intervals over seeds where there are "
      + "several. Arrows: above the axis, or diverged."
    let isNamed = curves.flatMap(\.curves).contains {
      $0.curve.points.contains { $0.value.number == nil }
    }
    if isNamed {
      return namedFigure(
        name: Self.fileName("tuning", name), title: "Final loss against \(name)", curves: curves,
        caption: caption
      ).map { [.figure($0)] } ?? []
    }
    let plain = knobFigure(
      name: Self.fileName("tuning", name), title: "Final loss against \(name)", knob: name,
      curves: curves, axis: .values, caption: caption)
    let isAligned = curves.flatMap(\.curves).allSatisfy { $0.curve.axis == .logarithmic }
    let aligned =
      isAligned
      ? knobFigure(
        name: Self.fileName("tuning", name, "aligned"), title: "The same with optima aligned",
        knob: name, curves: curves, axis: .alignedFactors,
        caption: "Each arm's axis is divided by its own optimum, so that widths compare.")
      : []
    return (plain + aligned).map { .figure($0) }
  }

  private func optimaTable() -> ReportTable {
    var table = ReportTable(
      caption:
        "Optima from several fits, with the union of their intervals: what seeds and the choice of a curve leave open.",
      [
        "<variant", "<arm", "<knob", "<keys", "tuned value", "optimum", "<interval carries",
        "lowest on the grid", "<edge", "<marks", "trials",
      ])
    for variant in variants {
      for arm in variant.arms {
        for choice in arm.knobs
        where choice.isTuned || arm.tuningCurves.contains(where: { $0.name == choice.name }) {
          let fit = arm.tuningCurves.first { $0.name == choice.name }?.optimum
          table.add([
            .init(hasVariants ? variant.name : ""), armCell(arm.name), .init(choice.name),
            .init(choice.keys.joined(separator: ", ")), .init(knob(choice.value)),
            .init(fit.map(optimum) ?? ""), .init(fit.map { carried($0.uncertainty) } ?? ""),
            .init(
              fit.map {
                "\(ReportNumber.fixed($0.bestLoss, 4)) at \(ReportNumber.knob($0.bestValue))"
              } ?? ""),
            .init(choice.edge?.rawValue ?? ""),
            choice.edge == nil ? .init("") : .init("undertuned", tone: .warning),
            .init("\(arm.tuningTrials)"),
          ])
        }
      }
    }
    return table
  }

  func optimum(_ fit: OptimumFit) -> String {
    "\(ReportNumber.knob(fit.value)) [\(ReportNumber.knob(fit.valueInterval.lower)), "
      + "\(ReportNumber.knob(fit.valueInterval.upper))]"
  }

  private func carried(_ uncertainty: OptimumFit.Uncertainty) -> String {
    switch uncertainty {
    case .seedsAndShape: "seeds and shape"
    case .noiseFloorAndShape: "noise floor and shape"
    case .shapeOnly: "shape only"
    }
  }

  private func historyTable() -> ReportTable {
    var table = ReportTable([
      "<variant", "<arm", "<part", "<values", "mean loss", "<tuning seeds", "<decision",
    ])
    for variant in variants {
      for arm in variant.arms {
        for step in arm.tuningHistory {
          table.add([
            .init(hasVariants ? variant.name : ""), armCell(arm.name), .init(step.phase.rawValue),
            .init(knobs(step.knobs)), .init(step.loss.map { ReportNumber.fixed($0, 4) } ?? ""),
            .init(seeds(step.seeds)), .init(step.decision ?? ""),
          ])
        }
      }
    }
    return table
  }
}
