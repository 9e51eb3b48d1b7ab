// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Foundation
import LocalServer
import Testing

@testable import Downloads

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// A folder for one test, removed with it.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "/assay-downloads-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }

  func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).sorted()
  }

  func read(_ name: String) -> [UInt8]? {
    FileManager.default.contents(atPath: file(name)).map(Array.init)
  }

  func write(_ bytes: [UInt8], to name: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: file(name)))
  }
}

struct FileDownloadTests {
  /// Bytes that differ everywhere, several network packets of them.
  static let content: [UInt8] = (0..<200_003).map {
    UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8)
  }
  static let digest = SHA256.hexadecimal(of: content)

  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func download(_ server: LocalServer, attempts: Int = 5) throws -> FileDownload {
    var download = FileDownload(
      try #require(URL(string: server.address + "/a.bin")), to: folder.file("a.bin"))
    download.attempts = attempts
    download.firstPause = 0.01
    return download
  }

  func code(_ body: () throws -> Void) -> DownloadError.Code? {
    do {
      try body()
      return nil
    } catch {
      return (error as? DownloadError)?.code
    }
  }

  @Test func aFileComesWholeAndIsCompared() throws {
    let server = LocalServer { request, _ in
      .file(Self.content, request, headers: [("X-Linked-ETag", "\"\(Self.digest)\"")])
    }
    defer { server.stop() }
    let result = try download(server).run()
    #expect(
      result
        == .init(bytes: 200_003, sha256: Self.digest, isChecked: true, resumedBytes: 0))
    #expect(folder.read("a.bin") == Self.content)
    #expect(try folder.names() == ["a.bin"])
    #expect(server.requests.count == 1)
    #expect(server.requests[0].headers["accept-encoding"] == "identity")
  }

  @Test func aConnectionThatIsCutGoesOnWhereItWas() throws {
    let server = LocalServer { request, number in
      .file(
        Self.content, request,
        headers: [("ETag", "\"v1\""), ("X-Linked-ETag", "\"\(Self.digest)\"")],
        cutAfter: number < 3 ? 50_000 : nil)
    }
    defer { server.stop() }
    var seen: [Int] = []
    let result = try download(server).run { bytes, _ in seen.append(bytes) }
    #expect(result.isChecked && result.bytes == 200_003)
    #expect(folder.read("a.bin") == Self.content)
    #expect(server.requests.map(\.firstByte) == [nil, 50_000, 100_000, 150_000])
    #expect(server.requests[1].headers["if-range"] == "\"v1\"")
    #expect(seen == seen.sorted())
    #expect(try folder.names() == ["a.bin"])
  }

  @Test func aLaterProcessGoesOnWhereAnEarlierOneWas() throws {
    let server = LocalServer { request, number in
      .file(
        Self.content, request, headers: [("ETag", "\"\(Self.digest)\"")],
        cutAfter: number == 0 ? 70_001 : number == 1 ? 0 : nil)
    }
    defer { server.stop() }
    // The first brings bytes, the second none: given up.
    #expect(code { _ = try download(server, attempts: 1).run() } == .network)
    #expect(folder.read("a.bin.part") == Array(Self.content[..<70_001]))
    #expect(folder.read("a.bin") == nil)
    let result = try download(server).run()
    #expect(result.resumedBytes == 70_001)
    #expect(result.isChecked)
    #expect(server.requests.map(\.firstByte) == [nil, 70_001, 70_001])
    #expect(folder.read("a.bin") == Self.content)
    #expect(try folder.names() == ["a.bin"])
  }

  @Test func aServerThatIgnoresRangesSendsEverythingAgain() throws {
    let server = LocalServer { _, number in
      .init(
        200, headers: [("Content-Length", "200003")], body: Self.content,
        cutAfter: number == 0 ? 60_000 : nil)
    }
    defer { server.stop() }
    let result = try download(server).run()
    #expect(server.requests.map(\.firstByte) == [nil, 60_000])
    #expect(result.bytes == 200_003)
    // It offered no checksum.
    #expect(!result.isChecked && result.sha256 == Self.digest)
    #expect(folder.read("a.bin") == Self.content)
  }

  @Test func anotherVersionBeginsAnew() throws {
    let other = Self.content.map { $0 ^ 1 }
    // The client's If-Range names the old version, so a right server sends the new one from its beginning.
    let server = LocalServer { request, number in
      number == 0
        ? .file(Self.content, request, headers: [("ETag", "\"old\"")], cutAfter: 90_000)
        : .init(
          request.headers["if-range"] == "\"old\"" ? 200 : 500,
          headers: [("Content-Length", "200003"), ("ETag", "\"new\"")], body: other)
    }
    defer { server.stop() }
    #expect(try download(server).run().sha256 == SHA256.hexadecimal(of: other))
    #expect(folder.read("a.bin") == other)
  }

  @Test func aWrongChecksumLeavesNothing() throws {
    let wrong = String(repeating: "0", count: 64)
    let server = LocalServer { request, _ in
      .file(Self.content, request, headers: [("X-Linked-ETag", "\"\(wrong)\"")])
    }
    defer { server.stop() }
    let error = #expect(throws: DownloadError.self) { try download(server).run() }
    #expect(error?.code == .wrongChecksum)
    #expect(error?.message.contains(wrong) == true && error?.message.contains(Self.digest) == true)
    #expect(try folder.names() == [])
  }

  @Test func bytesThatWereAlteredBeforeResumingAreFoundByTheChecksum() throws {
    var altered = Array(Self.content[..<70_000])
    altered[5] ^= 1
    try folder.write(altered, to: "a.bin.part")
    let server = LocalServer { request, _ in
      .file(Self.content, request, headers: [("ETag", "\"\(Self.digest)\"")])
    }
    defer { server.stop() }
    #expect(code { _ = try download(server).run() } == .wrongChecksum)
    #expect(try folder.names() == [])
    #expect(try download(server).run().resumedBytes == 0)
  }

  /// As Hugging Face answers: size and checksum in a redirection, the file elsewhere under another tag.
  @Test func aRedirectionKeepsTheRangeAndNamesTheChecksum() throws {
    try folder.write(Array(Self.content[..<1000]), to: "a.bin.part")
    let server = LocalServer { request, _ in
      request.path == "/files/a.bin"
        ? .init(
          302,
          headers: [
            ("Location", "/elsewhere?name=a"), ("X-Linked-ETag", "\"\(Self.digest)\""),
            ("X-Linked-Size", "200003"), ("Content-Length", "0"),
          ])
        : .file(
          Self.content, request,
          headers: [("ETag", "\"\(String(repeating: "f", count: 64))\"")])
    }
    defer { server.stop() }
    let result = try download(server).run()
    #expect(result.isChecked && result.resumedBytes == 1000)
    #expect(server.requests.map(\.path) == ["/files/a.bin", "/elsewhere?name=a"])
    #expect(server.requests.map(\.firstByte) == [1000, 1000])
    #expect(folder.read("a.bin") == Self.content)
  }

  /// Killed after the last byte and before the name: the server has nothing more to send.
  @Test func aFileThatIsCompleteAlreadyIsOnlyNamed() throws {
    try folder.write(Self.content, to: "a.bin.part")
    let server = LocalServer { request, _ in
      .file(Self.content, request, headers: [("ETag", "\"\(Self.digest)\"")])
    }
    defer { server.stop() }
    #expect(try download(server).run().isChecked)
    #expect(server.requests.map(\.firstByte) == [200_003])
    #expect(folder.read("a.bin") == Self.content)
  }

  @Test func whatIsLongerThanTheFileBeginsAnew() throws {
    try folder.write(Self.content + [1, 2, 3], to: "a.bin.part")
    let server = LocalServer { request, _ in .file(Self.content, request) }
    defer { server.stop() }
    #expect(try download(server).run().bytes == 200_003)
    #expect(server.requests.map(\.firstByte) == [200_006, nil])
    #expect(folder.read("a.bin") == Self.content)
  }

  @Test(
    "A server's refusal is named, and what has arrived stays",
    arguments: [
      (404, "notFound"), (410, "notFound"), (403, "refused"), (401, "refused"), (400, "refused"),
    ])
  func refusals(status: Int, expected: String) throws {
    let server = LocalServer { _, _ in .init(status, headers: [("Content-Length", "0")]) }
    defer { server.stop() }
    #expect(code { _ = try download(server).run() }?.rawValue == expected)
    #expect(try folder.names() == [])
    try folder.write([1, 2, 3], to: "a.bin.part")
    #expect(code { _ = try download(server).run() }?.rawValue == expected)
    #expect(try folder.names() == ["a.bin.part"])
    #expect(server.requests.count == 2)
  }

  @Test func aServerInTroubleIsAskedAgain() throws {
    let server = LocalServer { request, number in
      number < 3
        ? .init([500, 503, 429][number], headers: [("Content-Length", "0")])
        : .file(Self.content, request)
    }
    defer { server.stop() }
    #expect(try download(server).run().bytes == 200_003)
    #expect(server.requests.count == 4)
    let broken = LocalServer { _, _ in .init(500, headers: [("Content-Length", "0")]) }
    defer { broken.stop() }
    let other = try download(broken, attempts: 3)
    #expect(code { _ = try other.run() } == .network)
    #expect(broken.requests.count == 3)
  }

  @Test func withoutANetworkItSaysSoAndKeepsWhatIsThere() throws {
    let server = LocalServer { request, _ in .file(Self.content, request) }
    let download = try download(server, attempts: 2)
    server.stop()
    try folder.write([1, 2, 3], to: "a.bin.part")
    let error = #expect(throws: DownloadError.self) { try download.run() }
    #expect(error?.code == .network)
    #expect(error?.message.contains("goes on from byte 3") == true)
    #expect(folder.read("a.bin.part") == [1, 2, 3])
  }

  @Test func aFileOfAnotherSizeThanAnnouncedIsRefused() throws {
    let server = LocalServer { _, _ in
      .init(200, headers: [("X-Linked-Size", "200000")], body: Self.content)
    }
    defer { server.stop() }
    #expect(code { _ = try download(server).run() } == .wrongSize)
    #expect(try folder.names() == [])
  }

  @Test func rangesThatWereNotAskedForAreRefused() throws {
    try folder.write(Array(Self.content[..<1000]), to: "a.bin.part")
    let server = LocalServer { _, _ in
      .init(
        206, headers: [("Content-Range", "bytes 500-200002/200003"), ("Content-Length", "199503")],
        body: Array(Self.content[500...]))
    }
    defer { server.stop() }
    #expect(code { _ = try download(server).run() } == .refused)
    #expect(folder.read("a.bin.part") == Array(Self.content[..<1000]))
  }

  @Test func aWebPageInPlaceOfTheFileThrowsNothingAway() throws {
    try folder.write(Array(Self.content[..<1000]), to: "a.bin.part")
    let page = Array("<html>Log in</html>".utf8)
    let server = LocalServer { _, _ in
      .init(
        200,
        headers: [
          ("Content-Type", "text/html; charset=utf-8"), ("Content-Length", "\(page.count)"),
        ],
        body: page)
    }
    defer { server.stop() }
    #expect(code { _ = try download(server).run() } == .refused)
    #expect(folder.read("a.bin.part") == Array(Self.content[..<1000]))
  }

  @Test func aFullDiskIsNamed() throws {
    let server = LocalServer { request, _ in .file(Self.content, request) }
    defer { server.stop() }
    var download = try download(server)
    guard access("/dev/full", W_OK) == 0 else { return }
    download.opener = { _ in open("/dev/full", O_RDWR) }
    #expect(code { _ = try download.run() } == .diskFull)
    #expect(folder.read("a.bin") == nil)
  }

  @Test func aPlaceThatCannotBeWrittenIsNamedBeforeAnythingIsAsked() throws {
    let server = LocalServer { request, _ in .file(Self.content, request) }
    defer { server.stop() }
    let url = try #require(URL(string: server.address + "/a.bin"))
    #expect(
      code { _ = try FileDownload(url, to: folder.file("none/a.bin")).run() } == .notWritable)
    #expect(server.requests.isEmpty)
  }

  @Test func oneProcessFetchesAFileAtATime() throws {
    let server = LocalServer { request, _ in .file(Self.content, request) }
    defer { server.stop() }
    let held = try PartialFile(target: folder.file("a.bin"))
    #expect(code { _ = try download(server).run() } == .inUse)
    #expect(server.requests.isEmpty)
    withExtendedLifetime(held) {}
  }

  @Test func whatTheCheckRefusesIsRemoved() throws {
    struct Bad: Error {}
    let server = LocalServer { request, _ in .file(Self.content, request) }
    defer { server.stop() }
    var download = try download(server)
    download.check = { _ in throw Bad() }
    #expect(code { _ = try download.run() } == .wrongContent)
    #expect(try folder.names() == [])
  }

  @Test(
    arguments: [
      ("bytes 5-9/10", 5, 10), ("bytes */10", nil, 10), ("bytes 0-3/*", 0, nil),
      ("lines 1-2/3", nil, nil),
      ("bytes 5-9", nil, nil), ("", nil, nil), ("Bytes 7-7/8", 7, 8),
    ] as [(String, Int?, Int?)])
  func rangesOfAnswers(text: String, first: Int?, total: Int?) {
    let range = ServerAnswer.range(text)
    #expect(range.first == first)
    #expect(range.total == total)
  }
}
