// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TensorGraph

@testable import Training
@testable import XLARuntime

/// The plugin that tests run on: the file that the environment variable ASSAY_XLA_PLUGIN names.
enum XLAUnderTest {
  /// The plugin's file; nil where tests have none.
  static let plugin = ProcessInfo.processInfo.environment["ASSAY_XLA_PLUGIN"]
  /// True where tests have a plugin.
  static var isPresent: Bool { plugin != nil }

  /// One for all tests: to start a client takes longer than most programs.
  static let client = SharedClient()

  /// Devices behind the plugin.
  static func provider(
    devices: Int = 1, _ level: ShardingRules.Level = .state, smallestCut: Int = 1024
  ) -> RuntimeProvider {
    RuntimeProvider(prefersBFloat16: false) { _, _ in
      var rules = ShardingRules()
      rules.level = level
      rules.smallestCut = smallestCut
      return try XLARuntime(client: client.value(), devices: devices, sharding: rules)
    }
  }
}

/// A client that is made once, by whoever asks first.
///
/// What it offers may be used by several threads at a time.
final class SharedClient: @unchecked Sendable {
  private let lock = NSLock()
  private var made: Client?

  func value() throws -> Client {
    lock.lock()
    defer { lock.unlock() }
    if let made { return made }
    let client = try Client(Plugin(path: XLAUnderTest.plugin ?? ""))
    made = client
    return client
  }
}
