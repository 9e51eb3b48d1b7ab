// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Optimizers
import TensorGraph

/// A method's card as a person or a program reads it.
struct CardPage: Encodable {
  struct Hyperparameter: Encodable {
    let name: String
    let `default`: Double
    let range: String
    let search: [Double]?
    let summary: String
    let source: String
  }
  struct Option: Encodable {
    let name: String
    let `default`: String
    let choices: [String]
    let summary: String
    let source: String
  }

  let name: String
  let paper: String
  let equation: String
  let state: String
  let stateBytesPerParameter: Double
  let flopsPerParameter: Double
  let parameters: String
  /// Who takes the parameters that it does not.
  let fallback: String?
  let extraGradients: String
  let evaluates: String
  let schedule: String
  let hyperparameters: [Hyperparameter]
  let options: [Option]
  let deviations: [String]
  let caveats: [String]

  /// The page of a method.
  ///
  /// - Throws: `GraphError` when its equations cannot be traced.
  init(_ method: any OptimizerMethod.Type) throws {
    let card = method.card
    name = card.name
    paper = card.paper
    equation = card.equation
    state = card.state.description
    stateBytesPerParameter = card.stateBytesPerParameter
    let matrix = Parameter(
      name: "w", role: .mlpIn, shape: [1024, 1024], initialization: .constant(0))
    let group = ParameterGroup(
      name: "all", method: method, hyperparameters: card.defaults, settings: card.settings,
      members: [matrix])
    flopsPerParameter = try MethodCost(of: group).flops / Double(matrix.shape.count)
    fallback = card.eligibility.fallback
    parameters = fallback.map { "hidden matrices; the others go to \($0)" } ?? "all"
    extraGradients = Self.words(card.observation)
    evaluates = card.evaluatesAverage ? "an average of the weights" : "the trained weights"
    schedule = card.wantsConstantRate ? "a constant learning rate after warm-up" : "any"
    hyperparameters = card.hyperparameters.map {
      Hyperparameter(
        name: $0.name, default: $0.defaultValue, range: $0.rangeDescription,
        search: $0.search?.values, summary: $0.summary, source: $0.source)
    }
    options = card.options.map {
      Option(
        name: $0.name, default: $0.standard, choices: $0.choices, summary: $0.summary,
        source: $0.source)
    }
    deviations = card.deviations
    caveats = card.caveats
  }

  private static func words(_ observation: OptimizerCard.Observation?) -> String {
    switch observation {
    case nil: "none"
    case .sampledLabels(let every):
      "one every \(every) updates, with labels drawn from the model, charged in tokens and time"
    case .firstBatches(let count):
      "one on each of the first \(count), before training, charged in tokens and time"
    }
  }

  /// A default or a value of a search: as it was written, or with three digits where it was computed.
  static func number(_ number: Double) -> String {
    let digits = "\(number)".prefix { $0 != "e" }.filter(\.isNumber).drop { $0 == "0" }
    if digits.count <= 7 { return plain("\(number)") }
    return plain("\(Double(String(format: "%.3g", number)) ?? number)")
  }

  /// `1e-8` for `1e-08`, `5` for `5.0`.
  private static func plain(_ text: String) -> String {
    let whole = text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    return whole.replacing("e-0", with: "e-").replacing("e+", with: "e")
  }

  /// FLOPs for each number, without digits that only say that something is added up once for a whole tensor.
  var flops: String {
    let tenths = (flopsPerParameter * 10).rounded() / 10
    return flopsPerParameter < 1000 ? Self.plain("\(tenths)") : Numbers.short(flopsPerParameter)
  }

  /// Where a sweep looks: a few values as they are, more of them as their ends and their number.
  private static func sweep(_ values: [Double]?) -> String {
    guard let values, let first = values.first, let last = values.last else { return "-" }
    return values.count > 5
      ? "\(number(first)) ... \(number(last)), \(values.count) values"
      : values.map(number).joined(separator: ", ")
  }

  // MARK: - Text

  /// The page as text.
  var text: String {
    var lines = [name, "  " + paper, ""]
    lines += equation.split(separator: "\n").map { "    " + $0 }
    lines += [
      "",
      "  state             \(state)",
      "  FLOPs             \(flops) a number of a 1024 x 1024 matrix",
      "  parameters        \(parameters)",
      "  extra gradients   \(extraGradients)",
      "  evaluation uses   \(evaluates)",
      "  schedule          \(schedule)", "",
    ]
    var table = Table([
      ("  hyperparameter", .left), ("default", .right), ("range", .left), ("sweep", .left),
      ("", .left), ("source of the default", .left),
    ])
    for number in hyperparameters {
      table.add(
        "  " + number.name, Self.number(number.default), number.range, Self.sweep(number.search),
        number.summary, number.source)
    }
    lines.append(table.text)
    if !options.isEmpty {
      var table = Table([
        ("  option", .left), ("choices, the default first", .left), ("", .left),
        ("source of the default", .left),
      ])
      for option in options {
        table.add(
          "  " + option.name, option.choices.joined(separator: ", "), option.summary,
          option.source)
      }
      lines += ["", table.text]
    }
    for (title, points) in [("deviations", deviations), ("caveats", caveats)] where !points.isEmpty
    {
      lines += ["", "  " + title] + points.map { "  - " + $0 }
    }
    return lines.joined(separator: "\n")
  }
}
