// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LanguageModels
import TensorFiles
import TensorGraph
import Testing

@testable import Training

/// One run on two runtimes, step by step.
struct RunTwins {
  /// How far the second is from the first after some steps.
  struct Distance: CustomStringConvertible {
    var steps = 0
    var loss = 0.0
    var gradientNorm = 0.0
    /// The kept tensor that is farthest, by ||a - b|| / ||b||.
    var tensor = (label: "", error: 0.0)

    /// What is no number is as far as can be.
    var worst: Double {
      [loss, gradientNorm, tensor.error].map { $0.isNaN ? .infinity : $0 }.max() ?? .infinity
    }
    var description: String {
      "after \(steps) steps: loss \(loss), gradient norm \(gradientNorm), \(tensor.label) \(tensor.error)"
    }
  }

  /// What a run steps with, without its records.
  struct Half {
    let configuration: TrainingConfiguration
    let source: any BatchSource
    let steps: TrainingSteps
    let tensors: KeptTensors
    /// Nil where nobody evaluates: a program less to compile.
    let evaluators: Evaluators?

    init(
      _ configuration: TrainingConfiguration, _ provider: RuntimeProvider,
      _ source: any BatchSource, evaluates: Bool
    ) throws {
      self.configuration = configuration
      self.source = source
      let model = try configuration.modelConfiguration(vocabularySize: source.vocabularySize)
        .makeModel()
      let precision = provider.precision(configuration.machine.precision)
      let runtime = try provider.make(precision, nil)
      steps = try TrainingSteps(
        configuration, model: model.configuration,
        optimizer: configuration.optimizer(for: model.parameters), precision: precision,
        runtime: runtime)
      evaluators =
        evaluates
        ? try Evaluators(configuration, steps.definition, source: source, runtime: runtime) : nil
      tensors = KeptTensors(steps.definition, runtime: runtime)
      try tensors.initialize(seed: UInt64(configuration.training.seed))
      steps.prepared(at: 0).state.spikes = configuration.optimizer.spikes
    }

    func settings(at index: Int) -> TrainingStep.Settings {
      configuration.settings(
        at: min(index, configuration.training.steps - 1), steps.definition.optimizer)
    }

    /// One step by the loop's own rules.
    func take(_ index: Int) throws -> TrainingStep.Result {
      let step = steps.prepared(at: index)
      try source.fill(step.batch)
      let result = try step.run(settings(at: index))
      if let untie = configuration.schedule.untie, untie.step == index + 1 {
        try steps.untie(tensors, untie.state)
      }
      return result
    }

    /// Weights and state by label.
    func bits() throws -> [String: Data] {
      Dictionary(uniqueKeysWithValues: try tensors.written().map { ($0.name, Data($0.bytes)) })
    }
  }

  /// The one that is right, the one that is asked, and, where it is measured how far the first is from the truth, a third in double
  /// precision.
  let runs: [Half]

  /// Makes both runs.
  ///
  /// - Parameters:
  ///   - first: what the first run is executed by.
  ///   - second: what the second run is executed by.
  ///   - source: data for each.
  ///   - isMeasured: whether a number or tensor may be as far from double precision as the first run's, times `strayFactor`: for
  ///     models some of whose gradients are zero but for rounding.
  ///   - evaluates: whether both are evaluated after their steps.
  ///   - configuration: of the run that is called `first` or `second`.
  /// - Throws: what making a run throws.
  init(
    _ first: RuntimeProvider = TestRuntime.cpu.provider,
    _ second: RuntimeProvider = XLAUnderTest.provider(),
    source: () throws -> any BatchSource = smallSource, isMeasured: Bool = false,
    evaluates: Bool = true,
    _ configuration: (String) throws -> TrainingConfiguration
  ) throws {
    runs = try
      ([("first", first), ("second", second)]
      + (isMeasured ? [("reference", TestRuntime.reference.provider)] : [])).map { name, provider in
        try Half(configuration(name), provider, source(), evaluates: evaluates)
      }
  }

  /// Takes one step of both.
  func take(_ index: Int) throws -> Distance {
    let results = try runs.map { try $0.take(index) }
    #expect(results[0].skip == results[1].skip, "step \(index)")
    #expect(results[0].gradientEvaluations == results[1].gradientEvaluations)
    return Distance(
      steps: index + 1, loss: Self.relative(results.map(\.loss)),
      gradientNorm: Self.relative(results.map(\.gradientNorm)), tensor: try farthest())
  }

  /// Shows the first batches to methods that want to see them, as a run does.
  func observeFirstBatches() throws {
    for run in runs {
      let step = run.steps.prepared(at: 0)
      while step.batchesBeforeTraining(run.settings(at: 0)) > 0 {
        try run.source.fill(step.batch)
        try step.observe(run.settings(at: 0))
      }
    }
  }

  /// Takes steps; expects the distance after the first and after the last to be small.
  func expectAgreement(
    steps: Int, first: Double = 1e-5, last: Double = 1e-4, _ name: String = "",
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    try observeFirstBatches()
    for index in 0..<steps {
      let distance = try take(index)
      if index == 0 {
        #expect(distance.worst <= first, "\(name) \(distance)", sourceLocation: sourceLocation)
      }
      if index == steps - 1 {
        #expect(distance.worst <= last, "\(name) \(distance)", sourceLocation: sourceLocation)
      }
    }
    guard runs[0].evaluators != nil else { return }
    let losses = try evaluations(after: steps)
    #expect(Self.relative(losses) <= last, "\(name) evaluated", sourceLocation: sourceLocation)
  }

  /// Gives the other runs all that the first one keeps.
  func align() throws {
    for run in runs.dropFirst() {
      for tensor in try runs[0].tensors.written() {
        try run.tensors.bytes(tensor.name, for: .writing)?.copyMemory(from: tensor.bytes)
      }
    }
  }

  /// The validation losses of both.
  func evaluations(after steps: Int) throws -> [Double] {
    try runs.map { run in
      var numbers = run.configuration.evaluationNumbers(after: steps)
      numbers.scalars.merge(run.steps.prepared(at: steps).numbers(run.settings(at: steps)).values) {
        own, _ in own
      }
      return try #require(try run.evaluators?.run(numbers, after: steps, StopRequest()))
        .crossEntropy
    }
  }

  /// The root of the mean over kept tensors of the squared relative distance.
  func meanSquareDistance() throws -> Double {
    let errors = try distances().map(\.error)
    return (errors.reduce(0) { $0 + $1 * $1 } / Double(errors.count)).squareRoot()
  }

  /// The kept tensor that differs most.
  func farthest(weightsOnly: Bool = false) throws -> (label: String, error: Double) {
    var found = try distances(from: 0, to: 1)
    if runs.count > 2 {
      for (index, (own, device)) in zip(
        try distances(from: 2, to: 0), try distances(from: 2, to: 1)
      ).enumerated()
      where device.error <= Self.strayFactor * own.error {
        found[index].error = 0
      }
    }
    return found.filter { !weightsOnly || !$0.label.hasPrefix("optimizer.") }.reduce(
      (label: "", error: 0.0)
    ) { worst, one in
      one.error <= worst.error ? worst : one
    }
  }

  /// Roundings of one size that happen to add up on one runtime and to cancel on the other.
  private static let strayFactor = 2.0
  /// The part of its size by which a number that is kept as bfloat16 may be rounded to its other neighbour, with some such numbers in
  /// each tensor.
  private static let rounding16 = 1e-3

  /// How far every kept tensor of a run is from another's.
  func distances(
    from base: Int = 0, to other: Int = 1
  ) throws -> [(label: String, error: Double)] {
    let all = try [runs[base], runs[other]].map { try $0.tensors.written() }
    return zip(all[0], all[1]).map { first, second in
      let isSingle = first.elementType == .float32
      let error = relativeError(
        Self.numbers(second.bytes, isSingle).map { Float($0) }, Self.numbers(first.bytes, isSingle))
      if error.isNaN { return (first.name, .infinity) }
      return (first.name, !isSingle && error < Self.rounding16 ? 0 : error)
    }
  }

  private static func numbers(_ bytes: UnsafeRawBufferPointer, _ isSingle: Bool) -> [Double] {
    if isSingle { return bytes.bindMemory(to: Float.self).map(Double.init) }
    return bytes.bindMemory(to: UInt16.self).map {
      Double(Float(bitPattern: UInt32($0) << 16))
    }
  }

  /// How far the second number is from the first; 0 where a third, in double precision, shows that it is no farther from the truth than
  /// the first one's roundings explain.
  static func relative(_ numbers: [Double]) -> Double {
    if numbers[0] == numbers[1] || numbers.allSatisfy({ !$0.isFinite }) { return 0 }
    if numbers.count > 2, abs(numbers[1] - numbers[2]) <= strayFactor * abs(numbers[0] - numbers[2])
    {
      return 0
    }
    return abs(numbers[1] - numbers[0]) / abs(numbers[0])
  }
}
