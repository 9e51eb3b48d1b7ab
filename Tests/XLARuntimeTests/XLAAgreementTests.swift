// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TensorGraph
import Testing

@testable import OperationCases
@testable import XLARuntime

@Suite("The XLA runtime agrees with the reference", .enabled(if: PluginUnderTest.isPresent))
struct XLAAgreementTests {
  /// One for all cases: to start a client takes longer than most programs.
  static let client = Shared { try PluginUnderTest.client() }

  /// Whole steps, updates, and every fourth of all other cases; with ASSAY_ALL_CASES all of them, which takes four times as long.
  static func some(_ offset: Int) -> [OperationCase] {
    if ProcessInfo.processInfo.environment["ASSAY_ALL_CASES"] != nil { return OperationCases.all }
    let whole = OperationCases.steps + OperationCases.updates
    let names = Set(whole.map(\.name))
    let others = OperationCases.all.filter { !names.contains($0.name) }
    return whole + others.enumerated().filter { $0.offset % 4 == offset }.map(\.element)
  }

  @Test("on every case", arguments: OperationCases.all)
  func agrees(_ operationCase: OperationCase) throws {
    let runtime = try XLARuntime(client: Self.client.value())
    let agreement = try RuntimeAgreement(
      operationCase, runtime, against: OperationCases.reference())
    let worst = try #require(agreement.worst)
    #expect(worst.relativeError < operationCase.tolerance, "\(agreement)")
  }

  /// Sequences, then heads, one after the other; rows of a head, too.
  @Test(
    "on attention and heads whose scores and logits are made in small blocks", arguments: [1, 2])
  func blocks(devices: Int) throws {
    let cases = Self.some(3).filter { $0.name.contains("attention") || $0.name.contains("head") }
    #expect(cases.count > 10)
    for operationCase in cases {
      let runtime = try XLARuntime(client: Self.client.value(), devices: devices)
      runtime.store.target.blockBytes = 256
      let agreement = try RuntimeAgreement(
        operationCase, runtime, against: OperationCases.reference())
      let worst = try #require(agreement.worst)
      #expect(worst.relativeError < operationCase.tolerance, "\(agreement)")
    }
  }

  @Test("on cases cut among two devices", arguments: some(0))
  func cutInTwo(_ operationCase: OperationCase) throws { try cut(operationCase, devices: 2) }

  @Test("on cases cut among four devices", arguments: some(1))
  func cutInFour(_ operationCase: OperationCase) throws { try cut(operationCase, devices: 4) }

  private func cut(_ operationCase: OperationCase, devices: Int) throws {
    var rules = ShardingRules()
    rules.level = .parameters
    rules.smallestCut = 1
    let runtime = try XLARuntime(
      client: Self.client.value(), devices: devices, sharding: rules)
    let agreement = try RuntimeAgreement(
      operationCase, runtime, against: OperationCases.reference())
    let worst = try #require(agreement.worst)
    #expect(worst.relativeError < operationCase.tolerance, "\(agreement)")
  }

  @Test("on cases, for each of three runs in one program", arguments: some(2))
  func batched(_ operationCase: OperationCase) throws {
    let group = try RunGroup(client: Self.client.value(), count: 3)
    let results = Together(count: 3)
    let threads = (0..<3).map { run in
      Thread {
        results.store(run) {
          defer { group.leave(run) }
          return try RuntimeAgreement(
            operationCase.varied(by: run), group.runtime(run),
            against: XLARuntime(client: Self.client.value()))
        }
      }
    }
    for thread in threads { thread.start() }
    for (run, agreement) in try results.all().enumerated() {
      let worst = try #require(agreement.worst)
      if worst.relativeError < operationCase.tolerance { continue }
      // Numbers that stand at the step of a step function: with them the run strays as far alone.
      let alone = try RuntimeAgreement(
        operationCase.varied(by: run), XLARuntime(client: Self.client.value()),
        against: OperationCases.reference())
      let strayed = try #require(alone.worst).relativeError
      #expect(
        strayed > operationCase.tolerance && worst.relativeError < 4 * strayed, "\(agreement)")
    }
  }
}

extension OperationCase {
  /// The same case with other numbers in every leaf but the integers.
  func varied(by run: Int) -> OperationCase {
    var other = self
    other.variation = run
    return other
  }
}

/// What several threads find, once all have.
final class Together: @unchecked Sendable {
  private let condition = NSCondition()
  private var found: [Int: Result<RuntimeAgreement, any Error>] = [:]
  private let count: Int

  init(count: Int) { self.count = count }

  func store(_ index: Int, _ body: () throws -> RuntimeAgreement) {
    let result = Result { try body() }
    condition.lock()
    found[index] = result
    condition.broadcast()
    condition.unlock()
  }

  func all() throws -> [RuntimeAgreement] {
    condition.lock()
    defer { condition.unlock() }
    while found.count < count { condition.wait() }
    return try (0..<count).compactMap { try found[$0]?.get() }
  }
}

/// A value that is made once, by whoever asks first.
final class Shared<Value>: @unchecked Sendable {
  private let lock = NSLock()
  private let make: () throws -> Value
  private var made: Value?

  init(_ make: @escaping () throws -> Value) { self.make = make }

  func value() throws -> Value {
    lock.lock()
    defer { lock.unlock() }
    if let made { return made }
    let value = try make()
    made = value
    return value
  }
}
