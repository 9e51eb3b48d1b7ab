// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPURuntime
import LanguageModels
import Optimizers
import TensorGraph

/// What a run costs, known before it starts: work, memory and, for given speeds of a machine, time.
public struct RunEstimate: Codable, Equatable, Sendable {
  /// Speeds of a machine.
  public struct Speed: Codable, Equatable, Sendable {
    /// FLOPs a second of matrix products, all threads together.
    public var flopsPerSecond: Double
    /// Bytes read plus written a second by a plain copy; nil: only FLOPs are counted, and all of them.
    public var bytesPerSecond: Double?

    /// Any speeds.
    public init(flopsPerSecond: Double, bytesPerSecond: Double? = nil) {
      self.flopsPerSecond = flopsPerSecond
      self.bytesPerSecond = bytesPerSecond
    }
  }

  /// Work of all programs over the whole run, as a runtime would carry it out.
  struct Work: Codable, Equatable, Sendable {
    var productFLOPs = 0.0
    var otherBytes = 0.0

    mutating func add(_ work: PlannedWork, times count: Double) {
      productFLOPs += work.productFLOPs * count
      otherBytes += work.otherBytes * count
    }
  }

  /// Steps in a row that cost the same.
  struct Stretch: Equatable, Sendable {
    /// The first of them; the stretch ends where the next begins.
    var firstStep: Int
    /// FLOPs of the gradient of each.
    var gradientFLOPs: Double
  }

  /// All parameters.
  public let parameters: Int
  /// Those that are not frozen.
  public let trainedParameters: Int
  /// Steps.
  public let steps: Int
  /// Tokens trained on.
  public let tokens: Int
  /// Gradient evaluations, extra ones of methods that take them included.
  public let gradientEvaluations: Int
  /// Tokens of all gradient evaluations.
  public let chargedTokens: Int
  /// FLOPs of all gradient evaluations, by the model's count (6 for each weight and token, and attention), each at the windows and
  /// the length of sequences of its step.
  public let gradientFLOPs: Double
  /// FLOPs of one update of all parameters, upkeep left out.
  public let updateFLOPs: Double
  /// FLOPs of the state's upkeep over the whole run.
  public let upkeepFLOPs: Double
  /// FLOPs of all evaluations, the last one with the windows of `evaluation.final`.
  public let evaluationFLOPs: Double
  /// Bytes at their most.
  public let memory: MemoryEstimate
  let work: Work
  /// Not written: one for each step, where a schedule changes at every step.
  private var stretches: [Stretch] = []

  private enum CodingKeys: CodingKey {
    case parameters, trainedParameters, steps, tokens, gradientEvaluations, chargedTokens
    case gradientFLOPs, updateFLOPs, upkeepFLOPs, evaluationFLOPs, memory, work
  }

  /// FLOPs of the whole run.
  public var totalFLOPs: Double {
    gradientFLOPs + updateFLOPs * Double(steps) + upkeepFLOPs + evaluationFLOPs
  }

  /// What a step among some costs, relative to the mean step of the run: where batches, lengths or windows grow, the first steps
  /// say too little of the others.
  ///
  /// - Parameter some: steps of the run; those beyond its end are left out.
  /// - Returns: 1 where all steps cost the same, by FLOPs of gradient and update; extra gradients are left out.
  public func relativeCost(ofSteps some: Range<Int>) -> Double {
    let some = some.clamped(to: 0..<steps)
    if some.isEmpty || stretches.count <= 1 { return 1 }
    return meanFLOPs(some) / meanFLOPs(0..<steps)
  }

  private func meanFLOPs(_ range: Range<Int>) -> Double {
    let ends = stretches.dropFirst().map(\.firstStep) + [steps]
    let sum = zip(stretches, ends).reduce(0) { sum, entry in
      let count = range.clamped(to: entry.0.firstStep..<max(entry.0.firstStep, entry.1)).count
      return sum + entry.0.gradientFLOPs * Double(count)
    }
    return sum / Double(range.count) + updateFLOPs
  }

  /// Seconds at given speeds.
  ///
  /// With both speeds: products at the one, everything else as memory traffic at the other, as the runtime's kernels ask for it.
  /// With FLOPs alone: all FLOPs of the run at that speed.
  public func seconds(at speed: Speed) -> Double {
    guard let bytes = speed.bytesPerSecond else { return totalFLOPs / speed.flopsPerSecond }
    return work.productFLOPs / speed.flopsPerSecond + work.otherBytes / bytes
  }

  /// Plans a run; reads no more of the data than their description, and takes no memory for tensors.
  ///
  /// - Parameters:
  ///   - configuration: The run.
  ///   - vocabularySize: Of the data; nil: read from the data set, or else `model.vocabulary_size`.
  ///   - provider: Decides what `precision = "auto"` means; nil: the device that the configuration asks for.
  /// - Throws: Errors of configuration and data, `GraphError`.
  public init(
    _ configuration: TrainingConfiguration, vocabularySize: Int? = nil,
    provider: RuntimeProvider? = nil
  ) throws {
    let planned = try PlannedRun(
      configuration, vocabularySize: vocabularySize, provider: provider)
    let model = planned.definition.model
    let optimizer = planned.definition.optimizer
    let cost = ModelCost(model)
    let steps = configuration.training.steps
    let extra = optimizer.trained.reduce(0) { $0 + $1.extraEvaluations(steps: steps) }
    self.steps = steps
    parameters = cost.parameters
    trainedParameters = optimizer.trainedParameters.reduce(0) { $0 + $1.shape.count }
    tokens = configuration.totalTokens
    gradientEvaluations = steps + extra
    chargedTokens = Int(planned.charged.values.reduce(0, +))
    var costs = planned.costs
    gradientFLOPs = costs.trainingFLOPs(planned.charged)
    updateFLOPs = try optimizer.trained.reduce(0) { try $0 + MethodCost(of: $1).flops }
    upkeepFLOPs = try optimizer.trained.reduce(0) {
      try $0 + Self.upkeepFLOPs(of: $1, optimizer, steps: steps)
    }
    evaluationFLOPs = costs.forwardFLOPs(planned.evaluated)
    stretches = costs.stretches()
    memory = planned.memory

    var work = Work()
    for (one, times) in planned.forward + planned.update + [planned.evaluation] {
      work.add(one, times: times)
    }
    work.productFLOPs += upkeepFLOPs
    self.work = work
  }

  /// FLOPs of the upkeep that follows the updates of a group.
  private static func upkeepFLOPs(
    of group: ParameterGroup, _ optimizer: Optimizer, steps: Int
  ) throws -> Double {
    let programs = try Upkeep.allCases.map {
      ($0, try optimizer.upkeepProgram(of: group, $0)?.cost.flops ?? 0)
    }
    guard programs.contains(where: { $0.1 > 0 }), let method = group.method else { return 0 }
    let flops = Dictionary(uniqueKeysWithValues: programs)
    let updates = steps / max(1, group.settings.every)
    return (0..<updates).reduce(0) { sum, update in
      let due = method.upkeep(after: update + 1, group.hyperparameters)
      return sum + (due.flatMap { flops[$0] } ?? 0)
    }
  }
}

extension RunEstimate.Speed {
  /// What this machine does now, measured in a fraction of a second: the best of a few products and copies.
  ///
  /// - Parameters:
  ///   - configuration: Decides about threads and precision.
  ///   - provider: Decides what `precision = "auto"` means; nil: the device that the configuration asks for.
  /// - Returns: Both speeds.
  /// - Throws: What the runtime throws.
  public static func measured(
    _ configuration: TrainingConfiguration, provider: RuntimeProvider? = nil
  ) throws -> RunEstimate.Speed {
    let threads = configuration.machine.threads
    let probe = MachineProbe(try CPURuntime(threads: threads > 0 ? threads : nil))
    let precision = (provider ?? RuntimeProvider(configuration.machine)).precision(
      configuration.machine.precision)
    // Far beyond any cache, and no more than the smallest machine can spare.
    return RunEstimate.Speed(
      flopsPerSecond: try probe.productPeak(precision == .bf16 ? .bfloat16 : .float32),
      bytesPerSecond: try probe.copyBandwidth(byteCount: 96 << 20, repetitions: 3))
  }
}
