// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPURuntime
import Foundation
import TensorGraph
import Training
import XLARuntime

/// A step on devices behind a plugin, beside the same step on this machine's processor.
extension BenchStep {
  /// What was found.
  struct DeviceReport: Encodable {
    /// One runtime in one precision.
    struct Row: Encodable {
      let runtime: String
      let precision: String
      let tokensPerSecond: BenchReport.Spread
      /// Bytes of tensors at their most, on the device that holds most.
      let peakBytes: Int
      let compileSeconds: Double
      /// This device's speed over the processor's in the same round, the median over rounds; nil of the processor itself.
      let ratio: Double?

      enum CodingKeys: String, CodingKey {
        case runtime, precision, ratio
        case tokensPerSecond = "tokens_per_second"
        case peakBytes = "peak_bytes"
        case compileSeconds = "compile_seconds"
      }
    }

    let shape: String
    let device: String
    let devices: Int
    var results: [Row] = []

    var text: String {
      var table = Table([
        ("", .left), ("precision", .left), ("tokens/s", .right), ("spread", .right),
        ("peak of tensors", .right), ("compiled in", .right), ("speed", .right),
      ])
      for row in results {
        let speed = row.tokensPerSecond
        table.add(
          row.runtime, row.precision, Numbers.short(speed.median),
          "\(Numbers.short(speed.minimum)) - \(Numbers.short(speed.maximum))",
          Numbers.bytes(row.peakBytes), Numbers.fixed(row.compileSeconds, 2) + " s",
          row.ratio.map { Numbers.fixed($0, 2) + "x" } ?? "")
      }
      return table.text
    }
  }

  /// How far losses of the same steps may lie apart: products of bf16 operands differ by more than rounding of fp32.
  private static let tolerances: [Precision: Double] = [.fp32: 1e-4, .bf16: 2e-2]

  func timeDevice(_ device: String) throws {
    var report = DeviceReport(shape: options.shape.rawValue, device: device, devices: devices)
    for precision in [Precision.fp32, .bf16] {
      let runtime = try XLARuntime(device: device, devices: devices)
      let far = try BenchSubject(options.shape, precision: precision, runtime: runtime)
      try far.check()
      guard !alone else {
        let speeds = try (0..<rounds).map { _ in try speed(far) }
        report.results.append(row(far, speeds, ratios: []))
        continue
      }
      let near = try BenchSubject(options.shape, precision: precision, threads: options.threads)
      try near.check()
      let difference = abs(far.loss - near.loss) / abs(near.loss)
      guard difference < Self.tolerances[precision] ?? 0 else {
        throw CommandFailure(
          .failed,
          "the \(precision.rawValue) step of \(runtime.summary) is wrong: its second loss is \(far.loss), and \(near.loss) on "
            + "the processor")
      }
      var (nearSpeeds, farSpeeds): ([Double], [Double]) = ([], [])
      for _ in 0..<rounds {
        nearSpeeds.append(try speed(near))
        farSpeeds.append(try speed(far))
      }
      report.results.append(row(near, nearSpeeds, ratios: []))
      report.results.append(
        row(far, farSpeeds, ratios: zip(farSpeeds, nearSpeeds).map { $0 / $1 }))
    }
    if options.json { try Console.json(report) } else { Console.data(report.text) }
  }

  private func row(
    _ subject: BenchSubject<some Runtime>, _ speeds: [Double], ratios: [Double]
  ) -> DeviceReport.Row {
    DeviceReport.Row(
      runtime: subject.runtime.summary, precision: subject.precision.rawValue,
      tokensPerSecond: BenchReport.Spread(speeds), peakBytes: subject.runtime.peakBytes,
      compileSeconds: subject.compileSeconds, ratio: ratios.isEmpty ? nil : median(ratios))
  }
}
