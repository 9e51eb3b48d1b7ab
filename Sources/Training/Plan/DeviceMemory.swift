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
  /// The share of what the optimizer keeps between steps, and of gradients that are added up over micro-batches.
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
  /// `Runtime.peakBytes` will be.
  ///
  /// - Parameters:
  ///   - configuration: The run.
  ///   - devices: Devices to plan for.
  ///   - memory: The run on the processor.
  ///   - vocabularySize: Of the data.
  ///   - evaluationTokens: Of one evaluation.
  /// - Throws: Errors of configuration, `GraphError`, errors of the plugin's compiler.
  public init(
    _ configuration: TrainingConfiguration, devices: Int, memory: MemoryEstimate,
    vocabularySize: Int, evaluationTokens: Int
  ) throws {
    self.devices = devices
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
    self.state = state
    weights = model.parameters.reduce(0) {
      $0 + rules.deviceBytes(of: TensorType($1.shape), isState: false, devices: devices)
    }
    if let runtime = Self.runtime(configuration.machine, devices) {
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
      programs = runtime.programBytes
      isCompiled = true
    } else {
      programs = (memory.total - memory.weights - memory.optimizerState) / devices
      isCompiled = false
    }
  }

  /// A runtime that only compiles; nil where the device has no plugin here, or too few devices.
  private static func runtime(_ machine: MachineSettings, _ devices: Int) -> XLARuntime? {
    guard machine.usesXLA else { return nil }
    return try? XLARuntime(
      device: machine.device, devices: devices, sharding: machine.shardingRules)
  }
}
