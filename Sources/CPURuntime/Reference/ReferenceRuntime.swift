// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// The slow twin of the CPU runtime: interprets a program node by node in double precision.
///
/// Every operation is evaluated straight from the equations of its documentation, by plain loops. At the boundary tensors
/// have the element types of the graph; between operations, and in kept tensors from one step to the next, values are
/// `Double`. A kept tensor or input that the host overwrites through its buffer takes the host's numbers.
public final class ReferenceRuntime: Runtime {
  /// Whether results stored as bfloat16 are rounded to it; off, casts change nothing, which finite differences need.
  public let roundsToBFloat16: Bool
  /// Whether every result is rounded to float32, as far as a runtime that stores float32 could be from this one.
  let roundsToFloat32: Bool
  private var tensors: [String: BoundaryTensor] = [:]
  private var keptBytes = 0

  /// The most bytes of kept tensors and intermediate values held at once by one program, as `Double`.
  public private(set) var peakBytes = 0

  /// Makes a runtime without kept tensors.
  public convenience init(roundsToBFloat16: Bool = true) {
    self.init(roundsToBFloat16: roundsToBFloat16, roundsToFloat32: false)
  }

  init(roundsToBFloat16: Bool, roundsToFloat32: Bool) {
    self.roundsToBFloat16 = roundsToBFloat16
    self.roundsToFloat32 = roundsToFloat32
  }

  /// `reference, double precision`.
  public var summary: String { "reference, double precision" }

  /// Prepares a program; parameters and states that are new start as zeros.
  ///
  /// - Throws: `GraphError` when a kept tensor has another type than in an earlier program, or an operation has no
  ///   evaluation here.
  public func compile(_ program: Program) throws -> any Executable {
    try prepare(program)
  }

  /// Like `compile`, as the type that gives access in double precision.
  ///
  /// - Throws: `GraphError` as `compile` does.
  public func prepare(_ program: Program) throws(GraphError) -> ReferenceExecutable {
    let live = program.liveNodes()
    for (index, node) in program.graph.nodes.enumerated() where live[index] {
      if let leaf = node.operation as? Leaf {
        if leaf.kind == .parameter || leaf.kind == .state { try keep(leaf) }
      } else if !(node.operation is any ReferenceOperation) {
        throw GraphError(
          .structure, "\(node.operation.name): the reference runtime has no evaluation of it")
      }
    }
    return ReferenceExecutable(program, kept: tensors, runtime: self)
  }

  private func keep(_ leaf: Leaf) throws(GraphError) {
    if let known = tensors[leaf.label] {
      guard known.type == leaf.type else {
        throw GraphError(
          .structure,
          "'\(leaf.label)' is kept as \(known.type); a program cannot use it as \(leaf.type)")
      }
    } else {
      tensors[leaf.label] = BoundaryTensor(leaf.type)
      keptBytes += leaf.type.shape.count * MemoryLayout<Double>.stride
      peakBytes = max(peakBytes, keptBytes)
    }
  }

  /// The memory of a kept tensor, whatever is done with it; nil when no program has it.
  public func kept(_ label: String, for access: KeptAccess) -> UnsafeMutableRawBufferPointer? {
    tensors[label]?.memory
  }

  /// The values of a kept tensor in double precision, row-major; nil when no program has it.
  public func kept64(_ label: String) -> [Double]? { tensors[label]?.values() }

  /// Replaces the values of a kept tensor, row-major; without effect when no program has it.
  public func setKept64(_ label: String, _ values: [Double]) { tensors[label]?.set(values) }

  func held(_ bytes: Int) { peakBytes = max(peakBytes, keptBytes + bytes) }
}
