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
        whole.append(try subject.run(1))
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

extension BenchSubject {
  /// Runs steps under the profiler.
  func profile(steps: Int) throws -> StepProfile {
    let executable = try runtime.compile(definition.stepProgram())
    guard let profiled = executable as? any ProfiledExecutable else {
      throw CommandFailure(.failed, "this runtime cannot profile")
    }
    bind(executable)
    profiled.startProfile()
    try executable.run()
    _ = profiled.takeProfile()
    for _ in 0..<steps {
      try executable.run()
    }
    guard let profile = profiled.takeProfile() else {
      throw CommandFailure(.failed, "the runtime collected no profile")
    }
    return profile
  }
}
