// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// The optimizer of a run: every parameter of a model, each in exactly one group.
///
/// Clipping, state, masks, pauses and averages are complete by construction, for there is nothing beside it.
public struct Optimizer: Sendable {
  /// The groups, in the order of the policy.
  public let groups: [ParameterGroup]
  /// The element type of products that leave their precision open.
  public var productType = ElementType.float32
  /// Of one rank's optimizer, which sees a part of the gradients: groups whose norm over all ranks the host gives; nil: all is here.
  var givenNorms: Set<String>?

  /// The largest global gradient norm is this scalar leaf; infinity: no clipping.
  public static let clipLabel = "gradient_clip"

  /// Makes an optimizer of groups; no parameter may be in two of them.
  public init(groups: [ParameterGroup]) {
    let names = groups.flatMap { $0.members.map(\.name) }
    precondition(Set(names).count == names.count, "a parameter is in two groups: \(names)")
    precondition(
      Set(groups.map(\.name)).count == groups.count, "two groups of one name: \(groups.map(\.name))"
    )
    self.groups = groups
  }

  /// One method for all parameters, with its card's defaults unless given.
  public init(
    _ method: any OptimizerMethod.Type, _ hyperparameters: [String: Double] = [:],
    options: MethodOptions? = nil, settings: GroupSettings? = nil,
    parameters: [Parameter]
  ) {
    self.init(groups: [
      ParameterGroup(
        name: "all", method: method,
        hyperparameters: method.card.defaults.merging(hyperparameters) { $1 }, options: options,
        settings: settings ?? method.card.settings, members: parameters)
    ])
  }

  /// The groups that are trained and have parameters to train.
  public var trained: [ParameterGroup] {
    groups.filter { $0.method != nil && !$0.members.isEmpty }
  }

  /// The groups all of whose parameters rest, see ``without(_:)``.
  public var resting: [ParameterGroup] {
    groups.filter { $0.method != nil && $0.members.isEmpty }
  }

  /// The parameters whose gradients are needed, in the order of the groups.
  public var trainedParameters: [Parameter] { trained.flatMap(\.members) }

  /// The group of a parameter.
  public func group(of parameter: String) -> ParameterGroup? {
    groups.first { $0.members.contains { $0.name == parameter } }
  }

  /// The optimizer while some parameters rest: no gradient is taken of them, and their weights and state stay as they are.
  ///
  /// Groups keep their names. One that has no other parameter makes no updates, but its steps are counted, so that it keeps time
  /// with groups of the same cadence.
  ///
  /// - Parameter names: parameters that rest.
  /// - Returns: an optimizer of the others, in the same groups.
  public func without(_ names: Set<String>) -> Optimizer {
    var result = Optimizer(
      groups: groups.map { group in
        var group = group
        group.members.removeAll { names.contains($0.name) }
        return group
      })
    result.productType = productType
    result.givenNorms = givenNorms
    return result
  }

  // MARK: - Programs that need no model

  /// The update alone, from gradients that the host writes to inputs `gradient.PARAMETER`.
  ///
  /// Outputs `gradient_norm`.
  ///
  /// - Throws: `GraphError`.
  public func updateProgram() throws(GraphError) -> Program {
    let graph = Graph()
    let update = update(
      in: graph, parameter: { graph.parameter($0.name, $0.shape) },
      gradient: { graph.input("gradient." + $0.name, $0.shape, .float32) })
    return try Program(
      graph: graph, outputs: [("gradient_norm", update.gradientNorm)],
      assignments: update.assignments)
  }

  /// An extra gradient's way into the state of one group, from inputs `gradient.PARAMETER`.
  ///
  /// - Throws: `GraphError`.
  public func observationProgram(of group: ParameterGroup) throws(GraphError) -> Program {
    let graph = Graph()
    let assignments = observation(
      of: group, in: graph, parameter: { graph.parameter($0.name, $0.shape) },
      gradient: { graph.input("gradient." + $0.name, $0.shape, .float32) })
    return try Program(graph: graph, outputs: [], assignments: assignments)
  }

  /// The rare work on the state of one group; nil when its method has none.
  ///
  /// - Throws: `GraphError`.
  public func upkeepProgram(
    of group: ParameterGroup, _ upkeep: Upkeep
  ) throws(GraphError) -> Program? {
    guard let method = group.method else { return nil }
    let graph = Graph()
    var assignments: [(Tensor, Tensor)] = []
    for parameter in group.members {
      var state = StateBuilder(parameter, in: graph)
      method.maintain(
        graph.parameter(parameter.name, parameter.shape), upkeep: upkeep, state: &state,
        scalars: scalars(group, parameter, in: graph))
      assignments += state.assignments.map { ($0.target, $0.value) }
    }
    return assignments.isEmpty
      ? nil : try Program(graph: graph, outputs: [], assignments: assignments)
  }
}
