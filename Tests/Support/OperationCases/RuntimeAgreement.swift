// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TensorGraph

/// How far two runtimes are apart on one program: every output and every kept tensor, at every step.
struct RuntimeAgreement: CustomStringConvertible {
  /// One tensor of one step.
  struct Difference {
    /// For example `output loss, step 0` or `kept weight, step 2`.
    let label: String
    /// ||a - b|| / ||b||; infinite where one is NaN or infinite and the other is not the same.
    let relativeError: Double
    /// Where the elements are furthest apart, and both values there.
    let index: Int
    let values: (Double, Double)
  }

  /// A runtime that broke its contract.
  struct Violation: Error, CustomStringConvertible {
    let description: String
  }

  /// The case.
  let name: String
  /// All tensors compared, in order.
  let differences: [Difference]

  /// The largest relative error.
  var worst: Difference? {
    differences.max { $0.relativeError < $1.relativeError }
  }

  var description: String {
    guard let worst else { return "\(name): nothing to compare" }
    return "\(name): worst \(worst.label): relative error \(worst.relativeError), at element "
      + "\(worst.index) \(worst.values.0) against \(worst.values.1)"
  }

  /// Runs a case on two runtimes with equal numbers in every leaf.
  ///
  /// A program without a condition is given one, which the first runtime runs with 0 before every step.
  ///
  /// - Throws: what the runtimes throw, and `Violation` when the first changes a kept tensor in a run whose condition is 0, or an output
  ///   when the run is repeated.
  init(_ operationCase: OperationCase, _ runtime: any Runtime, against reference: any Runtime)
    throws
  {
    let program = try Self.conditional(operationCase.build())
    let first = try Side(operationCase, program, runtime)
    let second = try Side(operationCase, program, reference)
    var differences: [Difference] = []
    for step in 0..<operationCase.steps {
      let (a, b) = (try first.run(step: step, repeats: true), try second.run(step: step))
      for (label, values) in a {
        guard let others = b[label] else {
          throw Violation(
            description: "\(operationCase.name): \(reference.summary) has no \(label)")
        }
        differences.append(
          Self.difference(
            "\(label), step \(step)", values, others, negligible: operationCase.negligible))
      }
    }
    name = operationCase.name
    self.differences = differences.sorted { $0.label < $1.label }
  }

  /// The scalar that stands for a missing condition.
  static let conditionLabel = "is carried out"

  /// The program with a condition, its own or a scalar.
  static func conditional(_ program: Program) throws(GraphError) -> Program {
    if program.condition != nil { return program }
    return try Program(
      graph: program.graph, outputs: program.outputs.map { ($0.label, $0.tensor) },
      assignments: program.assignments.map { ($0.target, $0.value) },
      condition: program.graph.scalar(conditionLabel))
  }

  static func difference(
    _ label: String, _ a: [Double], _ b: [Double], negligible: Double
  ) -> Difference {
    var error = 0.0
    var size = 0.0
    var furthest = (index: 0, distance: -1.0)
    for index in a.indices {
      var distance = abs(a[index] - b[index])
      if a[index] == b[index] || (a[index].isNaN && b[index].isNaN) { distance = 0 }
      if distance.isNaN { distance = .infinity }
      if distance > furthest.distance { furthest = (index, distance) }
      error += distance * distance
      if b[index].isFinite { size += b[index] * b[index] }
    }
    let floor = negligible * Double(a.count).squareRoot()
    return Difference(
      label: label, relativeError: error.squareRoot() / max(size.squareRoot(), floor),
      index: furthest.index, values: (a[furthest.index], b[furthest.index]))
  }
}

/// One runtime at work on one case.
private struct Side {
  let operationCase: OperationCase
  let program: Program
  let runtime: any Runtime
  let executable: any Executable

  init(_ operationCase: OperationCase, _ program: Program, _ runtime: any Runtime) throws {
    self.operationCase = operationCase
    self.program = program
    self.runtime = runtime
    executable = try runtime.compile(program)
    for leaf in keptLeaves {
      write(leaf, step: 0, to: try runtime.kept(leaf.label, for: .writing))
    }
  }

  private var keptLeaves: [Leaf] {
    program.leaves.filter { $0.kind == .parameter || $0.kind == .state }
  }

  /// One step; returns outputs and kept tensors by name.
  func run(step: Int, repeats: Bool = false) throws -> [String: [Double]] {
    for leaf in program.leaves where leaf.kind == .input || leaf.kind == .scalar {
      write(leaf, step: step, to: executable.hostBuffer(leaf.label))
    }
    if repeats, executable.hostBuffer(RuntimeAgreement.conditionLabel) != nil {
      let before = try kept()
      executable.set(RuntimeAgreement.conditionLabel, 0)
      try executable.run()
      try expect(same(before, kept()), "a run whose condition is 0 changed a kept tensor")
      let found = outputs(ofKept: false)
      executable.set(RuntimeAgreement.conditionLabel, 1)
      try executable.run()
      try expect(same(found, outputs(ofKept: false)), "running again gave other outputs")
    } else {
      executable.set(RuntimeAgreement.conditionLabel, 1)
      try executable.run()
    }
    return try outputs(ofKept: false).merging(outputs(ofKept: true)) { $1 }
      .merging(kept()) { $1 }
  }

  private func expect(_ condition: Bool, _ message: String) throws {
    if !condition {
      throw RuntimeAgreement.Violation(
        description: "\(operationCase.name) on \(runtime.summary): \(message)")
    }
  }

  /// Outputs that are kept tensors, which show what is kept after a run, or all others.
  private func outputs(ofKept isKept: Bool) -> [String: [Double]] {
    let labels = Set(keptLeaves.map(\.label))
    let chosen = program.outputs.filter { output in
      let leaf = program.graph.nodes[output.tensor.value.node].operation as? Leaf
      return (leaf.map { labels.contains($0.label) } ?? false) == isKept
    }
    return Dictionary(
      uniqueKeysWithValues: chosen.map {
        ("output \($0.label)", read(executable.output($0.label), $0.tensor.type))
      })
  }

  private func kept() throws -> [String: [Double]] {
    Dictionary(
      uniqueKeysWithValues: try keptLeaves.compactMap { leaf in
        try runtime.kept(leaf.label, for: .reading).map {
          ("kept \(leaf.label)", read(UnsafeRawBufferPointer($0), leaf.type))
        }
      })
  }

  /// The same bits, NaN included.
  private func same(_ a: [String: [Double]], _ b: [String: [Double]]) -> Bool {
    a.mapValues { $0.map(\.bitPattern) } == b.mapValues { $0.map(\.bitPattern) }
  }

  private func write(_ leaf: Leaf, step: Int, to buffer: UnsafeMutableRawBufferPointer?) {
    guard let buffer else {
      preconditionFailure("\(runtime.summary) has no buffer for \(leaf.name)")
    }
    precondition(
      buffer.count >= leaf.type.byteCount, "\(leaf.name): \(buffer.count) bytes for \(leaf.type)")
    let fill = operationCase.fills[leaf.label] ?? .normal(1)
    for (index, number) in fill.numbers(
      leaf.label, leaf.type, step: step,
      variation: leaf.type.elementType == .int32 ? 0 : operationCase.variation
    ).enumerated() {
      switch leaf.type.elementType {
      case .int32: buffer.storeBytes(of: Int32(number), toByteOffset: index * 4, as: Int32.self)
      case .float32: buffer.storeBytes(of: Float(number), toByteOffset: index * 4, as: Float.self)
      case .bfloat16:
        buffer.storeBytes(
          of: UInt16(Float(number).bitPattern >> 16), toByteOffset: index * 2, as: UInt16.self)
      }
    }
  }

  private func read(_ buffer: UnsafeRawBufferPointer, _ type: TensorType) -> [Double] {
    (0..<type.shape.count).map { index in
      switch type.elementType {
      case .float32: Double(buffer.loadUnaligned(fromByteOffset: index * 4, as: Float.self))
      case .int32: Double(buffer.loadUnaligned(fromByteOffset: index * 4, as: Int32.self))
      case .bfloat16:
        Double(
          Float(
            bitPattern: UInt32(buffer.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self))
              << 16))
      }
    }
  }
}
