// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Charts
import Foundation
import RunRecords
import Testing

@testable import Comparison
@testable import Reports
@testable import Statistics

/// Two arms of four runs as their comparison would be: lambdas, a gate, a head in 8 bits.
enum SyntheticScalars {
  static let steps = 300

  static func wave(_ step: Int, _ seed: Int) -> Double {
    sin(Double(step * (seed + 3)) / 17) + Double(step) / 100
  }

  static func course(_ arm: String, _ shift: Double, _ seed: Int) -> ScalarComparison.Course {
    let runs = (0..<4).map { run in
      (0..<steps).map { shift * Double($0) / 300 + 0.1 * wave($0, seed + run) }
    }
    return .init(arm: arm, envelope: TrajectoryEnvelope(runs))
  }

  static func comparison(arms: [String] = ["base", "<other> & more"]) -> ScalarComparison {
    let lambdas = TrajectoryHeader.Parameter(
      name: "residual_lambdas", role: "scalar", group: "scalars", shape: [3])
    let skip = TrajectoryHeader.Parameter(
      name: "skip.lambda", role: "scalar", group: "scalars", shape: [1])
    let gate = TrajectoryHeader.Parameter(
      name: "gate.weight", role: "gate", group: "gates", shape: [6, 12])
    let scalars =
      (0..<3).map { (lambdas.valueName($0), lambdas) } + [("skip.lambda", skip)]
      + [("gate.weight, root mean square", gate)]
    let named = scalars.enumerated().map { index, item in
      ScalarComparison.Scalar(
        name: item.0, parameter: item.1,
        courses: arms.enumerated().map { course($1, Double($0 * index), index) })
    }
    let float8 = arms.flatMap { arm in
      Float8Record.Tensor.allCases.map { tensor in
        ScalarComparison.Float8Course(
          arm: arm, tensor: tensor, limit: tensor == .gradient ? 57_344 : 448,
          steps: [0, 100, 200], scale: [0.5, 0.5, 0.5], saturated: [0, 0.01, 0.02],
          quantiles: (1...5).map { row in (1...3).map { Double(row * $0) } })
      }
    }
    return ScalarComparison(
      alignment: .step, arms: arms.map { .init(name: $0, folders: ["r/1", "r/2"]) },
      baseline: arms[0], positions: (0..<steps).map(Double.init),
      transitions: [.init(start: 99.5, name: "middle")], transitionsDiffer: false,
      pauses: [.init(start: 99.5, end: 119.5, name: "scalars")], scalars: named,
      rule: DepartureRule(steps: steps, scalars: 5),
      departures: arms.dropFirst().map {
        .init(
          arm: $0, scalar: "skip.lambda", position: 120,
          departure: .init(
            place: 120, length: 180, isAbove: true, deviations: 12.5, total: 190, isAtEnd: true))
      },
      roughness: arms.map {
        .init(
          parameter: "residual_lambdas", arm: $0,
          everyStep: Estimate(value: 0.01, interval: nil, count: 2),
          updates: Estimate(value: 0.02, interval: nil, count: 2), ratio: 2.5)
      },
      jumps: arms.map {
        .init(
          scalar: "residual_lambdas[1]", arm: $0, transition: "short \u{2192} middle", step: 100,
          size: -0.25, unusual: -7)
      },
      norms: [
        .init(
          parameter: .init(name: "head.weight", role: "head", group: "head", shape: [100, 100]),
          steps: [0, 100],
          courses: arms.map { .init(arm: $0, envelope: TrajectoryEnvelope([[1, 2]])) },
          quantiles: ["q10", "q50", "q90", "q99", "q999", "max"].enumerated().map { place, name in
            .init(
              name: name,
              courses: arms.map {
                .init(arm: $0, envelope: TrajectoryEnvelope([[Double(place + 1), 0.25]]))
              })
          })
      ],
      numbers: [("batch_tokens", 16.0), ("base.learning_rate", 0.0)].map { name, still in
        .init(
          name: name,
          courses: arms.map { arm in
            let course = (0..<steps).map { still > 0 ? still : Double($0) / 1000 }
            return .init(arm: arm, envelope: TrajectoryEnvelope([course]))
          })
      }, float8: float8, notes: ["A note."])
  }
}

@Suite struct ScalarReportTests {
  static let report = ScalarReport(SyntheticScalars.comparison(), command: "assay scalars a b")

  @Test func thePageIsWellFormedAndHasAFigureForEachParameter() throws {
    let page = try ParsedPage(Self.report.html)
    for name in [
      "figure-scalars-residual-lambdas", "figure-scalars-single-scalars",
      "figure-scalars-root-mean-squares-of-gate-parameters", "figure-norms-head",
      "figure-sizes-head", "figure-scalars-numbers",
      "figure-float8-saturated", "figure-float8-sizes-base", "figure-float8-sizes-other-more",
    ] {
      #expect(page.identities.contains(name), "\(name) of \(page.identities)")
    }
    for text in [
      "A note.", "skip.lambda", "120", "12", "<other> & more", "(2.50\u{00D7})",
      "assay scalars a b", "base.learning_rate", "stay the same in all arms: 1.",
      "\u{2212}0.25 (\u{2212}7.0)", "limit 57,344",
    ] {
      #expect(page.text.contains(text), "\(text)")
    }
    #expect(page.names.filter { $0 == "script" }.count == 1)
  }

  @Test func tablesHaveEveryNumber() throws {
    let files = Self.report.csvFiles
    #expect(
      files.keys.sorted() == [
        "float8.csv", "scalars-departures.csv", "scalars-jumps.csv", "scalars-norms.csv",
        "scalars-numbers.csv", "scalars-roughness.csv", "scalars.csv",
      ])
    let norms = try #require(files["scalars-norms.csv"]).split(separator: "\r\n")
    #expect(norms[0].hasSuffix(",step,norm,norm_lowest,norm_highest,q10,q50,q90,q99,q999,max"))
    #expect(norms[1] == ",base,head.weight,0,1.0,1.0,1.0,1.0,2.0,3.0,4.0,5.0,6.0")
    #expect(norms.count == 1 + 2 * 2)
    #expect(
      files["scalars-numbers.csv"]?.split(separator: "\r\n").count
        == 1 + 2 * 2 * SyntheticScalars.steps)
    let courses = try #require(files["scalars.csv"]).split(separator: "\r\n")
    #expect(courses.count == 1 + 2 * 5 * SyntheticScalars.steps)
    #expect(
      files["scalars-departures.csv"]?.contains(",skip.lambda,120.0,above,180,12.5,190,true,0.05")
        == true)
    #expect(files["float8.csv"]?.split(separator: "\r\n").count == 1 + 2 * 3 * 3)
  }

  @Test func aStudyReportHasTheSectionWhereScalarsWereRecorded() throws {
    var study = SyntheticStudy()
    study.variantNames = ["main"]
    let analysis = study.analysis()
    let plain = ReportContents(analysis).document()
    #expect(!plain.sections.contains { $0.name == "scalars" })
    let comparison = SyntheticScalars.comparison(arms: ["adamw", "lion"])
    let scalars = [(variant: "main", scalars: comparison)]
    let document = ReportContents(analysis, scalars: scalars).document()
    let names = document.sections.map(\.name)
    let place = try #require(names.firstIndex(of: "scalars"))
    #expect(names[place - 1] == "telemetry")
    let report = Report(analysis, scalars: scalars)
    #expect(report.figures.keys.contains("scalars-residual-lambdas.svg"))
    #expect(report.csvFiles["scalars-roughness.csv"] != nil)
    #expect(report.csvFiles["scalars.csv"] == nil, "too long for a report")
    _ = try ParsedPage(report.html)
  }

  /// Jitter between two drawn places would be invisible, and what is rough would look smooth.
  @Test func aThinnedCourseKeepsItsHighestAndLowestValues() throws {
    var comparison = SyntheticScalars.comparison(arms: ["only"])
    comparison.departures = []
    var runs = [[Double](repeating: 0, count: SyntheticScalars.steps)]
    runs[0][151] = 5
    runs[0][152] = -5
    comparison.scalars = [
      .init(
        name: "skip.lambda", parameter: comparison.scalars[3].parameter,
        courses: [.init(arm: "only", envelope: TrajectoryEnvelope(runs))])
    ]
    let contents = ScalarContents(comparison: comparison) { _ in .init(0) }
    let figures = contents.scalarFigures()
    guard case .figure(let figure) = try #require(figures.last) else {
      Issue.record("no figure")
      return
    }
    let line = try #require(figure.svg.firstMatch(of: /class="line"[^>]* d="([^"]*)"/)).output.1
    let heights = line.split(whereSeparator: { "ML".contains($0) }).compactMap {
      $0.split(separator: " ").last.flatMap { Double($0) }
    }
    let least = try #require(heights.min())
    let most = try #require(heights.max())
    let rest = heights.filter { $0 != least && $0 != most }
    #expect(Set(rest).count == 1 && heights.count <= 201)
    #expect(least < rest[0] && most > rest[0])
  }
}
