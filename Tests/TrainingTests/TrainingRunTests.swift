// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords
import TensorFiles
import Testing
import Training

@Suite struct TrainingRunTests {
  /// Trains, and stops when a step of that index is done.
  @discardableResult
  func train(
    _ configuration: TrainingConfiguration, _ which: TestRuntime, stopAfter: Int? = nil,
    initialWeights: String? = nil, source: (any BatchSource)? = nil,
    events: (TrainingEvent) -> Void = { _ in }
  ) throws -> TrainingSummary {
    let stop = StopRequest()
    return try withoutActuallyEscaping(events) { events in
      try TrainingRun.train(
        configuration, initialWeights: initialWeights, runtime: which.provider,
        source: source ?? smallSource(), stop: stop
      ) { event in
        if case .step(let report) = event, report.step == stopAfter { stop.request() }
        events(event)
      }
    }
  }

  func tensorBytes(_ summary: TrainingSummary) throws -> Data {
    let folder = try #require(summary.checkpoint)
    return try Data(contentsOf: URL(fileURLWithPath: folder + "/tensors.safetensors"))
  }

  /// The files of a run that are the same bits for the same configuration.
  func records(_ folder: String) throws -> [String: Data] {
    let names = [
      "metrics.jsonl", "trajectories.bin", "contract.json", "configuration.json", "optimizer.json",
    ]
    return try Dictionary(
      uniqueKeysWithValues: names.map { name in
        (name, try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name)))
      })
  }

  @Test(
    "A run learns, evaluates at start, on the way and at the end, and records all of it",
    arguments: TestRuntime.allCases)
  func wholeRun(_ which: TestRuntime) throws {
    let folder = try TemporaryFolder()
    let configuration = try smallConfiguration(
      folder.path,
      ["training.steps": "40", "evaluation.every": "15", "optimizer.learning_rate": "0.03"])
    var evaluations: [EvaluationReport] = []
    var checkpoints: [Int] = []
    var rates: [Double] = []
    let summary = try train(configuration, which) { event in
      switch event {
      case .evaluation(let report): evaluations.append(report)
      case .checkpoint(let step, _): checkpoints.append(step)
      case .step(let report): rates.append(report.learningRate)
      default: break
      }
    }
    #expect(summary.outcome == .finished)
    #expect(summary.outcome.exitCode == 0)
    #expect(evaluations.map(\.step) == [0, 15, 30, 40])
    #expect(evaluations.allSatisfy { $0.evaluatedTokens == 24 })
    let (first, last) = (try #require(evaluations.first), try #require(evaluations.last))
    #expect(abs(first.loss - log(11)) < 0.1)
    #expect(last.loss < first.loss - 0.5)
    #expect(try abs(#require(last.bitsPerByte) - last.loss / log(2) / 2) < 1e-12)
    #expect(checkpoints == Array(stride(from: 2, through: 40, by: 2)))
    #expect(rates.prefix(3) == [0.015, 0.03, 0.03])
    #expect(summary.progress.step == 40)
    #expect(summary.progress.tokens == 40 * 16)

    let record = try RunRecord(path: configuration.run.folder)
    #expect(record.outcome.status == .finished)
    #expect(record.outcome.finalNumbers["validationLoss"] == last.loss)
    #expect(record.configurationText.contains("batch_tokens"))
    #expect(try record.metrics().series("validationLoss").map(\.step) == [0, 15, 30, 40])
    #expect(try record.metrics().series("loss").count == 40)
    #expect(try record.metrics().series("weightNorm.attentionQuery").count == 20)
    #expect(try record.metrics().series("updateRootMeanSquare.head").allSatisfy { $0.value > 0 })
    for name in ["learningRate", "gradientNorm", "tokens"] {
      #expect(try record.metrics().series(name).count >= 40, "\(name)")
    }
    for name in [
      "tokensPerSecond", "peakBytes", "forwardBackwardMilliseconds", "optimizerMilliseconds",
    ] {
      #expect(try record.metrics().series(name).isEmpty, "\(name)")
      #expect(try record.timings().series(name).count == 40, "\(name)")
    }
    #expect(try record.timings().series("evaluationSeconds").map(\.step) == [0, 15, 30, 40])
    let numbers = record.outcome.finalNumbers
    #expect(numbers["initialLoss"] == first.loss)
    for name in [
      "parameters", "optimizerStateBytes", "trainingFLOPs", "peakBytes", "optimizerMilliseconds",
      "forwardBackwardMilliseconds", "trainingSeconds",
    ] {
      #expect((numbers[name] ?? 0) > 0, "\(name)")
    }
    // Only the newest checkpoints stay, and nothing half-written.
    let kept = try FileManager.default.contentsOfDirectory(
      atPath: configuration.run.folder + "/checkpoints")
    #expect(kept.sorted() == ["step-00000038", "step-00000040"])
  }

  @Test("A run is its steps: the schedule's learning rates and updates counted from 1")
  func stepByStep() throws {
    let folder = try TemporaryFolder()
    let configuration = try smallConfiguration(folder.path)
    let summary = try train(configuration, .cpu)
    let small = try SmallStep(
      .cpu, seed: 1, configuration: configuration.modelConfiguration(vocabularySize: 11))
    let source = smallSource()
    // 6 steps, 2 of warm-up, then a cosine from 0.01 to a tenth of it.
    var rates = [0.005, 0.01]
    for index in 0..<4 {
      let course: Double = 1 + cos(Double.pi * Double(index) / 4)
      rates.append(0.01 * (0.1 + 0.45 * course))
    }
    for rate in rates {
      try source.fill(small.step.batch)
      let settings = try small.settings(clip: 1, ["learning_rate": rate])
      #expect(try small.step.run(settings).isUpdated)
    }
    let file = try TensorFile(
      path: try #require(summary.checkpoint) + "/tensors.safetensors")
    for (label, values) in small.everything {
      #expect(try file.floats(label) == values, "\(label)")
    }
  }

  @Test("A repeated run has the same bits", arguments: TestRuntime.allCases)
  func repeats(_ which: TestRuntime) throws {
    let folder = try TemporaryFolder()
    let first = try train(smallConfiguration(folder.path + "/a"), which)
    let second = try train(smallConfiguration(folder.path + "/b"), which)
    #expect(try tensorBytes(first) == tensorBytes(second))
    #expect(try records(first.folder) == records(second.folder))
    let other = try train(smallConfiguration(folder.path + "/c", ["training.seed": "2"]), which)
    #expect(try tensorBytes(first) != tensorBytes(other))
  }

  @Test("A finished run is only reported when the command is given again")
  func finishedRun() throws {
    let folder = try TemporaryFolder()
    let configuration = try smallConfiguration(folder.path)
    let first = try train(configuration, .cpu)
    var steps = 0
    let second = try train(configuration, .cpu) { event in
      if case .step = event { steps += 1 }
    }
    #expect(steps == 0)
    #expect(second.outcome == .finished)
    #expect(second.evaluation?.loss == first.evaluation?.loss)
    #expect(second.progress.step == first.progress.step)
    #expect(second.checkpoint == first.checkpoint)
  }

  @Test("A run folder of another configuration is refused, naming the keys; threads may change")
  func otherConfiguration() throws {
    let folder = try TemporaryFolder()
    try train(smallConfiguration(folder.path), .cpu, stopAfter: 1)
    let other = try smallConfiguration(
      folder.path, ["optimizer.beta1": "0.8", "training.steps": "7"])
    let error = try #require(throws: TrainingError.self) { try train(other, .cpu) }
    #expect(error.code == .runFolder)
    #expect(error.message.contains("optimizer.beta1"))
    #expect(error.message.contains("training.steps"))
    #expect(!error.message.contains("model.width"))
    let threads = try smallConfiguration(folder.path, ["machine.threads": "1"])
    #expect(try train(threads, .cpu).outcome == .finished)
  }

  @Test("Changed data are refused on resume")
  func otherData() throws {
    let folder = try TemporaryFolder()
    let configuration = try smallConfiguration(folder.path)
    try train(configuration, .cpu, stopAfter: 1)
    let source = smallSource()
    source.fingerprint = "changed"
    let error = try #require(throws: TrainingError.self) {
      try train(configuration, .cpu, source: source)
    }
    #expect(error.code == .checkpoint)
    #expect(error.message.contains("other data"))
  }

  @Test(
    "Steps that are not finite are skipped and counted, and end the run as diverged",
    arguments: TestRuntime.allCases)
  func diverges(_ which: TestRuntime) throws {
    let folder = try TemporaryFolder()
    // A learning rate that throws the weights out of range at once.
    let configuration = try smallConfiguration(
      folder.path,
      [
        "training.steps": "30", "training.skip_limit": "3", "optimizer.learning_rate": "1e3",
        "optimizer.weight_decay": "1e3", "schedule.kind": "constant", "schedule.warmup_steps": "0",
        "evaluation.every": "0",
      ])
    var skipped: [Int] = []
    let summary = try train(configuration, which) { event in
      if case .step(let report) = event, report.isSkipped { skipped.append(report.step) }
    }
    #expect(summary.outcome == .diverged)
    #expect(summary.outcome.exitCode == 3)
    #expect(summary.progress.skippedSteps == 3)
    #expect(summary.progress.consecutiveSkips == 3)
    #expect(skipped.count == 3)
    #expect(summary.progress.updates == summary.progress.step - 3)
    let record = try RunRecord(path: summary.folder)
    #expect(record.outcome.status == .diverged)
    #expect(record.outcome.reason?.contains("3 steps") == true)
  }

  @Test(
    "The validation loss does not depend on micro-batches, threads or z-loss",
    arguments: TestRuntime.allCases)
  func evaluationIsFixed(_ which: TestRuntime) throws {
    let folder = try TemporaryFolder()
    func firstLoss(_ name: String, _ changes: [String: String]) throws -> Double {
      let configuration = try smallConfiguration(folder.path + "/" + name, changes)
      var loss: Double?
      try train(configuration, which, stopAfter: 0) { event in
        if case .evaluation(let report) = event, report.step == 0 { loss = report.loss }
      }
      return try #require(loss)
    }
    let loss = try firstLoss("base", [:])
    #expect(try firstLoss("threads", ["machine.threads": "1"]) == loss)
    #expect(try firstLoss("z", ["model.z_loss": "0.5"]) == loss)
    let micro = [
      "training.batch_tokens": "32", "training.accumulation_steps": "4",
    ]
    #expect(try firstLoss("micro", micro) == loss)
  }

  @Test("Initial weights come from a file; other shapes, missing tensors and NaN are refused")
  func initialWeights() throws {
    let folder = try TemporaryFolder()
    let donor = try train(
      smallConfiguration(folder.path + "/donor", ["training.seed": "8"]), .cpu)
    let weights = try #require(donor.checkpoint) + "/tensors.safetensors"
    let own = try smallConfiguration(folder.path + "/own")
    var losses: [Double] = []
    try train(own, .cpu, initialWeights: weights) { event in
      if case .evaluation(let report) = event { losses.append(report.loss) }
    }
    #expect(losses.first == donor.evaluation?.loss)

    let file = try TensorFile(path: weights)
    func write(_ name: String, change: (inout [String: ([Int], [Float])]) -> Void) throws -> String
    {
      var all: [String: ([Int], [Float])] = [:]
      for entry in file.entries { all[entry.name] = (entry.shape, try file.floats(entry.name)) }
      change(&all)
      let path = folder.path + "/" + name
      let names = all.keys.sorted()
      var storage: [UnsafeMutableBufferPointer<Float>] = []
      defer { for memory in storage { memory.deallocate() } }
      let tensors = names.map { name in
        let (shape, values) = all[name] ?? ([], [])
        let memory = UnsafeMutableBufferPointer<Float>.allocate(capacity: values.count)
        _ = memory.initialize(from: values)
        storage.append(memory)
        return TensorFileWriter.Tensor(
          name: name, elementType: .float32, shape: shape, bytes: UnsafeRawBufferPointer(memory))
      }
      try TensorFileWriter.write(tensors, to: path)
      return path
    }
    func refused(_ path: String) throws -> TrainingError {
      let configuration = try smallConfiguration(folder.path + "/" + UUID().uuidString)
      return try #require(throws: TrainingError.self) {
        try train(configuration, .cpu, initialWeights: path)
      }
    }
    let nan = try refused(write("nan") { $0["head.weight"]?.1[5] = .nan })
    #expect(nan.code == .weights)
    #expect(nan.message.contains("element 5 of 'head.weight' is nan"))
    let missing = try refused(write("missing") { $0["head.weight"] = nil })
    #expect(missing.code == .weights)
    #expect(missing.message.contains("no 'head.weight'"))
    let shape = try refused(
      write("shape") { $0["final_norm.gain"] = ([2, 4], [Float](repeating: 1, count: 8)) })
    #expect(shape.code == .weights)
    #expect(shape.message.contains("[2, 4]"))
    let extra = try refused(write("extra") { $0["blocks.9.x"] = ([1], [1]) })
    #expect(extra.code == .weights)
    #expect(extra.message.contains("'blocks.9.x'"))
    #expect(throws: TensorFileError.self) {
      try train(
        smallConfiguration(folder.path + "/no"), .cpu,
        initialWeights: folder.path + "/nothing")
    }
  }

  @Test("A signal asks for the end")
  func signals() {
    let stop = StopRequest.onSignals()
    #expect(!stop.isRequested)
    kill(getpid(), SIGTERM)
    // Another thread may be the one that takes it.
    let deadline = ContinuousClock.now + .seconds(10)
    while !stop.isRequested, ContinuousClock.now < deadline { usleep(1000) }
    #expect(stop.isRequested)
    signal(SIGINT, SIG_DFL)
    #expect(!StopRequest.onSignals().isRequested)
    signal(SIGINT, SIG_DFL)
    signal(SIGTERM, SIG_DFL)
  }
}
