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

  @Test("A program split over two devices gives each its half, and sums over both")
  func partitions() throws {
    let client = try PluginUnderTest.client()
    try #require(client.devices.count >= 2)
    var options = CompileOptions()
    options.partitions = 2
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
    #expect(program.deviceIDs == client.devices.prefix(2).map(\.id))
    let halves: [[Float]] = [[1, 2], [3, 4]]
    let arguments = try halves.enumerated().map { device, half in
      [try client.upload(half, TensorType([2]), to: client.devices[device])]
    }
    let run = try program.execute(arguments)
    try run.wait()
    #expect(try run.outputs.map { try $0[0].elements(as: Float.self) } == [[2, 4], [6, 8]])
    #expect(try run.outputs.map { try $0[1].elements(as: Float.self) } == [[10], [10]])
  }
}
