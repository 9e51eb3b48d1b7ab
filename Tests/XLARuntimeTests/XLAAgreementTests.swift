// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPURuntime
import Foundation
import TensorGraph
import Testing

@testable import OperationCases
@testable import XLARuntime

@Suite("The XLA runtime agrees with the reference", .enabled(if: PluginUnderTest.isPresent))
struct XLAAgreementTests {
  /// One for all cases: to start a client takes longer than most programs.
  static let client = Shared { try PluginUnderTest.client() }

  @Test("on every case", arguments: OperationCases.all)
  func agrees(_ operationCase: OperationCase) throws {
    let runtime = try XLARuntime(client: Self.client.value())
    let agreement = try RuntimeAgreement(operationCase, runtime, against: ReferenceRuntime())
    let worst = try #require(agreement.worst)
    #expect(worst.relativeError < operationCase.tolerance, "\(agreement)")
  }

  @Test("on every case, cut among devices", arguments: OperationCases.all, [2, 4])
  func cut(_ operationCase: OperationCase, _ devices: Int) throws {
    var rules = ShardingRules()
    rules.level = .parameters
    rules.smallestCut = 1
    let runtime = try XLARuntime(
      client: Self.client.value(), devices: devices, sharding: rules)
    let agreement = try RuntimeAgreement(operationCase, runtime, against: ReferenceRuntime())
    let worst = try #require(agreement.worst)
    #expect(worst.relativeError < operationCase.tolerance, "\(agreement)")
  }

  @Test("on every case, for each of three runs in one program", arguments: OperationCases.all)
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
    for agreement in try results.all() {
      let worst = try #require(agreement.worst)
      #expect(worst.relativeError < operationCase.tolerance, "\(agreement)")
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
