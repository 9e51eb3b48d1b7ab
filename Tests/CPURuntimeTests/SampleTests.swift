// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TensorGraph
import Testing

@testable import CPURuntime
@testable import OperationCases

@Suite("Drawn labels")
struct SampleTests {
  /// Rows of x and of a head, and the labels that a runtime draws for uniforms.
  private struct Draw {
    var rows: Int
    var width: Int
    let x: [Float]
    let weight: [Float]
    /// Rows of the weight in double precision.
    private let exactWeight: [[Double]]
    var temperature: Float = 1

    var vocabulary: Int { weight.count / width }

    /// With one channel of value 1 the weights are the logits.
    init(logits: [Float], rows: Int) {
      (self.rows, width) = (rows, 1)
      x = [Float](repeating: 1, count: rows)
      weight = logits
      exactWeight = logits.map { [Double($0)] }
    }

    init(_ name: String, rows: Int, width: Int, vocabulary: Int) {
      var source = NamedNumbers(name)
      (self.rows, self.width) = (rows, width)
      x = (0..<rows * width).map { _ in Float(source.normal()) }
      weight = (0..<vocabulary * width).map { _ in Float(source.normal()) }
      exactWeight = stride(from: 0, to: weight.count, by: width).map { [weight] in
        weight[$0..<$0 + width].map(Double.init)
      }
    }

    func labels(
      _ uniforms: [Float], targets: [Int32]? = nil, runtime: any Runtime
    ) throws -> [Int] {
      let graph = Graph()
      let labels = graph.parameter("x", [rows, width]).linearSample(
        weight: graph.parameter("weight", [vocabulary, width]),
        uniforms: graph.input("uniforms", [rows], .float32),
        temperature: graph.scalar("temperature"),
        targets: targets.map { _ in graph.input("targets", [rows]) })
      let executable = try runtime.compile(Program(graph: graph, outputs: [("labels", labels)]))
      func fill<Number>(_ memory: UnsafeMutableRawBufferPointer?, _ numbers: [Number]) {
        numbers.withUnsafeBytes { memory?.copyMemory(from: $0) }
      }
      fill(try runtime.kept("x", for: .writing), x)
      fill(try runtime.kept("weight", for: .writing), weight)
      fill(executable.hostBuffer("uniforms"), uniforms)
      if let targets { fill(executable.hostBuffer("targets"), targets) }
      executable.set("temperature", temperature)
      try executable.run()
      return executable.output("labels").bindMemory(to: Int32.self).map { Int($0) }
    }

    /// Probabilities of one row, in double precision.
    func probabilities(_ row: Int) -> [Double] {
      let own = x[row * width..<(row + 1) * width].map(Double.init)
      let logits = exactWeight.map { dot(own, $0) }
      let largest = logits.max() ?? 0
      let masses = logits.map { exp(($0 - largest) / Double(temperature)) }
      let total = masses.reduce(0, +)
      return masses.map { $0 / total }
    }
  }

  /// Uniform numbers as a host makes them: 24 bits, below 1.
  private func uniforms(_ name: String, _ count: Int) -> [Float] {
    var source = NamedNumbers(name)
    return (0..<count).map { _ in Float(source.next() >> 40) * 0x1p-24 }
  }

  @Test("are distributed as the softmax, by chi-square", arguments: [37, 200, 1100])
  func distribution(_ vocabulary: Int) throws {
    let count = 200_000
    var source = NamedNumbers("logits of \(vocabulary)")
    let draw = Draw(logits: (0..<vocabulary).map { _ in Float(1.5 * source.normal()) }, rows: count)
    let labels = try draw.labels(
      uniforms("distribution of \(vocabulary)", count), runtime: CPURuntime(threads: 2))
    var drawn = [Double](repeating: 0, count: vocabulary)
    for label in labels { drawn[label] += 1 }
    // Rare labels share a bin, so that every bin expects at least 20.
    var bins: [(drawn: Double, expected: Double)] = []
    var rest = (drawn: 0.0, expected: 0.0)
    for (label, p) in draw.probabilities(0).enumerated() {
      let expected = p * Double(count)
      if expected >= 20 {
        bins.append((drawn[label], expected))
      } else {
        rest = (rest.drawn + drawn[label], rest.expected + expected)
      }
    }
    if rest.expected >= 20 { bins.append(rest) }
    let statistic = bins.reduce(0) {
      $0 + ($1.drawn - $1.expected) * ($1.drawn - $1.expected) / $1.expected
    }
    let freedom = Double(bins.count - 1)
    // Mean k, variance 2 k. Four deviations either way: too even a spread would be as wrong as a crooked one.
    #expect(abs(statistic - freedom) < 4 * (2 * freedom).squareRoot(), "\(statistic) of \(freedom)")
    // Moving the probabilities by one label must show.
    let shifted = zip(bins, bins.dropFirst() + bins.prefix(1)).reduce(0) {
      $0 + ($1.0.drawn - $1.1.expected) * ($1.0.drawn - $1.1.expected) / $1.1.expected
    }
    #expect(shifted > 100 * freedom)
  }

  /// How far the distribution function in single precision may be from the exact one: some roundings of 2^-24 in logits up
  /// to 16 and in exponentials.
  private static let edgeTolerance = 4e-6

  @Test(
    "are those of double precision, except where a uniform lies within rounding of an edge",
    arguments: [Float(1), 0.5], [(16, 1203), (3, 130)])
  func edges(_ temperature: Float, _ sizes: (width: Int, vocabulary: Int)) throws {
    let count = 3000
    var draw = Draw(
      "edges \(sizes)", rows: count, width: sizes.width, vocabulary: sizes.vocabulary)
    draw.temperature = temperature
    let uniforms = uniforms("edges \(sizes) \(temperature)", count)
    let labels = try draw.labels(uniforms, runtime: CPURuntime(threads: 2))
    var differing = 0
    for row in 0..<count {
      let masses = draw.probabilities(row)
      let exact = LinearSample.label(masses, Double(uniforms[row]))
      if labels[row] == exact { continue }
      differing += 1
      // The uniform lies outside the label's interval by less than rounding can move its ends.
      let low = masses[..<labels[row]].reduce(0, +)
      let distance = max(
        low - Double(uniforms[row]), Double(uniforms[row]) - low - masses[labels[row]])
      #expect(distance < Self.edgeTolerance, "row \(row): \(labels[row]), exactly \(exact)")
    }
    // Of a uniform and V edges, each within 4e-6 either way: far fewer than one in a hundred rows.
    #expect(differing <= count / 100, "\(differing) of \(count)")
  }

  @Test("are the same for any number of threads")
  func threads() throws {
    let draw = Draw("threads", rows: 700, width: 24, vocabulary: 2111)
    let uniforms = uniforms("threads", 700)
    let one = try draw.labels(uniforms, runtime: CPURuntime(threads: 1))
    for threads in [2, 3, 5] {
      #expect(try draw.labels(uniforms, runtime: CPURuntime(threads: threads)) == one)
    }
    #expect(Set(one).count > 300)
  }

  @Test("at the tails: the first and last uniform, and labels without any probability")
  func tails() throws {
    let last = 1 - Float(0x1p-24)
    for runtime in [ReferenceRuntime(), try CPURuntime(threads: 2)] as [any Runtime] {
      // Two equal labels, the second behind two whole tiles; all others far below.
      var logits = [Float](repeating: -1000, count: 1100)
      (logits[3], logits[1024]) = (5, 5)
      let two = Draw(logits: logits, rows: 5)
      #expect(
        try two.labels([0, 0.5 - 0x1p-25, 0.5, 0.75, last], runtime: runtime)
          == [3, 3, 1024, 1024, 1024])
    }
    // Never a label before the first or behind the last that has any.
    for vocabulary in [5, 64, 70, 600] {
      var middle = [Float](repeating: -.infinity, count: vocabulary)
      middle[vocabulary / 2] = -1e30
      let draw = Draw(logits: middle, rows: 3)
      #expect(
        try draw.labels([0, 0.5, last], runtime: CPURuntime(threads: 1))
          == [Int](repeating: vocabulary / 2, count: 3))
    }
    // A last label with 2^-22 of the mass is reached by the last uniforms alone.
    let share = Float(log(0x1p-22))
    let rare = Draw(logits: [0, share], rows: 4)
    #expect(
      try rare.labels([0, 1 - 0x1p-20, 1 - 0x1p-21, last], runtime: CPURuntime(threads: 1))
        == [0, 0, 0, 1])
  }

  @Test("lie in the vocabulary even where logits or uniforms are not numbers")
  func broken() throws {
    let cases: [(logits: [Float], uniform: Float)] = [
      ([.nan, 1, 2], 0.9), ([.infinity, 1, .infinity], 0.5), ([0, 1, 2], 1), ([0, 1, 2], .nan),
      ([-.infinity, -.infinity, -.infinity], 0.3), ([0, 1, 2], 7), ([0, .nan, -.infinity], -1),
    ]
    let temperatures: [Float] = [1, 0, -1, .nan, .infinity]
    for (logits, uniform) in cases {
      for temperature in temperatures {
        var draw = Draw(logits: logits + [Float](repeating: -3, count: 700), rows: 1)
        draw.temperature = temperature
        let labels = try draw.labels([uniform], runtime: CPURuntime(threads: 1))
        #expect(draw.weight.indices.contains(labels[0]), "\(logits) \(uniform) \(temperature)")
      }
    }
  }

  @Test("follow the temperature: 0 takes the largest logit, infinity any label alike")
  func temperature() throws {
    let runtime = try CPURuntime(threads: 2)
    var draw = Draw("temperature", rows: 400, width: 5, vocabulary: 90)
    let uniforms = uniforms("temperature", 400)
    draw.temperature = 0
    let largest = (0..<400).map { row -> Int in
      // At temperature 1, since 0 leaves nothing to divide.
      var plain = draw
      plain.temperature = 1
      let p = plain.probabilities(row)
      return p.indices.max { p[$0] < p[$1] } ?? 0
    }
    #expect(try draw.labels(uniforms, runtime: runtime) == largest)
    draw.temperature = .infinity
    #expect(
      try draw.labels(uniforms, runtime: runtime) == uniforms.map { Int(Double($0) * 90) })
  }

  @Test("leave out rows whose target is negative")
  func leftOut() throws {
    let draw = Draw("left out", rows: 300, width: 4, vocabulary: 80)
    let uniforms = uniforms("left out", 300)
    let targets = (0..<300).map { Int32([5, -1, 79, -100][$0 % 4]) }
    for runtime in [ReferenceRuntime(), try CPURuntime(threads: 2)] as [any Runtime] {
      let all = try draw.labels(uniforms, runtime: runtime)
      let some = try draw.labels(uniforms, targets: targets, runtime: runtime)
      for row in 0..<300 {
        #expect(some[row] == (targets[row] < 0 ? Int(targets[row]) : all[row]), "row \(row)")
      }
    }
  }
}
