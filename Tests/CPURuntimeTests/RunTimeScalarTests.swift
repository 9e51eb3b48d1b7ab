// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPURuntime
import Foundation
import Testing

@testable import OperationCases
@testable import TensorGraph

@Suite("Numbers that are read at each run")
struct RunTimeScalarTests {
  /// Longer than one block of keys, and no multiple of a block of queries.
  private static let context = 700
  private static let width = 4

  /// Attention and its gradients, under a fixed window or one that is read.
  private func attention(
    window: Int?, isRead: Bool, isNarrow: Bool = false
  ) throws -> Program {
    let graph = Graph()
    let shape: Shape = [Self.context, Self.width]
    let tensors = ["q", "k", "v"].map { graph.parameter($0, shape) }
    let out = tensors[0].attention(
      keys: tensors[1], values: tensors[2], headWidth: Self.width, contextLength: Self.context,
      window: window, currentWindow: isRead ? graph.scalar("window") : nil)
    let loss = (out * graph.input("probe", shape, .float32)).sum()
    let found = try gradients(of: loss, withRespectTo: tensors)
    let program = try Program(
      graph: graph, outputs: [("out", out), ("dq", found[0]), ("dk", found[1]), ("dv", found[2])])
    return isNarrow ? try program.withBFloat16Products() : program
  }

  private func run(
    _ executable: any Executable, _ runtime: any Runtime, window: Float,
    change: (String, inout [Float]) -> Void = { _, _ in }
  ) throws -> [String: [UInt32]] {
    for label in ["q", "k", "v", "probe"] {
      var source = NamedNumbers(label)
      var numbers = (0..<Self.context * Self.width).map { _ in Float(source.normal()) }
      change(label, &numbers)
      let memory = try runtime.kept(label, for: .writing) ?? executable.hostBuffer(label)
      numbers.withUnsafeBytes { memory?.copyMemory(from: $0) }
    }
    executable.set("window", window)
    try executable.run()
    return Dictionary(
      uniqueKeysWithValues: ["out", "dq", "dk", "dv"].map {
        ($0, Array(executable.output($0).bindMemory(to: UInt32.self)))
      })
  }

  @Test(
    "a window gives the bits of a fixed one, in one program for all windows",
    arguments: [false, true], [nil, 300])
  func windows(_ isNarrow: Bool, _ most: Int?) throws {
    let runtime = try CPURuntime(threads: 2)
    let reading = try runtime.compile(attention(window: most, isRead: true, isNarrow: isNarrow))
    var seen: Set<[UInt32]> = []
    for window in [Float(1), 2, 63, 64, 65, 129, 299.4, 513, 650, 700, 1e9] {
      let fixed = min(Int(window.rounded()), most ?? Self.context)
      let other = try CPURuntime(threads: 1)
      let expected = try run(
        other.compile(attention(window: fixed, isRead: false, isNarrow: isNarrow)), other,
        window: 0)
      let found = try run(reading, runtime, window: window)
      for (label, bits) in expected { #expect(found[label] == bits, "\(label), \(window)") }
      seen.insert(found["out"] ?? [])
    }
    #expect(seen.count == (most == nil ? 10 : 8))
  }

  @Test("a window below 1, or none at all, counts as 1")
  func smallest() throws {
    let runtime = try CPURuntime(threads: 1)
    let executable = try runtime.compile(attention(window: nil, isRead: true))
    let one = try run(executable, runtime, window: 1)
    for window in [Float(0.2), 0, -5, .nan, -.infinity] {
      #expect(try run(executable, runtime, window: window) == one, "\(window)")
    }
  }

  @Test("keys that the window leaves behind are not touched")
  func skipping() throws {
    let runtime = try CPURuntime(threads: 2)
    let executable = try runtime.compile(attention(window: nil, isRead: true))
    // Were the first block of keys multiplied, even by probabilities of zero, NaN would come of it.
    func finite(window: Float) throws -> [Bool] {
      let found = try run(executable, runtime, window: window) { label, numbers in
        if label == "k" || label == "v" {
          for index in 0..<64 * Self.width { numbers[index] = .nan }
        }
      }
      let out = (found["out"] ?? []).map { Float(bitPattern: $0).isFinite }
      return stride(from: 0, to: out.count, by: Self.width).map { row in
        out[row..<row + Self.width].allSatisfy { $0 }
      }
    }
    // The block of queries from 128 sees keys from 128 - 64 on.
    #expect(try finite(window: 65) == (0..<Self.context).map { $0 >= 128 })
    #expect(try finite(window: 66) == (0..<Self.context).map { $0 >= 192 })
    #expect(try !finite(window: 1000).contains(true))
  }

  @Test("a z-loss gives the bits of a constant one, in one program for all weights")
  func zLoss() throws {
    func program(_ constant: Float?) throws -> Program {
      let graph = Graph()
      let (x, weight) = (graph.parameter("x", [40, 5]), graph.parameter("weight", [130, 5]))
      let (loss, sum) = x.linearCrossEntropy(
        weight: weight, targets: graph.input("targets", [40]), scale: graph.constant(0.025),
        zLoss: constant.map(graph.constant) ?? graph.scalar("z"))
      let found = try gradients(of: loss, withRespectTo: [x, weight])
      return try Program(
        graph: graph,
        outputs: [("loss", loss), ("sum", sum), ("dx", found[0]), ("dweight", found[1])]
      ).sharingCrossEntropy()
    }
    func bits(_ executable: any Executable, _ runtime: any Runtime) throws -> [[UInt8]] {
      for label in ["x", "weight"] {
        var source = NamedNumbers(label)
        let memory = try #require(try runtime.kept(label, for: .writing))
        for index in 0..<memory.count / 4 {
          memory.storeBytes(
            of: Float(source.normal()), toByteOffset: index * 4, as: Float.self)
        }
      }
      try executable.run()
      return ["loss", "sum", "dx", "dweight"].map { Array(executable.output($0)) }
    }
    let runtime = try CPURuntime(threads: 2)
    let reading = try runtime.compile(program(nil))
    var seen: Set<[[UInt8]]> = []
    for weight in [Float(0), 1e-4, 0.1] {
      let other = try CPURuntime(threads: 1)
      reading.set("z", weight)
      let found = try bits(reading, runtime)
      #expect(try found == bits(other.compile(program(weight)), other), "\(weight)")
      seen.insert(found)
    }
    #expect(seen.count == 3)
  }
}
