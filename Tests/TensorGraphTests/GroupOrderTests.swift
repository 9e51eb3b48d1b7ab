// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TensorGraph

@Suite("An order of groups")
struct GroupOrderTests {
  @Test("finds what lies between two groups, whatever was joined before", arguments: 0..<40)
  func between(_ seed: Int) throws {
    var source = SeededNumbers(seed: seed)
    var order = GroupOrder()
    var reads: [Int: Set<Int>] = [:]
    var (joined, refused) = (0, 0)
    for name in 0..<60 {
      let others = reads.keys.sorted()
      let read = Set(
        (0..<3).compactMap { _ in others.isEmpty ? nil : others[source.below(others.count)] })
      order.add(reading: read)
      reads[name] = read
      var group = name
      for other in read.sorted() where other != group && source.below(2) == 0 {
        let isBetween =
          hasPath(from: group, to: other, reads) || hasPath(from: other, to: group, reads)
        #expect(order.hasGroupBetween(group, other) == isBetween, "\(group), \(other)")
        #expect(order.hasGroupBetween(other, group) == isBetween, "\(other), \(group)")
        if isBetween {
          refused += 1
          continue
        }
        order.join(other, group)
        joined += 1
        reads[other, default: []].formUnion(reads.removeValue(forKey: group) ?? [])
        for reader in others where reads[reader]?.remove(group) != nil {
          reads[reader]?.insert(other)
        }
        reads[other]?.subtract([group, other])
        group = other
      }
    }
    #expect(joined > 5 && refused > 5, "\(joined) joined, \(refused) refused")
  }

  /// Whether a group reads another through a third.
  private func hasPath(from reader: Int, to read: Int, _ reads: [Int: Set<Int>]) -> Bool {
    var open = (reads[reader] ?? []).subtracting([read])
    var seen = open
    while let group = open.popFirst() {
      let next = reads[group] ?? []
      if next.contains(read) { return true }
      open.formUnion(next.subtracting(seen))
      seen.formUnion(next)
    }
    return false
  }

  @Test("takes as many looks for each further layer of a model, however deep it is")
  func linearWork() throws {
    let visits = try [8, 16, 24, 32].map { try ExecutionSchedule(trained(layers: $0)).orderVisits }
    let growth = zip(visits.dropFirst(), visits).map { Double($0 - $1) }
    // Were it to grow with the square, the last eight layers would take three times what the first further ones take.
    #expect(growth[0] > 0 && growth[2] < 1.25 * growth[0], "\(visits)")
  }

  /// A step of a residual network whose layers mix the stream with its beginning by learned numbers.
  private func trained(layers: Int) throws -> Program {
    let graph = Graph()
    let beginning = tanh(graph.input("x", [8, 4], .float32))
    let gain = graph.parameter("gain", [4])
    var stream = beginning
    var parameters: [Tensor] = []
    for layer in 0..<layers {
      let mix = ["residual", "x0"].map { graph.parameter("\($0) \(layer)", [1]) }
      let weights = ["in", "out"].map { graph.parameter("\($0) \(layer)", [4, 4]) }
      parameters += mix + weights
      stream = stream * mix[0] + beginning * mix[1]
      let inner = square(relu(stream.normalized(.rms, gain: gain, epsilon: 1).linear(weights[0])))
      stream = stream + inner.linear(weights[1])
    }
    let found = try gradients(of: square(stream).sum(), withRespectTo: parameters)
    let rate = graph.scalar("rate")
    return try Program(
      graph: graph, outputs: [("loss", square(stream).sum())],
      assignments: zip(parameters, found).map { ($0, $0 - rate * $1) })
  }
}
