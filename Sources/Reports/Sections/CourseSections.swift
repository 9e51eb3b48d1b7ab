// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Charts
import Comparison
import Statistics

extension ReportContents {
  /// Validation loss over a run, with bands.
  func lossCurves() -> ReportSection? {
    let shown = variants.filter { $0.arms.contains { !($0.lossCurve?.steps.isEmpty ?? true) } }
    guard !shown.isEmpty else { return nil }
    let texts = Self.byData(shown) { $0 }
    let figures = texts.enumerated().map { index, variants in
      ReportFigure(
        name: texts.count == 1 ? "loss-curves" : "loss-curves-\(index + 1)",
        caption:
          "Mean validation loss over reporting seeds, with the t interval of the mean as a band where there are several seeds. "
          + "The steepest part at the beginning lies above the axis.",
        svg: panelImage(lossPanels(variants), title: "Loss curves", height: 380))
    }
    return section("loss-curves", "Loss curves", figures.map { .figure($0) })
  }

  private func lossPanels(_ variants: [VariantAnalysis]) -> [LineChart] {
    let limits = Self.courseLimits(variants.flatMap(\.arms).compactMap(\.lossCurve))
    return variants.map { variant in
      LineChart(
        title: hasVariants ? variant.name : "", xAxis: ChartAxis(title: "Step"),
        yAxis: ChartAxis(title: "Validation loss", unit: Self.lossUnit, limits: limits),
        series: variant.arms.compactMap { arm in
          arm.lossCurve.map {
            ChartSeries(name: arm.name, points: Self.points($0), look: look(arm.name))
          }
        }, levels: variant.entropyFloor.map { [ChartLevel($0, label: "entropy floor")] } ?? [])
    }
  }

  /// One chart, or several side by side.
  func panelImage(_ panels: [LineChart], title: String, subtitle: String = "", height: Int = 320)
    -> String
  {
    guard panels.count == 1, var chart = panels.first else {
      return ChartPanels(title: title, subtitle: subtitle, panels: panels).svg(panelHeight: height)
    }
    chart.title = chart.title.isEmpty ? title : "\(title), \(chart.title)"
    chart.subtitle = subtitle
    return chart.svg(width: 900, height: max(height + 60, 16 * chart.series.count + 140))
  }

  /// At most about 240 points: more cannot be told apart.
  static func points(_ course: CourseAnalysis, x: ((Int) -> Double?)? = nil) -> [ChartPoint] {
    let count = min(course.steps.count, course.mean.count)
    let every = max(1, count / 240)
    return (0..<count).filter { $0 % every == 0 || $0 == count - 1 }.compactMap { index in
      let place = x.map { $0(index) } ?? Double(course.steps[index])
      guard let place else { return nil }
      return ChartPoint(
        place, course.mean[index], lower: index < course.lower.count ? course.lower[index] : nil,
        upper: index < course.upper.count ? course.upper[index] : nil,
        note: index < course.counts.count ? "\(course.counts[index]) seeds" : "")
    }
  }

  /// The lower end of all curves, up to where the slowest is after a twentieth of its run.
  private static func courseLimits(_ courses: [CourseAnalysis]) -> ClosedRange<Double>? {
    let least = courses.flatMap { $0.mean + $0.lower.compactMap { $0 } }.filter(\.isFinite).min()
    let tops = courses.compactMap { course -> Double? in
      guard let end = course.steps.last else { return nil }
      let early = zip(course.steps, course.mean).first { $0.0 * 20 >= end && $0.0 > 0 }
      return early?.1
    }.filter(\.isFinite).sorted()
    let most = courses.flatMap(\.mean).filter(\.isFinite).max()
    // One that diverged does not hide all others.
    guard let least, let most, !tops.isEmpty else { return nil }
    let top = tops[(tops.count - 1) * 3 / 4]
    let room = top - least
    guard room > 0, most > top + 0.1 * room else { return nil }
    return (least - 0.05 * room)...(top + 0.08 * room)
  }

  // MARK: - Telemetry

  /// Quantities recorded over steps, above all effective learning rates by role, as quantile fans.
  func telemetry() -> ReportSection? {
    var quantities: [String] = []
    for statistic in variants.flatMap(\.arms).flatMap(\.statistics)
    where !quantities.contains(statistic.quantity) {
      quantities.append(statistic.quantity)
    }
    var blocks: [ReportBlock] = []
    for quantity in quantities {
      var figures: [ReportFigure] = []
      for variant in variants {
        let arms = variant.arms.filter { arm in
          arm.statistics.contains { $0.quantity == quantity }
        }
        figures += arms.compactMap { fanFigure(quantity, $0, variant) }
        // What is no quantile, each statistic by itself: arms as lines, roles as panels.
        var others: [String] = []
        for item in arms.flatMap(\.statistics) where item.quantity == quantity {
          if Self.quantile(item.statistic) == nil, !others.contains(item.statistic) {
            others.append(item.statistic)
          }
        }
        figures += others.compactMap { courseFigure(quantity, $0, arms, variant) }
      }
      if !figures.isEmpty {
        blocks.append(.heading(Self.words(quantity)))
        blocks += figures.map { .figure($0) }
      }
    }
    return section("telemetry", "Inside the optimizers", blocks)
  }

  /// `weightNorm` as `Weight norm`.
  static func words(_ name: String) -> String {
    if name == "effectiveRate" { return "Effective learning rate" }
    var result = ""
    for character in name {
      if character.isUppercase, !result.isEmpty { result += " " }
      result += result.isEmpty ? character.uppercased() : character.lowercased()
    }
    return result
  }

  /// The share of blocks below a statistic of this name, from 0 to 1; nil when it is no quantile.
  static func quantile(_ statistic: String) -> Double? {
    switch statistic.lowercased() {
    case "min", "least", "minimum": 0
    case "max", "greatest", "maximum": 1
    case "median": 0.5
    case let name where name.hasPrefix("q"):
      Double(name.dropFirst()).flatMap { (0...100).contains($0) ? $0 / 100 : nil }
    default: nil
    }
  }

  /// One panel for each role, each a fan of quantiles.
  private func fanFigure(_ quantity: String, _ arm: ArmAnalysis, _ variant: VariantAnalysis)
    -> ReportFigure?
  {
    let own = arm.statistics.filter { $0.quantity == quantity }
    var roles: [String] = []
    for statistic in own where !roles.contains(statistic.role) { roles.append(statistic.role) }
    let panels = roles.compactMap { role -> LineChart? in
      var rows: [(share: Double, course: CourseAnalysis)] = own.filter { $0.role == role }
        .compactMap { statistic in
          Self.quantile(statistic.statistic).map { ($0, statistic.course) }
        }
      rows.sort { $0.share < $1.share }
      // Only shares that have their mirror image make a band.
      rows = rows.filter { row in rows.contains { abs($0.share + row.share - 1) < 1e-9 } }
      guard rows.count % 2 == 1, let steps = rows.first?.course.steps,
        rows.allSatisfy({ $0.course.steps == steps && $0.course.mean.count == steps.count })
      else { return nil }
      let every = max(1, steps.count / 240)
      let kept = steps.indices.filter { $0 % every == 0 || $0 == steps.count - 1 }
      return LineChart(
        title: role.isEmpty ? arm.name : Self.words(role), xAxis: ChartAxis(title: "Step"),
        yAxis: ChartAxis(title: Self.words(quantity), scale: .logarithmic),
        series: ChartSeries.fan(
          name: "median", x: kept.map { Double(steps[$0]) },
          quantiles: rows.map { row in kept.map { row.course.mean[$0] } }, look: look(arm.name)))
    }
    guard !panels.isEmpty else { return nil }
    let shares = own.compactMap { Self.quantile($0.statistic) }
    let bands = Set(shares.filter { $0 < 0.5 }).sorted().map { share in
      share == 0
        ? "least to greatest"
        : "\(ReportNumber.significant(share * 100, 3)) to \(ReportNumber.percent(1 - share))"
    }
    let place = hasVariants ? "\(arm.name), \(variant.name)" : arm.name
    return ReportFigure(
      name: Self.fileName(quantity, arm.name, hasVariants ? variant.name : ""),
      caption: "\(Self.words(quantity)) of \(place) by role, mean over reporting seeds. "
        + (bands.isEmpty ? "" : "Bands: \(bands.joined(separator: ", ")). ") + "Line: median.",
      svg: ChartPanels(title: "\(Self.words(quantity)): \(place)", panels: panels).svg(
        panelHeight: 280))
  }

  /// One panel for each role, with a line for each arm.
  private func courseFigure(
    _ quantity: String, _ statistic: String, _ arms: [ArmAnalysis], _ variant: VariantAnalysis
  ) -> ReportFigure? {
    func own(_ arm: ArmAnalysis) -> [StatisticAnalysis] {
      arm.statistics.filter { $0.quantity == quantity && $0.statistic == statistic }
    }
    var roles: [String] = []
    for item in arms.flatMap(own) where !roles.contains(item.role) { roles.append(item.role) }
    let name =
      Self.words(quantity) + (statistic.isEmpty ? "" : ", \(Self.words(statistic).lowercased())")
    let panels = roles.map { role in
      LineChart(
        title: Self.words(role), xAxis: ChartAxis(title: "Step"), yAxis: ChartAxis(title: name),
        series: arms.compactMap { arm in
          own(arm).first { $0.role == role }.map {
            ChartSeries(name: arm.name, points: Self.points($0.course), look: look(arm.name))
          }
        })
    }
    guard panels.contains(where: { $0.series.contains { $0.points.count > 1 } }) else { return nil }
    let title = name + (hasVariants ? ", \(variant.name)" : "")
    return ReportFigure(
      name: Self.fileName(quantity, statistic, hasVariants ? variant.name : "all"),
      caption: "\(title), mean over reporting seeds.",
      svg: panelImage(panels, title: title, height: 280))
  }

  // MARK: - Budget

  /// What fewer tuning trials would have found.
  func budgetCurves() -> ReportSection? {
    let panels = variants.filter { $0.arms.contains { $0.budgetCurve.count > 1 } }.map { variant in
      let losses = variant.arms.compactMap { $0.budgetCurve.dropFirst(2).first?.expectedBest }
        .sorted()
      let ends = variant.arms.compactMap { $0.budgetCurve.last?.expectedBest }
      var limits: ClosedRange<Double>?
      if let least = ends.min(), let most = losses.last, most > least {
        limits = (least - 0.05 * (most - least))...(most + 0.05 * (most - least))
      }
      return LineChart(
        title: hasVariants ? variant.name : "", xAxis: ChartAxis(title: "Tuning trials"),
        yAxis: ChartAxis(title: "Expected lowest tuning loss", unit: Self.lossUnit, limits: limits),
        series: variant.arms.filter { !$0.budgetCurve.isEmpty }.map(budgetSeries))
    }
    guard !panels.isEmpty else { return nil }
    return section(
      "budget", "Budget curves",
      [
        .figure(
          ReportFigure(
            name: "budget",
            caption:
              "Expected lowest tuning loss of so many trials, drawn from those that ran (bands for the eye are in budget.csv): whether an arm wins only by being tuned more.",
            svg: panelImage(panels, title: "What fewer tuning trials would have found", height: 340)
          ))
      ])
  }

  private func budgetSeries(_ arm: ArmAnalysis) -> ChartSeries {
    let points = arm.budgetCurve.map { ChartPoint(Double($0.trials), $0.expectedBest) }
    return ChartSeries(
      name: arm.name, points: points, style: points.count > 40 ? .line : .lineWithMarkers,
      look: look(arm.name), marksBeyond: true)
  }
}
