// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import LanguageModels
import Optimizers
import TensorFiles
import TensorGraph

/// Which weights of a run somebody wants to use.
public enum WeightChoice: String, Sendable, CaseIterable {
  /// Those that evaluation uses: the optimizer's average where it keeps one.
  case evaluated
  /// Those that gradients are taken at.
  case trained
}

/// A run's model with the weights of a checkpoint, for use rather than training.
public final class TrainedModel {
  /// The run's configuration.
  public let configuration: TrainingConfiguration
  /// The checkpoint's step.
  public let step: Int
  /// The model, its optimizer, one sequence.
  public let definition: StepDefinition
  let runtime: any Runtime
  /// What averages are made with and the model reads.
  let numbers: ModelNumbers

  /// Opens a run.
  ///
  /// - Parameters:
  ///   - folder: of the run.
  ///   - step: of the checkpoint; nil: the newest.
  ///   - weights: which weights.
  ///   - device: what executes the model, as in `machine.device`; nil: one device of the run's configuration.
  ///   - given: what makes the runtime; nil: the device does.
  /// - Throws: ``TrainingError`` when there is no such run or checkpoint, and errors of configuration and files.
  public init(
    run folder: String, step: Int? = nil, weights: WeightChoice = .evaluated,
    device: String? = nil, runtime given: RuntimeProvider? = nil
  ) throws {
    let store = CheckpointStore(folder: folder + "/checkpoints")
    guard let newest = store.steps().first else {
      throw TrainingError(
        .runFolder, "\(folder) holds no checkpoint; give the folder of a run that has trained")
    }
    if let step, !store.steps().contains(step) {
      let known = store.steps().map(String.init).joined(separator: ", ")
      throw TrainingError(
        .checkpoint, "\(folder) holds no checkpoint of step \(step); there are \(known)")
    }
    let checkpoint = try store.checkpoint(step: step ?? newest)
    var source = ConfigurationSource()
    try source.add(file: folder + "/configuration.toml")
    configuration = try TrainingConfiguration(source)
    let file = try TensorFile(path: checkpoint.tensorPath)
    let tables = [ModelConfiguration.tableName, ModelConfiguration.headName]
    guard let vocabularySize = tables.compactMap({ file[$0]?.shape.first }).first else {
      throw TrainingError(
        .checkpoint, "\(file.path) holds no token table '\(ModelConfiguration.tableName)'")
    }
    let done = checkpoint.manifest.progress.step
    let model = try configuration.modelConfiguration(
      vocabularySize: vocabularySize
    ).variant(
      contextLength: configuration.model.contextLength,
      looksUpInHead: configuration.variant(at: min(done, configuration.training.steps - 1))
        .looksUpInHead
    ).makeModel()
    let precision = checkpoint.manifest.precision
    definition = StepDefinition(
      model: model, optimizer: try configuration.optimizer(for: model.parameters), sequences: 1,
      precision: precision)
    let threads = configuration.machine.threads
    // One sequence cannot be cut among devices.
    var machine = configuration.machine
    machine.devices = 1
    machine.device = device ?? machine.device
    runtime = try (given ?? RuntimeProvider(machine)).make(precision, threads > 0 ? threads : nil)
    self.step = checkpoint.manifest.progress.step
    var clock = checkpoint.manifest.stepState.clock
    let settings = configuration.settings(
      at: max(0, self.step - 1), definition.optimizer)
    var numbers = configuration.evaluationNumbers(after: self.step)
    numbers.scalars.merge(
      definition.optimizer.numbers(settings.conditions, advancing: &clock)
    ) { own, _ in own }
    self.numbers = numbers

    // A program that reads everything makes room for it.
    let program = try BoundProgram(definition.exportProgram(weights), runtime)
    let tensors = KeptTensors(definition, runtime: runtime)
    try checkpoint.load(into: tensors)
    if weights == .evaluated {
      program.set(numbers)
      try program.executable.run()
      for parameter in model.parameters {
        try runtime.kept(parameter.name, for: .writing)?.copyMemory(
          from: program.executable.output("export." + parameter.name))
      }
    }
    if model.configuration.looksUpInHead { try fillTable() }
  }

  /// Before a table is untied its own weights are those that it was made with, and nobody reads them: what it stands for is the head.
  private func fillTable() throws {
    guard let head = try runtime.kept(ModelConfiguration.headName, for: .reading),
      let table = try runtime.kept(ModelConfiguration.tableName, for: .writing),
      head.count == table.count
    else { preconditionFailure("no two tables of one shape are kept") }
    table.copyMemory(from: UnsafeRawBufferPointer(head))
  }

  /// Writes the weights as safetensors, by the parameters' names.
  ///
  /// Where tokens are still looked up in the head's weight, the token table that is to be untied later is written as a copy of it.
  ///
  /// - Throws: `TensorFileError`, or what the runtime throws.
  public func export(to path: String) throws {
    let tensors = try definition.model.parameters.compactMap { parameter in
      try runtime.kept(parameter.name, for: .reading).map {
        TensorFileWriter.Tensor(
          name: parameter.name, elementType: .float32, shape: parameter.shape.dimensions,
          bytes: UnsafeRawBufferPointer($0))
      }
    }
    try TensorFileWriter.write(
      tensors, metadata: ["step": String(step), "configuration": configuration.identity], to: path)
  }
}

extension StepDefinition {
  /// All weights and all state, so that a checkpoint can be read; outputs `export.PARAMETER` are the weights of the choice.
  ///
  /// - Throws: `GraphError`.
  func exportProgram(_ choice: WeightChoice) throws(GraphError) -> Program {
    let graph = Graph()
    var outputs: [(String, Tensor)] = []
    for parameter in model.parameters {
      let weights = graph.parameter(parameter.name, parameter.shape)
      let chosen = choice == .evaluated ? optimizer.evaluated(parameter, weights) : weights
      outputs.append(("export." + parameter.name, chosen))
      outputs.append(("trained." + parameter.name, weights))
    }
    for state in stateDeclarations {
      outputs.append((state.label, graph.state(state.label, state.shape, state.elementType)))
    }
    return try Program(graph: graph, outputs: outputs)
  }
}
