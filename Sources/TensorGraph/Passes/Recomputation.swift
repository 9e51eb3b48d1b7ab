// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

extension Program {
  /// Computes cheap results again for the backward pass, where what they come from is kept anyway.
  ///
  /// Casts of weights, elementwise functions, norms and rotations cost little next to products, and the same operation
  /// on the same operands gives the same bits: only memory and a little time change.
  ///
  /// - Parameter minimumSaving: bytes that must no longer be kept, or the program stays as it is.
  /// - Returns: the program, with copies of cheap nodes next to their readers in the backward pass.
  /// - Throws: `GraphError`.
  public func recomputingCheapResults(minimumSaving: Int) throws(GraphError) -> Program {
    let live = liveNodes()
    // Forward ends where gradients begin: at the node that computes the loss and its gradient together.
    guard
      let turn = graph.nodes.indices.first(where: {
        live[$0] && graph.nodes[$0].operation is LinearCrossEntropyGradient
      })
    else { return self }
    var isReadLater: Set<Graph.Value> = []
    for (index, node) in graph.nodes.enumerated() where live[index] && index > turn {
      isReadLater.formUnion(node.inputs)
    }

    var recomputed: Set<Int> = []
    var saving = 0
    for (index, node) in graph.nodes.enumerated() where live[index] && index < turn {
      guard Self.recomputation(of: node.operation) != nil, node.results[0].shape.count >= 1024
      else { continue }
      let operandsAreKept = node.inputs.allSatisfy { input in
        let origin = base(input)
        return graph.nodes[origin.node].operation is Leaf || recomputed.contains(origin.node)
          || isReadLater.contains(input) || isReadLater.contains(origin)
          || graph.nodes[origin.node].operation is Constant
      }
      guard operandsAreKept else { continue }
      recomputed.insert(index)
      if isReadLater.contains(Graph.Value(node: index)) { saving += node.results[0].byteCount }
    }
    guard saving >= minimumSaving else { return self }

    let order = graph.nodes.indices.filter { live[$0] }
    var position = -1
    var mapped: [Graph.Value: Tensor] = [:]
    var copies: [Graph.Value: Tensor] = [:]

    func copy(_ value: Graph.Value, in target: Graph) -> Tensor? {
      if let known = copies[value] { return known }
      let node = graph.nodes[value.node]
      let made: Tensor
      if let reshape = node.operation as? Reshape {
        guard let operand = copy(node.inputs[0], in: target) else { return nil }
        made = target.apply(reshape, operand)
      } else {
        guard value.result == 0, recomputed.contains(value.node),
          let operation = Self.recomputation(of: node.operation)
        else { return nil }
        let operands = node.inputs.compactMap { copy($0, in: target) ?? mapped[$0] }
        made = target.apply(operation, operands)[0]
      }
      copies[value] = made
      return made
    }

    return try rewritten { node, inputs, target in
      position += 1
      let index = order[position]
      var operands = inputs
      if index > turn {
        for (place, input) in node.inputs.enumerated() {
          if let again = copy(input, in: target) { operands[place] = again }
        }
      }
      let results = target.apply(node.operation, operands)
      for (result, tensor) in results.enumerated() {
        mapped[Graph.Value(node: index, result: result)] = tensor
      }
      return results
    }
  }

  /// The value behind reshapes.
  private func base(_ value: Graph.Value) -> Graph.Value {
    var value = value
    while graph.nodes[value.node].operation is Reshape { value = graph.nodes[value.node].inputs[0] }
    return value
  }

  /// The operation as a node of its own; nil for what is not cheap.
  private static func recomputation(of operation: any Operation) -> (any Operation)? {
    switch operation {
    case var cast as Cast:
      cast.isRecomputed = true
      return cast
    case var elementwise as Elementwise:
      elementwise.isRecomputed = true
      return elementwise
    case var norm as RowNorm:
      norm.isRecomputed = true
      return norm
    case var rotary as Rotary:
      rotary.isRecomputed = true
      return rotary
    case var rotation as Rotation:
      rotation.isRecomputed = true
      return rotation
    default: return nil
    }
  }
}
