// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

@testable import Dashboard

/// A server for the time of a test, on any free port.
enum Served {
  static func run(
    _ folder: String, port: UInt16 = 0, _ body: @escaping (_ address: String) async throws -> Void
  ) async throws {
    let server = try await DashboardServer(folder: folder, port: port)
    let (addresses, continuation) = AsyncStream.makeStream(of: String.self)
    let task = Task {
      do {
        try await server.run { continuation.yield($0) }
      } catch {
        continuation.finish()
        throw error
      }
    }
    for await address in addresses {
      do {
        try await body(address)
      } catch {
        task.cancel()
        throw error
      }
      task.cancel()
      // The port is free only when it has ended.
      _ = try? await task.value
      return
    }
    try await task.value
  }
}

/// One request over a socket of its own, to see exactly what is answered.
struct RawRequest: Sendable {
  struct Answer: Sendable {
    let status: Int
    let headers: [String: String]
    let body: String

    func header(_ name: String) -> String? { headers[name.lowercased()] }
  }

  struct Failure: Error {
    let what: String
  }

  let line: String
  let host: String
  let target: String
  let port: UInt16

  init(
    _ line: String, host: String = "127.0.0.1", to address: String, at target: String = "127.0.0.1"
  )
    throws
  {
    self.line = line
    self.host = host
    self.target = target
    guard let port = UInt16(address.split(separator: ":").last?.dropLast() ?? "") else {
      throw Failure(what: address)
    }
    self.port = port
  }

  /// Sends it and waits for the answer, on a thread of its own: sockets block, and the tasks of the server need threads.
  func answer() async throws -> Answer {
    try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread { continuation.resume(with: Result { try exchange() }) }
    }
  }

  private func exchange() throws -> Answer {
    #if canImport(Darwin)
      let descriptor = socket(AF_INET, SOCK_STREAM, 0)
    #else
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #endif
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    inet_pton(AF_INET, target, &address.sin_addr)
    let connected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard connected == 0 else { throw Failure(what: String(cString: strerror(errno))) }
    let text = "\(line)\r\nHost: \(host):\(port)\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    let sent = Array(text.utf8).withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, 0) }
    guard sent == text.utf8.count else { throw Failure(what: "sent \(sent)") }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = recv(descriptor, &buffer, buffer.count, 0)
      if count <= 0 { break }
      bytes += buffer[..<count]
    }
    let parts = String(decoding: bytes, as: UTF8.self).components(separatedBy: "\r\n\r\n")
    let lines = parts[0].components(separatedBy: "\r\n")
    let words = lines[0].split(separator: " ")
    guard words.count > 1, let status = Int(words[1]) else { throw Failure(what: lines[0]) }
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      let pair = line.split(separator: ":", maxSplits: 1)
      if pair.count == 2 {
        headers[pair[0].lowercased()] = pair[1].trimmingCharacters(in: .whitespaces)
      }
    }
    return Answer(
      status: status, headers: headers, body: parts.dropFirst().joined(separator: "\r\n\r\n"))
  }
}
