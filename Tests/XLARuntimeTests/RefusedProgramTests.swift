// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TensorGraph
import Testing

@testable import XLARuntime

@Suite("Programs that a plugin refuses")
struct RefusedProgramTests {
  private let text = """
    // argument: kept("weight"), float32[8, 12]
    module @assay {
    func.func public @main(%v1: tensor<8x12xf32>) -> (tensor<f32>) {
    // node 3: tanh
    %v2 = stablehlo.tanh %v1 : tensor<8x12xf32>
    // node 11: sum
    %v12 = stablehlo.custom_call @sum(%v2) : (tensor<8x12xf32>) -> tensor<f32>
    %v13 = stablehlo.negate %v12 : tensor<f32>
    // results
    return %v13 : tensor<f32>
    }
    }
    """

  private func parts(_ message: String) -> [ProgramPlace.Part] {
    ProgramPlace.named(in: message, of: text).map(\.part)
  }

  @Test("A line is found in the node whose remark stands last before it")
  func lines() {
    #expect(parts("-:5:7: error: no") == [.node(3)])
    #expect(parts("bad\n-:8:7: error: no\n-:5:1: note: prior use here") == [.node(11), .node(3)])
    #expect(parts("loc(\"-\":7:1): error") == [.node(11)])
    #expect(parts("-:8:7: error: no\n-:7:7: note: too") == [.node(11)])
    #expect(parts("-:3:7: error: no") == [.arguments])
    #expect(parts("-:10:7: error: no") == [.results])
    #expect(parts("-:99:7: error: no") == [])
    #expect(parts("<unknown>:0: error: at 12:30:15") == [])
  }

  @Test("A value or a custom call's target is found where there is no line")
  func names() {
    #expect(parts("%v13 is too large") == [.node(11)])
    #expect(parts("%v1 is no value of the text's own lines, and %v134 is not there") == [])
    #expect(
      parts("No registered implementation for untyped custom call to sum for Host") == [.node(11)])
  }

  /// The error of a program whose text is changed before it is compiled.
  private func refusal(
    _ program: Program, _ edit: @escaping (String) -> String
  ) throws -> XLAError {
    let runtime = try XLARuntime(client: PluginUnderTest.client())
    runtime.store.edit = edit
    return try #require(
      #expect(throws: XLAError.self) { _ = try runtime.compile(program) })
  }

  @Test(
    "A refusal shows the operation, its place and its types",
    .enabled(if: PluginUnderTest.isPresent))
  func operation() throws {
    let program = try SmallProgram.make()
    let index = try #require(
      program.graph.nodes.firstIndex { ($0.operation as? Elementwise)?.function == .tanh })
    let error = try refusal(program) {
      $0.replacingOccurrences(of: "stablehlo.tanh", with: "stablehlo.nonsense")
    }
    #expect(error.code == .compilation)
    #expect(error.message.contains("custom op 'stablehlo.nonsense' is unknown"))
    #expect(error.message.contains("node \(index), \(program.graph.nodes[index].operation.name)("))
    #expect(error.message.contains("float32[8, 8]) -> float32[8, 8]; line "))
    #expect(error.message.contains("= stablehlo.nonsense %v"))
  }

  @Test("A clash of types shows both operations", .enabled(if: PluginUnderTest.isPresent))
  func clash() throws {
    let program = try SmallProgram.make()
    let error = try refusal(program) { text in
      text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
        line.contains("stablehlo.tanh")
          ? line.replacingOccurrences(of: "tensor<8x8xf32>", with: "tensor<8x9xf32>") : String(line)
      }.joined(separator: "\n")
    }
    let places = error.message.components(separatedBy: "The place in the graph:").last ?? ""
    #expect(places.contains("Product") || places.contains("product"), "\(error.message)")
    #expect(places.contains("tanh"), "\(error.message)")
  }

  @Test("A refusal that names no place says so, and other failures are left alone")
  func nameless() {
    let graph = Graph()
    let refused = XLAError(.compilation, "cannot compile a program: too many registers")
    #expect(
      refused.located(in: text, of: graph).message
        == "cannot compile a program: too many registers\nThe compiler names no operation.")
    let lost = XLAError(.device, "-:5:7: the device is lost")
    #expect(lost.located(in: text, of: graph) == lost)
  }
}
