// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPURuntime
import LanguageModels
import TensorGraph

/// How much faster a forward and backward pass gets with more threads, and whether its bits stay the same.
struct ThreadScaling: Encodable {
  /// The best of some passes with one thread count.
  struct Point: Encodable {
    let threads: Int
    let tokensPerSecond: Double
    /// Against one thread.
    let speedup: Double
  }

  /// What the products were computed in.
  let precision: String
  /// Thread counts: powers of two, and all cores.
  let points: [Point]
  /// Whether the loss and every gradient had the same bits with every thread count.
  let hasSameBits: Bool

  /// Measures on a small decoder, at least a second for each thread count.
  ///
  /// - Throws: what building, tracing or compiling throws.
  init() throws {
    let usesBFloat16 = InstructionSet.hasFastBFloat16
    precision = usesBFloat16 ? "bf16" : "fp32"
    let configuration = try ModelConfiguration(
      vocabularySize: 4096, width: 256, layers: 2, contextLength: 256)
    let subject = Subject(configuration.makeModel(), sequences: 4)
    let traced = try subject.program()
    let program = usesBFloat16 ? try traced.withBFloat16Products() : traced
    let cores = try CPURuntime().threadCount
    let counts = Array(sequence(first: 1) { $0 * 2 }.prefix { $0 < cores }) + [cores]
    var points: [Point] = []
    var fingerprints: Set<[UInt32]> = []
    for threads in counts {
      let runtime = try CPURuntime(threads: threads)
      let executable = try runtime.compile(program)
      try subject.fill(runtime, executable)
      try executable.run()
      fingerprints.insert(Self.fingerprint(executable, subject.model))
      var best = Double.infinity
      let start = ContinuousClock.now
      while ContinuousClock.now - start < .seconds(1) {
        let time = try ContinuousClock().measure { try executable.run() }
        best = min(best, time / .seconds(1))
      }
      let rate = Double(subject.sequences * configuration.contextLength) / best
      points.append(
        Point(
          threads: threads, tokensPerSecond: rate,
          speedup: rate / (points.first?.tokensPerSecond ?? rate)))
    }
    self.points = points
    hasSameBits = fingerprints.count == 1
  }

  /// The loss, and a hash of each gradient's bits.
  private static func fingerprint(_ executable: any Executable, _ model: any LanguageModel)
    -> [UInt32]
  {
    [executable.scalar("loss").bitPattern]
      + model.parameters.map { parameter in
        let memory = executable.output("gradient." + parameter.name)
        var hash: UInt32 = 2_166_136_261
        for index in 0..<parameter.shape.count {
          hash =
            (hash ^ memory.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self)) &* 16_777_619
        }
        return hash
      }
  }
}
