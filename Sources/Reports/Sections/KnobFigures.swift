// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Charts
import Comparison
import RunRecords
import Statistics

/// Loss against a knob, drawn in the same way for tuning and for sweeps.
extension ReportContents {
  /// An arm's curve in a variant.
  typealias ArmCurve = (arm: String, curve: KnobCurve)

  /// What the values of a knob are along the axis of a chart.
  enum KnobAxis {
    /// The values.
    case values
    /// Factors of the value that was chosen, or of the optimum where that is known.
    case alignedFactors
  }

  /// Small multiples, one for each variant, over the same axis of losses where they are losses of the same text; and a second figure
  /// with a shorter axis where an arm is far behind the others.
  func knobFigure(
    name: String, title: String, subtitle: String = "", knob: String,
    curves: [(variant: VariantAnalysis, curves: [ArmCurve])], axis: KnobAxis, caption: String
  ) -> [ReportFigure] {
    let texts = Self.byData(curves) { $0.variant }
    return texts.enumerated().flatMap { index, curves in
      figuresOfOneText(
        name: texts.count == 1 ? name : "\(name)-\(index + 1)", title: title, subtitle: subtitle,
        knob: knob, curves: curves, axis: axis, caption: caption)
    }
  }

  /// Groups of what was measured on the same data, in the order of their first members: only such losses share an axis.
  static func byData<Element>(
    _ elements: [Element], _ variant: (Element) -> VariantAnalysis
  ) -> [[Element]] {
    var order: [String] = []
    var groups: [String: [Element]] = [:]
    for element in elements {
      let data = variant(element).contract.conditions.first { $0.field == .data }
      let text = data?.values.map(\.value).joined(separator: " ") ?? ""
      if groups[text] == nil { order.append(text) }
      groups[text, default: []].append(element)
    }
    return order.compactMap { groups[$0] }
  }

  private func figuresOfOneText(
    name: String, title: String, subtitle: String, knob: String,
    curves: [(variant: VariantAnalysis, curves: [ArmCurve])], axis: KnobAxis, caption: String
  ) -> [ReportFigure] {
    let shown = curves.filter { $0.curves.contains { Self.hasLosses($0.curve) } }
    let all = shown.flatMap(\.curves).map(\.curve)
    guard !all.isEmpty else { return [] }
    func figure(_ name: String, _ title: String, _ limits: ClosedRange<Double>?, _ caption: String)
      -> ReportFigure
    {
      let image = knobImage(
        title: title, subtitle: subtitle, knob: knob, shown: shown, axis: axis, limits: limits)
      return ReportFigure(name: name, caption: caption, svg: image)
    }
    let whole = figure(name, title, Self.lossLimits(all), caption)
    // An arm that is far behind squeezes all others together: they get a second look.
    guard let near = Self.zoomLimits(all) else { return [whole] }
    let zoomed = figure(
      name + "-near", title + ", near the lowest", near,
      "The same over a shorter axis of losses, for the arms that are close to each other. Arrows: above the axis, or diverged."
    )
    return [whole, zoomed]
  }

  private func knobImage(
    title: String, subtitle: String, knob: String,
    shown: [(variant: VariantAnalysis, curves: [ArmCurve])],
    axis: KnobAxis, limits: ClosedRange<Double>?
  ) -> String {
    let panels = shown.map { variant, curves in
      LineChart(
        title: hasVariants ? variant.name : "",
        xAxis: xAxis(knob, curves.map(\.curve), axis),
        yAxis: ChartAxis(title: "Final validation loss", unit: Self.lossUnit, limits: limits),
        series: curves.map { series($0, axis) },
        marks: axis == .alignedFactors ? [ChartMark(1)] : [],
        levels: variant.entropyFloor.map { [ChartLevel($0, label: "entropy floor")] } ?? [])
    }
    return panels.count == 1
      ? single(panels[0], title: title, subtitle: subtitle)
      : ChartPanels(title: title, subtitle: subtitle, panels: panels).svg()
  }

  private func single(_ panel: LineChart, title: String, subtitle: String) -> String {
    var chart = panel
    chart.title = panel.title.isEmpty ? title : "\(title), \(panel.title)"
    chart.subtitle = subtitle
    return chart.svg(width: 900, height: max(420, 16 * panel.series.count + 140))
  }

  private func xAxis(_ knob: String, _ curves: [KnobCurve], _ axis: KnobAxis) -> ChartAxis {
    if case .alignedFactors = axis {
      return ChartAxis(
        title: "\(Self.sentence(knob)) over its optimum", scale: .logarithmic, isFactor: true)
    }
    if curves.contains(where: Self.isByFactors) {
      return ChartAxis(
        title: "\(Self.sentence(knob)) over its tuned value", scale: .logarithmicFromZero,
        isFactor: true)
    }
    // One axis for all: an arm whose values need room for 0 gives it to the others.
    let scale: ChartScale =
      curves.contains { $0.axis == .complement }
      ? .complement : curves.contains { $0.axis == .logarithmic } ? .logarithmicFromZero : .linear
    return ChartAxis(title: Self.sentence(knob), scale: scale)
  }

  /// Whether there is anything to draw.
  static func hasLosses(_ curve: KnobCurve) -> Bool {
    curve.points.contains { $0.loss.value != nil }
  }

  /// Whether a sweep's values are factors of what tuning chose.
  static func isByFactors(_ curve: KnobCurve) -> Bool {
    curve.points.contains { $0.factor != nil }
  }

  private func series(_ item: ArmCurve, _ axis: KnobAxis) -> ChartSeries {
    let optimum = item.curve.optimum?.value ?? item.curve.chosen?.number
    let isByFactors = Self.isByFactors(item.curve)
    let points = item.curve.points.compactMap { point -> ChartPoint? in
      guard let value = point.value.number else { return nil }
      var x = value
      if axis == .alignedFactors {
        guard let optimum, optimum > 0 else { return nil }
        x = value / optimum
      } else if isByFactors {
        guard let factor = point.factor else { return nil }
        x = factor
      }
      return chartPoint(point, x: x)
    }
    return ChartSeries(
      name: item.arm, points: points, style: .lineWithMarkers, look: look(item.arm),
      intervals: .bars,
      marksBeyond: true)
  }

  private func chartPoint(_ point: KnobPoint, x: Double) -> ChartPoint {
    let count = point.loss.count
    var notes = [self.count(count, "seed")]
    if point.diverged > 0 { notes.append("\(point.diverged) diverged") }
    if point.failed > 0 { notes.append("\(point.failed) failed") }
    if point.isChosen { notes.append("chosen") }
    let isLost = count > 0 && point.diverged >= count
    // Student's interval is none where some of the values are caps.
    let interval = point.diverged == 0 ? point.loss.interval : nil
    return ChartPoint(
      x, isLost ? .infinity : point.loss.value ?? .nan, lower: interval?.lower,
      upper: interval?.upper, note: notes.joined(separator: ", "))
  }

  /// The axis of losses for curves that rise to the loss at initialisation: it shows the lower three quarters, the rest is arrows.
  static func lossLimits(_ curves: [KnobCurve]) -> ClosedRange<Double>? {
    let points = curves.flatMap(\.points)
    // A mean with capped replicates in it lies where no replicate does, so it does not stretch the axis.
    let losses = points.filter { $0.diverged == 0 }.compactMap(\.loss.value).sorted()
    let ends = points.compactMap { $0.loss.interval?.upper ?? $0.loss.value }
    guard let least = losses.first, let most = ends.max(), losses.count >= 4 else { return nil }
    // At least every curve's lowest point has to be seen.
    let bests = curves.compactMap { curve in curve.points.compactMap(\.loss.value).min() }
    let top = max(losses[(losses.count * 3) / 4], bests.max() ?? least)
    let room = top - least
    // Cut only what would squeeze the rest into a corner.
    guard room > 0, most > least + 2.5 * room else { return nil }
    return (least - 0.06 * room)...(top + 0.1 * room)
  }

  /// An axis of losses for the arms that are close to each other; nil where that is all of them.
  static func zoomLimits(_ curves: [KnobCurve]) -> ClosedRange<Double>? {
    func best(_ curve: KnobCurve) -> Double? { curve.points.compactMap(\.loss.value).min() }
    let bests = curves.compactMap(best).sorted()
    guard let least = bests.first, let most = bests.last, bests.count >= 3 else { return nil }
    // The median arm is never far from the lowest; whoever is four times as far is.
    let reach = 4 * (bests[(bests.count - 1) / 2] - least)
    let near = curves.filter { curve in best(curve).map { $0 <= least + reach } ?? false }
    guard near.count < curves.count, reach > 0, most > least + reach else { return nil }
    return lossLimits(near)
      ?? near.compactMap(best).max().map { top in
        (least - 0.1 * reach)...(max(top, least + reach) + 0.1 * reach)
      }
  }

  /// A sweep over names rather than numbers, as rows.
  func namedFigure(
    name: String, title: String, curves: [(variant: VariantAnalysis, curves: [ArmCurve])],
    caption: String
  ) -> ReportFigure? {
    var rows: [RowChart.Row] = []
    var intervals: [(Double, Double)] = []
    for (variant, curves) in curves {
      var values: [KnobValue] = []
      for point in curves.flatMap(\.curve.points) where !values.contains(point.value) {
        values.append(point.value)
      }
      for value in values {
        rows.append(
          RowChart.Row(heading: hasVariants ? "\(variant.name): \(knob(value))" : knob(value)))
        for item in curves {
          guard let point = item.curve.points.first(where: { $0.value == value }) else { continue }
          let mark = chartPoint(point, x: 0)
          if mark.y.isFinite { intervals.append((mark.lower ?? mark.y, mark.upper ?? mark.y)) }
          rows.append(
            RowChart.Row(
              name: item.arm, look: look(item.arm),
              cells: [
                .init(
                  estimate: mark.y.isNaN ? nil : mark.y, lower: mark.y.isFinite ? mark.lower : nil,
                  upper: mark.y.isFinite ? mark.upper : nil, note: mark.note)
              ]))
        }
      }
    }
    guard !intervals.isEmpty else { return nil }
    return ReportFigure(
      name: name, caption: caption,
      svg: RowChart(
        title: title,
        scales: [
          RowChart.Scale(
            ChartAxis(
              title: "Final validation loss", unit: Self.lossUnit, limits: Self.limits(intervals)))
        ], rows: rows
      ).svg(width: 900))
  }

  /// A table of losses: arms down, values across.
  func knobTable(_ curves: [ArmCurve], caption: String) -> ReportTable {
    var values: [KnobValue] = []
    let isByFactors = curves.contains { Self.isByFactors($0.curve) }
    func key(_ point: KnobPoint) -> KnobValue {
      isByFactors ? point.factor.map { .number($0) } ?? point.value : point.value
    }
    for point in curves.flatMap(\.curve.points) where !values.contains(key(point)) {
      values.append(key(point))
    }
    values.sort {
      guard let first = $0.number, let second = $1.number else {
        return $0.description < $1.description
      }
      return first < second
    }
    var table = ReportTable(
      caption: caption, ["<arm"] + values.map { (isByFactors ? "\u{00D7}" : "") + knob($0) })
    for item in curves {
      var cells = [armCell(item.arm)]
      for value in values {
        guard let point = item.curve.points.first(where: { key($0) == value }) else {
          cells.append(.init(""))
          continue
        }
        let isLost = point.loss.count > 0 && point.diverged >= point.loss.count
        var text = isLost ? "diverged" : loss(point.loss)
        if !isLost, point.diverged > 0 { text += " (\(point.diverged) diverged)" }
        if point.failed > 0 { text += " (\(point.failed) failed)" }
        if point.isChosen { text += " *" }
        cells.append(.init(text, tone: isLost ? .warning : .plain))
      }
      table.add(cells)
    }
    return table
  }
}
