// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph
import Testing

@testable import CPURuntime
@testable import OperationCases

@Suite("Strands")
struct StrandTests {
  /// Updates of matrices as an optimizer writes them; `common` may couple all of them.
  private func program(
    _ shapes: [Shape], common: ([Tensor], Graph) -> Tensor = { $1.scalar("rate") }
  ) throws -> Program {
    let graph = Graph()
    let gradients = shapes.enumerated().map { graph.input("gradient \($0)", $1, .float32) }
    let rate = common(gradients, graph)
    var assignments: [(Tensor, Tensor)] = []
    for (index, (shape, gradient)) in zip(shapes, gradients).enumerated() {
      let (w, m) = (graph.parameter("w \(index)", shape), graph.state("m \(index)", shape))
      let momentum = 0.9 * m + rate * gradient
      var y = momentum / (squareRoot(square(momentum).sum()) + 1e-3)
      for _ in 0..<2 {
        let gram = y.exactProduct(y, transposeRight: true, isSymmetric: true)
        let step = gram.exactProduct(
          gram, isSymmetric: true, factor: 2, addend: gram, addendFactor: -4.5)
        y = step.exactProduct(y, addend: y, addendFactor: 3.5)
      }
      assignments += [(m, momentum), (w, w - rate * y)]
    }
    return try Program(
      graph: graph, outputs: [("norm", squareRoot(square(gradients[0]).sum()))],
      assignments: assignments)
  }

  private func separated(_ program: Program, laneCount: Int) throws -> (
    strands: [Strand], others: [Chain]
  ) {
    let runtime = try CPURuntime(threads: laneCount)
    let lowering = try Lowering(
      program, laneCount: laneCount, products: runtime.products, laneScratch: runtime.laneScratch)
    return Strand.separate(
      Chain.joining(lowering.kernels), stage: .commit, laneCount: laneCount,
      buffers: lowering.buffers)
  }

  private static let small = [Shape](repeating: [24, 40], count: 6)

  @Test("are the updates of matrices, each whole")
  func updates() throws {
    let (strands, others) = try separated(program(Self.small), laneCount: 2)
    #expect(strands.count == 6)
    // Everything but the output is some matrix's update.
    #expect(others.allSatisfy { $0.stage == .compute })
    #expect(Set(strands.map(\.chains.count)).count == 1)
    #expect(strands.allSatisfy { $0.work > 0 })
  }

  @Test("come after what all updates share, be it a scalar or a norm of all gradients")
  func afterCommon() throws {
    let clipped = try program(Self.small) { gradients, graph in
      let norm = gradients.map { square($0).sum() }.reduce(graph.constant(0), +)
      return minimum(graph.constant(1), graph.scalar("clip") / squareRoot(norm))
    }
    let (strands, others) = try separated(clipped, laneCount: 2)
    #expect(strands.count == 6)
    #expect(others.contains { $0.stage == .commit })
    let phases = Phase.arrange(others, strands: strands, lookBack: 3)
    let places = phases.indices.filter { !phases[$0].strands.isEmpty }
    #expect(places.count == 1 && places.first == phases.count - 1)
  }

  @Test("leave out what is too large to be one lane's work")
  func uneven() throws {
    let shapes: [Shape] = Self.small + [[130, 300]]
    #expect(try separated(program(shapes), laneCount: 2).strands.count == 6)
    #expect(try separated(program(shapes), laneCount: 1).strands.count == 7)
    // Six matrices cannot keep eight lanes busy.
    #expect(try separated(program(Self.small), laneCount: 8).strands.isEmpty)
  }

  @Test("are none where everything depends on everything")
  func coupled() throws {
    let graph = Graph()
    let parameters = (0..<4).map { graph.parameter("w \($0)", [20, 30]) }
    let products = parameters.map { $0.exactProduct($0, transposeRight: true).exactProduct($0) }
    let sum = products.reduce(products[0], +)
    let program = try Program(
      graph: graph, outputs: [],
      assignments: parameters.map {
        ($0, $0 - tanh($0.exactProduct(sum, transposeRight: true)).exactProduct(sum))
      })
    let (strands, _) = try separated(program, laneCount: 2)
    // Behind the sum the parameters part again.
    #expect(strands.count == 4)
    let norm = squareRoot(
      parameters.map { square($0.exactProduct(sum, transposeRight: true)).sum() }
        .reduce(graph.constant(0), +))
    let last = try Program(
      graph: graph, outputs: [], assignments: [(graph.state("norm", []), norm)])
    #expect(try separated(last, laneCount: 2).strands.isEmpty)
  }

  @Test("change no bit, whatever runs as one", arguments: [1, 2, 3, 8])
  func bits(threads: Int) throws {
    let shapes: [Shape] = Self.small + [[130, 300], [65, 70], [33, 200]]
    func run(_ threads: Int) throws -> [[UInt32]] {
      let program = try program(shapes)
      let runtime = try CPURuntime(threads: threads)
      let executable = try runtime.compile(program)
      for step in 0..<2 {
        for leaf in program.leaves where leaf.kind != .scalar {
          guard
            let memory = leaf.kind == .input
              ? executable.hostBuffer(leaf.label)
              : step == 0
                ? runtime.kept(leaf.label, for: .writing)
                : nil
          else { continue }
          var source = NamedNumbers("\(leaf.label) \(step)")
          for index in 0..<leaf.type.shape.count {
            memory.storeBytes(of: Float(source.normal()), toByteOffset: index * 4, as: Float.self)
          }
        }
        executable.set("rate", 0.1)
        try executable.run()
      }
      return try shapes.indices.flatMap { ["w \($0)", "m \($0)"] }.map { label in
        Array(try #require(runtime.kept(label, for: .reading)).bindMemory(to: UInt32.self))
      }
    }
    // With 64 lanes nothing is a strand.
    let plain = try run(64)
    #expect(try run(threads) == plain)
  }

  @Test("use a lane's memory one after the other")
  func memory() throws {
    let few = try CPUExecutable(program(Self.small), runtime: CPURuntime(threads: 2))
    let many = try CPUExecutable(
      program([Shape](repeating: [24, 40], count: 60)), runtime: CPURuntime(threads: 2))
    #expect(few.arenaBytes == many.arenaBytes)
  }
}
