// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RandomStreams
import Testing

/// Files of `Tests/Fixtures/statistics`, written by `Scripts/fixtures/statistics.py`.
enum Fixtures {
  static func load<Content: Decodable>(_ name: String, as type: Content.Type) throws -> Content {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent()
    let file = folder.appendingPathComponent("Fixtures/statistics/" + name)
    return try JSONDecoder().decode(FixtureFile<Content>.self, from: Data(contentsOf: file)).data
  }
}

/// What stands around the data of a file.
struct FixtureFile<Content: Decodable>: Decodable {
  var data: Content
}

/// A cell of a row that mixes names, numbers and lists.
enum Cell: Decodable {
  case name(String)
  case number(Double)
  case list([Double])
  case nothing

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .nothing
    } else if let number = try? container.decode(Double.self) {
      self = .number(number)
    } else if let name = try? container.decode(String.self) {
      self = .name(name)
    } else {
      self = .list(try container.decode([Double].self))
    }
  }

  var number: Double? { if case .number(let value) = self { value } else { nil } }
  var name: String { if case .name(let value) = self { value } else { "" } }
  var list: [Double] { if case .list(let value) = self { value } else { [] } }
}

/// Whether two numbers agree to `tolerance` of the larger, or to `absolute`.
func agree(
  _ value: Double?, _ expected: Double, tolerance: Double = 1e-10, absolute: Double = 0
) -> Bool {
  guard let value else { return false }
  return abs(value - expected) <= max(tolerance * max(abs(value), abs(expected)), absolute)
}

/// Normal numbers in order, for simulations.
struct Noise {
  let stream: RandomStream
  var index = 0

  init(_ name: String, seed: UInt64 = 1) { stream = RandomStream(seed: seed, name: name) }

  mutating func normal() -> Double {
    defer { index += 1 }
    return stream.normal(at: index)
  }

  mutating func sample(_ count: Int, mean: Double = 0, deviation: Double = 1) -> [Double] {
    (0..<count).map { _ in mean + deviation * normal() }
  }

  /// exp(0.8 z) less its mean exp(0.32): skewed to the right, of mean 0.
  mutating func skewed(_ count: Int) -> [Double] {
    (0..<count).map { _ in exp(0.8 * normal()) - exp(0.32) }
  }
}

/// How often something happened in a simulation.
///
/// `ASSAY_SIMULATIONS=100 swift test -c release` repeats everything a hundred times as often and prints what `Docs/statistics.md` reports.
struct Tally {
  static let scale = ProcessInfo.processInfo.environment["ASSAY_SIMULATIONS"].flatMap(Int.init) ?? 1

  var name: String
  var hits = 0
  var count = 0
  var share: Double { Double(hits) / Double(count) }

  init(_ name: String, repetitions: Int, _ happens: () -> Bool) {
    self.name = name
    count = repetitions * Self.scale
    for _ in 0..<count where happens() { hits += 1 }
    report()
  }

  init(_ name: String, hits: Int, of count: Int) {
    self.name = name
    self.hits = hits
    self.count = count
    report()
  }

  private func report() {
    if Self.scale > 1 { print("measured \(name): \(share) of \(count)") }
  }

  /// Whether the share lies in a range, give or take four standard deviations of the simulation itself.
  func lies(in range: ClosedRange<Double>) -> Bool {
    let middle = (range.lowerBound + range.upperBound) / 2
    let slack = 4 * (middle * (1 - middle) / Double(count)).squareRoot()
    return share >= range.lowerBound - slack && share <= range.upperBound + slack
  }
}
