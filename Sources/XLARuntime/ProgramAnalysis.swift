// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// A program as XLA sees it.
public struct ProgramAnalysis: Codable, Equatable, Sendable {
  /// Bytes that one device's share takes, as the plugin's compiler planned it.
  public struct Memory: Codable, Equatable, Sendable {
    /// Weights, state and inputs.
    public let arguments: Int
    /// New weights and state, and outputs.
    public let outputs: Int
    /// The part of the outputs that is written over arguments.
    public let aliased: Int
    /// What lives only while the program runs.
    public let temporary: Int
    /// Machine code and constants.
    public let generatedCode: Int
    /// The most that is held at once, as the compiler counts it; nil where it does not say.
    public let peak: Int?
    /// All that has to be there while it runs.
    public let total: Int
  }

  /// The program in StableHLO, as it was compiled.
  public let text: String
  /// How often each operation stands in the text, such as `stablehlo.add`; what stands in a loop counts once.
  public let operations: [String: Int]
  /// Seconds that the plugin took to compile it; nothing was read from a cache.
  public let compileSeconds: Double
  /// Nil where the plugin does not tell.
  public let memory: Memory?
  /// The compiler's estimates by their names, such as `flops` and `bytes accessed`; empty where the plugin does not tell.
  public let costs: [String: Double]
  /// How often each instruction stands in the compiled program, such as `fusion`, `dot` and `all-reduce`; empty where the plugin does not
  /// tell.
  public let instructions: [String: Int]

  /// Floating-point operations of a run on one device, as the compiler estimates them; nil where the plugin does not tell.
  public var flops: Double? { costs["flops"] }
  /// Bytes read and written in a run on one device, as the compiler estimates them; nil where the plugin does not tell.
  public var bytesAccessed: Double? { costs["bytes accessed"] }

  /// How often each operation stands in a text of StableHLO.
  ///
  /// - Parameter text: as `XLARuntime.stableHLO` gives it.
  /// - Returns: counts by name, with the dialect.
  public static func operations(of text: String) -> [String: Int] {
    var counts: [String: Int] = [:]
    for line in text.split(separator: "\n") {
      // `%v1 = stablehlo.add %v2, ...`, or `stablehlo.return ...` without results.
      let words = line.split(separator: " ", maxSplits: 3)
      guard let first = words.first else { continue }
      var name = first
      if first.hasPrefix("%") {
        guard words.count > 2, words[1] == "=" else { continue }
        name = words[2]
      }
      name = name.prefix { $0 != "(" && $0 != "\"" }
      if name.hasPrefix("stablehlo.") || name.hasPrefix("chlo.") {
        counts[String(name), default: 0] += 1
      }
    }
    return counts
  }
}

extension XLARuntime {
  /// A program as StableHLO text; needs no plugin.
  ///
  /// - Parameters:
  ///   - program: any program.
  ///   - device: `xla:cpu` or `xla:cuda`, for what is quick there; others: a device of no particular kind.
  ///   - devices: of how many devices share it.
  ///   - sharding: what is cut among them.
  ///   - runs: that share it; nil: one.
  /// - Returns: one module.
  /// - Throws: ``XLAError`` for an operation that has no lowering.
  public static func stableHLO(
    of program: Program, for device: String? = nil, devices: Int = 1,
    sharding: ShardingRules = ShardingRules(), runs: Int? = nil
  ) throws -> String {
    let platform = device.map { $0.hasPrefix("xla:") ? String($0.dropFirst(4)) : $0 } ?? ""
    return try LoweredProgram(
      program, runs: runs, plan: ShardingPlan(devices: devices, rules: sharding, runs: runs),
      target: LoweringTarget(platform: platform)
    ).text
  }

  /// A program as StableHLO text, as this runtime gives it to its plugin.
  ///
  /// - Throws: ``XLAError`` for an operation that has no lowering.
  public func stableHLO(of program: Program) throws -> String { try store.lower(program).text }

  /// Compiles a program for no other purpose than to ask about it.
  ///
  /// - Parameter program: any program.
  /// - Returns: what the plugin says.
  /// - Throws: ``XLAError`` when the program has no lowering or the plugin cannot compile it.
  public func analysis(of program: Program) throws -> ProgramAnalysis {
    let lowered = try store.lower(program)
    let (loaded, compilation) = try store.load(
      lowered, program, ProgramCompiler(store.client, cache: nil))
    return ProgramAnalysis(
      text: lowered.text, operations: ProgramAnalysis.operations(of: lowered.text),
      compileSeconds: compilation.seconds,
      memory: loaded.memory.map {
        ProgramAnalysis.Memory(
          arguments: $0.arguments, outputs: $0.outputs, aliased: $0.aliased,
          temporary: $0.temporary, generatedCode: $0.generatedCode, peak: $0.peak, total: $0.total)
      },
      costs: loaded.costs, instructions: loaded.optimizedModule?.operationCounts ?? [:])
  }
}
