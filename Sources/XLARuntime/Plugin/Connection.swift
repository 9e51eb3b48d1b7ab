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
    var one: Int32 = 1
    setsockopt(
      descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    #if canImport(Darwin)
      setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &one, socklen_t(MemoryLayout<Int32>.size))
    #endif
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

  /// Calls the body with each address of a host until it gives a result.
  private static func first<Result>(
    of host: String?, _ port: UInt16, _ body: (UnsafePointer<addrinfo>) -> Result?
  ) -> Result? {
    var hints = addrinfo()
    hints.ai_socktype = stream
    hints.ai_flags = host == nil ? AI_PASSIVE : 0
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, String(port), &hints, &list) == 0 else { return nil }
    defer { freeaddrinfo(list) }
    var address = list
    while let current = address {
      if let result = body(UnsafePointer(current)) { return result }
      address = current.pointee.ai_next
    }
    return nil
  }

  /// Connects to a server, again and again until it answers: processes of one launch start in any order.
  static func open(host: String, port: UInt16, patienceSeconds: Double) throws(XLAError)
    -> Connection
  {
    let deadline = Date(timeIntervalSinceNow: patienceSeconds)
    while true {
      let connection = first(of: host, port) { address -> Connection? in
        let info = address.pointee
        let descriptor = socket(info.ai_family, info.ai_socktype, info.ai_protocol)
        guard descriptor >= 0 else { return nil }
        guard connect(descriptor, info.ai_addr, info.ai_addrlen) == 0 else {
          close(descriptor)
          return nil
        }
        return Connection(descriptor)
      }
      if let connection { return connection }
      guard Date() < deadline else {
        throw XLAError(
          .device,
          "process 0 does not answer at \(host):\(port) (waited \(Int(patienceSeconds)) s): is it running, and the port open?"
        )
      }
      usleep(50_000)
    }
  }

  /// Opens a port for others to connect to.
  ///
  /// - Parameters:
  ///   - host: The address to listen on; nil for all of this machine's.
  ///   - port: The port; 0 for any that is free.
  /// - Returns: The listening socket, and its port.
  /// - Throws: A setting error when the port is taken or the address not this machine's.
  static func listen(host: String?, port: UInt16) throws(XLAError) -> (
    descriptor: Int32, port: UInt16
  ) {
    var reason = "no such address"
    let descriptor = first(of: host, port) { address -> Int32? in
      let info = address.pointee
      let descriptor = socket(info.ai_family, info.ai_socktype, info.ai_protocol)
      guard descriptor >= 0 else { return nil }
      var one: Int32 = 1
      setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
      guard bind(descriptor, info.ai_addr, info.ai_addrlen) == 0, systemListen(descriptor, 128) == 0
      else {
        reason = failure
        close(descriptor)
        return nil
      }
      return descriptor
    }
    guard let descriptor else {
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
      guard count > 0 else {
        throw XLAError(.device, "a connection between processes broke: \(Self.failure)")
      }
      sent += count
    }
  }

  /// Receives exactly so many bytes.
  func receive(_ count: Int) throws(XLAError) -> [UInt8] {
    var failure: XLAError?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, received in
      while received < count, failure == nil {
        let part = recv(descriptor, buffer.baseAddress.map { $0 + received }, count - received, 0)
        if part > 0 {
          received += part
        } else if part == 0 {
          failure = XLAError(
            .device, "a connection between processes broke: the other side closed it")
        } else if errno != EINTR {
          failure = XLAError(.device, "a connection between processes broke: \(Self.failure)")
        }
      }
    }
    if let failure { throw failure }
    return bytes
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
