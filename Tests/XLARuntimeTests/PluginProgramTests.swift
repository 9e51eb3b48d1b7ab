// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph
import Testing

@testable import XLARuntime

@Suite("What a plugin tells about programs", .enabled(if: PluginUnderTest.isPresent), .serialized)
struct PluginProgramTests {
  /// A product of two matrices, whose first argument is used up by the result.
  private static let product = """
    module @product {
      func.func public @main(%a: tensor<64x64xf32> {tf.aliasing_output = 0 : i32}, %b: tensor<64x64xf32>) -> tensor<64x64xf32> {
        %0 = stablehlo.dot_general %a, %b, contracting_dims = [1] x [0] : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
        %1 = stablehlo.tanh %0 : tensor<64x64xf32>
        return %1 : tensor<64x64xf32>
      }
    }
    """

  @Test("Memory is told in parts: two arguments, a result written over the first")
  func memory() throws {
    let program = try PluginUnderTest.client().compile(Self.product)
    let memory = try #require(program.memory)
    let matrix = 64 * 64 * 4
    #expect(memory.arguments == 2 * matrix)
    #expect(memory.outputs == matrix)
    #expect(memory.aliased == matrix)
    #expect(memory.total == 2 * matrix + memory.temporary + memory.generatedCode)
  }

  @Test("Costs hold the multiplications and additions of the product, and little else")
  func costs() throws {
    let program = try PluginUnderTest.client().compile(Self.product)
    let flops = try #require(program.costs["flops"])
    let product = 2.0 * 64 * 64 * 64
    #expect(flops >= product && flops < 1.1 * product)
    #expect(try #require(program.costs["bytes accessed"]) >= 3 * 64 * 64 * 4)
  }

  @Test("The operations of the optimized program are counted")
  func operations() throws {
    let program = try PluginUnderTest.client().compile(Self.product)
    let counts = try #require(program.optimizedModule).operationCounts
    #expect(counts["tanh"] == 1)
    #expect(counts["parameter", default: 0] >= 2)
  }

  @Test("A program that was serialized and loaded gives the same bits")
  func serialization() throws {
    let client = try PluginUnderTest.client()
    let program = try client.compile(Self.product)
    let bytes = try #require(program.serialized())
    let loaded = try client.load(bytes)
    let type = TensorType([64, 64])
    let first = (0..<4096).map { Float($0 % 17) / 31 - 0.2 }
    let second = (0..<4096).map { Float($0 % 23) / 41 - 0.3 }
    var results: [[Float]] = []
    for program in [program, loaded] {
      let run = try program.execute([
        [try client.upload(first, type), try client.upload(second, type)]
      ])
      results.append(try run.outputs[0][0].elements(as: Float.self))
    }
    #expect(results[0] == results[1])
    #expect(Set(results[0]).count > 100)

    let error = #expect(throws: XLAError.self) { _ = try client.load(Array("no program".utf8)) }
    #expect(error?.code == .compilation)
    #expect(error?.message.hasPrefix("cannot load a compiled program: ") == true)
    #expect(client.plugin.undestroyedErrors == 0)
  }

  @Test("A program that makes no sense is a compilation error with the plugin's own words")
  func nonsense() throws {
    let client = try PluginUnderTest.client()
    let error = #expect(throws: XLAError.self) {
      _ = try client.compile(Self.product.replacing("[1] x [0]", with: "[1] x [7]"))
    }
    #expect(error?.code == .compilation)
    #expect(error?.message.contains("rhs_contracting_dimensions value: 7") == true)
    #expect(client.plugin.undestroyedErrors == 0)
  }

  @Test("A program for more devices than there are is refused before the plugin sees it")
  func tooManyDevices() throws {
    let client = try PluginUnderTest.client()
    var options = CompileOptions()
    options.partitions = client.devices.count + 1
    let error = #expect(throws: XLAError.self) { _ = try client.compile(Self.product, options) }
    #expect(error?.code == .device)
    #expect(error?.message.contains("\(options.partitions) devices") == true)
  }

  @Test(
    "Options of a client reach the plugin",
    .enabled(if: PluginUnderTest.path?.contains("cpu") == true))
  func clientOptions() throws {
    #expect(
      try PluginUnderTest.client(options: ["cpu_device_count": .integer(3)]).devices.map(\.id) == [
        0, 1, 2,
      ])
    // The CPU plugin's allocator does not count.
    #expect(try PluginUnderTest.client().devices[0].memory == nil)
  }

  @Test(
    "A client has as many processors as are asked for, whatever names its plugin; as a GPU they are refused",
    .enabled(if: PluginUnderTest.path?.contains("cpu") == true))
  func processors() throws {
    let path = try #require(PluginUnderTest.path)
    let environment = ["ASSAY_XLA_PLUGIN": path]
    for device in ["xla:cpu", "xla:\(path)"] {
      let client = try Client.start(device: device, devices: 9, environment: environment).client
      #expect(client.devices.count == 9, "\(device)")
    }
    let error = #expect(throws: XLAError.self) {
      _ = try Client.start(device: "xla:cuda", environment: environment)
    }
    #expect(error?.code == .setting)
    #expect(error?.message.contains("ASSAY_XLA_PLUGIN names \(path)") == true)
  }

  @Test("A flag of XLA's compiler reaches it; one that it does not know is refused")
  func overrides() throws {
    let client = try PluginUnderTest.client()
    var options = CompileOptions()
    // Without the pass that merges elementwise neighbours, no fusion is left in the program.
    func fusions() throws -> Int {
      let program = try client.compile(Self.product, options)
      return try #require(program.optimizedModule).operationCounts["fusion", default: 0]
    }
    #expect(try fusions() > 0)
    options.overrides = [
      "xla_disable_hlo_passes": .text(
        "fusion,cpu-parallel-task-assigner,fusion-wrapper,FusionWrapper")
    ]
    #expect(try fusions() == 0)
    options.overrides = ["xla_no_such_flag": .flag(true)]
    let error = #expect(throws: XLAError.self) { _ = try client.compile(Self.product, options) }
    #expect(error?.message.contains("xla_no_such_flag") == true)
  }
}
