// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import LanguageModels
import Optimizers
import TensorGraph
import XLARuntime

/// Bytes that each of several devices will hold at its most, by what they are for; known before a run starts.
public struct DeviceMemory: Codable, Equatable, Sendable {
  /// Devices that share each program.
  public let devices: Int
  /// The share of the weights.
  public let weights: Int
  /// The share of what else is kept between steps: the optimizer's state, gradients that are added up over micro-batches, the weights that
  /// statistics compare with.
  public let state: Int
  /// The most that one program needs beside them.
  public let programs: Int
  /// Whether a plugin has compiled the programs and said what they need; otherwise the processor's programs were divided by the devices.
  public let isCompiled: Bool

  /// The sum.
  public var total: Int { weights + state + programs }

  /// Counts what a run needs on each of a number of devices, without taking it.
  ///
  /// Where the plugin of the run's device is at hand and offers as many devices, its compiler is asked; the sum is then what
  /// `Runtime.peakBytes` will be, without the programs of extra gradients and of effective rates.
  ///
  /// - Parameters:
  ///   - configuration: The run, for any number of devices.
  ///   - devices: Devices to plan for.
  ///   - memory: The run on the processor.
  ///   - vocabularySize: Of the data.
  ///   - evaluationTokens: Of one evaluation.
  /// - Throws: Errors of configuration, also where devices cannot share the run's micro-batches; `GraphError`; errors of the plugin's
  ///   compiler.
  public init(
    _ configuration: TrainingConfiguration, devices: Int, memory: MemoryEstimate,
    vocabularySize: Int, evaluationTokens: Int
  ) throws {
    self.devices = devices
    try configuration.check(devices: devices)
    let model = try configuration.modelConfiguration(vocabularySize: vocabularySize).makeModel()
    let optimizer = try configuration.optimizer(for: model.parameters)
    let rules = configuration.machine.shardingRules
    var state = optimizer.stateDeclarations.reduce(0) { sum, declaration in
      let type = TensorType(declaration.shape, declaration.elementType)
      return sum + rules.deviceBytes(of: type, isState: true, devices: devices)
    }
    if configuration.variants.contains(where: { configuration.microBatches(of: $0).count > 1 }) {
      state += optimizer.trainedParameters.reduce(0) {
        $0 + rules.deviceBytes(of: TensorType($1.shape), isState: true, devices: devices)
      }
    }
    let weights = model.parameters.reduce(0) {
      $0 + rules.deviceBytes(of: TensorType($1.shape), isState: false, devices: devices)
    }
    self.weights = weights
    let measures = configuration.metrics.statisticsEvery > 0
    if let runtime = try Self.runtime(configuration.machine, devices) {
      let precision = RuntimeProvider(configuration.machine).precision(
        configuration.machine.precision)
      let steps = try TrainingSteps(
        configuration, model: model.configuration, optimizer: optimizer, precision: precision,
        runtime: runtime)
      let sequences = Evaluator.sequences(
        of: evaluationTokens, contextLength: configuration.evaluationContextLength)
      for looksUpInHead in Set(configuration.variants.map(\.variant.looksUpInHead)) {
        let evaluated = configuration.evaluated(steps.definition, looksUpInHead: looksUpInHead)
        _ = try runtime.compile(evaluated.evaluationProgram(sequences: sequences))
      }
      if measures {
        try WeightStatistics(model.parameters, runtime: runtime).prepare()
        _ = try Float8Statistics(configuration, steps.definition, runtime: runtime)
      }
      programs = runtime.programBytes
      self.state = runtime.peakBytes - runtime.programBytes - weights
      isCompiled = true
    } else {
      if measures {
        state += model.parameters.reduce(0) {
          $0 + rules.deviceBytes(of: TensorType($1.shape), isState: true, devices: devices)
        }
      }
      self.state = state
      programs = (memory.total - memory.weights - memory.optimizerState) / devices
      isCompiled = false
    }
  }

  /// A runtime that only compiles; nil where the device has no plugin here, or too few devices.
  private static func runtime(_ machine: MachineSettings, _ devices: Int) throws -> XLARuntime? {
    guard machine.usesXLA else { return nil }
    do {
      return try XLARuntime(
        device: machine.device, devices: devices, sharding: machine.shardingRules)
    } catch let error as XLAError where error.code == .plugin || error.code == .device {
      return nil
    }
  }
}
