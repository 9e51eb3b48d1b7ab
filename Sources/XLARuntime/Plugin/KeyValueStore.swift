// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// What several processes share while they form one client: small values by name, written once.
protocol KeyValueStore: AnyObject, Sendable {
  /// The value of a key; waits until some process has written it, at most so long.
  func value(of key: String, timeoutMilliseconds: Int) throws(XLAError) -> [UInt8]
  /// The value of a key, or nil when nobody has written it yet.
  func valueIfPresent(of key: String) throws(XLAError) -> [UInt8]?
  /// Writes a value.
  func set(_ key: String, to value: [UInt8]) throws(XLAError)
}
