// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph
import Testing

@testable import XLARuntime

@Suite("Programs on a plugin", .enabled(if: PluginUnderTest.isPresent), .serialized)
struct PluginExecutionTests {
  @Test("A sum of two vectors is compiled, run and read back")
  func addition() throws {
    let client = try PluginUnderTest.client()
    let program = try client.compile(
      """
      module @sum {
        func.func public @main(%a: tensor<4xf32>, %b: tensor<4xf32>) -> tensor<4xf32> {
          %0 = stablehlo.add %a, %b : tensor<4xf32>
          return %0 : tensor<4xf32>
        }
      }
      """)
    let type = TensorType([4])
    let first = try client.upload([1, 2, 3, 4] as [Float], type)
    let second = try client.upload([10, 20, 30, 40] as [Float], type)
    let run = try program.execute([[first, second]])
    try run.wait()
    #expect(try run.outputs[0][0].elements(as: Float.self) == [11, 22, 33, 44])
    #expect(client.plugin.undestroyedErrors == 0)
  }

  @Test(
    "An argument that the result is written over is used up; using it again is an error, not a crash"
  )
  func donation() throws {
    let client = try PluginUnderTest.client()
    let program = try client.compile(
      """
      module @step {
        func.func public @main(%w: tensor<3xf32> {tf.aliasing_output = 0 : i32}, %g: tensor<3xf32>, %rate: tensor<f32>)
            -> (tensor<3xf32>, tensor<f32>) {
          %0 = stablehlo.broadcast_in_dim %rate, dims = [] : (tensor<f32>) -> tensor<3xf32>
          %1 = stablehlo.multiply %0, %g : tensor<3xf32>
          %2 = stablehlo.subtract %w, %1 : tensor<3xf32>
          %zero = stablehlo.constant dense<0.0> : tensor<f32>
          %3 = stablehlo.reduce(%2 init: %zero) applies stablehlo.add across dimensions = [0] : (tensor<3xf32>, tensor<f32>) -> tensor<f32>
          return %2, %3 : tensor<3xf32>, tensor<f32>
        }
      }
      """)
    let first = try client.upload([1, 2, 3] as [Float], TensorType([3]))
    let gradient = try client.upload([2, 4, 8] as [Float], TensorType([3]))
    let rate = try client.upload([0.5] as [Float], TensorType([]))
    // Two steps are under way at once: the second takes the first one's result before anybody waited.
    let one = try program.execute([[first, gradient, rate]])
    let two = try program.execute([[one.outputs[0][0], gradient, rate]])
    try two.wait()
    #expect(try two.outputs[0][0].elements(as: Float.self) == [-1, -2, -5])
    #expect(try two.outputs[0][1].elements(as: Float.self) == [-8])
    #expect(try one.outputs[0][1].elements(as: Float.self) == [-1])
    #expect(try gradient.elements(as: Float.self) == [2, 4, 8])
    let again = #expect(throws: XLAError.self) {
      try program.execute([[first, gradient, rate]]).wait()
    }
    #expect(again?.code == .execution)
    let read = #expect(throws: XLAError.self) { _ = try first.download() }
    #expect(read?.code == .execution)
    #expect(client.plugin.undestroyedErrors == 0)
  }

  @Test("Bytes of an upload may change as soon as it returns")
  func copies() throws {
    let client = try PluginUnderTest.client()
    var values = (0..<100_000).map { Float($0) }
    let buffer = try client.upload(values, TensorType([100_000]))
    let expected = values
    for index in values.indices { values[index] = -1 }
    #expect(try buffer.elements(as: Float.self) == expected)
    #expect(try buffer.byteCount == 400_000)
  }

  @Test("bfloat16 and int32 go through unchanged, and convert as they should")
  func elementTypes() throws {
    let client = try PluginUnderTest.client()
    let program = try client.compile(
      """
      module @types {
        func.func public @main(%a: tensor<4xbf16>, %i: tensor<4xi32>) -> (tensor<4xbf16>, tensor<4xi32>, tensor<4xf32>) {
          %0 = stablehlo.negate %a : tensor<4xbf16>
          %1 = stablehlo.add %i, %i : tensor<4xi32>
          %2 = stablehlo.convert %a : (tensor<4xbf16>) -> tensor<4xf32>
          return %0, %1, %2 : tensor<4xbf16>, tensor<4xi32>, tensor<4xf32>
        }
      }
      """)
    // 1, -2, 0.15625 and infinity: the upper halves of their float32 patterns.
    let halves: [UInt16] = [0x3f80, 0xc000, 0x3e20, 0x7f80]
    let first = try client.upload(halves, TensorType([4], .bfloat16))
    let second = try client.upload([1, -7, 1 << 20, 0] as [Int32], TensorType([4], .int32))
    let run = try program.execute([[first, second]])
    #expect(try run.outputs[0][0].elements(as: UInt16.self) == halves.map { $0 ^ 0x8000 })
    #expect(try run.outputs[0][1].elements(as: Int32.self) == [2, -14, 1 << 21, 0])
    #expect(try run.outputs[0][2].elements(as: Float.self) == [1, -2, 0.15625, .infinity])
    #expect(try run.outputs[0].map { try $0.byteCount } == [8, 16, 16])
  }

  @Test("A program split over two devices gives each its half and sums over both")
  func partitions() throws {
    let path = try #require(PluginUnderTest.path)
    let client = try Client.start(device: "xla:\(path)", devices: 2).client
    try #require(client.devices.count >= 2)
    var options = CompileOptions()
    options.partitions = 2
    // The devices in an order of ours: the first half goes to the second device.
    options.devices = [client.devices[1].id, client.devices[0].id]
    let program = try client.compile(
      """
      module @halves attributes {mhlo.num_partitions = 2 : i32} {
        func.func public @main(%a: tensor<4xf32> {mhlo.sharding = "{devices=[2]<=[2]}"})
            -> (tensor<4xf32> {mhlo.sharding = "{devices=[2]<=[2]}"}, tensor<f32> {mhlo.sharding = "{replicated}"}) {
          %0 = stablehlo.add %a, %a : tensor<4xf32>
          %zero = stablehlo.constant dense<0.0> : tensor<f32>
          %1 = stablehlo.reduce(%a init: %zero) applies stablehlo.add across dimensions = [0] : (tensor<4xf32>, tensor<f32>) -> tensor<f32>
          return %0, %1 : tensor<4xf32>, tensor<f32>
        }
      }
      """, options)
    #expect(program.deviceIDs == options.devices)
    #expect(try #require(program.optimizedModule).operationCounts["all-reduce"] == 1)
    let halves: [[Float]] = [[1, 2], [3, 4]]
    let arguments = try zip(halves, program.deviceIDs).map { half, id in
      [
        try client.upload(
          half, TensorType([2]), to: client.devices.first { $0.id == id })
      ]
    }
    let run = try program.execute(arguments)
    try run.wait()
    #expect(try run.outputs.map { try $0[0].elements(as: Float.self) } == [[2, 4], [6, 8]])
    #expect(try run.outputs.map { try $0[1].elements(as: Float.self) } == [[10], [10]])
  }

  @Test("A program that needs more memory than there is ends with an error of its own kind")
  func outOfMemory() throws {
    let client = try PluginUnderTest.client()
    let program = try client.compile(
      """
      module @huge {
        func.func public @main(%a: tensor<f32>) -> tensor<8388608x2097152xf32> {
          %0 = stablehlo.broadcast_in_dim %a, dims = [] : (tensor<f32>) -> tensor<8388608x2097152xf32>
          return %0 : tensor<8388608x2097152xf32>
        }
      }
      """)
    let argument = try client.upload([1] as [Float], TensorType([]))
    let error = #expect(throws: XLAError.self) {
      let run = try program.execute([[argument]])
      try run.wait()
      _ = try run.outputs[0][0].byteCount
    }
    #expect(error?.code == .memory)
    for words in ["smaller micro-batch", "machine.batch_runs", "program that needs "] {
      #expect(error?.message.contains(words) == true, "\(words): \(error?.message ?? "")")
    }
    #expect(client.plugin.undestroyedErrors == 0)
  }
}
