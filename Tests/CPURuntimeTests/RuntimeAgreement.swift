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
  /// - Throws: `GraphError` from building or compiling, and `Violation` when `compute` changes a kept tensor, or repeating it on the
  ///   first runtime changes an output.
  init(_ operationCase: OperationCase, _ runtime: any Runtime, against reference: any Runtime)
    throws
  {
    let program = try operationCase.build()
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
    for leaf in keptLeaves { write(leaf, step: 0, to: runtime.kept(leaf.label)) }
  }

  private var keptLeaves: [Leaf] {
    program.leaves.filter { $0.kind == .parameter || $0.kind == .state }
  }

  /// One step; returns outputs and kept tensors by name.
  func run(step: Int, repeats: Bool = false) throws -> [String: [Double]] {
    for leaf in program.leaves where leaf.kind == .input || leaf.kind == .scalar {
      write(leaf, step: step, to: executable.hostBuffer(leaf.label))
    }
    let before = kept()
    executable.run(.compute)
    var found = outputs()
    try expect(same(before, kept()), "compute changed a kept tensor")
    if repeats {
      executable.run(.compute)
      try expect(same(found, outputs()), "computing again gave other outputs")
    }
    executable.run(.commit)
    found.merge(kept()) { $1 }
    for output in program.outputs {
      // After commit an output that is a kept tensor shows its new value.
      guard let leaf = program.graph.nodes[output.tensor.value.node].operation as? Leaf,
        leaf.kind == .parameter || leaf.kind == .state
      else { continue }
      found["output \(output.label) after commit"] = read(
        executable.output(output.label), output.tensor.type)
    }
    return found
  }

  private func expect(_ condition: Bool, _ message: String) throws {
    if !condition {
      throw RuntimeAgreement.Violation(
        description: "\(operationCase.name) on \(runtime.summary): \(message)")
    }
  }

  private func outputs() -> [String: [Double]] {
    Dictionary(
      uniqueKeysWithValues: program.outputs.map {
        ("output \($0.label)", read(executable.output($0.label), $0.tensor.type))
      })
  }

  private func kept() -> [String: [Double]] {
    Dictionary(
      uniqueKeysWithValues: keptLeaves.compactMap { leaf in
        runtime.kept(leaf.label).map {
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
    for (index, number) in fill.numbers(leaf.label, leaf.type, step: step).enumerated() {
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
