// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// What one update of one parameter costs, counted on the equations themselves.
public struct MethodCost: Equatable, Sendable {
  /// FLOPs; a multiply-add counts as two.
  public let flops: Double
  /// The bytes that no implementation of the equations can avoid: weights read and written, the gradient read, the state read,
  /// and what changes of it written.
  public let leastBytes: Double
  /// Bytes of state.
  public let stateBytes: Int
  /// FLOPs of matrix products, of all FLOPs.
  public let productFLOPs: Double

  /// Counts the update of a group; clipping is not part of it.
  ///
  /// - Throws: `GraphError`.
  public init(of group: ParameterGroup) throws(GraphError) {
    let optimizer = Optimizer(groups: [group])
    let graph = Graph()
    let parameters = group.members.map { graph.parameter($0.name, $0.shape) }
    let gradients = group.members.map {
      graph.input("gradient." + $0.name, $0.shape, .float32)
    }
    guard let method = group.method else {
      (flops, leastBytes, stateBytes, productFLOPs) = (0, 0, 0, 0)
      return
    }
    let traced = optimizer.update(
      group, method, parameters: parameters, gradients: gradients, in: graph)
    let program = try Program(graph: graph, outputs: [], assignments: traced.assignments)
    let weights = group.members.reduce(0) { $0 + $1.shape.count }
    stateBytes = traced.declarations.reduce(0) { $0 + $1.byteCount }
    let written = traced.assignments.reduce(0) { $0 + $1.0.type.byteCount }
    leastBytes = Double(8 * weights + stateBytes + written)
    flops = program.cost.flops
    let live = program.liveNodes()
    productFLOPs = graph.nodes.indices.filter {
      live[$0] && graph.nodes[$0].operation is MatrixProduct
    }.reduce(0) { sum, index in
      let node = graph.nodes[index]
      return sum
        + node.operation.cost(inputs: node.inputs.map(graph.type), results: node.results).flops
    }
  }
}
