// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Comparison
import RunRecords
import Statistics

/// Comparisons of small parameters as tables for other programs; each line begins with the variant.
struct ScalarTables {
  let comparisons: [(variant: String, scalars: ScalarComparison)]

  private typealias Value = CSVFile.Value

  /// The tables by the names of their files; those without rows are left out.
  var files: [String: String] {
    [
      "scalars-roughness.csv": roughness(), "scalars-jumps.csv": jumps(),
      "scalars-departures.csv": departures(), "scalars-norms.csv": norms(),
      "float8.csv": float8(),
    ].filter { !$0.value.isEmpty }.mapValues(\.text)
  }

  /// Every course at every position: a long table.
  var courses: String {
    var file = CSVFile([
      "variant", "arm", "parameter", "scalar", "position", "mean", "lowest", "highest",
    ])
    for (variant, item) in comparisons {
      for scalar in item.scalars {
        for course in scalar.courses {
          let envelope = course.envelope
          for (place, position) in item.positions.enumerated() where envelope.mean[place].isFinite {
            file.add([
              .text(variant), .text(course.arm), .text(scalar.parameter.name), .text(scalar.name),
              .number(position), .number(envelope.mean[place]), .number(envelope.lower[place]),
              .number(envelope.upper[place]),
            ])
          }
        }
      }
    }
    return file.text
  }

  /// What steps were made with, at every position: a long table.
  var numbers: String? {
    var file = CSVFile(["variant", "arm", "number", "position", "mean", "lowest", "highest"])
    for (variant, item) in comparisons {
      for number in item.numbers {
        for course in number.courses {
          let envelope = course.envelope
          for (place, position) in item.positions.enumerated() where envelope.mean[place].isFinite {
            file.add([
              .text(variant), .text(course.arm), .text(number.name), .number(position),
              .number(envelope.mean[place]), .number(envelope.lower[place]),
              .number(envelope.upper[place]),
            ])
          }
        }
      }
    }
    return file.isEmpty ? nil : file.text
  }

  /// Norms and quantiles of larger parameters: means over runs, of the norm also the lowest and the highest run.
  private func norms() -> CSVFile {
    let names = TrajectoryHeader.summaryNames.filter { $0 != "norm" }
    var file = CSVFile(
      ["variant", "arm", "parameter", "step", "norm", "norm_lowest", "norm_highest"] + names)
    for (variant, item) in comparisons {
      for norm in item.norms {
        for course in norm.courses {
          let quantiles = names.map { name in
            norm.quantiles.first { $0.name == name }?.courses.first { $0.arm == course.arm }
          }
          for (place, step) in norm.steps.enumerated()
          where course.envelope.mean[place].isFinite {
            file.add(
              [
                .text(variant), .text(course.arm), .text(norm.parameter.name), .count(step),
                .number(course.envelope.mean[place]), .number(course.envelope.lower[place]),
                .number(course.envelope.upper[place]),
              ] + quantiles.map { .number($0?.envelope.mean[place]) })
          }
        }
      }
    }
    return file
  }

  private func roughness() -> CSVFile {
    var file = CSVFile([
      "variant", "arm", "parameter", "runs", "every_step", "updates", "updates_lower",
      "updates_upper", "ratio",
    ])
    for (variant, item) in comparisons {
      for row in item.roughness {
        file.add([
          .text(variant), .text(row.arm), .text(row.parameter), .count(row.updates.count),
          .number(row.everyStep.value), .number(row.updates.value),
          .number(row.updates.interval?.lower), .number(row.updates.interval?.upper),
          .number(row.ratio),
        ])
      }
    }
    return file
  }

  private func jumps() -> CSVFile {
    var file = CSVFile(["variant", "arm", "scalar", "transition", "step", "size", "unusual"])
    for (variant, item) in comparisons {
      for row in item.jumps {
        file.add([
          .text(variant), .text(row.arm), .text(row.scalar), .text(row.transition),
          .count(row.step), .number(row.size), .number(row.unusual),
        ])
      }
    }
    return file
  }

  private func departures() -> CSVFile {
    var file = CSVFile([
      "variant", "arm", "scalar", "position", "side", "length", "deviations", "total",
      "is_outside_at_end", "level",
    ])
    for (variant, item) in comparisons {
      for row in item.departures {
        file.add([
          .text(variant), .text(row.arm), .text(row.scalar), .number(row.position),
          .text(row.departure.isAbove ? "above" : "below"), .count(row.departure.length),
          .number(row.departure.deviations), .count(row.departure.total),
          .flag(row.departure.isAtEnd), .number(item.rule?.level),
        ])
      }
    }
    return file
  }

  private func float8() -> CSVFile {
    var file = CSVFile(
      ["variant", "arm", "tensor", "step", "scale", "limit", "saturated"]
        + Float8Record.quantileNames)
    for (variant, item) in comparisons {
      for course in item.float8 {
        for (place, step) in course.steps.enumerated() {
          file.add(
            [
              .text(variant), .text(course.arm), .text(course.tensor.rawValue), .count(step),
              .number(course.scale[place]), .number(course.limit),
              .number(course.saturated[place]),
            ] + course.quantiles.map { .number($0[place]) })
        }
      }
    }
    return file
  }
}
