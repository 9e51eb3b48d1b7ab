// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPURuntime
import Foundation
import Testing

@testable import OperationCases
@testable import TensorGraph

@Suite("Gradients against finite differences")
struct GradientTests {
  /// Central differences with a step of 1e-5 err by about 1e-10, and sums of some hundred terms lose a little more.
  static let tolerance = 1e-6

  @Test("agree with central differences in double precision", arguments: GradientCases.all)
  func matchesDifferences(_ gradientCase: GradientCase) throws {
    let (program, parameters) = try gradientCase.program()
    for leaf in parameters {
      let output = try #require(program.outputs.first { $0.label == "gradient \(leaf.label)" })
      #expect(output.tensor.shape == leaf.type.shape, "the gradient of \(leaf.label)")
    }
    let runtime = ReferenceRuntime(roundsToBFloat16: false)
    let executable = try runtime.prepare(program)
    for leaf in program.leaves {
      let numbers = (gradientCase.fills[leaf.label] ?? .normal(1)).numbers(leaf.label, leaf.type)
      executable.set64(leaf.label, numbers)
      runtime.setKept64(leaf.label, numbers)
    }
    try executable.run()
    let gradients = parameters.map { executable.output64("gradient \($0.label)") }
    // Differences only need the loss.
    let lossOnly = try Program(
      graph: program.graph,
      outputs: program.outputs.filter { $0.label == "loss" }.map { ($0.label, $0.tensor) })
    let probe = try runtime.prepare(lossOnly)
    for leaf in lossOnly.leaves {
      probe.set64(
        leaf.label,
        (gradientCase.fills[leaf.label] ?? .normal(1)).numbers(leaf.label, leaf.type))
    }
    for (leaf, gradient) in zip(parameters, gradients) {
      let differences = try Self.differences(leaf, runtime) {
        try probe.run()
        return probe.output64("loss")[0]
      }
      let worst = RuntimeAgreement.difference(
        leaf.label, gradient, differences, negligible: 1e-4)
      #expect(
        worst.relativeError < Self.tolerance,
        "\(leaf.label)[\(worst.index)]: \(worst.values.0), by differences \(worst.values.1)")
    }
  }

  /// (f(x + h) - f(x - h)) / 2h for every element of a kept tensor.
  private static func differences(
    _ leaf: Leaf, _ runtime: ReferenceRuntime, _ loss: () throws -> Double
  ) throws -> [Double] {
    let start = try #require(runtime.kept64(leaf.label))
    var result: [Double] = []
    for index in start.indices {
      var moved = start
      let step = 1e-5 * max(1, abs(start[index]))
      moved[index] = start[index] + step
      runtime.setKept64(leaf.label, moved)
      let above = try loss()
      moved[index] = start[index] - step
      runtime.setKept64(leaf.label, moved)
      result.append((above - (try loss())) / (2 * step))
    }
    runtime.setKept64(leaf.label, start)
    return result
  }

  @Test("of tied operands of maximum and minimum go to the first")
  func tiesOfTwo() throws {
    for function in [Elementwise.Function.maximum, .minimum] {
      let graph = Graph()
      let (a, b) = (graph.parameter("a", [3]), graph.parameter("b", [3]))
      let loss = (a.binary(function, b) * graph.input("weights", [3], .float32)).sum()
      let found = try evaluated(
        graph, gradients(of: loss, withRespectTo: [a, b]),
        ["a": [1, 2, -1], "b": [1, 2, -1], "weights": [2, 3, 5]])
      #expect(found == [[2, 3, 5], [0, 0, 0]])
    }
  }

  @Test("of a maximum over an axis go to every element that reaches it")
  func tiesOfReductions() throws {
    let graph = Graph()
    let a = graph.parameter("a", [2, 3])
    let numbers: [Double] = [4, 1, 4, 2, 2, 4]
    func gradient(_ loss: Tensor) throws -> [Double] {
      try evaluated(graph, gradients(of: loss, withRespectTo: [a]), ["a": numbers])[0]
    }
    #expect(try gradient(a.maximum()) == [1, 0, 1, 0, 0, 1])
    #expect(try gradient(a.maximum(.columns).sum()) == [1, 0, 1, 0, 0, 1])
    #expect(try gradient(a.maximum(.rows).sum()) == [1, 0, 1, 0, 1, 1])
  }

  @Test("of kinks take the value that the equations define")
  func kinks() throws {
    let graph = Graph()
    let a = graph.parameter("a", [1])
    for function in [Elementwise.Function.relu, .absolute] {
      let found = try evaluated(
        graph, gradients(of: a.unary(function).sum(), withRespectTo: [a]), ["a": [0]])
      #expect(found == [[0]], "\(function)")
    }
  }

  @Test("are zero where the loss does not depend on a tensor")
  func independent() throws {
    let graph = Graph()
    let (a, b) = (graph.parameter("a", [3]), graph.parameter("b", [2, 2]))
    let found = try evaluated(
      graph, gradients(of: a.sum(), withRespectTo: [b, a]), ["a": [1, 2, 3]])
    #expect(found == [[0, 0, 0, 0], [1, 1, 1]])
  }

  @Test("by values in the middle of a graph are those behind them")
  func intermediates() throws {
    let graph = Graph()
    let a = graph.parameter("a", [3])
    let middle = exp(a)
    let found = try evaluated(
      graph, gradients(of: square(middle).sum(), withRespectTo: [middle, a]), ["a": [0, 0, 0]])
    #expect(found == [[2, 2, 2], [2, 2, 2]])
  }

  private func evaluated(
    _ graph: Graph, _ tensors: [Tensor], _ numbers: [String: [Double]]
  ) throws -> [[Double]] {
    let runtime = ReferenceRuntime(roundsToBFloat16: false)
    let executable = try runtime.prepare(
      Program(graph: graph, outputs: tensors.enumerated().map { ("\($0)", $1) }))
    for (label, values) in numbers {
      runtime.setKept64(label, values)
      executable.set64(label, values)
    }
    try executable.run()
    return tensors.indices.map { executable.output64("\($0)") }
  }
}
