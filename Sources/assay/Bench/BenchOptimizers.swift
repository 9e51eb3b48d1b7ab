// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import CPURuntime
import Foundation
import Optimizers
import Training

/// `assay bench optimizers`.
struct BenchOptimizers: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "optimizers",
    abstract:
      "Times the update of every method, against a plain copy, its own products, and PyTorch.",
    discussion: """
      Every method is first checked against the reference runtime in this process. Then updates, copies of as many bytes as the \
      equations must move, the update's matrix products alone and the peer's updates alternate, and ratios are medians over \
      rounds. Clipping is not part of an update, upkeep is where it is due.
      """)

  @OptionGroup var options: BenchOptions

  @Option(help: "fp32 or bf16: what products are computed in that leave it open.")
  var precision = "auto"

  @Option(help: "Methods, separated by commas; all.")
  var methods = ""

  @Option(help: "Measurements.")
  var rounds = 7

  @Flag(help: "Also times PyTorch's fastest implementation of each method.")
  var peers = false

  @Option(help: "A Python with PyTorch.")
  var python = "python3"

  struct Row: Encodable {
    let method: String
    let parameters: Int
    let milliseconds: Double
    let nanosecondsPerParameter: Double
    /// Bytes that kernels move, over the bytes that the equations cannot do without.
    let movedOverLeast: Double
    /// The time of a copy of the bytes that the equations cannot do without, over the update's.
    let shareOfCopy: Double
    /// The time of the update's products alone over the update's; nil without products.
    let productShare: Double?
    let stateBytesPerParameter: Double
    /// What the peer runs, and the update's speed over the peer's.
    var peer: String?
    var ratio: Double?

    enum CodingKeys: String, CodingKey {
      case method, parameters, milliseconds, peer, ratio
      case nanosecondsPerParameter = "nanoseconds_per_parameter"
      case movedOverLeast = "moved_over_least"
      case shareOfCopy = "share_of_copy"
      case productShare = "product_share"
      case stateBytesPerParameter = "state_bytes_per_parameter"
    }
  }

  func run() throws {
    let chosen = try methods.split(separator: ",").map {
      try OptimizerRegistry.method(named: String($0))
    }
    let precision = try self.resolvedPrecision()
    var peer: BenchPeer?
    if peers {
      peer = try BenchPeer(
        BenchPeer.Invocation(
          python: python, script: "Benchmarks/peers/pytorch_optimizers.py",
          shape: options.shape.peerShape(),
          threads: options.threads ?? ProcessInfo.processInfo.activeProcessorCount),
        modes: [])
    }
    var rows: [Row] = []
    for method in chosen.isEmpty ? OptimizerRegistry.methods : chosen {
      try UpdateSubject.check(method)
      rows.append(try measure(method, precision, peer))
      if !options.json { Console.say("\(method.card.name) measured") }
    }
    if options.json { return try Console.json(rows) }
    Console.data(table(rows))
  }

  private func resolvedPrecision() throws -> Precision {
    if precision == "auto" { return RuntimeProvider.cpu.precision(.auto) }
    guard let known = Precision(rawValue: precision) else {
      throw CommandFailure(.usage, "no precision '\(precision)'; use fp32 or bf16")
    }
    return known
  }

  private func measure(
    _ method: any OptimizerMethod.Type, _ precision: Precision, _ peer: BenchPeer?
  ) throws -> Row {
    let subject = try UpdateSubject(
      method, shape: options.shape, precision: precision, threads: options.threads)
    let mode = peer?.modes.contains(method.card.name) == true ? method.card.name : nil
    let period = subject.period
    _ = try subject.run()
    _ = try subject.run()
    if let mode { _ = try peer?.run(mode, steps: period) }
    var times: [Double] = []
    var copies: [Double] = []
    var products: [Double] = []
    var peers: [Double] = []
    for _ in 0..<rounds {
      times.append(
        try (0..<period).reduce(0) { sum, _ in sum + (try subject.run()) } / Double(period))
      copies.append(try subject.runCopy())
      if let seconds = subject.runProducts() { products.append(seconds) }
      if let mode, let seconds = try peer?.run(mode, steps: period) {
        peers.append(seconds / Double(period))
      }
    }
    let candidate = mode.flatMap { peer?.candidate($0) }
    if let mode { try peer?.drop(mode) }
    func ratio(_ others: [Double]) -> Double? {
      others.isEmpty ? nil : median(zip(others, times).map { $0 / $1 })
    }
    return Row(
      method: method.card.name, parameters: subject.count, milliseconds: median(times) * 1e3,
      nanosecondsPerParameter: median(times) * 1e9 / Double(subject.count),
      movedOverLeast: Double(subject.movedBytes) / subject.leastBytes,
      shareOfCopy: ratio(copies) ?? .nan, productShare: ratio(products),
      stateBytesPerParameter: Double(subject.stateBytes) / Double(subject.count),
      peer: candidate, ratio: ratio(peers))
  }

  private func table(_ rows: [Row]) -> String {
    var table = Table([
      ("method", .left), ("ms", .right), ("ns/parameter", .right), ("moved/least", .right),
      ("of copy", .right), ("products", .right), ("state B", .right), ("over PyTorch", .right),
      ("its fastest", .left),
    ])
    for row in rows {
      func percent(_ share: Double?) -> String {
        share.map { Numbers.fixed($0 * 100, 0) + " %" } ?? "-"
      }
      table.add(
        row.method, Numbers.fixed(row.milliseconds, 2),
        Numbers.fixed(row.nanosecondsPerParameter, 2), Numbers.fixed(row.movedOverLeast, 2),
        percent(row.shareOfCopy), percent(row.productShare),
        Numbers.short(row.stateBytesPerParameter),
        row.ratio.map { Numbers.fixed($0, 2) + "x" } ?? "-", row.peer ?? "")
    }
    return table.text
  }
}
