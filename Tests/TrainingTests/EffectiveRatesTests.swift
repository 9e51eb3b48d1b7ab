// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RandomStreams
import RunRecords
import Testing

@testable import Training

@Suite struct EffectiveRatesTests {
  func quantiles(_ parts: [[Float]]) -> [Float] {
    let buffers = parts.map { part in
      let memory = UnsafeMutableBufferPointer<Float>.allocate(capacity: part.count)
      _ = memory.initialize(from: part)
      return memory
    }
    defer { for buffer in buffers { buffer.deallocate() } }
    return LogQuantiles(buffers.map { UnsafeBufferPointer($0) }).values
  }

  @Test("Quantiles are those of the sorted numbers, exactly", arguments: [1, 2, 7, 1000, 100_001])
  func sorted(count: Int) {
    var numbers = [Float](repeating: 0, count: count)
    numbers.withUnsafeMutableBufferPointer {
      RandomStream(seed: UInt64(count), name: "numbers").fillUniform(into: $0)
    }
    // Over many powers of ten, as rates are.
    numbers = numbers.map { pow(10, 12 * $0 - 6) }
    let order = numbers.sorted()
    let half = count / 3
    let expected = LogQuantiles.shares.map { order[Int(($0 * Double(count - 1)).rounded())] }
    #expect(quantiles([Array(numbers[..<half]), [], Array(numbers[half...])]) == expected)
    #expect(LogQuantiles.names.count == expected.count)
  }

  @Test("Zero and infinity are numbers, and a NaN is larger than all")
  func extremes() {
    #expect(quantiles([[0, -0, .infinity]]) == [0, 0, 0, 0, .infinity, .infinity, .infinity])
    #expect(quantiles([[.nan, 1]]).last?.isNaN == true)
  }

  @Test("Rates that follow the inverse root of frequencies have slope 1; rare tokens do not count")
  func slope() throws {
    let counts = [1000, 500, 200, 90, 12, 3, 0]
    let frequencies = TokenFrequencies(counts: counts)
    func slope(_ power: Double, counted: Int = 7) -> Double? {
      var rates: [Float] = []
      for count in counts.prefix(counted) {
        let rate = count < 10 ? 1e6 : pow(Double(count), -power)
        rates += [Float(rate * 2), Float(rate / 2)]
      }
      return rates.withUnsafeBufferPointer {
        frequencies.slope(ofRates: $0, rows: counted)
      }
    }
    for (power, expected) in [(0.5, 1.0), (0.25, 0.5), (0, 0)] {
      let found = try #require(slope(power))
      #expect(abs(found - expected) < 1e-5)
    }
    #expect(slope(0.5, counted: 2) == nil)
  }

  @Test("Counting looks at the run's first tokens and leaves the source where it was")
  func counting() throws {
    let source = smallSource()
    let batch = StepBatch(tokens: 16, contextLength: 8, hasDocuments: false)
    try source.fill(batch)
    let position = source.position
    let frequencies = try TokenFrequencies(source, batch, targets: 100)
    #expect(source.position == position)
    #expect(frequencies.counts.count == 11)
    #expect(frequencies.counts.reduce(0, +) == 112)
  }

  @Test(
    "A run records quantiles by role every so many steps, and its other bits stay the same",
    arguments: ["adamw", "adalayer-star", "lion"])
  func recorded(method: String) throws {
    let folder = try TemporaryFolder()
    func train(_ name: String, _ every: String) throws -> RunRecord {
      let configuration = try smallConfiguration(
        folder.path + "/" + name,
        [
          "optimizer.name": method, "metrics.effective_rates_every": every,
          "training.batch_tokens": "64",
        ])
      let summary = try TrainingRun.train(
        configuration, runtime: TestRuntime.cpu.provider, source: smallSource())
      return try RunRecord(path: summary.folder)
    }
    let (plain, measured) = (try train("plain", "0"), try train("measured", "3"))
    let key = "effectiveRate."
    var lines: [String] = []
    let reader = try MetricsReader(path: measured.path + "/metrics.jsonl")
    while let line = try reader.next() {
      guard line.fields.contains(where: { $0.name.hasPrefix(key) }) else {
        lines.append("\(line)")
        continue
      }
      #expect(line.fields.allSatisfy { $0.name.hasPrefix(key) })
      for role in ["head", "normGain", "mlpIn", "embedding"] {
        let values = LogQuantiles.names.map { line.number(key + role + "." + $0) ?? .nan }
        #expect(values == values.sorted(), "\(role): \(values)")
        #expect(values.allSatisfy { $0 > 0 }, "\(role): \(values)")
        let spread = line.number(key + role + ".spread") ?? .nan
        #expect(abs(spread - log10(values[5] / values[1])) < 1e-6)
      }
      #expect(line.number(key + "head.frequencySlope")?.isFinite == true)
      #expect(line.number(key + "mlpIn.frequencySlope") == nil)
      // One number for the whole table: nothing to compare with frequencies.
      let ofTable = line.number(key + "embedding.frequencySlope")
      #expect((ofTable == nil) == (method == "adalayer-star"))
    }
    let steps = try measured.metrics().series(key + "head.q50").map(\.step)
    #expect(steps == (method == "lion" ? [] : [0, 3]))
    var plainLines: [String] = []
    let plainReader = try plain.metrics()
    while let line = try plainReader.next() { plainLines.append("\(line)") }
    #expect(lines == plainLines)
  }
}
