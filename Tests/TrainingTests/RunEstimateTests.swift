// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Foundation
import TensorGraph
import Testing

@testable import Training

/// What a plan says about memory against what a run then held.
struct RunEstimateTests {
  /// The share by which a prediction may be wrong.
  static let tolerance = 0.05

  static func configuration(_ text: String, folder: String) throws -> TrainingConfiguration {
    var source = ConfigurationSource()
    try source.add(preset: "test", text: text)
    try source.add(overrides: ["run.folder=\(folder)", "machine.threads=2"])
    return try TrainingConfiguration(source)
  }

  static func text(_ model: String, _ optimizer: String, _ others: String = "") -> String {
    """
    [data]
    path = "none"
    [model]
    vocabulary_size = 300
    context_length = 32
    \(model)
    [training]
    batch_tokens = 256
    steps = 3
    [evaluation]
    tokens = 5000
    every = 0
    [optimizer]
    name = "\(optimizer)"
    \(others)
    """
  }

  @Test(arguments: [
    text("width = 64\nlayers = 2", "adamw"),
    text(
      "width = 128\nlayers = 1\narchitecture = \"llama\"", "adamw",
      "[machine]\nprecision = \"fp32\""),
    text("width = 64\nlayers = 2", "adamw", "[machine]\nprecision = \"bf16\""),
    text("width = 64\nlayers = 2", "sgd", "[metrics]\nstatistics_every = 0"),
    text("width = 64\nlayers = 2\ntied = true", "muon"),
    text("width = 64\nlayers = 2", "soap"),
    text("width = 64\nlayers = 2", "sophia-g"),
    text("width = 64\nlayers = 2", "lion", "average_decay = 0.99"),
    text("width = 64\nlayers = 2", "adafactor-2018"),
  ])
  func thePeakThatARunReachesWasPredicted(text: String) throws {
    for accumulation in [1, 4] {
      let folder = NSTemporaryDirectory() + "/assay-plan-" + UUID().uuidString
      defer { try? FileManager.default.removeItem(atPath: folder) }
      let configuration = try Self.configuration(
        text.replacingOccurrences(
          of: "steps = 3", with: "steps = 3\naccumulation_steps = \(accumulation)"),
        folder: folder)
      let source = SyntheticSource(vocabularySize: 300, validationTokens: 70_000)
      let estimate = try RunEstimate(configuration)
      let run = try TrainingRun(configuration, source: source)
      _ = try run.run()
      #expect(run.progress.step == 3)
      let measured = Double(run.runtime.peakBytes)
      let predicted = Double(estimate.memory.total)
      #expect(
        abs(predicted / measured - 1) < Self.tolerance,
        "\(predicted) predicted, \(measured) measured: \(estimate.memory)")
      // The parts are what they are called.
      #expect(estimate.memory.weights == estimate.parameters * 4)
      #expect(estimate.memory.gradients == estimate.trainedParameters * 4)
      #expect(estimate.memory.activations > 0)
      #expect(estimate.gradientEvaluations == run.progress.gradientEvaluations)
      #expect(estimate.chargedTokens == run.progress.chargedTokens)
    }
  }

  @Test func planningTakesNoMemory() throws {
    // Some 9 GB of weights, gradients and state; a test machine must not notice.
    let configuration = try Self.configuration(
      """
      [data]
      path = "none"
      [model]
      architecture = "llama"
      vocabulary_size = 128256
      width = 2048
      layers = 4
      context_length = 4096
      [training]
      batch_tokens = 65536
      steps = 10
      [optimizer]
      name = "adamw"
      """, folder: "none")
    let before = Self.residentBytes()
    let estimate = try RunEstimate(configuration)
    let after = Self.residentBytes()
    #expect(estimate.memory.total > 9 << 30)
    #expect(after - before < 1 << 30, "\(after - before) bytes more")
    #expect(estimate.memory.optimizerState == 2 * estimate.memory.weights)
  }

  @Test func allThatIsHeldOutCannotBePlannedWithoutTheData() throws {
    let configuration = try Self.configuration(
      Self.text("width = 64\nlayers = 2", "adamw").replacing("tokens = 5000", with: "tokens = 0"),
      folder: "none")
    let error = try #require(throws: ConfigurationError.self) { try RunEstimate(configuration) }
    #expect(error.problems.map(\.keys) == [["evaluation.tokens", "data.path"]])
    #expect(error.message.contains("give evaluation.tokens, or prepare the data"), "\(error)")
  }

  @Test func timeFollowsFromSpeeds() throws {
    let configuration = try Self.configuration(
      Self.text("width = 64\nlayers = 2", "soap", "precondition_every = 2"), folder: "none")
    let estimate = try RunEstimate(configuration)
    #expect(estimate.upkeepFLOPs > 0)
    let slow = estimate.seconds(at: .init(flopsPerSecond: 1e9))
    #expect(abs(slow - estimate.totalFLOPs / 1e9) < 1e-9 * slow)
    let both = estimate.seconds(at: .init(flopsPerSecond: 1e9, bytesPerSecond: 1e9))
    #expect(both > estimate.seconds(at: .init(flopsPerSecond: 2e9, bytesPerSecond: 2e9)) * 1.99)
  }

  static func residentBytes() -> Int {
    let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? "0 0"
    return (Int(text.split(separator: " ")[1]) ?? 0) * 4096
  }
}
