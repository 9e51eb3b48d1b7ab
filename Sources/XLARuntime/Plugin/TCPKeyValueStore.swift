// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// How requests and answers look on the wire.
///
/// A request: the four bytes `AKV1`, its kind, then timeout (milliseconds), length of the key and length of the value as
/// 32-bit numbers, big end first, then key and value. An answer: its kind, the length of its value, the value.
/// A connection carries one request.
private enum KeyValueFrame {
  static let magic = Array("AKV1".utf8)
  static let headerByteCount = 4 + 1 + 3 * 4
  static let longestKey = 1 << 16
  static let longestValue = 1 << 28

  enum Request: UInt8 {
    case wait = 1
    case look = 2
    case write = 3
  }
  enum Answer: UInt8 {
    case value = 0
    case nothing = 1
  }

  static func bytes(_ number: Int) -> [UInt8] {
    let word = UInt32(clamping: number)
    return [UInt8(word >> 24), UInt8(word >> 16 & 255), UInt8(word >> 8 & 255), UInt8(word & 255)]
  }
  static func number(_ bytes: some Sequence<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }
}

/// The end of a key-value store where the values are: process 0 serves it, and uses `store` itself.
final class KeyValueServer: Sendable {
  /// What is served.
  let store = MemoryKeyValueStore()
  /// The port that others connect to.
  let port: UInt16
  private let listener: Listener

  /// A listening socket, which the thread that listens closes: were another to close it, its number could by then be that
  /// of another socket.
  private final class Listener: Sendable {
    let descriptor: Int32
    let isClosing = Atomic<Bool>(false)
    init(_ descriptor: Int32) { self.descriptor = descriptor }
    deinit { systemClose(descriptor) }

    /// The next connection; nil when there will be none.
    func next() -> Int32? {
      while !isClosing.load(ordering: .relaxed) {
        var interest = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&interest, 1, 250) > 0 else { continue }
        let connection = accept(descriptor, nil, nil)
        if connection >= 0 { return connection }
        switch errno {
        case EINTR, ECONNABORTED, EAGAIN: continue
        // For the moment there is no room for one connection more; it waits in the queue.
        case EMFILE, ENFILE, ENOBUFS, ENOMEM: usleep(100_000)
        default: return nil
        }
      }
      return nil
    }
  }

  /// Opens a port and serves whoever connects, each on a thread of its own.
  ///
  /// - Parameters:
  ///   - host: The address to listen on; nil for all of this machine's.
  ///   - port: The port; 0 for any that is free.
  ///   - requestSeconds: How long a request may take to come in.
  /// - Throws: A setting error when the port is taken.
  init(host: String? = nil, port: UInt16, requestSeconds: Double = 10) throws(XLAError) {
    let descriptor: Int32
    (descriptor, self.port) = try Connection.listen(host: host, port: port)
    let (listener, store) = (Listener(descriptor), store)
    self.listener = listener
    Thread.detachNewThread {
      while let descriptor = listener.next() {
        Thread.detachNewThread {
          // A peer that sends nonsense or goes away concerns nobody else; it hears of it by its connection's end.
          try? Self.answer(Connection(descriptor), store, requestSeconds)
        }
      }
    }
  }

  deinit { close() }

  /// Refuses further connections; requests that wait are answered or run out of time.
  func close() {
    listener.isClosing.store(true, ordering: .relaxed)
    shutdown(listener.descriptor, Int32(SHUT_RDWR))
  }

  private static func answer(
    _ connection: Connection, _ store: MemoryKeyValueStore, _ requestSeconds: Double
  ) throws(XLAError) {
    connection.limit(seconds: requestSeconds)
    let header = try connection.receive(KeyValueFrame.headerByteCount)
    guard header.starts(with: KeyValueFrame.magic),
      let kind = KeyValueFrame.Request(rawValue: header[4])
    else { return }
    let timeout = KeyValueFrame.number(header[5..<9])
    let keyCount = KeyValueFrame.number(header[9..<13])
    let valueCount = KeyValueFrame.number(header[13..<17])
    guard keyCount <= KeyValueFrame.longestKey, valueCount <= KeyValueFrame.longestValue else {
      return
    }
    let key = String(decoding: try connection.receive(keyCount), as: UTF8.self)
    let value = try connection.receive(valueCount)
    var found: [UInt8]?
    switch kind {
    case .wait: found = try store.value(of: key, timeoutMilliseconds: timeout)
    case .look: found = try store.valueIfPresent(of: key)
    case .write:
      try store.set(key, to: value)
      found = []
    }
    let answer = found == nil ? KeyValueFrame.Answer.nothing : .value
    try connection.send([answer.rawValue] + KeyValueFrame.bytes(found?.count ?? 0) + (found ?? []))
  }
}

/// The system's function, whose name is taken inside the classes.
private func systemClose(_ descriptor: Int32) { _ = close(descriptor) }

/// A key-value store that another process serves.
final class RemoteKeyValueStore: KeyValueStore {
  private let host: String
  private let port: UInt16
  private let source: String
  private let patienceSeconds: Double
  private let answerSeconds: Double

  /// Names the server; connections are made when they are needed.
  ///
  /// - Parameters:
  ///   - host: The machine of process 0.
  ///   - port: Its port.
  ///   - source: Who named them, for messages, as `MASTER_ADDR and MASTER_PORT`.
  ///   - patienceSeconds: How long to try before process 0 counts as absent.
  ///   - answerSeconds: How long an answer may take beyond the time that its request may wait.
  init(
    host: String, port: UInt16, source: String = "the launch", patienceSeconds: Double = 300,
    answerSeconds: Double = 30
  ) {
    self.host = host
    self.port = port
    self.source = source
    self.patienceSeconds = patienceSeconds
    self.answerSeconds = answerSeconds
  }

  func value(of key: String, timeoutMilliseconds: Int) throws(XLAError) -> [UInt8]? {
    try ask(.wait, key, timeoutMilliseconds: timeoutMilliseconds)
  }

  func valueIfPresent(of key: String) throws(XLAError) -> [UInt8]? { try ask(.look, key) }

  func set(_ key: String, to value: [UInt8]) throws(XLAError) {
    guard value.count <= KeyValueFrame.longestValue else {
      throw XLAError(
        .setting, "the value of \(key) has \(value.count) bytes, more than processes exchange")
    }
    _ = try ask(.write, key, value)
  }

  private func ask(
    _ kind: KeyValueFrame.Request, _ key: String, _ value: [UInt8] = [],
    timeoutMilliseconds: Int = 0
  ) throws(XLAError) -> [UInt8]? {
    let name = Array(key.utf8)
    precondition(name.count <= KeyValueFrame.longestKey, "a key of \(name.count) bytes")
    let connection = try Connection.open(
      host: host, port: port, source: source, patienceSeconds: patienceSeconds)
    connection.limit(seconds: Double(timeoutMilliseconds) / 1000 + answerSeconds)
    try connection.send(
      KeyValueFrame.magic + [kind.rawValue] + KeyValueFrame.bytes(timeoutMilliseconds)
        + KeyValueFrame.bytes(name.count) + KeyValueFrame.bytes(value.count) + name + value)
    let header = try connection.receive(5)
    let count = KeyValueFrame.number(header[1...])
    guard let answer = KeyValueFrame.Answer(rawValue: header[0]),
      count <= KeyValueFrame.longestValue
    else {
      throw XLAError(
        .device,
        "\(host):\(port) answers in a language of its own: is another program on that port?")
    }
    let found = try connection.receive(count)
    return answer == .value ? found : nil
  }
}
