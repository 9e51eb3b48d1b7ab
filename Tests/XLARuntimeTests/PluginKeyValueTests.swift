// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import Testing

@testable import XLARuntime

@Suite("Exchange of keys and values between processes")
struct PluginKeyValueTests {
  @Test("What one side writes, the other reads, byte for byte, empty and large values included")
  func bothWays() throws {
    let server = try KeyValueServer(host: "127.0.0.1", port: 0)
    let remote = RemoteKeyValueStore(host: "127.0.0.1", port: server.port, patienceSeconds: 5)
    let large = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    try remote.set("topology/1", to: large)
    #expect(try server.store.valueIfPresent(of: "topology/1") == large)
    try server.store.set("empty", to: [])
    #expect(try remote.valueIfPresent(of: "empty") == [])
    #expect(try remote.valueIfPresent(of: "nothing") == nil)
    try server.store.set("topology/1", to: [1])
    #expect(try remote.value(of: "topology/1", timeoutMilliseconds: 1000) == [1])
  }

  @Test("A reader waits until the value is written, and no longer than it said")
  func waiting() throws {
    let server = try KeyValueServer(host: "127.0.0.1", port: 0)
    let remote = RemoteKeyValueStore(host: "127.0.0.1", port: server.port, patienceSeconds: 5)
    #expect(try remote.value(of: "late", timeoutMilliseconds: 50) == nil)
    let found = Mutex<[UInt8]?>(nil)
    let done = DispatchSemaphore(value: 0)
    Thread.detachNewThread {
      let value = try? remote.value(of: "late", timeoutMilliseconds: 20_000)
      found.withLock { $0 = value ?? nil }
      done.signal()
    }
    // The reader is (almost surely) waiting by now; were it not, the value would be there when it asks.
    usleep(100_000)
    try server.store.set("late", to: [7, 8])
    #expect(done.wait(timeout: .now() + 20) == .success)
    #expect(found.withLock { $0 } == [7, 8])
  }

  @Test("Many threads may write and read at once")
  func manyThreads() throws {
    let server = try KeyValueServer(host: "127.0.0.1", port: 0)
    let remote = RemoteKeyValueStore(host: "127.0.0.1", port: server.port, patienceSeconds: 5)
    let failures = Atomic<Int>(0)
    DispatchQueue.concurrentPerform(iterations: 24) { index in
      do {
        try remote.set("key \(index)", to: [UInt8(index)])
        let other = (index + 1) % 24
        let value = try remote.value(of: "key \(other)", timeoutMilliseconds: 20_000)
        if value != [UInt8(other)] { failures.add(1, ordering: .relaxed) }
      } catch {
        failures.add(1, ordering: .relaxed)
      }
    }
    #expect(failures.load(ordering: .relaxed) == 0)
  }

  @Test("A server that is not there is named with its address")
  func absentServer() throws {
    let server = try KeyValueServer(host: "127.0.0.1", port: 0)
    let port = server.port
    server.close()
    let remote = RemoteKeyValueStore(host: "127.0.0.1", port: port, patienceSeconds: 0.1)
    let error = #expect(throws: XLAError.self) { _ = try remote.valueIfPresent(of: "key") }
    #expect(error?.code == .device)
    #expect(error?.message.contains("127.0.0.1:\(port)") == true)
  }

  @Test("A port that is taken is an error that names it")
  func takenPort() throws {
    let server = try KeyValueServer(host: "127.0.0.1", port: 0)
    let error = #expect(throws: XLAError.self) {
      _ = try KeyValueServer(host: "127.0.0.1", port: server.port)
    }
    #expect(error?.code == .setting)
    #expect(error?.message.contains("port \(server.port)") == true)
  }
}
