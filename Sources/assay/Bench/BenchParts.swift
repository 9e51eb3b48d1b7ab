// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import CPURuntime
import Foundation
import LanguageModels
import Optimizers
import TensorGraph
import Training

/// `assay bench products`.
struct BenchProducts: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "products",
    abstract: "Runs exactly the large matrix products of one step, and nothing else.")

  @OptionGroup var options: BenchOptions

  @Option(help: "Measurements.")
  var rounds = 9

  struct Row: Encodable {
    let precision: String
    let milliseconds: Double
    let stepMilliseconds: Double
    let share: Double
    let flops: Double
    let flopsPerSecond: Double

    enum CodingKeys: String, CodingKey {
      case precision, milliseconds, share, flops
      case stepMilliseconds = "step_milliseconds"
      case flopsPerSecond = "flops_per_second"
    }
  }

  func run() throws {
    var rows: [Row] = []
    for precision in [Precision.fp32, .bf16] {
      let subject = try BenchSubject(options.shape, precision: precision, threads: options.threads)
      try subject.check()
      let program = try subject.definition.stepProgram()
      let products = try subject.runtime.compileProducts(of: program)
      products.run(.compute)
      var alone: [Double] = []
      var whole: [Double] = []
      for _ in 0..<rounds {
        alone.append(ContinuousClock().measure { products.run(.compute) } / .seconds(1))
        whole.append(subject.run(1))
      }
      let flops = Self.productFlops(program)
      rows.append(
        Row(
          precision: precision.rawValue, milliseconds: median(alone) * 1e3,
          stepMilliseconds: median(whole) * 1e3,
          share: median(zip(alone, whole).map { $0 / $1 }), flops: flops,
          flopsPerSecond: flops / median(alone)))
    }
    if options.json { return try Console.json(rows) }
    var table = Table([
      ("precision", .left), ("products", .right), ("whole step", .right), ("share", .right),
      ("speed", .right),
    ])
    for row in rows {
      table.add(
        row.precision, Numbers.fixed(row.milliseconds, 1) + " ms",
        Numbers.fixed(row.stepMilliseconds, 1) + " ms", Numbers.fixed(row.share * 100, 0) + " %",
        Numbers.short(row.flopsPerSecond) + "FLOP/s")
    }
    Console.data(table.text)
  }

  /// FLOPs of the matrix products and the head's.
  static func productFlops(_ program: Program) -> Double {
    let live = program.liveNodes()
    var total = 0.0
    for (index, node) in program.graph.nodes.enumerated() where live[index] {
      switch node.operation {
      case is MatrixProduct, is LinearCrossEntropy, is LinearCrossEntropyGradient:
        total +=
          node.operation.cost(inputs: node.inputs.map(program.graph.type), results: node.results)
          .flops
      default: continue
      }
    }
    return total
  }
}

/// `assay bench profile`.
struct BenchProfile: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "profile", abstract: "Shows where the time of a step goes, kernel by kernel.")

  @OptionGroup var options: BenchOptions

  @Option(help: "fp32 or bf16.")
  var precision = "bf16"

  @Option(help: "Steps to look at.")
  var steps = 10

  @Option(help: "Kernels to list.")
  var top = 20

  struct Row: Encodable {
    let category: String
    let kernel: String?
    let millisecondsPerStep: Double
    let share: Double

    enum CodingKeys: String, CodingKey {
      case category, kernel, share
      case millisecondsPerStep = "milliseconds_per_step"
    }
  }

  func run() throws {
    guard let precision = Precision(rawValue: precision) else {
      throw CommandFailure(.usage, "no precision '\(precision)'; use fp32 or bf16")
    }
    let subject = try BenchSubject(options.shape, precision: precision, threads: options.threads)
    try subject.check()
    let profile = try subject.profile(steps: steps)
    let each = 1e3 / Double(steps)
    let categories = profile.byCategory.map {
      Row(
        category: $0.category, kernel: nil, millisecondsPerStep: $0.seconds * each,
        share: $0.seconds / profile.seconds)
    }
    let kernels = profile.entries.prefix(top).map {
      Row(
        category: $0.category, kernel: $0.label, millisecondsPerStep: $0.seconds * each,
        share: $0.seconds / profile.seconds)
    }
    if options.json { return try Console.json(categories + kernels) }
    for rows in [categories, Array(kernels)] {
      var table = Table([
        ("class", .left), ("kernel", .left), ("processor ms/step", .right), ("share", .right),
      ])
      for row in rows {
        table.add(
          row.category, row.kernel ?? "", Numbers.fixed(row.millisecondsPerStep, 2),
          Numbers.fixed(row.share * 100, 1) + " %")
      }
      Console.data(table.text + "\n")
    }
  }
}

/// `assay bench update`.
struct BenchUpdate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "update",
    abstract: "Times the optimizer's update against a plain copy of as many bytes.")

  @OptionGroup var options: BenchOptions

  @Option(help: "Measurements.")
  var rounds = 15

  struct Row: Encodable {
    let parameters: Int
    let milliseconds: Double
    let bytes: Double
    let bytesPerSecond: Double
    let copyBytesPerSecond: Double
    let share: Double

    enum CodingKeys: String, CodingKey {
      case parameters, milliseconds, bytes, share
      case bytesPerSecond = "bytes_per_second"
      case copyBytesPerSecond = "copy_bytes_per_second"
    }
  }

  func run() throws {
    let subject = try BenchSubject(options.shape, precision: .fp32, threads: options.threads)
    try subject.check()
    let count = subject.definition.model.parameters.reduce(0) { $0 + $1.shape.count }
    // Reads weight, gradient and state, writes weight and state.
    let bytes = Double(count) * (12 + 2 * subject.card.stateBytesPerParameter)
    let update = try subject.updateAlone()
    update.run(.compute)
    update.run(.commit)
    let probe = MachineProbe(subject.runtime)
    var times: [Double] = []
    var copies: [Double] = []
    for _ in 0..<rounds {
      times.append(ContinuousClock().measure { update.run(.commit) } / .seconds(1))
      copies.append(try probe.copyBandwidth(byteCount: Int(bytes / 2), repetitions: 1))
    }
    let row = Row(
      parameters: count, milliseconds: median(times) * 1e3, bytes: bytes,
      bytesPerSecond: bytes / median(times), copyBytesPerSecond: median(copies),
      share: median(zip(times, copies).map { bytes / $0 / $1 }))
    if options.json { return try Console.json(row) }
    Console.data(
      "\(subject.card.name) on \(Numbers.grouped(count)) parameters: \(Numbers.fixed(row.milliseconds, 2)) ms, "
        + "\(Numbers.short(row.bytesPerSecond))B/s, \(Numbers.fixed(row.share * 100, 0)) % of a "
        + "plain copy's \(Numbers.short(row.copyBytesPerSecond))B/s")
  }
}

extension BenchSubject {
  /// Runs steps under the profiler.
  func profile(steps: Int) throws -> StepProfile {
    let executable = try runtime.compile(definition.stepProgram())
    guard let profiled = executable as? any ProfiledExecutable else {
      throw CommandFailure(.failed, "this runtime cannot profile")
    }
    bind(executable)
    profiled.startProfile()
    executable.run(.compute)
    executable.run(.commit)
    _ = profiled.takeProfile()
    for _ in 0..<steps {
      executable.run(.compute)
      executable.run(.commit)
    }
    guard let profile = profiled.takeProfile() else {
      throw CommandFailure(.failed, "the runtime collected no profile")
    }
    return profile
  }

  /// The update of accumulated gradients, with its scalars set.
  func updateAlone() throws -> any Executable {
    let executable = try runtime.compile(definition.updateProgram())
    bind(executable)
    return executable
  }
}
