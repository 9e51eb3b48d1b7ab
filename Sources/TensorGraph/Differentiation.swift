// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Gradients of a scalar by tensors, by reverse-mode differentiation: new nodes of the same graph.
///
/// - Throws: `GraphError` when the loss is not a scalar, or a node on the way has no gradient.
/// - Returns: one tensor each, shaped like the tensor it belongs to; zeros where the loss does not depend on it.
public func gradients(
  of loss: Tensor, withRespectTo tensors: [Tensor]
) throws(GraphError) -> [Tensor] {
  let graph = loss.graph
  try graph.check()
  guard loss.shape.count == 1 else {
    throw GraphError(.notDifferentiable, "a loss must be a scalar, not \(loss.type)")
  }
  for tensor in tensors where tensor.graph !== graph {
    throw GraphError(.structure, "a tensor \(tensor.type) belongs to another graph than the loss")
  }
  // Only nodes between the tensors and the loss matter.
  var depends = [Bool](repeating: false, count: loss.value.node + 1)
  for tensor in tensors where tensor.value.node <= loss.value.node {
    depends[tensor.value.node] = true
  }
  for index in 0...loss.value.node {
    if graph.nodes[index].inputs.contains(where: { depends[$0.node] }) { depends[index] = true }
  }

  var upstream: [Graph.Value: Tensor] = [
    loss.value: graph.constant(1).broadcast(to: loss.shape)
  ]
  for index in stride(from: loss.value.node, through: 0, by: -1) where depends[index] {
    let node = graph.nodes[index]
    let wanted = node.inputs.map { depends[$0.node] }
    if !wanted.contains(true) { continue }
    let results = node.results.indices.map { Graph.Value(node: index, result: $0) }
    let incoming = results.map { upstream[$0] }
    if incoming.allSatisfy({ $0 == nil }) { continue }
    let found = try node.operation.gradients(
      DifferentiatedNode(
        inputs: node.inputs.map(graph.tensor), results: results.map(graph.tensor),
        upstream: incoming, wanted: wanted))
    for ((input, gradient), wanted) in zip(zip(node.inputs, found), wanted) {
      guard let gradient, wanted else { continue }
      upstream[input] = upstream[input].map { $0 + gradient } ?? gradient
    }
  }
  try graph.check()
  return tensors.map { tensor in
    upstream[tensor.value] ?? graph.constant(0).broadcast(to: tensor.shape)
  }
}
