// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A traced step: what the host reads after it, and which kept tensors it replaces.
///
/// A run produces every output, and carries out the assignments where the condition is not 0. So a step that must not
/// count (a loss that is not finite) leaves weights and state untouched, and the host, which reads the same numbers from the
/// outputs, knows it without having been asked in between.
public struct Program {
  /// A result that the host reads.
  public struct Output {
    /// Its unique name.
    public let label: String
    /// Its value.
    public let tensor: Tensor
  }

  /// A kept tensor and its new value.
  public struct Assignment {
    /// A parameter or state leaf.
    public let target: Tensor
    /// A value of the same shape.
    public let value: Tensor
  }

  /// The nodes.
  public let graph: Graph
  /// What the host reads.
  public let outputs: [Output]
  /// What is replaced.
  public let assignments: [Assignment]
  /// A float32 scalar: assignments are carried out only where it is not 0 (NaN is not 0); nil: always.
  public let condition: Tensor?

  /// Makes a program.
  ///
  /// - Parameters:
  ///   - graph: of all tensors.
  ///   - outputs: what the host reads, by label.
  ///   - assignments: parameters or states, and what they become.
  ///   - condition: a float32 scalar of the graph; where it is 0, nothing is assigned.
  /// - Throws: `GraphError` for any mistake made while building, names used twice, assignments that do not fit, or a condition
  ///   that is no float32 scalar.
  public init(
    graph: Graph, outputs: [(String, Tensor)], assignments: [(Tensor, Tensor)] = [],
    condition: Tensor? = nil
  ) throws(GraphError) {
    try graph.check()
    var labels: [String: TensorType] = [:]
    for node in graph.nodes {
      guard let leaf = node.operation as? Leaf else { continue }
      if labels.updateValue(leaf.type, forKey: leaf.label) != nil {
        throw GraphError(.structure, "two leaves are called '\(leaf.label)'; names must be unique")
      }
    }
    for (label, tensor) in outputs where tensor.graph !== graph {
      throw GraphError(.structure, "output '\(label)', \(tensor.type), belongs to another graph")
    }
    for tensor in assignments.flatMap({ [$0, $1] }) where tensor.graph !== graph {
      throw GraphError(.structure, "an assigned \(tensor.type) belongs to another graph")
    }
    var targets: Set<Graph.Value> = []
    for (target, value) in assignments {
      guard let leaf = graph.nodes[target.value.node].operation as? Leaf,
        leaf.kind == .parameter || leaf.kind == .state
      else {
        throw GraphError(
          .structure, "only parameters and states can be assigned, not \(target.type)")
      }
      guard target.shape == value.shape, value.type.elementType == target.type.elementType else {
        let remedy = target.shape == value.shape ? "; cast the value first" : ""
        throw GraphError(
          .shape, "'\(leaf.label)' is \(target.type) and cannot become \(value.type)\(remedy)")
      }
      guard targets.insert(target.value).inserted else {
        throw GraphError(.structure, "'\(leaf.label)' is assigned twice")
      }
    }
    if Set(outputs.map(\.0)).count != outputs.count {
      throw GraphError(.structure, "two outputs have the same name")
    }
    if let condition {
      guard condition.graph === graph else {
        throw GraphError(
          .structure, "the program's condition, \(condition.type), belongs to another graph")
      }
      guard condition.type == TensorType([]) else {
        throw GraphError(
          .shape, "the program's condition is \(condition.type); it must be a float32 scalar")
      }
    }
    self.condition = condition
    self.graph = graph
    self.outputs = outputs.map { Output(label: $0.0, tensor: $0.1) }
    self.assignments = assignments.map { Assignment(target: $0.0, value: $0.1) }
  }

  /// Every leaf that is used.
  public var leaves: [Leaf] {
    let live = liveNodes()
    return graph.nodes.indices.filter { live[$0] }.compactMap {
      graph.nodes[$0].operation as? Leaf
    }
  }

  /// The program again in a new graph, node by node; `transform` may replace a node's results.
  ///
  /// Outputs, assigned values and the condition keep their element types, whatever the new results are stored as.
  public func rewritten(
    _ transform: (Graph.Node, _ inputs: [Tensor], Graph) -> [Tensor]
  ) throws(GraphError) -> Program {
    let live = liveNodes()
    let result = Graph()
    var mapped: [Graph.Value: Tensor] = [:]
    for (index, node) in graph.nodes.enumerated() where live[index] {
      let inputs = node.inputs.compactMap { mapped[$0] }
      for (position, tensor) in transform(node, inputs, result).enumerated() {
        mapped[Graph.Value(node: index, result: position)] = tensor
      }
    }
    func find(_ tensor: Tensor) -> Tensor {
      let elementType = tensor.type.elementType
      let found = mapped[tensor.value] ?? tensor
      return elementType.isFloatingPoint ? found.cast(to: elementType) : found
    }
    return try Program(
      graph: result, outputs: outputs.map { ($0.label, find($0.tensor)) },
      assignments: assignments.map { (find($0.target), find($0.value)) },
      condition: condition.map(find))
  }

  /// What is known before anything is assigned: the outputs, and the condition.
  public var computed: [Tensor] { outputs.map(\.tensor) + [condition].compactMap(\.self) }

  /// Which nodes any output or assignment, or the condition, needs.
  public func liveNodes() -> [Bool] {
    reach(computed + assignments.flatMap { [$0.target, $0.value] })
  }

  /// Which nodes the outputs and the condition need: the compute stage.
  public func computeNodes() -> [Bool] { reach(computed) }

  private func reach(_ roots: [Tensor]) -> [Bool] {
    var live = [Bool](repeating: false, count: graph.nodes.count)
    for root in roots { live[root.value.node] = true }
    for index in graph.nodes.indices.reversed() where live[index] {
      for input in graph.nodes[index].inputs { live[input.node] = true }
    }
    return live
  }

  /// FLOPs and unfused bytes of one execution.
  public var cost: Cost {
    let live = liveNodes()
    var total = Cost(flops: 0, bytes: 0)
    for (index, node) in graph.nodes.enumerated() where live[index] {
      total =
        total
        + node.operation.cost(inputs: node.inputs.map(graph.type), results: node.results)
    }
    return total
  }
}
