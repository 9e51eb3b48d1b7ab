// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

@testable import TensorGraph

/// A program drawn at random: elementwise operations, casts, reductions, broadcasts, reshapes, products and norms over a
/// few shapes, in two stages.
struct RandomProgram {
  private var random: SeededNumbers

  /// The program of a seed.
  static func make(seed: Int, length: Int = 60) throws -> Program {
    var source = RandomProgram(random: SeededNumbers(seed: seed))
    return try source.program(length)
  }

  private mutating func program(_ length: Int) throws -> Program {
    let graph = Graph()
    let (rows, columns) = (random.below(4) + 1, random.below(4) + 1)
    let full: Shape = [rows, columns]
    let kept = [
      graph.parameter("a", full), graph.state("b", full), graph.state("row", [columns]),
      graph.state("column", [rows, 1]), graph.parameter("other", [columns, rows]),
    ]
    var values = kept + [graph.scalar("s"), graph.input("x", full, .float32), graph.constant(2)]
    for _ in 0..<length {
      let a = values[values.count - 1 - random.below(min(values.count, 12))]
      let b = values[random.below(values.count)]
      if let new = draw(a, b, full) { values.append(new) }
    }
    var outputs: [(String, Tensor)] = []
    for index in 0..<3 {
      outputs.append(("output \(index)", values[values.count - 1 - random.below(20)]))
    }
    var assignments: [(Tensor, Tensor)] = []
    for target in kept where random.below(3) > 0 {
      let candidates = values.filter { $0.shape == target.shape && $0.type.elementType == .float32 }
      assignments.append((target, candidates[random.below(candidates.count)]))
    }
    return try Program(graph: graph, outputs: outputs, assignments: assignments)
  }

  private mutating func draw(_ a: Tensor, _ b: Tensor, _ full: Shape) -> Tensor? {
    let fits = a.shape.broadcast(with: b.shape) != nil
    switch random.below(14) {
    case 0 where fits: return a + b
    case 1 where fits: return a * b
    case 2 where fits: return maximum(a, b)
    case 3: return tanh(a)
    case 4: return square(a)
    case 5: return a.cast(to: .bfloat16)
    case 6: return a.sum()
    case 7 where !a.shape.isScalar: return a.sum(.columns)
    case 8 where !a.shape.isScalar: return a.sum(.rows)
    case 9 where !a.shape.isScalar: return a.maximum(.columns)
    case 10: return a.reshaped([a.shape.count])
    case 11 where a.shape.broadcast(with: full) == full: return a.broadcast(to: full)
    case 12
    where a.shape.rank == 2 && b.shape.rank == 2 && a.shape[1] == b.shape[1]
      && a.type.elementType == b.type.elementType:
      return a.linear(b)
    case 13 where a.shape.rank == 2:
      return a.normalized(
        .rms, gain: a.graph.parameter("g \(a.shape[1])", [a.shape[1]]), epsilon: 1)
    default: return fits ? select(less(a, b), a, b) : nil
    }
  }
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct SeededNumbers: RandomNumberGenerator {
  private var state: UInt64

  init(seed: Int) { state = UInt64(truncatingIfNeeded: seed) &* 0x2545_f491_4f6c_dd1d &+ 1 }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// Uniform in `0..<bound`.
  mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
}
