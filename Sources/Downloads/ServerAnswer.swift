// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// The head of a server's answer, after redirections.
struct ServerAnswer: Sendable {
  /// The HTTP status.
  var status = 0
  /// Bytes of the whole file; nil when the server does not say.
  var fileSize: Int?
  /// Where the bytes of a partial answer begin.
  var firstByte: Int?
  /// What the server calls this version of the file; nil when it has no exact name for it.
  var version: String?
  /// The SHA-256 that the server offers; nil: none.
  var sha256: String?
  /// The header that it was in.
  var sha256Header: String?
  /// Seconds to wait before asking again, where the server says so.
  var retryAfter: Double?

  init() {}

  /// Takes in what a redirection says about the file: Hugging Face names size and checksum there, and the file lies elsewhere.
  mutating func take(redirection response: HTTPURLResponse) {
    if let size = response.value(forHTTPHeaderField: "X-Linked-Size").flatMap({ Int($0) }) {
      fileSize = size
    }
    take(checksum: response, "X-Linked-ETag")
  }

  /// Takes in the answer itself.
  mutating func take(_ response: HTTPURLResponse) {
    take(redirection: response)
    status = response.statusCode
    let length = response.value(forHTTPHeaderField: "Content-Length").flatMap { Int($0) }
    let range = response.value(forHTTPHeaderField: "Content-Range").map(Self.range)
    if status == 206 || status == 416 {
      firstByte = range?.first
      fileSize = range?.total ?? fileSize
    } else if status == 200 {
      fileSize = length ?? fileSize
    }
    let tag = response.value(forHTTPHeaderField: "ETag")
    version = tag.flatMap { $0.hasPrefix("W/") ? nil : $0 }
    if sha256 == nil { take(checksum: response, "ETag") }
    retryAfter = response.value(forHTTPHeaderField: "Retry-After").flatMap { Double($0) }
  }

  /// A tag that is a SHA-256 is one: 64 hexadecimal digits, in quotes.
  private mutating func take(checksum response: HTTPURLResponse, _ header: String) {
    guard var tag = response.value(forHTTPHeaderField: header) else { return }
    if tag.hasPrefix("W/") { tag.removeFirst(2) }
    tag = tag.trimmingCharacters(in: CharacterSet(charactersIn: "\"")).lowercased()
    guard ChecksumList.isDigest(tag) else { return }
    sha256 = tag
    sha256Header = header
  }

  /// `bytes FIRST-LAST/TOTAL`, or `bytes */TOTAL`; what is missing or no number is nil.
  static func range(_ text: String) -> (first: Int?, total: Int?) {
    let words = text.split(separator: " ")
    guard words.count == 2, words[0].lowercased() == "bytes" else { return (nil, nil) }
    let parts = words[1].split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2 else { return (nil, nil) }
    return (parts[0].split(separator: "-").first.flatMap { Int($0) }, Int(parts[1]))
  }
}
