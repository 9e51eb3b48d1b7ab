// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPURuntime
import Foundation
import TensorGraph
import Training
import XLARuntime

/// What a process that measures devices says to the runtime and to the plugin, before it opens one.
enum DeviceEnvironment {
  /// Keeps compiled programs out of the user's cache, and takes none from it: compiling is timed; bounds the plugin's threads.
  static func prepare(threads: Int?) {
    setenv("ASSAY_CACHE", "off", 1)
    guard let threads else { return }
    // XLA's client of processors makes as many threads as these say.
    for name in ["NPROC", "PJRT_NPROC"] { setenv(name, "\(threads)", 1) }
  }
}

/// A step on devices behind a plugin, beside a peer or beside the same step on this machine's processor.
extension BenchStep {
  private typealias Pairs = [(ours: Double, theirs: Double)]

  /// How far losses of the same steps may lie apart: products of bf16 operands differ by more than rounding of fp32.
  private static let tolerances: [Precision: Double] = [.fp32: 1e-4, .bf16: 2e-2]

  func timeDevice(_ device: String) throws {
    var report = BenchReport(shape: options.shape.rawValue)
    report.device = device
    report.microBatches = microBatches
    for precision in precision.all {
      let runtime = try XLARuntime(device: device, devices: devices)
      report.runtime = runtime.summary
      let far = try BenchSubject(
        options.shape, precision: precision, microBatches: microBatches, runtime: runtime)
      try far.check()
      var others: [(name: String, pairs: Pairs, needs: BenchReport.Needs, isPeer: Bool)] = []
      if !alone {
        let near = try BenchSubject(
          options.shape, precision: precision, microBatches: microBatches, threads: options.threads)
        try compare(far, near)
        if !peers {
          let pairs = try alternate({ try speed(far) }, { try speed(near) })
          let needs = BenchReport.Needs(peakBytes: near.runtime.peakBytes)
          others.append(("assay cpu", pairs, needs, false))
        }
      }
      let needs = try needs(of: far)
      if peers {
        for (mode, pairs, needs) in try timePeer(device, far, &report) {
          others.append((mode, pairs, needs, true))
        }
      }
      var speeds = others.flatMap { $0.pairs.map(\.ours) }
      while speeds.count < rounds { speeds.append(try speed(far)) }
      report.add("assay \(device)", precision.rawValue, speeds, needs)
      for other in others {
        report.add(
          other.name, precision.rawValue, other.pairs, other.needs, isPeer: other.isPeer)
      }
    }
    if options.json { try Console.json(report) } else { Console.data(report.text) }
  }

  /// Refuses to time a step whose losses are not those of the processor.
  private func compare(
    _ far: BenchSubject<XLARuntime>, _ near: BenchSubject<CPURuntime>
  ) throws {
    try near.check()
    let difference = abs(far.loss - near.loss) / abs(near.loss)
    guard difference < Self.tolerances[far.precision] ?? 0 else {
      throw CommandFailure(
        .failed,
        "the \(far.precision.rawValue) step of \(far.runtime.summary) is wrong: its second loss is \(far.loss), and \(near.loss) on "
          + "the processor")
    }
  }

  /// Memory by the device's own count where it counts, else as the compiler planned it, which takes compiling once more.
  ///
  /// The time of compiling is that of the step which is timed: the first of its shape in this process, as the peer's is in its own.
  private func needs(of subject: BenchSubject<XLARuntime>) throws -> BenchReport.Needs {
    let analyses = try subject.programs().map { try subject.runtime.analysis(of: $0) }
    let memories = analyses.compactMap(\.memory)
    // Programs of one step leave tensors of each other alone: those are held beside the largest.
    let planned = analyses.count == 1 ? memories.first?.total : nil
    return BenchReport.Needs(
      peakBytes: subject.runtime.countedPeakBytes ?? planned ?? subject.runtime.peakBytes,
      temporaryBytes: memories.map(\.temporary).max(),
      compileSeconds: subject.runtime.compilations.reduce(0) { $0 + $1.seconds })
  }

  /// Every mode of the peer in the subject's precision, taking turns with it.
  private func timePeer(
    _ device: String, _ far: BenchSubject<XLARuntime>, _ report: inout BenchReport
  ) throws -> [(name: String, pairs: Pairs, needs: BenchReport.Needs)] {
    let precision = far.precision.rawValue
    var invocation = BenchPeer.Invocation(
      python: python, script: script, shape: options.shape.peerShape(microBatches: microBatches),
      threads: options.threads ?? ProcessInfo.processInfo.activeProcessorCount)
    let isJAX = invocation.library == .jax
    if device == "xla:cuda" {
      invocation.options = ["--device", "cuda"]
    } else if isJAX {
      // The same plugin: then the same compiler gets both programs.
      invocation.options = ["--plugin", far.runtime.pluginPath]
    }
    let modes = isJAX ? [precision] : [precision, precision + "-compiled"]
    let peer = try BenchPeer(invocation, modes: modes)
    report.peer = peer.summary
    return try peer.modes.map { mode in
      let ready = try peer.prepare(mode)
      let pairs = try measurePairs(far, peer, mode)
      try peer.drop(mode)
      let peak = try ready.analysis?.total ?? BenchPeer.peakBytes(invocation, mode: mode)
      let needs = BenchReport.Needs(
        peakBytes: peak, temporaryBytes: ready.analysis?.temporary,
        compileSeconds: ready.compileSeconds)
      return ("\(invocation.library.rawValue.lowercased()) \(mode)", pairs, needs)
    }
  }
}
