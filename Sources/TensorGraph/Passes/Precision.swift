// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

extension Program {
  /// Shares one node between a loss and its gradient, so that the logits are swept once.
  public func sharingCrossEntropy() throws(GraphError) -> Program {
    var differentiated: [Head: LinearCrossEntropyGradient] = [:]
    let live = liveNodes()
    for (index, node) in graph.nodes.enumerated() where live[index] {
      if let gradient = node.operation as? LinearCrossEntropyGradient {
        differentiated[Head(inputs: node.inputs, form: gradient.form)] = gradient
      }
    }
    return try rewritten { node, inputs, graph in
      if let loss = node.operation as? LinearCrossEntropy,
        let gradient = differentiated[Head(inputs: node.inputs, form: loss.form)]
      {
        return Array(graph.apply(gradient, inputs).suffix(2))
      }
      return graph.apply(node.operation, inputs)
    }
  }

  /// What a loss and its gradient have in common.
  private struct Head: Hashable {
    let inputs: [Graph.Value]
    let form: HeadForm
  }

  /// Mixed precision: operands of matrix products, attention and the head become bfloat16, and so do their results
  /// except weight gradients; everything else, exact products included, and all that is kept between steps, stays as it
  /// is.
  public func withBFloat16Products() throws(GraphError) -> Program {
    let cast = try rewritten { node, inputs, graph in
      func narrow(_ operation: some Operation, _ positions: Range<Int>) -> [Tensor] {
        var inputs = inputs
        for position in positions { inputs[position] = inputs[position].cast(to: .bfloat16) }
        return graph.apply(operation, inputs)
      }
      switch node.operation {
      case let product as MatrixProduct:
        if !product.isExact { return narrow(product, 0..<2) }
        // An operand may come from a product that was narrowed.
        let types = node.inputs.map { self.graph.type(of: $0).elementType }
        return graph.apply(product, zip(inputs, types).map { $0.cast(to: $1) })
      case var attention as Attention:
        attention.elementType = .bfloat16
        return narrow(attention, 0..<3)
      case var attention as AttentionGradient:
        attention.elementType = .bfloat16
        var operands = inputs
        for position in [0, 1, 2, 3, 5] {
          operands[position] = operands[position].cast(to: .bfloat16)
        }
        return graph.apply(attention, operands)
      case let loss as LinearCrossEntropy:
        return narrow(loss, 0..<2)
      case let sample as LinearSample:
        return narrow(sample, 0..<2)
      case var loss as LinearCrossEntropyGradient:
        loss.elementType = .bfloat16
        return narrow(loss, 0..<2)
      case is OrthogonalBasis, is SymmetricEigenbasis, is DescendingOrder, is GatherColumns:
        // What they are given may be a product's narrow result; they themselves know float32 alone.
        return graph.apply(
          node.operation,
          inputs.map { $0.type.elementType.isFloatingPoint ? $0.cast(to: .float32) : $0 })
      case is Concatenate:
        // Some operands may be products that were narrowed.
        let types = Set(inputs.map(\.type.elementType))
        return graph.apply(
          node.operation, types.count == 1 ? inputs : inputs.map { $0.cast(to: .float32) })
      default:
        return graph.apply(node.operation, inputs)
      }
    }
    return try cast.narrowingStores()
  }

  /// Lets an operation store bfloat16 itself when every reader would round its result to bfloat16.
  func narrowingStores() throws(GraphError) -> Program {
    let live = liveNodes()
    var widened: Set<Graph.Value> = Set(outputs.map(\.tensor.value))
    widened.formUnion(assignments.map(\.value.value))
    var narrowed: Set<Graph.Value> = []
    for (index, node) in graph.nodes.enumerated() where live[index] {
      for input in node.inputs {
        if let cast = node.operation as? Cast, cast.elementType == .bfloat16 {
          narrowed.insert(input)
        } else {
          widened.insert(input)
        }
      }
    }
    var position = -1
    let order = graph.nodes.indices.filter { live[$0] }
    return try rewritten { node, inputs, graph in
      position += 1
      if let cast = node.operation as? Cast, inputs[0].type.elementType == cast.elementType {
        return inputs
      }
      let value = Graph.Value(node: order[position])
      guard narrowed.contains(value), !widened.contains(value) else {
        return graph.apply(node.operation, inputs)
      }
      switch node.operation {
      case var norm as RowNorm:
        norm.elementType = .bfloat16
        return graph.apply(norm, inputs)
      case var norm as RowNormGradient:
        norm.elementType = .bfloat16
        return graph.apply(norm, inputs)
      case var rotary as Rotary:
        rotary.elementType = .bfloat16
        return graph.apply(rotary, inputs)
      case var rotation as Rotation:
        rotation.elementType = .bfloat16
        return graph.apply(rotation, inputs)
      default:
        return graph.apply(node.operation, inputs)
      }
    }
  }
}
