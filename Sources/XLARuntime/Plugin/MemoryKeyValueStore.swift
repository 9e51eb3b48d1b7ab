// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A key-value store in this process's memory; what the server of several processes keeps.
final class MemoryKeyValueStore: KeyValueStore, @unchecked Sendable {
  /// Guards `values`, and tells who waits that one was written.
  private let condition = NSCondition()
  private var values: [String: [UInt8]] = [:]

  func value(of key: String, timeoutMilliseconds: Int) throws(XLAError) -> [UInt8]? {
    let deadline = Date(timeIntervalSinceNow: Double(max(timeoutMilliseconds, 0)) / 1000)
    condition.lock()
    defer { condition.unlock() }
    while values[key] == nil {
      if !condition.wait(until: deadline) { break }
    }
    return values[key]
  }

  func valueIfPresent(of key: String) throws(XLAError) -> [UInt8]? {
    condition.lock()
    defer { condition.unlock() }
    return values[key]
  }

  func set(_ key: String, to value: [UInt8]) throws(XLAError) {
    condition.lock()
    values[key] = value
    condition.broadcast()
    condition.unlock()
  }
}
