// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Configurations
import TensorGraph
import Training
import XLARuntime

/// `assay show program`.
struct ShowProgram: ParsableCommand {
  /// What there is to see.
  enum Part: String, CaseIterable, ExpressibleByArgument {
    case graph
    case cost
    case stablehlo
  }

  static let configuration = CommandConfiguration(
    commandName: "program",
    abstract: "Shows a program of a run: its graph, what it costs, and its StableHLO text.",
    discussion: """
      Any key can be given as --section.key=value. The graph is what every runtime gets; StableHLO is what devices behind a plugin get, and is \
      made without one. Memory and costs as XLA's compiler sees them need the plugin: the run's device, or that of --device.
      """)

  @Argument(help: ArgumentHelp("A TOML file, or the name of a preset.", valueName: "config"))
  var path: String

  @OptionGroup var overrides: Overrides

  @Option(help: "graph, cost or stablehlo; everything unless given.")
  var part: Part?

  @Option(help: "Which program of the run; its first unless given, and a wrong name lists them.")
  var program: String?

  @Option(
    help: ArgumentHelp(
      "Instead of the run's device.", valueName: "cpu|xla:cpu|xla:cuda|xla:FILE.so"))
  var device: String?

  func run() throws {
    var overrides = overrides
    if let device { overrides.values.append("machine.device=" + device) }
    let configuration = try TrainingConfiguration(overrides.source(path))
    let entry = try chosen(RunPrograms(configuration).entries)
    let parts = part.map { [$0] } ?? Part.allCases
    if parts.contains(.graph) { Console.data(Self.graph(entry.program) + "\n") }
    if parts.contains(.cost) { Console.data(try Self.cost(entry, configuration.machine) + "\n") }
    if parts.contains(.stablehlo) {
      Console.write(try Self.stableHLO(entry.program, configuration.machine))
    }
  }

  /// Of a plugin that is named by its file, only the plugin knows what it drives.
  private static func stableHLO(_ program: Program, _ machine: MachineSettings) throws -> String {
    if machine.usesXLA, !["xla:cpu", "xla:cuda"].contains(machine.device) {
      return try XLARuntime(
        device: machine.device, devices: machine.devices, sharding: machine.shardingRules
      ).stableHLO(of: program)
    }
    return try XLARuntime.stableHLO(
      of: program, for: machine.device, devices: machine.devices, sharding: machine.shardingRules)
  }

  private func chosen(_ entries: [RunPrograms.Entry]) throws -> RunPrograms.Entry {
    guard let program else { return entries[0] }
    if let found = entries.first(where: { $0.name == program }) { return found }
    let names = entries.map(\.name)
    let meant = nearest(to: program, among: names).map { " Did you mean '\($0)'?" } ?? ""
    throw CommandFailure(
      .usage,
      "the run has no program '\(program)'; it has \(names.joined(separator: ", ")).\(meant)")
  }

  /// One line for each node that is needed, then what is read and what is replaced.
  static func graph(_ program: Program) -> String {
    let live = program.liveNodes()
    func name(_ value: Graph.Value) -> String {
      let node = program.graph.nodes[value.node]
      return "%\(value.node)" + (node.results.count > 1 ? "#\(value.result)" : "")
    }
    var lines: [String] = []
    for (index, node) in program.graph.nodes.enumerated() where live[index] {
      let operands =
        (node.operation as? Leaf).map { "'\($0.label)'" }
        ?? node.inputs.map(name).joined(separator: ", ")
      let kind = (node.operation as? Leaf).map { "\($0.kind)" } ?? node.operation.name
      let types = node.results.map(\.description).joined(separator: ", ")
      lines.append("%\(index) = \(kind)(\(operands)): \(types)")
    }
    for output in program.outputs {
      lines.append("output '\(output.label)': \(name(output.tensor.value))")
    }
    for assignment in program.assignments {
      let leaf = program.graph.nodes[assignment.target.value.node].operation as? Leaf
      lines.append("new '\(leaf?.label ?? "")': \(name(assignment.value.value))")
    }
    if let condition = program.condition {
      lines.append("replaced where \(name(condition.value)) is not 0")
    }
    return lines.joined(separator: "\n")
  }

  /// Kinds of operations with how often they occur, the most frequent first.
  static func kinds(_ counts: [String: Int]) -> String {
    let sorted = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    let shown = sorted.prefix(12).map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    return shown + (sorted.count > 12 ? " and \(sorted.count - 12) kinds more" : "")
  }

  private static func cost(
    _ entry: RunPrograms.Entry, _ machine: MachineSettings
  ) throws -> String {
    var table = Table([.left, .left])
    let cost = entry.program.cost
    let live = entry.program.liveNodes().count(where: { $0 })
    table.add("program", "\(entry.name), \(Numbers.grouped(live)) nodes")
    table.add(
      "graph",
      "\(Numbers.short(cost.flops))FLOP, \(Numbers.bytes(Int(cost.bytes))) read and written if nothing is fused"
    )
    guard machine.usesXLA else {
      table.add("XLA", "machine.device is cpu; --device xla:cpu or xla:cuda asks its compiler")
      return table.text
    }
    let runtime = try XLARuntime(
      device: machine.device, devices: machine.devices, sharding: machine.shardingRules)
    let analysis = try runtime.analysis(of: entry.program)
    table.add("runtime", runtime.summary)
    table.add("compiled in", Numbers.seconds(analysis.compileSeconds))
    if let memory = analysis.memory {
      table.add("memory of a device", Numbers.bytes(memory.total))
      for (name, bytes) in [
        ("arguments", memory.arguments), ("results", memory.outputs),
        ("over arguments", -memory.aliased), ("temporary", memory.temporary),
        ("code", memory.generatedCode),
      ] {
        table.add("  " + name, (bytes < 0 ? "-" : "") + Numbers.bytes(abs(bytes)))
      }
      if let peak = memory.peak { table.add("  most at once", Numbers.bytes(peak)) }
    } else {
      table.add("memory of a device", "the plugin does not tell")
    }
    for (name, counts) in [("StableHLO", analysis.operations), ("compiled", analysis.instructions)]
    where !counts.isEmpty {
      table.add(name, Self.kinds(counts))
    }
    if analysis.costs.isEmpty { table.add("costs", "the plugin does not tell") }
    // What is said of single operands, `bytes accessed0{}`, adds up to the rest.
    let totals = analysis.costs.filter { !$0.key.contains("{") }
    for (name, number) in totals.sorted(by: { $0.key < $1.key }) {
      table.add(name, Numbers.short(number))
    }
    return table.text
  }
}
