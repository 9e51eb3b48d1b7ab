// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A TCP connection, closed with this object; each is used by one thread at a time.
final class Connection {
  private let descriptor: Int32

  /// Takes ownership of an open socket.
  init(_ descriptor: Int32) {
    self.descriptor = descriptor
    Self.set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
    Self.set(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1)
    #if canImport(Darwin)
      Self.set(descriptor, SOL_SOCKET, SO_NOSIGPIPE, 1)
    #else
      // A machine that is gone is missed after two minutes, not after the system's two hours.
      Self.set(descriptor, Int32(IPPROTO_TCP), TCP_KEEPIDLE, 60)
      Self.set(descriptor, Int32(IPPROTO_TCP), TCP_KEEPINTVL, 10)
      Self.set(descriptor, Int32(IPPROTO_TCP), TCP_KEEPCNT, 6)
    #endif
  }

  private static func set(_ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
    var value = value
    setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
  }

  /// The time after which receiving fails; nil: never.
  private var deadline: Date?

  /// Bounds what is sent and received from now on.
  func limit(seconds: Double) {
    deadline = Date(timeIntervalSinceNow: seconds)
    var time = timeval()
    time.tv_sec = .init(seconds)
    time.tv_usec = .init(seconds.truncatingRemainder(dividingBy: 1) * 1e6)
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
      setsockopt(descriptor, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
    }
  }

  deinit { close(descriptor) }

  #if canImport(Darwin)
    private static let stream = SOCK_STREAM
    private static let sendFlags: Int32 = 0
  #elseif canImport(Musl)
    private static let stream = SOCK_STREAM
    private static let sendFlags = Int32(MSG_NOSIGNAL)
  #else
    private static let stream = Int32(SOCK_STREAM.rawValue)
    // Writing to a peer that is gone is an error here, never a signal that ends the process.
    private static let sendFlags = Int32(MSG_NOSIGNAL)
  #endif

  /// The system's words for the last failure.
  private static var failure: String { String(cString: strerror(errno)) }

  /// Calls the body with each address of a host, of one family (0: of any), until it gives a result; else tells why the host has none.
  private static func first<Result>(
    of host: String?, _ port: UInt16, family: Int32 = 0, unresolved: inout Int32,
    _ body: (UnsafePointer<addrinfo>) -> Result?
  ) -> Result? {
    var hints = addrinfo()
    hints.ai_family = family
    hints.ai_socktype = stream
    hints.ai_flags = host == nil ? AI_PASSIVE : 0
    var list: UnsafeMutablePointer<addrinfo>?
    unresolved = getaddrinfo(host, String(port), &hints, &list)
    guard unresolved == 0 else { return nil }
    defer { freeaddrinfo(list) }
    var address = list
    while let current = address {
      if let result = body(UnsafePointer(current)) { return result }
      address = current.pointee.ai_next
    }
    return nil
  }

  /// How long a name that nobody knows is asked for: that of a container may become known a moment after it was started.
  private static let namelessSeconds = 10.0

  /// Connects to a server, again and again until it answers: processes of one launch start in any order.
  ///
  /// - Parameters:
  ///   - host: The server's machine.
  ///   - port: Its port.
  ///   - source: Who named them, for the message, as `MASTER_ADDR and MASTER_PORT`.
  ///   - patienceSeconds: How long to try.
  /// - Returns: The connection.
  /// - Throws: A setting error when nobody knows the host, a device error when it does not answer.
  static func open(
    host: String, port: UInt16, source: String, patienceSeconds: Double
  ) throws(XLAError) -> Connection {
    let begin = Date()
    var unresolved: Int32 = 0
    var reason = ""
    while true {
      let connection = first(of: host, port, unresolved: &unresolved) { address -> Connection? in
        let info = address.pointee
        let descriptor = socket(info.ai_family, info.ai_socktype, info.ai_protocol)
        guard descriptor >= 0 else {
          reason = failure
          return nil
        }
        guard connect(descriptor, info.ai_addr, info.ai_addrlen) == 0 else {
          reason = failure
          close(descriptor)
          return nil
        }
        return Connection(descriptor)
      }
      if let connection { return connection }
      if unresolved != 0 { reason = String(cString: gai_strerror(unresolved)) }
      let waited = Date().timeIntervalSince(begin)
      if unresolved == EAI_NONAME, waited >= min(patienceSeconds, namelessSeconds) {
        throw XLAError(
          .setting, "the host of process 0, \(host) (from \(source)), is not known here: \(reason)")
      }
      guard waited < patienceSeconds else {
        throw XLAError(
          .device,
          "process 0 does not answer at \(host):\(port) (from \(source)): \(reason). Tried for \(Int(patienceSeconds)) s: "
            + "is it running, and the port open?")
      }
      usleep(50_000)
    }
  }

  /// Opens a port for others to connect to.
  ///
  /// - Parameters:
  ///   - host: The address to listen on; nil for all of this machine's.
  ///   - port: The port; 0 for any that is free.
  /// - Returns: The listening socket, and its port. Where all addresses are meant, they are those of IPv6 and IPv4 on one socket, or
  ///   those of IPv4 on a machine without IPv6.
  /// - Throws: A setting error when the port is taken or the address not this machine's.
  static func listen(host: String?, port: UInt16) throws(XLAError) -> (
    descriptor: Int32, port: UInt16
  ) {
    var (reason, isTaken) = ("no such address", false)
    var unresolved: Int32 = 0
    var found: Int32?
    for family in host == nil ? [AF_INET6, AF_INET] : [0] where found == nil && !isTaken {
      found = first(of: host, port, family: family, unresolved: &unresolved) { address -> Int32? in
        let info = address.pointee
        let descriptor = socket(info.ai_family, info.ai_socktype, info.ai_protocol)
        guard descriptor >= 0 else {
          reason = failure
          return nil
        }
        set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
        if host == nil, family == AF_INET6 {
          set(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 0)
        }
        guard bind(descriptor, info.ai_addr, info.ai_addrlen) == 0,
          systemListen(descriptor, 128) == 0
        else {
          isTaken = errno == EADDRINUSE
          reason = failure
          close(descriptor)
          return nil
        }
        return descriptor
      }
    }
    guard let descriptor = found else {
      throw XLAError(
        .setting, "cannot listen on \(host ?? "this machine's addresses"), port \(port): \(reason)")
    }
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let chosen = withUnsafeMutablePointer(to: &storage) { storage in
      storage.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        getsockname(descriptor, $0, &length)
      }
    }
    // Ports lie at the same place in addresses of both families.
    let network = withUnsafeBytes(of: &storage) { UInt16($0[2]) << 8 | UInt16($0[3]) }
    return (descriptor, chosen == 0 ? network : port)
  }

  /// Sends all bytes.
  func send(_ bytes: [UInt8]) throws(XLAError) {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes { rest in
        rest.baseAddress.map { systemSend(descriptor, $0, rest.count, Self.sendFlags) } ?? -1
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw Self.broken }
      sent += count
    }
  }

  /// Receives exactly so many bytes; memory follows what has come, not what was announced.
  func receive(_ count: Int) throws(XLAError) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count {
      if let deadline, Date() > deadline {
        errno = EAGAIN
        throw Self.broken
      }
      var piece = [UInt8](repeating: 0, count: min(count - bytes.count, 1 << 16))
      let received = recv(descriptor, &piece, piece.count, 0)
      if received > 0 {
        bytes += piece[..<received]
      } else if received == 0 {
        throw XLAError(.device, "a connection between processes broke: the other side closed it")
      } else if errno != EINTR {
        throw Self.broken
      }
    }
    return bytes
  }

  /// What `errno` says about a connection.
  private static var broken: XLAError {
    XLAError(
      .device,
      errno == EAGAIN || errno == EWOULDBLOCK
        ? "a process does not answer any more: look whether it still runs"
        : "a connection between processes broke: \(failure)")
  }
}

/// The system's function, whose name `Connection` uses for its own.
private func systemListen(_ descriptor: Int32, _ backlog: Int32) -> Int32 {
  listen(descriptor, backlog)
}
/// The system's function, whose name `Connection` uses for its own.
private func systemSend(
  _ descriptor: Int32, _ start: UnsafeRawPointer, _ count: Int, _ flags: Int32
) -> Int {
  send(descriptor, start, count, flags)
}
