// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TensorFiles
import Testing

@testable import Training

@Suite struct TraceTests {
  @Test("A trace holds the batch, gradients, weights and state of every step, and follows the run")
  func follows() throws {
    let folder = try TemporaryFolder()
    // The run accumulates two micro-batches, the trace takes them as one.
    let configuration = try smallConfiguration(
      folder.path,
      ["training.accumulation_steps": "2", "checkpoint.every": "1", "checkpoint.keep": "9"])
    let summary = try TrainingRun.train(
      configuration, runtime: TestRuntime.cpu.provider, source: smallSource())
    let output = folder.path + "/trace"
    let paths = try Trace(
      configuration, steps: 3, output: output, runtime: TestRuntime.cpu.provider,
      source: smallSource()
    ).run()
    #expect(
      paths.map { URL(fileURLWithPath: $0).lastPathComponent } == [
        "initial.safetensors", "step-00000001.safetensors", "step-00000002.safetensors",
        "step-00000003.safetensors",
      ])
    for step in 1...3 {
      let trace = try TensorFile(path: paths[step])
      let run = try TensorFile(
        path: summary.folder + "/checkpoints/step-0000000\(step)/tensors.safetensors")
      for entry in run.entries {
        let isState = entry.name.hasPrefix("optimizer.")
        let found = try trace.floats(isState ? entry.name : "parameter." + entry.name)
        let error = relativeError(found, try run.doubles(entry.name))
        #expect(error < 1e-5, "\(entry.name) at step \(step)")
        if !isState {
          #expect(try trace.entry("gradient." + entry.name).shape == entry.shape)
        }
      }
      #expect(try trace.entry("batch.tokens").shape == [2, 8])
      #expect(try trace.integers("batch.targets").count == 16)
      for name in ["loss", "cross_entropy", "gradient_norm", "learning_rate"] {
        #expect(try trace.entry(name).shape == [])
        #expect(try trace.floats(name)[0].isFinite)
      }
      let squares = try run.entries.filter { !$0.name.hasPrefix("optimizer.") }.reduce(0.0) {
        try $0 + trace.doubles("gradient." + $1.name).reduce(0) { $0 + $1 * $1 }
      }
      #expect(try abs(trace.doubles("gradient_norm")[0] / squares.squareRoot() - 1) < 1e-5)
    }
  }

  @Test("A trace follows a run whose batches and sequences grow, and whose table is untied")
  func changes() throws {
    let folder = try TemporaryFolder()
    let stages =
      "[{name = 'a', steps = 1, batch_tokens = 8, context_length = 4}, {name = 'b', batch_tokens = 16, context_length = 8}]"
    let configuration = try smallConfiguration(
      folder.path,
      [
        "schedule.stage": stages, "schedule.untie_at": "2", "checkpoint.every": "1",
        "checkpoint.keep": "9", "training.batch_tokens": "8",
      ])
    let summary = try TrainingRun.train(
      configuration, runtime: TestRuntime.cpu.provider, source: smallSource())
    let paths = try Trace(
      configuration, steps: 4, output: folder.path + "/trace", runtime: TestRuntime.cpu.provider,
      source: smallSource()
    ).run()
    for step in 1...4 {
      let trace = try TensorFile(path: paths[step])
      let run = try TensorFile(
        path: summary.folder + "/checkpoints/step-0000000\(step)/tensors.safetensors")
      #expect(try trace.entry("batch.tokens").shape == (step == 1 ? [2, 4] : [2, 8]))
      for entry in run.entries {
        let isState = entry.name.hasPrefix("optimizer.")
        let found = try trace.floats(isState ? entry.name : "parameter." + entry.name)
        #expect(
          relativeError(found, try run.doubles(entry.name)) < 1e-5, "\(entry.name) at step \(step)")
      }
      #expect((trace["gradient.embedding.weight"] == nil) == (step <= 2))
    }
    // Of the three variants of the run the first step needs one, in which the table rests.
    let short = try Trace(
      configuration, steps: 1, output: folder.path + "/short", runtime: TestRuntime.cpu.provider,
      source: smallSource())
    #expect(short.steps.count == 1)
    #expect(short.steps.values.map(\.batch.tokens.count) == [8])
    let (whole, one) = (try TensorFile(path: paths[1]), try TensorFile(path: short.run()[1]))
    #expect(Set(one.entries.map(\.name)) == Set(whole.entries.map(\.name)))
    for entry in whole.entries where entry.elementType == .float32 {
      #expect(try one.floats(entry.name) == whole.floats(entry.name), "\(entry.name)")
    }
  }

  @Test("A trace starts from a file of weights and a batch of its own, without any data set")
  func given() throws {
    let folder = try TemporaryFolder()
    let configuration = try smallConfiguration(folder.path, ["model.vocabulary_size": "11"])
    let first = try Trace(
      configuration, steps: 1, output: folder.path + "/first", runtime: TestRuntime.cpu.provider,
      source: smallSource()
    ).run()
    // The batch of the first trace, under the names that a batch file has.
    let file = try TensorFile(path: first[1])
    let batch = folder.path + "/batch.safetensors"
    try write(
      [
        ("tokens", try file.integers("batch.tokens")),
        ("targets", try file.integers("batch.targets")),
      ], to: batch)
    let second = try Trace(
      configuration, steps: 2, initialWeights: first[0], batchFile: batch,
      output: folder.path + "/second", runtime: TestRuntime.cpu.provider
    ).run()
    let again = try TensorFile(path: second[1])
    #expect(again.entries.map(\.name) == file.entries.map(\.name))
    for entry in file.entries where entry.elementType == .float32 {
      #expect(try file.floats(entry.name) == again.floats(entry.name), "\(entry.name)")
    }
    // The batch is used again in the second step.
    let next = try TensorFile(path: second[2])
    #expect(try next.integers("batch.tokens") == file.integers("batch.tokens"))
    #expect(try next.floats("loss") != file.floats("loss"))
  }

  @Test("Batches that do not fit are refused")
  func refused() throws {
    let folder = try TemporaryFolder()
    let configuration = try smallConfiguration(folder.path, ["model.vocabulary_size": "11"])
    func refusal(_ tensors: [(String, [Int])]) throws -> String {
      let path = folder.path + "/bad.safetensors"
      try write(tensors, to: path)
      let error = try #require(throws: TrainingError.self) {
        try Trace(
          configuration, steps: 1, batchFile: path, output: folder.path + "/out",
          runtime: TestRuntime.cpu.provider)
      }
      #expect(error.code == .batch)
      return error.message
    }
    let good = [Int](repeating: 3, count: 16)
    #expect(try refusal([("tokens", [1, 2, 3]), ("targets", good)]).contains("3 elements"))
    #expect(
      try refusal([("tokens", [11] + good.dropLast()), ("targets", good)]).contains(
        "element 0 of 'tokens' is 11, outside 0...10"))
    #expect(try refusal([("tokens", good), ("targets", good + good)]).contains("equally many"))
    #expect(throws: TensorFileError.self) {
      try write([("tokens", good)], to: folder.path + "/bad.safetensors")
      _ = try Trace(
        configuration, steps: 1, batchFile: folder.path + "/bad.safetensors",
        output: folder.path + "/out",
        runtime: TestRuntime.cpu.provider)
    }
  }

  private func write(_ tensors: [(String, [Int])], to path: String) throws {
    var storage: [UnsafeMutableBufferPointer<Int32>] = []
    defer { for memory in storage { memory.deallocate() } }
    let written = tensors.map { name, values in
      let memory = UnsafeMutableBufferPointer<Int32>.allocate(capacity: values.count)
      _ = memory.initialize(from: values.map(Int32.init))
      storage.append(memory)
      return TensorFileWriter.Tensor(
        name: name, elementType: .int32, shape: [values.count],
        bytes: UnsafeRawBufferPointer(memory))
    }
    try TensorFileWriter.write(written, to: path)
  }
}
