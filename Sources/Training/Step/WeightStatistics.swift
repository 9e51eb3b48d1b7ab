// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import LanguageModels
public import TensorGraph

/// Sizes of weights and updates by role, from a program of its own that is compiled when it is first needed.
///
/// The step's own program is never touched, so measuring cannot change a run's bits.
public final class WeightStatistics {
  /// What was measured for one role.
  public struct Measurement: Equatable, Sendable, Codable {
    /// sqrt(sum w^2) over all parameters of the role.
    public let weightNorm: Double
    /// sqrt(mean (w - previous w)^2) over all parameters of the role.
    public let updateRootMeanSquare: Double
  }

  private let parameters: [Parameter]
  private let roles: [ParameterRole]
  private let runtime: any Runtime
  private var executable: (any Executable)?

  /// Prepares nothing yet.
  public init(_ parameters: [Parameter], runtime: any Runtime) {
    self.parameters = parameters
    self.runtime = runtime
    let present = Set(parameters.map(\.role))
    roles = ParameterRole.allCases.filter(present.contains)
  }

  /// Compiles the program, if that was not done yet.
  ///
  /// - Throws: what the runtime throws when it compiles.
  func prepare() throws {
    if executable == nil { executable = try runtime.compile(program()) }
  }

  /// Remembers the weights before an update.
  ///
  /// - Throws: what the runtime throws.
  public func rememberWeights() throws {
    try prepare()
    for parameter in parameters {
      guard let weights = try runtime.kept(parameter.name, for: .reading),
        let previous = try runtime.kept(label(parameter), for: .writing)
      else { preconditionFailure("'\(parameter.name)' is not kept") }
      previous.copyMemory(from: UnsafeRawBufferPointer(weights))
    }
  }

  /// Measures the weights, and how far they are from the remembered ones.
  ///
  /// - Throws: what the runtime throws.
  public func measure() throws -> [ParameterRole: Measurement] {
    guard let executable else { return [:] }
    try executable.run()
    var result: [ParameterRole: Measurement] = [:]
    for role in roles {
      let count = parameters.reduce(0) { $0 + ($1.role == role ? $1.shape.count : 0) }
      let weights = Double(executable.scalar("weights.\(role.rawValue)"))
      let updates = Double(executable.scalar("updates.\(role.rawValue)"))
      result[role] = Measurement(
        weightNorm: weights.squareRoot(),
        updateRootMeanSquare: (updates / Double(count)).squareRoot())
    }
    return result
  }

  private func label(_ parameter: Parameter) -> String { "statistics.previous." + parameter.name }

  private func program() throws(GraphError) -> Program {
    let graph = Graph()
    let weights = ModelWeights(parameters, in: graph)
    var outputs: [(String, Tensor)] = []
    for role in roles {
      let members = parameters.filter { $0.role == role }
      let squares = members.map { square(weights[$0.name]).sum() }
      let updates = members.map { member in
        square(weights[member.name] - graph.state(label(member), member.shape)).sum()
      }
      outputs.append(("weights.\(role.rawValue)", squares.reduce(graph.constant(0), +)))
      outputs.append(("updates.\(role.rawValue)", updates.reduce(graph.constant(0), +)))
    }
    return try Program(graph: graph, outputs: outputs)
  }
}
