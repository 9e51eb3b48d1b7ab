// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

extension Optimizer {
  /// An update as it is traced.
  public struct TracedUpdate {
    /// The global norm of the gradients before clipping, without those of paused groups; for the optimizer of one rank, the norm of
    /// what the rank owns and of groups that are clipped over all ranks.
    public let gradientNorm: Tensor
    /// New weights and new state.
    public let assignments: [(Tensor, Tensor)]
    /// The state, in the order of the groups.
    public let declarations: [StateBuilder.Declaration]
  }

  /// The equations of all groups.
  ///
  ///     norm = sqrt(sum of all squares);  g = g min(1, clip / norm);  then group by group:
  ///     g = g min(1, group's clip / norm of the group)
  ///     step = the method's, masked as the rule says
  ///     w = w - (decay w + step)
  ///
  /// A group that rests at a step keeps weights and state to the bit. One that is silenced makes its update with zeros. Norms that
  /// the host gives are those of all ranks, also of groups of which nothing is here.
  public func update(
    in graph: Graph, parameter: (Parameter) -> Tensor, gradient: (Parameter) -> Tensor
  ) -> TracedUpdate {
    let names = givenNorms ?? []
    let given = names.sorted().map { square(givenNorm($0, in: graph)) }
    let here = trained.filter { !names.contains($0.name) }
    let squares =
      given
      + here.map { group -> Tensor in
        let sum = squaredNorm(group.members.map(gradient), in: graph)
        return group.settings.canIgnoreGradients ? sum * attends(group, in: graph) : sum
      }
    let norm = squareRoot(squares.reduce(graph.constant(0), +))
    let factor = minimum(graph.constant(1), graph.scalar(Self.clipLabel) / norm)
    var assignments: [(Tensor, Tensor)] = []
    var declarations: [StateBuilder.Declaration] = []
    for group in trained {
      guard let method = group.method else { continue }
      let clipped = group.members.map { gradient($0) * factor }
      let traced = update(
        group, method, parameters: group.members.map(parameter),
        gradients: groupClipped(clipped, group, factor, in: graph), in: graph)
      assignments += traced.assignments
      declarations += traced.declarations
    }
    return TracedUpdate(
      gradientNorm: norm, assignments: assignments, declarations: declarations)
  }

  /// The state of all groups.
  public var stateDeclarations: [StateBuilder.Declaration] {
    let graph = Graph()
    return update(
      in: graph, parameter: { graph.parameter($0.name, $0.shape) },
      gradient: { graph.input("gradient." + $0.name, $0.shape, .float32) }
    ).declarations
  }

  /// What extra gradients of a group do to its state.
  public func observation(
    of group: ParameterGroup, in graph: Graph, parameter: (Parameter) -> Tensor,
    gradient: (Parameter) -> Tensor
  ) -> [(Tensor, Tensor)] {
    guard let method = group.method else { return [] }
    return group.members.flatMap { member in
      let scalars = scalars(group, member, in: graph)
      var state = StateBuilder(member, in: graph)
      method.observe(
        parameter(member), gradient: gradient(member), state: &state, scalars: scalars)
      return state.assignments.map { ($0.target, $0.value) }
    }
  }

  /// The weights that evaluation, exports and generation read.
  public func evaluated(_ parameter: Parameter, _ weights: Tensor) -> Tensor {
    guard let group = group(of: parameter.name), let method = group.method else { return weights }
    let graph = weights.graph
    var state = StateBuilder(parameter, in: graph)
    if group.settings.averageDecay != nil { return state.copy("average") }
    return method.evaluated(
      weights, state: &state, scalars: scalars(group, parameter, in: graph))
  }

  // MARK: - One group

  func scalars(_ group: ParameterGroup, _ parameter: Parameter, in graph: Graph) -> Scalars {
    Scalars(
      in: graph, group: group.name, decays: group.decays(parameter), productType: productType)
  }

  private func squaredNorm(_ gradients: [Tensor], in graph: Graph) -> Tensor {
    gradients.map { square($0).sum() }.reduce(graph.constant(0), +)
  }

  private func groupClipped(
    _ gradients: [Tensor], _ group: ParameterGroup, _ globalFactor: Tensor, in graph: Graph
  ) -> [Tensor] {
    guard group.settings.gradientClip != nil else { return gradients }
    let norm =
      givenNorms?.contains(group.name) == true
      ? givenNorm(group.name, in: graph) * globalFactor
      : squareRoot(squaredNorm(gradients, in: graph))
    let clip = graph.scalar(Scalars.label("gradient_clip", group: group.name))
    let factor = minimum(graph.constant(1), clip / norm)
    return gradients.map { $0 * factor }
  }

  private func givenNorm(_ group: String, in graph: Graph) -> Tensor {
    graph.scalar(Scalars.label("gradient_norm", group: group))
  }

  /// 1, or 0 where the group is paused or silenced.
  private func attends(_ group: ParameterGroup, in graph: Graph) -> Tensor {
    graph.scalar(Scalars.label("attends", group: group.name))
  }

  func update(
    _ group: ParameterGroup, _ method: any OptimizerMethod, parameters: [Tensor],
    gradients: [Tensor], in graph: Graph
  ) -> (assignments: [(Tensor, Tensor)], declarations: [StateBuilder.Declaration]) {
    let common = Scalars(in: graph, group: group.name, productType: productType)
    var sums: [(Tensor, Tensor)] = []
    var summed: [StateBuilder.Declaration] = []
    var gradients = gradients
    let updates = common["updates"]
    if group.settings.every > 1 {
      for (index, member) in group.members.enumerated() {
        var state = StateBuilder(member, in: graph)
        let earlier = state.zeros("summed_gradient", like: parameters[index])
        gradients[index] = earlier + gradients[index]
        // A group that ignores its gradients forgets them, one that waits keeps them, one that updates has used them.
        let keeps = attends(group, in: graph) * (1 - updates)
        sums.append((earlier, select(keeps, gradients[index], graph.constant(0))))
        summed += state.declarations
      }
    }
    if group.settings.canBeSilenced {
      let attends = attends(group, in: graph)
      gradients = gradients.map { select(attends, $0, graph.constant(0)) }
    }
    var members = group.members.indices.map {
      GroupMember(
        parameter: parameters[$0], gradient: gradients[$0],
        state: StateBuilder(group.members[$0], in: graph),
        scalars: scalars(group, group.members[$0], in: graph))
    }
    var shared = StateBuilder(sharedBy: group.name, in: graph)
    let proposals = method.update(&members, shared: &shared)
    var assignments: [(Tensor, Tensor)] = []
    for (index, proposal) in proposals.enumerated() {
      let parameter = parameters[index]
      let decay = members[index].scalars.decays ? common.decay : nil
      let weights = applied(
        proposal, to: parameter, gradient: gradients[index], decay: decay, group.settings)
      assignments.append((parameter, weights))
      if group.settings.averageDecay != nil {
        let average = members[index].state.copy("average")
        members[index].state["average"] =
          average + common.complement("average_decay") * (weights - average)
      }
    }
    for state in members.map(\.state) + [shared] {
      assignments += state.assignments.map { ($0.target, $0.value) }
    }
    if group.settings.rests {
      assignments = assignments.map { target, value in
        (target, select(updates, value, target).cast(to: target.type.elementType))
      }
    }
    let declarations = members.flatMap(\.state.declarations) + shared.declarations
    return (assignments + sums, declarations + summed)
  }

  /// w - (decay w + step), with the rule's masks.
  private func applied(
    _ update: Update, to w: Tensor, gradient: Tensor, decay: Tensor?, _ settings: GroupSettings
  ) -> Tensor {
    guard case .step(let proposed) = update else {
      if case .weights(let weights) = update { return weights }
      return w
    }
    let step = cautious(proposed, gradient, settings.caution)
    guard let decay else { return w - step }
    let zero = w.graph.constant(0)
    switch settings.decayCaution {
    case .off: return w - (decay * w + step)
    case .inclusive: return w - (lessOrEqual(zero, step * w) * (decay * w) + step)
    case .strict: return w - (less(zero, step * w) * (decay * w) + step)
    }
  }

  /// step [step g > 0], divided by the mean of the mask where that is asked for.
  private func cautious(
    _ step: Tensor, _ gradient: Tensor, _ caution: GroupSettings.Caution
  ) -> Tensor {
    if caution == .off { return step }
    let mask = less(step.graph.constant(0), step * gradient)
    if caution == .plain { return step * mask }
    // At least a thousandth, as the authors' own code has it: an empty mask moves nothing anyway.
    return step * (mask / maximum(mask.mean(), step.graph.constant(1e-3)))
  }
}
