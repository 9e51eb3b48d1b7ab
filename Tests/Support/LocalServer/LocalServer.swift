// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// A web server on this machine that answers as a test wants it to, badly too: it can cut connections, and lie.
///
/// One thread, one request for each connection.
public final class LocalServer: @unchecked Sendable {
  /// What a client asks for.
  public struct Request: Sendable {
    /// `GET`, `HEAD`.
    public var method: String
    /// From the first `/` on.
    public var path: String
    /// By lower-case name.
    public var headers: [String: String]

    /// First byte of `Range: bytes=N-`; nil without one.
    public var firstByte: Int? {
      guard let range = headers["range"], range.hasPrefix("bytes="), range.hasSuffix("-") else {
        return nil
      }
      return Int(range.dropFirst(6).dropLast())
    }
  }

  /// What the server sends.
  public struct Answer: Sendable {
    /// The status.
    public var status: Int
    /// Sent as they are; nothing is added but `Connection: close`.
    public var headers: [(String, String)]
    /// The body.
    public var body: [UInt8]
    /// Bytes of the body after which the connection is cut; nil: none.
    public var cutAfter: Int?
    /// Seconds between pieces of 4 KiB.
    public var pause: Double

    /// Makes an answer.
    public init(
      _ status: Int, headers: [(String, String)] = [], body: [UInt8] = [], cutAfter: Int? = nil,
      pause: Double = 0
    ) {
      self.status = status
      self.headers = headers
      self.body = body
      self.cutAfter = cutAfter
      self.pause = pause
    }

    /// A file, or the rest of it that was asked for, as a server that knows ranges sends it.
    public static func file(
      _ bytes: [UInt8], _ request: Request, headers: [(String, String)] = [],
      cutAfter: Int? = nil, pause: Double = 0
    ) -> Answer {
      guard let first = request.firstByte else {
        return Answer(
          200, headers: headers + [("Content-Length", "\(bytes.count)")], body: bytes,
          cutAfter: cutAfter, pause: pause)
      }
      guard first < bytes.count else {
        return Answer(
          416,
          headers: headers + [("Content-Range", "bytes */\(bytes.count)"), ("Content-Length", "0")])
      }
      let rest = Array(bytes[first...])
      return Answer(
        206,
        headers: headers + [
          ("Content-Range", "bytes \(first)-\(bytes.count - 1)/\(bytes.count)"),
          ("Content-Length", "\(rest.count)"),
        ], body: rest, cutAfter: cutAfter, pause: pause)
    }
  }

  private let listener: Int32
  /// Where it listens, on 127.0.0.1.
  public let port: UInt16
  private let lock = NSLock()
  private var seen: [Request] = []
  private var isOver = false

  /// Starts it on a free port.
  ///
  /// - Parameter answer: Is asked for every request, with the number of those before.
  public init(_ answer: @escaping @Sendable (Request, Int) -> Answer) {
    #if canImport(Darwin)
      let kind = SOCK_STREAM
    #else
      let kind = Int32(SOCK_STREAM.rawValue)
    #endif
    let listener = socket(AF_INET, kind, 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isListening = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, length) == 0 && listen(listener, 16) == 0
          && getsockname(listener, $0, &length) == 0
      }
    }
    precondition(isListening, "no local server: \(String(cString: strerror(errno)))")
    self.listener = listener
    port = UInt16(bigEndian: address.sin_port)
    Thread.detachNewThread { [self] in
      while true {
        let connection = accept(listener, nil, nil)
        if connection < 0 || lock.withLock({ isOver }) {
          if connection >= 0 { close(connection) }
          close(listener)
          return
        }
        serve(connection, answer)
      }
    }
  }

  /// What was asked for so far.
  public var requests: [Request] { lock.withLock { seen } }

  /// The address of a folder on it.
  public var address: String { "http://127.0.0.1:\(port)/files" }

  /// Ends it; later connections are refused.
  public func stop() {
    lock.withLock { isOver = true }
    shutdown(listener, Int32(SHUT_RDWR))
  }

  private func serve(_ connection: Int32, _ answer: @Sendable (Request, Int) -> Answer) {
    defer { close(connection) }
    #if canImport(Darwin)
      var one: Int32 = 1
      setsockopt(connection, SOL_SOCKET, SO_NOSIGPIPE, &one, socklen_t(MemoryLayout<Int32>.size))
    #endif
    var head: [UInt8] = []
    var byte: UInt8 = 0
    while !head.suffix(4).elementsEqual([13, 10, 13, 10]) {
      guard recv(connection, &byte, 1, 0) == 1 else { return }
      head.append(byte)
    }
    let lines = String(decoding: head, as: UTF8.self).components(separatedBy: "\r\n")
    let words = lines[0].split(separator: " ").map(String.init)
    guard words.count == 3 else { return }
    var request = Request(method: words[0], path: words[1], headers: [:])
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      request.headers[line[..<colon].lowercased()] =
        line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
    }
    let number = lock.withLock {
      seen.append(request)
      return seen.count - 1
    }
    let reply = answer(request, number)
    var text = "HTTP/1.1 \(reply.status) Status\r\nConnection: close\r\n"
    for (name, value) in reply.headers { text += "\(name): \(value)\r\n" }
    guard send(connection, Array((text + "\r\n").utf8)) else { return }
    guard request.method != "HEAD" else { return }
    let body = reply.body.prefix(reply.cutAfter ?? reply.body.count)
    if reply.pause == 0 {
      _ = send(connection, Array(body))
    } else {
      var start = 0
      while start < body.count {
        let end = min(body.count, start + 4096)
        guard send(connection, Array(body[start..<end])) else { return }
        start = end
        Thread.sleep(forTimeInterval: reply.pause)
      }
    }
    // The client has to have read what was sent before the connection is gone.
    shutdown(connection, Int32(SHUT_WR))
    while recv(connection, &byte, 1, 0) > 0 {}
  }

  private func send(_ connection: Int32, _ bytes: [UInt8]) -> Bool {
    #if canImport(Darwin)
      let flags: Int32 = 0
    #else
      let flags = Int32(MSG_NOSIGNAL)
    #endif
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { raw in
        #if canImport(Darwin)
          Darwin.send(connection, raw.baseAddress.map { $0 + done }, raw.count - done, flags)
        #else
          Glibc.send(connection, raw.baseAddress.map { $0 + done }, raw.count - done, flags)
        #endif
      }
      if count <= 0 { return false }
      done += count
    }
    return true
  }
}
