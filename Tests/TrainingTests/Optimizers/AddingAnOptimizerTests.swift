// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPURuntime
import Foundation
import Optimizers
import TensorGraph
import Testing

/// `Docs/adding-an-optimizer.md` is true: its code is a file of this target, and that file is an optimizer.
@Suite struct AddingAnOptimizerTests {
  private static let package = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  @Test("The code of the page is the file that is compiled here, to the letter")
  func page() throws {
    let page = try String(
      contentsOf: Self.package.appendingPathComponent("Docs/adding-an-optimizer.md"),
      encoding: .utf8)
    let file = try String(
      contentsOf: Self.package.appendingPathComponent(
        "Tests/TrainingTests/Optimizers/AdaGrad.swift"),
      encoding: .utf8)
    let blocks = page.components(separatedBy: "```swift\n").dropFirst().map {
      $0.components(separatedBy: "```")[0]
    }
    #expect(blocks.count == 1)
    let code = try #require(blocks.first)
    #expect(file.hasSuffix(code))
    // Before it stand the header and the import that a file of the module itself does not need.
    #expect(
      file.dropLast(code.count).split(separator: "\n") == [
        "// Copyright (c) 2026 The Assay Authors", "// SPDX-License-Identifier: Apache-2.0",
        "public import Optimizers",
      ])
  }

  @Test("On a quadratic it does what the paper's arithmetic does, and finds the minimum")
  func quadratic() throws {
    let start = [3.0, -2, 0.5]
    let minimum = [1.0, 1, 1]
    // Exact in single precision, in which the host gives them.
    let (rate, epsilon, weightDecay) = (0.5, 0x1p-20, 0.125)
    let parameter = Parameter(
      name: "w", role: .mlpIn, shape: [1, 3], initialization: .constant(0))
    let hyperparameters = try AdaGrad.card.complete([
      "learning_rate": rate, "epsilon": epsilon, "weight_decay": weightDecay,
    ])
    let optimizer = Optimizer(AdaGrad.self, hyperparameters, parameters: [parameter])
    let runtime = ReferenceRuntime()
    let program = try optimizer.updateProgram()
    let update = try #require(try runtime.compile(program) as? ReferenceExecutable)
    runtime.setKept64("w", start)

    var (expected, sums) = (start, [0.0, 0, 0])
    var clock = OptimizerClock()
    for _ in 0..<50 {
      for (label, number) in optimizer.numbers(StepConditions(), advancing: &clock)
      where update.hostBuffer(label) != nil {
        update.set64(label, [number])
      }
      let weights = try #require(runtime.kept64("w"))
      update.set64("gradient.w", zip(weights, minimum).map { $0 - $1 })
      try update.run()
      for i in expected.indices {
        let gradient = expected[i] - minimum[i]
        sums[i] += gradient * gradient
        let step = rate * gradient / (sums[i].squareRoot() + epsilon)
        expected[i] -= rate * weightDecay * expected[i] + step
      }
      let found = try #require(runtime.kept64("w"))
      // A few roundings a step.
      for (a, b) in zip(found, expected) { #expect(abs(a - b) < 1e-13) }
    }
    #expect(try #require(runtime.kept64("optimizer.sum_of_squares.w")).allSatisfy { $0 > 0 })
    #expect(optimizer.stateDeclarations.reduce(0) { $0 + $1.byteCount } == 12)
    #expect(AdaGrad.card.state.bytes(parameter) == 12)
    // Decay pulls towards 0, the gradient towards 1.
    #expect(expected.allSatisfy { (0.5...1).contains($0) })
  }
}
