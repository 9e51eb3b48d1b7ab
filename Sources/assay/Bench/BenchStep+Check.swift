// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPURuntime
import Foundation
import LanguageModels
import TensorFiles
import TensorGraph
import Training
import XLARuntime

/// Whether steps are right, and nothing about their time.
extension BenchStep {
  /// What was compared.
  struct CheckReport: Encodable {
    /// One precision.
    struct Entry: Encodable {
      let precision: String
      let losses: [Double]
      let gradientNorms: [Double]
      /// Relative errors by what they are of.
      let errors: [String: Double]
      /// How large each may be.
      let limits: [String: Double]

      enum CodingKeys: String, CodingKey {
        case precision, losses, errors, limits
        case gradientNorms = "gradient_norms"
      }
    }

    let shape: String
    var runtime: String
    /// Whose steps the runtime's were compared with.
    let reference: String
    var precisions: [Entry] = []

    var text: String {
      let lines = precisions.map { entry in
        let worst = entry.errors.max { $0.value < $1.value }
        return "\(entry.precision): right; the most that is off: "
          + (worst.map { "\($0.key), by \(Self.text($0.value))" } ?? "nothing")
      }
      return (["\(runtime), beside \(reference)"] + lines).joined(separator: "\n")
    }

    fileprivate static func text(_ error: Double) -> String { String(format: "%.1e", error) }
  }

  /// Steps, and what they left.
  private struct Steps {
    var losses: [Double] = []
    var gradientNorms: [Double] = []
    var weights: [String: [Float]] = [:]
  }

  /// Those of `Benchmarks/peers/step_check.py`.
  private static let learningRate = 3e-4
  private static let stepCount = 4
  /// Of the first loss and gradient norm, of later losses, and of the last weights.
  ///
  /// The processor's bf16 is held to what its rounding (2^-9) can do. Four steps of 3e-4 move weights by 6e-2, and bf16 by 5e-3 elsewhere.
  private static let tolerances: [Precision: (first: Double, later: Double, weights: Double)] = [
    .fp32: (1e-5, 1e-4, 1e-4), .bf16: (2e-2, 5e-2, 2e-2),
  ]
  /// A device's bf16 may be off by so many times what the processor's is off by, and by half of its rounding beside that.
  private static let share = 2.0
  private static let floor = 1e-3

  /// Compares steps on the device with those of the processor, or of a file.
  func checkSteps() throws {
    let file = try stepsFrom.map { try TensorFile(path: $0) }
    let processor = try CPURuntime(threads: options.threads)
    let expected = try file.map(read) ?? run(processor, .fp32, from: nil, to: stepsTo)
    var report = CheckReport(
      shape: options.shape.rawValue, runtime: processor.summary,
      reference: stepsFrom ?? processor.summary)
    for precision in precision.all where device != nil || file != nil {
      var entry: CheckReport.Entry?
      if device == nil || precision == .bf16 {
        let near = try run(CPURuntime(threads: options.threads), precision, from: file)
        entry = try compare(near, expected, precision, processor.summary)
      }
      if let device {
        let runtime = try XLARuntime(device: device, devices: devices)
        report.runtime = runtime.summary
        let found = try run(runtime, precision, from: file)
        entry = try compare(found, expected, precision, runtime.summary, beside: entry)
      }
      if let entry { report.precisions.append(entry) }
    }
    if let stepsTo { Console.say("written: \(stepsTo)") }
    if report.precisions.isEmpty { return }
    if options.json { try Console.json(report) } else { Console.data(report.text) }
  }

  /// Compares steps; where others of this precision are known, by how far those are off.
  private func compare(
    _ found: Steps, _ expected: Steps, _ precision: Precision, _ runtime: String,
    beside others: CheckReport.Entry? = nil
  ) throws -> CheckReport.Entry {
    guard let tolerance = Self.tolerances[precision] else {
      preconditionFailure("no tolerance for \(precision)")
    }
    func error(_ numbers: [Double], _ others: [Double]) -> Double {
      // NaN counts as infinitely wrong.
      zip(numbers, others).map { abs($0 / $1 - 1) }.reduce(0) {
        $1 <= $0 ? $0 : $1.isNaN ? .infinity : $1
      }
    }
    var errors: [(what: String, error: Double, limit: Double)] = [
      (
        "the first loss", error(Array(found.losses.prefix(1)), expected.losses), tolerance.first
      ),
      (
        "the gradient's norm",
        error(Array(found.gradientNorms.prefix(1)), expected.gradientNorms), tolerance.first
      ),
      ("the losses", error(found.losses, expected.losses), tolerance.later),
    ]
    for (name, values) in expected.weights.sorted(by: { $0.key < $1.key }) {
      let own = found.weights[name] ?? []
      let difference = zip(own, values).reduce(0.0) { $0 + pow(Double($1.0) - Double($1.1), 2) }
      let size = values.reduce(0.0) { $0 + pow(Double($1), 2) }
      let relative = own.count == values.count ? (difference / size).squareRoot() : .infinity
      errors.append(("the last \(name)", relative, tolerance.weights))
    }
    if let others {
      errors = errors.map { what, error, limit in
        (what, error, others.errors[what].map { Self.share * $0 + Self.floor } ?? limit)
      }
    }
    func refusal(_ what: String) -> CommandFailure {
      CommandFailure(.failed, "the \(precision.rawValue) steps of \(runtime) are wrong: \(what)")
    }
    for one in errors where !(one.error <= one.limit) {
      throw refusal(
        "\(one.what): off by \(CheckReport.text(one.error)), more than \(CheckReport.text(one.limit))"
      )
    }
    // Steps that move nothing are near the right ones where those are short.
    if let first = found.losses.first, let last = found.losses.last, found.losses.count > 1,
      !(last < first)
    {
      throw refusal("the losses do not fall: \(first) at first, \(last) at last")
    }
    return CheckReport.Entry(
      precision: precision.rawValue, losses: found.losses, gradientNorms: found.gradientNorms,
      errors: Dictionary(uniqueKeysWithValues: errors.map { ($0.what, $0.error) }),
      limits: Dictionary(uniqueKeysWithValues: errors.map { ($0.what, $0.limit) }))
  }

  /// Takes the steps, from a file's weights and batch or from those of every bench.
  private func run<Machine: Runtime>(
    _ runtime: Machine, _ precision: Precision, from file: TensorFile?, to path: String? = nil
  ) throws -> Steps {
    let subject = try BenchSubject(
      options.shape, precision: precision, microBatches: microBatches, runtime: runtime)
    let parameters = subject.definition.model.parameters
    func weights() throws -> [String: [Float]] {
      try Dictionary(
        uniqueKeysWithValues: parameters.map { parameter in
          let memory = try runtime.kept(parameter.name, for: .reading)
          return (parameter.name, memory.map { Array($0.bindMemory(to: Float.self)) } ?? [])
        })
    }
    if let file {
      for parameter in parameters {
        guard let memory = try runtime.kept(parameter.name, for: .writing) else { continue }
        try file.read("initial." + parameter.name, into: memory.bindMemory(to: Float.self))
      }
      for (name, target) in [("tokens", subject.batch.tokens), ("targets", subject.batch.targets)] {
        let ids = try file.integers("batch." + name)
        guard ids.count == target.count else {
          throw CommandFailure(
            .failed,
            "\(file.path): batch.\(name) holds \(ids.count) tokens, and shape \(options.shape.rawValue) has \(target.count)"
          )
        }
        for (index, id) in ids.enumerated() { target[index] = Int32(id) }
      }
    }
    let initial = path == nil ? [:] : try weights()
    let results = try subject.results(
      try file.map { try $0.entry("losses").elementCount } ?? Self.stepCount,
      learningRate: Self.learningRate)
    let steps = Steps(
      losses: results.map(\.loss), gradientNorms: results.map(\.gradientNorm),
      weights: try weights())
    if let path {
      try write(
        steps, initial, parameters.map { ($0.name, $0.shape.dimensions) }, subject.batch, to: path)
    }
    return steps
  }

  private func read(_ file: TensorFile) throws -> Steps {
    let names = file.entries.map(\.name).filter { $0.hasPrefix("final.") }
    return Steps(
      losses: try file.doubles("losses"), gradientNorms: try file.doubles("gradient_norm"),
      weights: try Dictionary(
        uniqueKeysWithValues: names.map {
          (String($0.dropFirst("final.".count)), try file.floats($0))
        }))
  }

  private func write(
    _ steps: Steps, _ initial: [String: [Float]], _ shapes: [(name: String, shape: [Int])],
    _ batch: StepBatch, to path: String
  ) throws {
    var memory: [UnsafeMutableRawBufferPointer] = []
    defer { for bytes in memory { bytes.deallocate() } }
    var tensors: [TensorFileWriter.Tensor] = []
    func add(
      _ name: String, _ type: TensorFileElementType, _ shape: [Int],
      _ source: UnsafeRawBufferPointer
    ) {
      let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: source.count, alignment: 16)
      copy.copyMemory(from: source)
      memory.append(copy)
      tensors.append(
        TensorFileWriter.Tensor(
          name: name, elementType: type, shape: shape, bytes: UnsafeRawBufferPointer(copy)))
    }
    func add(_ name: String, _ shape: [Int], _ values: [Float]) {
      values.withUnsafeBytes { add(name, .float32, shape, $0) }
    }
    for (name, shape) in shapes {
      add("initial." + name, shape, initial[name] ?? [])
      add("final." + name, shape, steps.weights[name] ?? [])
    }
    let sequences = [batch.sequences, batch.contextLength]
    add("batch.tokens", .int32, sequences, UnsafeRawBufferPointer(batch.tokens))
    add("batch.targets", .int32, sequences, UnsafeRawBufferPointer(batch.targets))
    add("losses", [steps.losses.count], steps.losses.map(Float.init))
    add("gradient_norm", [1], steps.gradientNorms.prefix(1).map(Float.init))
    try TensorFileWriter.write(tensors, to: path)
  }
}
