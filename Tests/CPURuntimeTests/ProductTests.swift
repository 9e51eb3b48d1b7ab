// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph
import Testing

@testable import CPURuntime
@testable import OperationCases

@Suite("A product on the CPU runtime")
struct ProductTests {
  /// Results by label, as bits.
  private func bits(_ program: Program, threads: Int, usesOneDNN: Bool = true) throws -> [String:
    [UInt32]]
  {
    let runtime = try CPURuntime(threads: threads, usesOneDNN: usesOneDNN)
    let executable = try runtime.compile(program)
    for leaf in program.leaves where leaf.kind == .parameter {
      let memory = try #require(runtime.kept(leaf.label, for: .writing)).bindMemory(to: Float.self)
      var source = NamedNumbers(leaf.label)
      for index in memory.indices { memory[index] = Float(source.normal()) }
    }
    try executable.run()
    var found: [String: [UInt32]] = [:]
    for output in program.outputs {
      let memory = executable.output(output.label)
      found[output.label] =
        output.tensor.type.elementType == .bfloat16
        ? memory.bindMemory(to: UInt16.self).map(UInt32.init)
        : Array(memory.bindMemory(to: UInt32.self))
    }
    for leaf in program.leaves where leaf.kind == .parameter {
      found["kept " + leaf.label] = try #require(runtime.kept(leaf.label, for: .reading))
        .bindMemory(
          to: UInt32.self
        )
        .map { $0 }
    }
    return found
  }

  private static let shapes: [Shape] = [
    [1, 7], [64, 3], [65, 40], [200, 31], [385, 17], [530, 9], [1600, 5], [3, 70, 11], [9, 16, 40],
  ]

  @Test("that is symmetric has the same bits on both sides of the diagonal", arguments: shapes)
  func symmetric(_ shape: Shape) throws {
    for type in [ElementType.float32, .bfloat16] {
      let graph = Graph()
      let x = graph.parameter("x", shape).cast(to: type)
      let gram = x.exactProduct(x, transposeRight: true, isSymmetric: true)
      let step = gram.exactProduct(
        gram, isSymmetric: true, factor: 0.125, addend: gram, addendFactor: -1)
      let found = try bits(
        Program(graph: graph, outputs: [("gram", gram), ("step", step)]), threads: 2,
        usesOneDNN: shape.count < 3000 || type == .float32)
      let n = gram.shape.columns
      for (label, numbers) in found where !label.hasPrefix("kept") {
        let wrong = numbers.indices.first { index in
          let (entry, row, column) = (index / (n * n), index / n % n, index % n)
          return numbers[index] != numbers[(entry * n + column) * n + row]
        }
        #expect(wrong == nil, "\(label) of \(type) \(shape) at \(wrong ?? 0)")
      }
    }
  }

  /// Sums of up to 1600 terms that round differently.
  private static let tolerance = 1e-5

  @Test(
    "that is symmetric, scaled and added to has the numbers of plain equations", arguments: shapes)
  func plain(_ shape: Shape) throws {
    let graph = Graph()
    let x = graph.parameter("x", shape)
    let plain = x.exactProduct(x, transposeRight: true)
    let square = plain.exactProduct(plain)
    let program = try Program(
      graph: graph,
      outputs: [
        ("gram", x.exactProduct(x, transposeRight: true, isSymmetric: true)), ("plain gram", plain),
        (
          "step",
          plain.exactProduct(plain, isSymmetric: true, factor: 2, addend: plain, addendFactor: -3)
        ), ("plain step", 2 * square - 3 * plain),
        ("next", plain.exactProduct(x, factor: 0.5, addend: x, addendFactor: 4)),
        ("plain next", 0.5 * plain.exactProduct(x) + 4 * x),
      ])
    let found = try bits(program, threads: 2).mapValues { $0.map { Double(Float(bitPattern: $0)) } }
    for label in ["gram", "step", "next"] {
      let (some, plain) = (try #require(found[label]), try #require(found["plain " + label]))
      let worst = RuntimeAgreement.difference(label, some, plain, negligible: 1)
      #expect(worst.relativeError < Self.tolerance, "\(worst)")
    }
  }

  @Test("has the same bits for any number of threads", arguments: shapes)
  func threads(_ shape: Shape) throws {
    let graph = Graph()
    let x = graph.parameter("x", shape)
    let gram = x.exactProduct(x, transposeRight: true, isSymmetric: true)
    let y = gram.exactProduct(x, addend: x, addendFactor: 2)
    let turned = y.transposed().exactProduct(y.transposed(), transposeLeft: true)
    let program = try Program(
      graph: graph, outputs: [("gram", gram), ("y", y), ("turned", turned)],
      assignments: [(x, tanh(gram.exactProduct(y)))])
    let one = try bits(program, threads: 1)
    for threads in [2, 3, 5] { #expect(try bits(program, threads: threads) == one, "\(threads)") }
  }
}
