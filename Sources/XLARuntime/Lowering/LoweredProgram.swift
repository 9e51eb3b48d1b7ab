// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

/// A program as StableHLO text, and what its arguments and results mean.
///
/// One call is a whole run: outputs, and the kept tensors after it. A kept tensor that is assigned shares its memory with its new
/// value. All scalar leaves are one argument and all scalar outputs one result, so that a step moves few small buffers.
struct LoweredProgram {
  /// Where an argument comes from.
  enum Source: Hashable {
    /// A parameter or state.
    case kept(String)
    /// What the host writes before a run.
    case input(String)
    /// All scalar leaves, packed in the order of `scalarLabels`.
    case scalars
  }

  /// One argument of the entry function.
  struct Argument {
    let source: Source
    /// Its type without the axis of runs.
    let type: TensorType
    /// Whether each run has its own.
    let isBatched: Bool
    let sharding: Sharding
  }

  /// One result of the entry function.
  struct Result {
    let type: TensorType
    let isBatched: Bool
    let sharding: Sharding
  }

  /// The scalar that says whether a run wants the program, where several share it; 0 leaves what it keeps as it is.
  static let activeLabel = "run_is_active"

  /// The module.
  let text: String
  let arguments: [Argument]
  let scalarLabels: [String]
  /// Outputs that are float32 scalars, in the order of the first result; there is none when this is empty.
  let packedOutputs: [String]
  /// All other outputs that are computed, in order.
  let outputs: [(label: String, result: Result)]
  /// Outputs that are leaves: what is read is the leaf.
  let leafOutputs: [String: Leaf]
  /// Kept tensors that are replaced, after the outputs.
  let assigned: [(label: String, result: Result)]
  /// Runs that share the program.
  let runs: Int?
  /// Results of the entry function.
  var resultCount: Int { (packedOutputs.isEmpty ? 0 : 1) + outputs.count + assigned.count }

  /// Lowers a program.
  ///
  /// - Parameters:
  ///   - program: of any precision.
  ///   - runs: how many runs share it; nil: one.
  ///   - plan: how tensors lie on devices.
  ///   - target: what is quick there.
  /// - Throws: ``XLAError`` for an operation that has no lowering.
  init(
    _ program: Program, runs: Int? = nil, plan: ShardingPlan = ShardingPlan(),
    target: LoweringTarget = LoweringTarget()
  ) throws(XLAError) {
    let lowering = ProgramLowering(program, runs: runs, plan: plan, target: target)
    try lowering.lowerNodes()
    lowering.lowerResults()
    text = lowering.module()
    arguments = lowering.arguments
    scalarLabels = lowering.scalarLabels
    packedOutputs = lowering.packedOutputs
    outputs = lowering.outputs
    leafOutputs = lowering.leafOutputs
    assigned = lowering.assigned
    self.runs = runs
  }
}

/// Writes one program.
private final class ProgramLowering {
  let program: Program
  let runs: Int?
  let plan: ShardingPlan
  let target: LoweringTarget
  let builder: HLOBuilder
  var arguments: [LoweredProgram.Argument] = []
  var scalarLabels: [String] = []
  var packedOutputs: [String] = []
  var outputs: [(label: String, result: LoweredProgram.Result)] = []
  var leafOutputs: [String: Leaf] = [:]
  var assigned: [(label: String, result: LoweredProgram.Result)] = []
  private var argumentValues: [HLOValue] = []
  private var leafValues: [String: HLOValue] = [:]
  private var values: [[HLOValue]]
  /// Whether a run's assignments are carried out; nil: always.
  private var isAllowed: HLOValue?
  /// What is chosen for kept tensors whose new value later nodes may read.
  private var keptValues: [Graph.Value: HLOValue] = [:]
  private var results: [(value: HLOValue, result: LoweredProgram.Result)] = []
  private var aliases: [Int: Int] = [:]

  init(_ program: Program, runs: Int?, plan: ShardingPlan, target: LoweringTarget) {
    self.target = target
    self.program = program
    self.runs = runs
    self.plan = plan
    builder = HLOBuilder(runs: runs)
    values = program.graph.nodes.map { _ in [] }
    bindLeaves()
  }

  // MARK: - Arguments

  private func bindLeaves() {
    let leaves = program.leaves
    for leaf in leaves where leaf.kind == .parameter || leaf.kind == .state {
      bind(leaf, .kept(leaf.label), isBatched: runs != nil, plan.kept(leaf))
    }
    for leaf in leaves where leaf.kind == .input {
      // Tokens are the same for all runs; numbers drawn from a seed or given by a schedule are each run's own.
      let isBatched = runs != nil && leaf.type.elementType != .int32
      bind(leaf, .input(leaf.label), isBatched: isBatched, plan.input(leaf))
    }
    scalarLabels =
      leaves.filter { $0.kind == .scalar }.map(\.label)
      + (runs == nil ? [] : [LoweredProgram.activeLabel])
    guard !scalarLabels.isEmpty else { return }
    let packed = argument(
      .scalars, TensorType([scalarLabels.count]), isBatched: runs != nil,
      runs == nil ? .replicated : plan.numbers)
    for (index, label) in scalarLabels.enumerated() {
      leafValues[label] = packed.slice(0, index..<index + 1).reshaped([])
    }
  }

  private func bind(
    _ leaf: Leaf, _ source: LoweredProgram.Source, isBatched: Bool, _ sharding: Sharding
  ) {
    leafValues[leaf.label] = argument(source, leaf.type, isBatched: isBatched, sharding)
  }

  private func argument(
    _ source: LoweredProgram.Source, _ type: TensorType, isBatched: Bool, _ sharding: Sharding
  ) -> HLOValue {
    arguments.append(
      LoweredProgram.Argument(source: source, type: type, isBatched: isBatched, sharding: sharding))
    let value = builder.fresh(type.shape.dimensions, type.element, isBatched)
    argumentValues.append(value)
    return value
  }

  // MARK: - Body

  /// Lowers what outputs and condition need, then what is assigned.
  ///
  /// A value that is kept is chosen from new and old at once, and later nodes read what was chosen. They need it only where the new one
  /// was, and so the old tensor's memory is free as soon as the new one is written: nothing is copied.
  func lowerNodes() throws(XLAError) {
    let live = program.liveNodes()
    let isComputed = program.computeNodes()
    let context = LoweringContext(builder: builder, devices: plan.devices, target: target)
    for (index, node) in program.graph.nodes.enumerated() {
      // Leaves first: a value may be kept in one that the graph names later.
      if let leaf = node.operation as? Leaf, let value = leafValues[leaf.label] {
        values[index] = [value]
      }
    }
    for (index, node) in program.graph.nodes.enumerated() where isComputed[index] {
      try lower(node, index, context)
    }
    let conditions =
      [program.condition.map(value), leafValues[LoweredProgram.activeLabel]].compactMap(\.self)
    isAllowed = conditions.map { $0.compared(.notEqual, 0) }.reduce(nil) { all, one in
      all.map { $0.and(one) } ?? one
    }.map(context.stored)
    let assigned = Dictionary(
      program.assignments.map { ($0.value.value, $0.target) },
      uniquingKeysWith: { first, _ in first })
    for (index, node) in program.graph.nodes.enumerated() where live[index] && !isComputed[index] {
      try lower(node, index, context)
      for result in node.results.indices {
        guard let target = assigned[Graph.Value(node: index, result: result)] else { continue }
        let kept = chosen(values[index][result], over: value(target))
        values[index][result] = kept
        keptValues[target.value] = kept
      }
    }
  }

  private func lower(_ node: Graph.Node, _ index: Int, _ context: LoweringContext) throws(XLAError)
  {
    if node.operation is Leaf { return }
    let inputs = node.inputs.map { values[$0.node][$0.result] }
    guard let operation = node.operation as? any StableHLOOperation else {
      throw XLAError(
        .compilation, "\(node.operation.name) (node \(index)): this runtime has no lowering of it")
    }
    builder.note(ProgramPlace.remark(index, node.operation.name))
    let found = operation.lower(inputs, results: node.results, context)
    precondition(
      found.count == node.results.count,
      "\(node.operation.name) gave \(found.count) results, not \(node.results.count)")
    for (value, type) in zip(found, node.results) {
      precondition(
        value.shape == type.shape.dimensions && value.element == type.element,
        "\(node.operation.name) (node \(index)) gave \(value.type) for \(type)")
    }
    values[index] = found
  }

  /// What is kept: the new value where the condition holds.
  private func chosen(_ new: HLOValue, over old: HLOValue) -> HLOValue {
    isAllowed.map { builder.select($0, new, old) } ?? new
  }

  private func value(_ tensor: Tensor) -> HLOValue {
    values[tensor.value.node][tensor.value.result]
  }

  // MARK: - Results

  func lowerResults() {
    builder.note(ProgramPlace.resultsRemark)
    let computed = program.outputs.filter { output in
      guard let leaf = program.graph.nodes[output.tensor.value.node].operation as? Leaf else {
        return true
      }
      leafOutputs[output.label] = leaf
      return false
    }
    let isScalar = { (output: Program.Output) in output.tensor.type == TensorType([]) }
    let scalars = computed.filter(isScalar)
    if !scalars.isEmpty {
      packedOutputs = scalars.map(\.label)
      let all = builder.concatenate(scalars.map { value($0.tensor).reshaped([1]) }, axis: 0)
      add(
        all,
        LoweredProgram.Result(
          type: TensorType([scalars.count]), isBatched: runs != nil,
          sharding: .replicated))
    }
    for output in computed where !isScalar(output) {
      let value = value(output.tensor)
      let result = LoweredProgram.Result(
        type: output.tensor.type, isBatched: value.isBatched, sharding: .replicated)
      outputs.append((output.label, result))
      add(value, result)
    }
    for assignment in program.assignments {
      guard let leaf = program.graph.nodes[assignment.target.value.node].operation as? Leaf,
        let index = arguments.firstIndex(where: { $0.source == .kept(leaf.label) })
      else { preconditionFailure("an assignment's target is a kept tensor") }
      let kept =
        keptValues[assignment.target.value]
        ?? chosen(value(assignment.value), over: value(assignment.target))
      let result = LoweredProgram.Result(
        type: leaf.type, isBatched: runs != nil, sharding: arguments[index].sharding)
      assigned.append((leaf.label, result))
      aliases[index] = results.count
      add(kept, result)
    }
  }

  private func add(_ value: HLOValue, _ result: LoweredProgram.Result) {
    results.append((result.isBatched ? builder.batched(value) : value, result))
  }

  /// What each argument and result is, so that equal texts mean equal programs.
  private var remarks: [String] {
    arguments.map { "// argument: \($0.source), \($0.type)" }
      + ["// scalars: \(scalarLabels.joined(separator: ", "))"]
      + ["// scalar results: \(packedOutputs.joined(separator: ", "))"]
      + (outputs + assigned).map { "// result: \($0.label), \($0.result.type)" }
      + leafOutputs.sorted { $0.key < $1.key }.map {
        "// read as it is: \($0.key), \($0.value.label)"
      }
  }

  func module() -> String {
    let parameters = zip(argumentValues, arguments).enumerated().map { index, pair in
      var attributes: [String] = []
      if let target = aliases[index] { attributes.append("tf.aliasing_output = \(target) : i32") }
      attributes += pair.1.sharding.attribute(pair.0, plan)
      let text = attributes.isEmpty ? "" : " {\(attributes.joined(separator: ", "))}"
      return "\(pair.0.name): \(pair.0.type)\(text)"
    }
    let types = results.map { value, result in
      let attributes = result.sharding.attribute(value, plan)
      return value.type
        + (attributes.isEmpty ? "" : " {\(attributes.joined(separator: ", "))}")
    }
    let names = results.map(\.value.name).joined(separator: ", ")
    let plain = results.map(\.value.type).joined(separator: ", ")
    let returned = results.isEmpty ? "return" : "return \(names) : \(plain)"
    return """
      \(remarks.joined(separator: "\n"))
      module @assay attributes {mhlo.num_partitions = \(plan.devices) : i32, mhlo.num_replicas = 1 : i32} {
      func.func public @main(\(parameters.joined(separator: ", "))) -> (\(types.joined(separator: ", "))) {
      \(builder.lines.joined(separator: "\n"))
      \(returned)
      }
      }

      """
  }
}
