// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph
import Testing

@testable import CPURuntime
@testable import OperationCases

/// A matrix that bases are taken of.
struct BasisInput: Sendable, CustomTestStringConvertible {
  let name: String
  let rows: Int
  let columns: Int
  let values: [Double]

  var testDescription: String { "\(name) [\(rows), \(columns)]" }

  init(
    _ name: String, _ rows: Int, _ columns: Int, _ element: (_ row: Int, _ column: Int) -> Double
  ) {
    (self.name, self.rows, self.columns) = (name, rows, columns)
    values = (0..<rows * columns).map { Double(Float(element($0 / columns, $0 % columns))) }
  }

  subscript(row: Int, column: Int) -> Double { values[row * columns + column] }

  /// The columns.
  var columnVectors: [[Double]] {
    ReferenceTensor(shape: [rows, columns], values: values).columnVectors
  }

  /// The Frobenius norm.
  var size: Double { values.reduce(0) { $0 + $1 * $1 }.squareRoot() }

  /// Matrices of every rank, scale and grading.
  static func all(_ rows: Int, _ columns: Int) -> [BasisInput] {
    var random = NamedNumbers("basis \(rows) \(columns)")
    let a = (0..<rows).map { _ in (0..<columns).map { _ in random.normal() } }
    let b = (0..<columns).map { _ in (0..<columns).map { _ in random.normal() } }
    let rank = max(1, columns / 3)
    return [
      BasisInput("normal", rows, columns) { a[$0][$1] },
      BasisInput("zero", rows, columns) { _, _ in 0 },
      BasisInput("of low rank", rows, columns) { row, column in
        (0..<rank).reduce(0) { $0 + a[row][$1] * b[$1][column] }
      },
      BasisInput("with a column repeated", rows, columns) { a[$0][$1 / 2] },
      BasisInput("with a column of zeros", rows, columns) { $1 == columns / 2 ? 0 : a[$0][$1] },
      BasisInput("graded", rows, columns) { row, column in
        a[row][column] * Double(sign: .plus, exponent: -column, significand: 1)
      },
      BasisInput("tiny", rows, columns) { 1e-41 * a[$0][$1] },
      BasisInput("huge", rows, columns) { 1e30 * a[$0][$1] },
      BasisInput("negative triangle", rows, columns) { $0 > $1 ? 0 : -1 - Double($1) },
    ]
  }

  /// Symmetric matrices made of those: x y' + y x', and some with known vectors.
  static func symmetric(_ size: Int) -> [BasisInput] {
    let made = all(size, size).map { input in
      BasisInput("symmetric part of \(input.name)", size, size) {
        (input[$0, $1] + input[$1, $0]) / 2
      }
    }
    let squares = all(size, size).prefix(6).map { input in
      BasisInput("square of \(input.name)", size, size) { row, column in
        (0..<size).reduce(0) { $0 + input[row, $1] * input[column, $1] }
      }
    }
    return made + squares + [
      BasisInput("identity", size, size) { $0 == $1 ? 1 : 0 },
      BasisInput("ascending diagonal", size, size) { $0 == $1 ? Double($0) : 0 },
      BasisInput("ones", size, size) { _, _ in 1 },
    ]
  }
}

@Suite("Orthogonal bases and eigenbases")
struct BasisTests {
  private static let sizes = [
    (1, 1), (2, 2), (5, 3), (31, 31), (32, 32), (33, 33), (65, 40), (96, 64), (100, 100),
  ]

  /// What n reflections or rotations in single precision may do, in units of what they act on.
  ///
  /// Each errs by a few units of 2^-24, for sums are short or in double precision, and independent errors add up in
  /// quadrature; 8 is about five times what such matrices show.
  private static func allowed(_ count: Int) -> Double { 8 * Double(count).squareRoot() * 0x1p-24 }

  /// What is lost below the smallest number of single precision belongs to nobody.
  private static func lost(_ count: Int) -> Double { 4 * Double(count).squareRoot() * 0x1p-149 }

  @Test("are orthonormal, with R upper triangular and its diagonal not negative", arguments: sizes)
  func orthogonalBasis(_ rows: Int, _ columns: Int) throws {
    for input in BasisInput.all(rows, columns) {
      let q = try run(input) { $0.orthogonalBasis() }
      expectOrthonormal(q, rows, input.testDescription)
      for (j, column) in input.columnVectors.enumerated() {
        let tolerance = Self.allowed(rows) * dot(column, column).squareRoot() + Self.lost(rows)
        for i in j..<columns {
          let r = dot(q[i], column)
          let isRight = i == j ? r >= -tolerance : abs(r) <= tolerance
          #expect(isRight, "\(input.testDescription): R[\(i), \(j)] = \(r)")
        }
      }
    }
  }

  @Test(
    "of symmetric matrices make them diagonal, by descending eigenvalue, largest elements positive",
    arguments: [1, 2, 5, 31, 32, 33, 34, 65, 100])
  func eigenbasis(_ size: Int) throws {
    for input in BasisInput.symmetric(size) {
      let v = try run(input) { $0.symmetricEigenbasis() }
      expectOrthonormal(v, size, input.testDescription)
      let tolerance = 4 * Self.allowed(size) * input.size + 4 * Self.lost(size)
      let rows = input.columnVectors
      var values: [Double] = []
      for (j, column) in v.enumerated() {
        let turned = rows.map { dot($0, column) }
        for i in 0..<size where i != j {
          let element = dot(v[i], turned)
          #expect(
            abs(element) <= tolerance,
            "\(input.testDescription): V'AV[\(i), \(j)] = \(element) of \(input.size)")
        }
        values.append(dot(column, turned))
        let largest = column.max { abs($0) < abs($1) } ?? 0
        #expect(largest > 0, "\(input.testDescription): column \(j)")
      }
      for (larger, smaller) in zip(values, values.dropFirst()) {
        #expect(larger >= smaller - tolerance, "\(input.testDescription): \(values)")
      }
    }
  }

  @Test("of a matrix with two eigenvalues span their two spaces")
  func invariantSubspaces() throws {
    // 3 P + (I - P), where P projects onto the span of the first five columns of an orthonormal matrix.
    let size = 37
    let start = try run(BasisInput.all(size, size)[0]) { $0.orthogonalBasis() }
    func projection(_ q: [[Double]]) -> [[Double]] {
      (0..<size).map { row in
        (0..<size).map { column in (0..<5).reduce(0) { $0 + q[$1][row] * q[$1][column] } }
      }
    }
    let wanted = projection(start)
    let input = BasisInput("two eigenvalues", size, size) { row, column in
      2 * wanted[row][column] + (row == column ? 1 : 0)
    }
    let found = projection(try run(input) { $0.symmetricEigenbasis() })
    for (x, y) in zip(found.joined(), wanted.joined()) {
      #expect(abs(x - y) < 4 * Self.allowed(size))
    }
  }

  @Test("of a symmetric matrix see its symmetric part only")
  func symmetricPart() throws {
    let random = BasisInput.all(33, 33)[0]
    let symmetric = BasisInput("symmetric", 33, 33) { (random[$0, $1] + random[$1, $0]) / 2 }
    // Powers of two keep the sum exact.
    let skewed = BasisInput("skewed", 33, 33) {
      symmetric[$0, $1] + ($0 < $1 ? 0.5 : $0 > $1 ? -0.5 : 0)
    }
    let a = try run(symmetric) { $0.symmetricEigenbasis() }
    let b = try run(skewed) { $0.symmetricEigenbasis() }
    for (x, y) in zip(a.joined(), b.joined()) { #expect(abs(x - y) < 1e-4) }
  }

  @Test("never hide a NaN or an infinity", arguments: [Double.nan, .infinity, -.infinity])
  func notFinite(_ number: Double) throws {
    for size in [1, 3, 40] {
      for place in [0, size * size / 2, size * size - 1] {
        let good = BasisInput.all(size, size)[0]
        let bad = BasisInput("bad", size, size) {
          $0 * size + $1 == place ? number : good[$0, $1]
        }
        let q = try run(bad) { $0.orthogonalBasis() }
        for row in 0..<size where row >= place % size / 32 * 32 {
          #expect(q[place % size][row].isNaN, "[\(size), \(size)], element \(place)")
        }
        let v = try run(bad) { $0.symmetricEigenbasis() }
        let numbers = v.joined().filter { !$0.isNaN }
        #expect(numbers == [], "[\(size), \(size)], element \(place)")
      }
    }
  }

  @Test("an order is a permutation whatever the numbers, NaN last")
  func order() throws {
    for count in [1, 15, 16, 17, 700] {
      var random = NamedNumbers("order \(count)")
      let special = [Double.nan, .infinity, -.infinity, 0, -0.0]
      let values = (0..<count).map { index in
        index % 3 == 0 ? special[(index / 3) % 5] : (random.normal() * 2).rounded()
      }
      let graph = Graph()
      let order = graph.parameter("x", [count]).descendingOrder()
      let runtime = try CPURuntime(threads: 2)
      let executable = try runtime.compile(Program(graph: graph, outputs: [("order", order)]))
      write(values, to: runtime.kept("x", for: .writing))
      try executable.run()
      let found = executable.output("order").bindMemory(to: Int32.self).map { Int($0) }
      let expected = values.indices.sorted { i, j in
        switch (values[i].isNaN, values[j].isNaN) {
        case (true, true): i < j
        case (false, false): values[i] == values[j] ? i < j : values[i] > values[j]
        case (let first, _): !first
        }
      }
      #expect(found == expected)
    }
  }

  @Test("give the same bits for every number of threads, many at once")
  func threads() throws {
    func bits(_ threads: Int) throws -> [UInt32] {
      let graph = Graph()
      var assignments: [(Tensor, Tensor)] = []
      for index in 0..<13 {
        let state = graph.state("a\(index)", [30 + 7 * index, 30 + 7 * index])
        let product = state.matrixProduct(state, transposeRight: true)
        assignments.append(
          (state, index % 2 == 0 ? product.orthogonalBasis() : product.symmetricEigenbasis()))
      }
      let runtime = try CPURuntime(threads: threads)
      let executable = try runtime.compile(
        Program(graph: graph, outputs: [], assignments: assignments))
      for index in 0..<13 {
        let size = 30 + 7 * index
        write(BasisInput.all(size, size)[0].values, to: runtime.kept("a\(index)", for: .writing))
      }
      try executable.run()
      return (0..<13).flatMap {
        runtime.kept("a\($0)", for: .reading).map { Array($0.bindMemory(to: UInt32.self)) } ?? []
      }
    }
    let one = try bits(1)
    for threads in [2, 3] {
      let several = try bits(threads)
      #expect(several == one, "\(threads) threads")
    }
  }

  @Test("have no gradient, and say so")
  func notDifferentiable() throws {
    let results: [@Sendable (Tensor) -> Tensor] = [
      { $0.orthogonalBasis() }, { $0.symmetricEigenbasis() },
      { $0.columns(of: $0.sum(.rows).descendingOrder()) },
    ]
    for result in results {
      let graph = Graph()
      let a = graph.parameter("a", [4, 4])
      let error = #expect(throws: GraphError.self) {
        try gradients(of: result(a).sum(), withRespectTo: [a])
      }
      #expect(error?.code == .notDifferentiable)
      #expect(error?.message.contains("gradient") == true)
    }
  }

  // MARK: - Helpers

  private func expectOrthonormal(_ q: [[Double]], _ rows: Int, _ name: String) {
    for i in q.indices {
      for j in 0...i {
        let product = dot(q[i], q[j])
        #expect(
          abs(product - (i == j ? 1 : 0)) <= Self.allowed(rows),
          "\(name): columns \(i) and \(j): \(product)")
      }
    }
  }

  /// The columns of a result.
  private func run(_ input: BasisInput, _ equations: (Tensor) -> Tensor) throws -> [[Double]] {
    let graph = Graph()
    let result = equations(graph.parameter("a", [input.rows, input.columns]))
    let runtime = try CPURuntime(threads: 1)
    let executable = try runtime.compile(Program(graph: graph, outputs: [("result", result)]))
    write(input.values, to: runtime.kept("a", for: .writing))
    try executable.run()
    let values = executable.output("result").bindMemory(to: Float.self).map(Double.init)
    return ReferenceTensor(shape: result.shape, values: values).columnVectors
  }

  private func write(_ values: [Double], to buffer: UnsafeMutableRawBufferPointer?) {
    for (index, value) in values.enumerated() {
      buffer?.storeBytes(of: Float(value), toByteOffset: index * 4, as: Float.self)
    }
  }
}
