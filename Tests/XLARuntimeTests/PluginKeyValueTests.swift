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
    #expect(error?.message.contains("refused") == true)
  }

  @Test("A process 0 that stops answering is missed, though its port still takes connections")
  func silentServer() throws {
    let (descriptor, port) = try Connection.listen(host: "127.0.0.1", port: 0)
    defer { close(descriptor) }
    let remote = RemoteKeyValueStore(host: "127.0.0.1", port: port, answerSeconds: 0.2)
    let error = #expect(throws: XLAError.self) {
      _ = try remote.value(of: "key", timeoutMilliseconds: 100)
    }
    #expect(error?.code == .device)
    #expect(error?.message.contains("does not answer any more") == true)
  }

  @Test(
    "A request that does not come in is given up, whatever size it announces; others are served")
  func stalledRequest() throws {
    let server = try KeyValueServer(host: "127.0.0.1", port: 0, requestSeconds: 0.2)
    func connection() throws -> Connection {
      try Connection.open(host: "127.0.0.1", port: server.port, source: "", patienceSeconds: 5)
    }
    // Half of a header; and a whole one that announces a value of 2^28 bytes, of which none comes.
    for bytes in [[0x41, 0x4b], Array("AKV1".utf8) + [3, 0, 0, 0, 0, 0, 0, 0, 1, 16, 0, 0, 0, 7]] {
      let stalled = try connection()
      stalled.limit(seconds: 20)
      try stalled.send(bytes)
      let error = #expect(throws: XLAError.self) { _ = try stalled.receive(1) }
      #expect(error?.message.contains("closed it") == true, "\(error?.message ?? "")")
    }
    // What waits for its answer is no stalled request.
    let remote = RemoteKeyValueStore(host: "127.0.0.1", port: server.port)
    #expect(try remote.value(of: "nothing", timeoutMilliseconds: 600) == nil)
  }

  @Test("A host that nobody knows is named with who named it, and what the system says")
  func unknownHost() throws {
    let remote = RemoteKeyValueStore(
      host: "no such host", port: 1, source: "MASTER_ADDR and MASTER_PORT", patienceSeconds: 0)
    let error = #expect(throws: XLAError.self) { _ = try remote.valueIfPresent(of: "key") }
    #expect(error?.code == .setting)
    #expect(error?.message.contains("no such host (from MASTER_ADDR and MASTER_PORT)") == true)
    #expect(error?.message.contains("does not answer") == false)
  }

  /// This machine's own addresses; that of IPv6 where it has one.
  private static let ownAddresses: [String] = ["127.0.0.1", "::1"].filter { host in
    guard let (descriptor, _) = try? Connection.listen(host: host, port: 0) else { return false }
    return close(descriptor) == 0
  }

  @Test("All addresses of a machine are those of IPv4 and IPv6", arguments: ownAddresses)
  func families(host: String) throws {
    let server = try KeyValueServer(port: 0)
    let remote = RemoteKeyValueStore(host: host, port: server.port, patienceSeconds: 1)
    try remote.set("key", to: [1])
    #expect(try server.store.valueIfPresent(of: "key") == [1])
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
