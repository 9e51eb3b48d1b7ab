// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// What can be told about a program before it runs: how it is written for a compiler, and what the compiler makes of it.
public struct ProgramReport: Sendable {
  /// Memory that one device needs, in bytes, as its compiler planned it.
  public struct Memory: Hashable, Sendable {
    /// Arguments, those that results overwrite included.
    public let arguments: Int
    /// Results, those that overwrite arguments included.
    public let outputs: Int
    /// The part of the results that overwrites arguments.
    public let aliased: Int
    /// What lives only during a run.
    public let temporary: Int
    /// Machine code and constants.
    public let code: Int
    /// The most that is held at once, as the compiler counts it; nil where it does not say.
    public let peak: Int?
    /// Everything that has to be there during a run: arguments, results that overwrite none, temporaries, code.
    public let total: Int
  }

  /// What a plugin's compiler told.
  public struct Compiled: Sendable {
    /// Seconds that compiling took; nothing was read from a cache.
    public let seconds: Double
    /// Nil where the plugin does not tell.
    public let memory: Memory?
    /// Floating-point operations of one run on one device, as the compiler estimates them; loops may count once. Nil where the plugin
    /// does not tell.
    public let flops: Double?
    /// Bytes read and written in one run on one device, after fusion, as the compiler estimates them; nil where the plugin does not tell.
    public let bytesAccessed: Double?
    /// All that the compiler estimates, by its own names.
    public let costs: [String: Double]
    /// Instructions of the compiled program by name, such as `fusion`, `dot` and `all-reduce`; empty where the plugin does not tell.
    public let instructions: [String: Int]
    /// The compiled program, one instruction a line; nil where the plugin does not tell.
    public let text: String?
  }

  /// The nodes of the graph that the program needs, one a line: number, operation, operands by the numbers of their nodes, types.
  public let graph: [String]
  /// How often each operation of the graph occurs, leaves by their kinds.
  public let graphOperations: [String: Int]
  /// The program in StableHLO.
  public let text: String
  /// How often each operation occurs in it, such as `stablehlo.add`.
  public let operations: [String: Int]
  /// Its compiler's part; nil where no plugin was asked.
  public let compiled: Compiled?

  /// Lowers a program without asking any plugin.
  ///
  /// - Parameters:
  ///   - program: of any precision.
  ///   - devices: that share it.
  ///   - sharding: what is cut among them.
  ///   - runs: that share it; nil: one.
  /// - Throws: ``XLAError`` for an operation without a lowering.
  public init(
    lowering program: Program, devices: Int = 1, sharding: ShardingRules = ShardingRules(),
    runs: Int? = nil
  ) throws {
    let plan = ShardingPlan(devices: devices, rules: sharding, runs: runs)
    self.init(program, try LoweredProgram(program, runs: runs, plan: plan), nil)
  }

  init(_ program: Program, _ lowered: LoweredProgram, _ compiled: Compiled?) {
    let live = program.liveNodes()
    let nodes = program.graph.nodes.indices.filter { live[$0] }
    graph = nodes.map(program.graph.line)
    graphOperations = Self.counts(
      nodes.map { index in
        let operation = program.graph.nodes[index].operation
        if let leaf = operation as? Leaf { return "\(leaf.kind)" }
        return operation is Constant ? "constant" : operation.name
      })
    text = lowered.text
    operations = Self.operations(of: lowered.text)
    self.compiled = compiled
  }

  /// Operations by name: of each line the first word of a dialect that stands where an operation does.
  static func operations(of text: String) -> [String: Int] {
    counts(
      text.split(separator: "\n").compactMap { line in
        let words = line.split(separator: " ")
        guard let word = words.first else { return nil }
        let name: Substring
        if word.hasPrefix("%") {
          guard words.count > 2, words[1] == "=" else { return nil }
          name = words[2]
        } else {
          name = word
        }
        let plain = name.prefix { $0 != "(" && $0 != "\"" }
        return plain.hasPrefix("stablehlo.") || plain.hasPrefix("chlo.") ? String(plain) : nil
      })
  }

  private static func counts(_ names: [String]) -> [String: Int] {
    names.reduce(into: [:]) { $0[$1, default: 0] += 1 }
  }
}

extension XLARuntime {
  /// Lowers a program as `compile` does, compiles it anew, and tells what came out; nothing is run.
  ///
  /// - Throws: ``XLAError`` when an operation has no lowering or the plugin cannot compile the program.
  public func report(on program: Program) throws -> ProgramReport {
    try store.report(on: program)
  }
}

extension DeviceStore {
  func report(on program: Program) throws -> ProgramReport {
    let lowered = try LoweredProgram(program, runs: runs, plan: plan)
    let compiler = ProgramCompiler(client, cache: nil)
    let (loaded, compilation) = try load(lowered, program, compiler)
    let costs = loaded.costs
    let module = loaded.optimizedModule
    return ProgramReport(
      program, lowered,
      ProgramReport.Compiled(
        seconds: compilation.seconds, memory: loaded.memory.map(ProgramReport.Memory.init),
        flops: costs["flops"], bytesAccessed: costs["bytes accessed"], costs: costs,
        instructions: module?.operationCounts ?? [:], text: module?.text ?? loaded.optimizedText))
  }
}

extension ProgramReport.Memory {
  init(_ memory: MemoryStatistics) {
    self.init(
      arguments: memory.arguments, outputs: memory.outputs, aliased: memory.aliased,
      temporary: memory.temporary, code: memory.generatedCode, peak: memory.peak,
      total: memory.total)
  }
}
