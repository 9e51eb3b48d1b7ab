// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// A program prepared by `ReferenceRuntime`.
///
/// A run reads the leaves when it starts, and is done when `start` returns. Assignments take effect together at its end.
public final class ReferenceExecutable: Executable {
  private let program: Program
  private let runtime: ReferenceRuntime
  private let live: [Bool]
  private let compute: [Bool]
  private var results: [[ReferenceTensor]]
  private var outputs: [String: BoundaryTensor] = [:]
  /// Kept tensors by label, and inputs and scalars of this program by label.
  private let kept: [String: BoundaryTensor]
  private var host: [String: BoundaryTensor] = [:]

  init(_ program: Program, kept: [String: BoundaryTensor], runtime: ReferenceRuntime) {
    self.program = program
    self.runtime = runtime
    self.kept = kept
    live = program.liveNodes()
    compute = program.computeNodes()
    results = program.graph.nodes.map { _ in [] }
    for leaf in program.leaves where leaf.kind == .input || leaf.kind == .scalar {
      host[leaf.label] = BoundaryTensor(leaf.type)
    }
    for output in program.outputs {
      // An output that is a kept tensor is that tensor's memory.
      let leaf = program.graph.nodes[output.tensor.value.node].operation as? Leaf
      outputs[output.label] =
        leaf.flatMap { kept[$0.label] ?? host[$0.label] } ?? BoundaryTensor(output.tensor.type)
    }
  }

  /// The memory of an input or a scalar; nil when the program does not use it.
  public func hostBuffer(_ label: String) -> UnsafeMutableRawBufferPointer? { host[label]?.memory }

  /// Sets an input or a scalar in double precision; without effect when the program does not use it.
  public func set64(_ label: String, _ values: [Double]) { host[label]?.set(values) }

  /// The memory of an output.
  public func output(_ label: String) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(found(label).memory)
  }

  /// An output in double precision, row-major.
  public func output64(_ label: String) -> [Double] { found(label).values() }

  private func found(_ label: String) -> BoundaryTensor {
    guard let output = outputs[label] else {
      preconditionFailure("no output '\(label)' among \(outputs.keys.sorted())")
    }
    return output
  }

  /// Evaluates the outputs and, where the condition is not 0, carries out the assignments.
  public func start() {
    evaluate(.compute)
    for output in program.outputs where !isLeaf(output.tensor) {
      outputs[output.label]?.set(values(output.tensor))
    }
    if let condition = program.condition, values(condition)[0] == 0 { return }
    evaluate(.commit)
    let new = program.assignments.map { values($0.value) }
    for (assignment, values) in zip(program.assignments, new) {
      let leaf = program.graph.nodes[assignment.target.value.node].operation as? Leaf
      leaf.flatMap { kept[$0.label] }?.set(values)
    }
  }

  /// Has nothing to wait for.
  public func finish() {}

  private func evaluate(_ stage: Stage) {
    for (index, node) in program.graph.nodes.enumerated() where live[index] {
      if let leaf = node.operation as? Leaf {
        if stage == .compute { results[index] = [read(leaf)] }
      } else if compute[index] == (stage == .compute) {
        results[index] = evaluate(node)
      }
    }
    runtime.held(
      results.joined().reduce(0) { $0 + $1.values.count } * MemoryLayout<Double>.stride)
  }

  private func read(_ leaf: Leaf) -> ReferenceTensor {
    guard let tensor = kept[leaf.label] ?? host[leaf.label] else {
      preconditionFailure("leaf '\(leaf.label)' was not bound")
    }
    return ReferenceTensor(shape: leaf.type.shape, values: tensor.values())
  }

  private func isLeaf(_ tensor: Tensor) -> Bool {
    program.graph.nodes[tensor.value.node].operation is Leaf
  }

  private func values(_ tensor: Tensor) -> [Double] {
    results[tensor.value.node][tensor.value.result].values
  }

  private func evaluate(_ node: Graph.Node) -> [ReferenceTensor] {
    guard let operation = node.operation as? any ReferenceOperation else {
      preconditionFailure("\(node.operation.name) has no evaluation")
    }
    let found = operation.evaluate(node.inputs.map { results[$0.node][$0.result] })
    precondition(
      found.count == node.results.count,
      "\(operation.name) gave \(found.count) results, not \(node.results.count)")
    let isRounding = (operation as? Elementwise)?.function == .roundToBFloat16
    return zip(found, node.results).map { values, type in
      precondition(
        values.count == type.shape.count, "\(operation.name) gave \(values.count) for \(type)")
      let narrows = isRounding || type.elementType == .bfloat16
      return ReferenceTensor(shape: type.shape, values: rounded(values, narrows: narrows))
    }
  }

  private func rounded(_ values: [Double], narrows: Bool) -> [Double] {
    if narrows && runtime.roundsToBFloat16 {
      return values.map { Double(roundedToBFloat16(Float($0))) }
    }
    return runtime.roundsToFloat32 ? values.map { Double(Float($0)) } : values
  }
}
