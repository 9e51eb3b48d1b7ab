// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Optimizers
import TensorFiles
import TensorGraph
import Testing

/// A trajectory of a public optimizer, made by `Scripts/fixtures/optimizers.py`, by our names.
struct GoldenCase: Decodable, Sendable, CustomTestStringConvertible {
  var name, method, problem, schedule, differs: String
  var hyperparameters: [String: Double]
  var options, settings: [String: String]
  var parameters, states: [String]
  var batchTokens: Int
  var observedSteps: [Int]
  var agrees: Bool
  var tolerance, singlePrecision: Double
  var package: String

  var testDescription: String { name }

  /// What `cases.json` holds.
  struct Manifest: Decodable, Sendable {
    var steps: Int
    var storedSteps: [Int]
    var schedules: [String: [Double]]
    var problems: [String: [Declaration]]
    var cases: [GoldenCase]
  }

  /// A parameter of a problem.
  struct Declaration: Decodable, Sendable {
    var name: String
    var role: ParameterRole
    var shape: [Int]
    var heads: Int?
    var decays: Bool
  }

  static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Fixtures/optimizers")

  static let manifest: Manifest = {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    do {
      let data = try Data(contentsOf: folder.appendingPathComponent("cases.json"))
      return try decoder.decode(Manifest.self, from: data)
    } catch {
      preconditionFailure("cases.json: \(error)")
    }
  }()

  /// The cases of methods that are registered.
  static let all = manifest.cases.filter { OptimizerRegistry.names.contains($0.method) }
}

/// The tensors of a case.
struct GoldenTrajectory {
  let golden: GoldenCase
  let declarations: [GoldenCase.Declaration]
  private let problems: TensorFile
  private let weights: TensorFile

  init(_ golden: GoldenCase) throws {
    self.golden = golden
    let all = GoldenCase.manifest.problems[golden.problem] ?? []
    declarations = all.filter { golden.parameters.contains($0.name) }
    let path = { (name: String) in
      GoldenCase.folder.appendingPathComponent(name + ".safetensors").path
    }
    problems = try TensorFile(path: path("problems"))
    weights = try TensorFile(path: path(golden.method))
  }

  var parameters: [Parameter] {
    declarations.map {
      Parameter(
        name: $0.name, role: $0.role, layer: nil, shape: Shape($0.shape), heads: $0.heads,
        initialization: .constant(0))
    }
  }

  func initial(_ parameter: String) throws -> [Double] {
    try problems.doubles("\(golden.problem)/initial/\(parameter)")
  }

  func gradient(_ parameter: Parameter, step: Int) throws -> [Double] {
    let values = try problems.doubles("\(golden.problem)/gradient/\(parameter.name)")
    return part(values, step, parameter.shape.count)
  }

  /// The gradient of the given sampled labels, counted from 0.
  func sampled(_ parameter: Parameter, index: Int) throws -> [Double] {
    let values = try problems.doubles("\(golden.problem)/sampled/\(parameter.name)")
    return part(values, index, parameter.shape.count)
  }

  /// The weights after a stored step, or those for evaluation (nil where they are the same).
  func weights(_ parameter: Parameter, stored: Int) throws -> [Double] {
    let values = try weights.doubles("\(golden.name)/\(parameter.name)")
    return part(values, stored, parameter.shape.count)
  }

  func average(_ parameter: Parameter, stored: Int) throws -> [Double]? {
    let name = "\(golden.name)/average/\(parameter.name)"
    guard weights[name] != nil else { return nil }
    return try part(weights.doubles(name), stored, parameter.shape.count)
  }

  /// A state after the last step, by our name; nil where the package has none for the parameter.
  func state(_ name: String, _ parameter: Parameter) throws -> [Double]? {
    let label = "\(golden.name)/state/\(name)/\(parameter.name)"
    return weights[label] == nil ? nil : try weights.doubles(label)
  }

  private func part(_ values: [Double], _ index: Int, _ count: Int) -> [Double] {
    Array(values[index * count..<(index + 1) * count])
  }
}
