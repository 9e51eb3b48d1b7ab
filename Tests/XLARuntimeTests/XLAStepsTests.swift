// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TensorGraph
import Testing

@testable import OperationCases
@testable import XLARuntime

@Suite("Kept tensors on devices", .enabled(if: PluginUnderTest.isPresent))
struct XLAStepsTests {
  /// W `[width, width]` moves down the gradient of |X W|^2.
  static func descent(rows: Int, width: Int) -> OperationCase {
    OperationCase(
      name: "descent", fills: ["w": .normal(0.1), "rate": .values([1e-4])], steps: 4
    ) {
      let graph = Graph()
      let x = graph.input("x", [rows, width], .float32)
      let w = graph.parameter("w", [width, width])
      let loss = square(x.matrixProduct(w)).mean()
      let gradient = try gradients(of: loss, withRespectTo: [w])[0]
      return try Program(
        graph: graph, outputs: [("loss", loss)],
        assignments: [(w, w - graph.scalar("rate") * gradient * 128)])
    }
  }

  @Test("are multiplied as they are, not as they were when they were first seen")
  func replaced() throws {
    // Large enough for the libraries that a plugin may hand products to.
    let descent = Self.descent(rows: 512, width: 256)
    let runtime = try XLARuntime(client: XLAAgreementTests.client.value())
    let agreement = try RuntimeAgreement(descent, runtime, against: OperationCases.reference())
    let worst = try #require(agreement.worst)
    #expect(worst.relativeError < descent.tolerance, "\(agreement)")
  }

  @Test("of four runs lie on two devices, two on each")
  func runsOnDevices() throws {
    let group = try RunGroup(client: XLAAgreementTests.client.value(), count: 4, devices: 2)
    let results = Together(count: 4)
    let descent = Self.descent(rows: 8, width: 32)
    for run in 0..<4 {
      Thread {
        results.store(run) {
          defer { group.leave(run) }
          return try RuntimeAgreement(
            descent.varied(by: run), group.runtime(run),
            against: OperationCases.reference())
        }
      }.start()
    }
    for agreement in try results.all() {
      let worst = try #require(agreement.worst)
      #expect(worst.relativeError < descent.tolerance, "\(agreement)")
    }
    // Two of the four runs' weights on each device.
    #expect(group.keptBytesOnEachDevice == 2 * 32 * 32 * 4)
  }

  @Test("take their share of memory, by what is cut", arguments: ShardingRules.Level.allCases)
  func memory(_ level: ShardingRules.Level) throws {
    var rules = ShardingRules()
    rules.level = level
    let graph = Graph()
    let w = graph.parameter("w", [128, 64])
    let small = graph.parameter("small", [16])
    let m = graph.state("m", [128, 64])
    let program = try Program(
      graph: graph, outputs: [("sum", (w + m).sum() + small.sum())],
      assignments: [(w, w + m), (m, m * 0.5), (small, small * 2)])
    let runtime = try XLARuntime(
      client: XLAAgreementTests.client.value(), devices: 4, sharding: rules)
    let before = runtime.peakBytes
    let executable = try runtime.compile(program)
    try executable.run()
    let kept = runtime.peakBytes - before - runtime.programBytes
    let (matrix, vector) = (128 * 64 * 4, 16 * 4)
    let expected =
      switch level {
      case .batch: 2 * matrix + vector
      case .state: matrix + matrix / 4 + vector
      case .parameters: matrix / 4 + matrix / 4 + vector
      }
    #expect(kept == expected)
    // What the compiler says that a device is handed.
    #expect(try runtime.analysis(of: program).memory?.arguments == expected)
  }
}
