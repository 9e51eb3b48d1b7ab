// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Foundation
import LocalServer
import Testing
import TextData

@testable import Downloads

struct ShardFetchTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// The bytes of small shards by the names of the real ones.
  func shards(_ count: Int) throws -> [String: [UInt8]] {
    let made = try TemporaryFolder()
    var files: [String: [UInt8]] = [:]
    for number in 0...count {
      let name =
        number == 0
        ? "fineweb_val_000000.bin" : "fineweb_train_00000\(number).bin"
      let tokens = (0..<3000 + number).map { Int32($0 % 40 == 0 ? 50256 : $0 % 1000) }
      try LLMCShard.write(tokens, to: made.file(name))
      files[name] = made.read(name)
    }
    return files
  }

  func server(
    _ files: [String: [UInt8]], offersChecksums: Bool = true
  ) -> LocalServer {
    LocalServer { request, _ in
      guard let bytes = files[String(request.path.split(separator: "/").last ?? "")] else {
        return .init(404, headers: [("Content-Length", "0")])
      }
      let tag = SHA256.hexadecimal(of: bytes)
      return .file(
        bytes, request, headers: offersChecksums ? [("X-Linked-ETag", "\"\(tag)\"")] : [])
    }
  }

  func fetch(_ server: LocalServer, count: Int = 2) -> ShardFetch {
    var fetch = ShardFetch(.fineweb10B, count: count, folder: folder.file("data"))
    fetch.address = server.address
    fetch.attempts = 2
    fetch.firstPause = 0.01
    return fetch
  }

  func code(_ body: () throws -> Void) -> DownloadError.Code? {
    do {
      try body()
      return nil
    } catch {
      return (error as? DownloadError)?.code
    }
  }

  @Test func theHeldOutAndTheFirstTrainingShardsMakeADataSet() throws {
    let files = try shards(3)
    let server = server(files)
    defer { server.stop() }
    var stages: [String] = []
    let result = try fetch(server).run { state in
      let text = "\(state.number)/\(state.count) \(state.stage.rawValue) \(state.file)"
      if stages.last != text { stages.append(text) }
    }
    let names = [
      "fineweb_val_000000.bin", "fineweb_train_000001.bin", "fineweb_train_000002.bin",
    ]
    #expect(result.files == names && result.fetched == names && result.unchecked.isEmpty)
    #expect(result.bytes == names.reduce(0) { $0 + (files[$1]?.count ?? 0) })
    #expect(stages == names.enumerated().map { "\($0 + 1)/3 fetching \($1)" })
    #expect(server.requests.map(\.path) == names.map { "/files/" + $0 })
    for name in names { #expect(folder.read("data/" + name) == files[name]) }
    let dataset = try TokenDataset(folder: folder.file("data"))
    #expect(dataset.train.count == 3001 + 3002)
    #expect(dataset.validation.count == 3000)
    #expect(
      String(decoding: folder.read("data/SHA256SUMS") ?? [], as: UTF8.self)
        == names.sorted().map { "\(SHA256.hexadecimal(of: files[$0] ?? []))  \($0)\n" }.joined())

    // Given again it asks nobody; with one shard more it fetches that.
    #expect(try fetch(server).run().fetched.isEmpty)
    #expect(server.requests.count == 3)
    #expect(try fetch(server, count: 3).run().fetched == ["fineweb_train_000003.bin"])
    #expect(server.requests.count == 4)
  }

  @Test func damageOnTheDiskIsFoundWithoutTheServer() throws {
    let files = try shards(2)
    let server = server(files)
    defer { server.stop() }
    _ = try fetch(server).run()
    var bytes = try #require(files["fineweb_train_000001.bin"])
    bytes[3000] ^= 1
    try folder.write(bytes, to: "data/fineweb_train_000001.bin")
    let error = #expect(throws: DownloadError.self) { try fetch(server).run() }
    #expect(error?.code == .wrongChecksum)
    #expect(error?.message.contains("fineweb_train_000001.bin") == true)
    #expect(server.requests.count == 3)
    try folder.write(Array(bytes.dropLast()), to: "data/fineweb_train_000001.bin")
    #expect(code { _ = try fetch(server).run() } == .wrongContent)
    try FileManager.default.removeItem(atPath: folder.file("data/fineweb_train_000001.bin"))
    #expect(try fetch(server).run().fetched == ["fineweb_train_000001.bin"])
  }

  @Test func filesThatCameFromElsewhereAreComparedWithTheServers() throws {
    let files = try shards(1)
    let server = server(files)
    defer { server.stop() }
    _ = try fetch(server, count: 1).run()
    try FileManager.default.removeItem(atPath: folder.file("data/SHA256SUMS"))
    #expect(try fetch(server, count: 1).run().fetched.isEmpty)
    #expect(server.requests.map(\.method) == ["GET", "GET", "HEAD", "HEAD"])
    #expect(try ChecksumList(folder: folder.file("data")).digests.count == 2)
    // Altered and without a list: the server knows better.
    var bytes = try #require(files["fineweb_val_000000.bin"])
    bytes[2000] ^= 1
    try folder.write(bytes, to: "data/fineweb_val_000000.bin")
    try FileManager.default.removeItem(atPath: folder.file("data/SHA256SUMS"))
    #expect(code { _ = try fetch(server, count: 1).run() } == .wrongChecksum)
    server.stop()
    let offline = fetch(server, count: 1)
    #expect(code { _ = try offline.run() } == .network)
  }

  @Test func withoutChecksumsSizesAndHeadersAreCheckedAndThatIsSaid() throws {
    var files = try shards(1)
    let server = server(files, offersChecksums: false)
    defer { server.stop() }
    #expect(try fetch(server, count: 1).run().unchecked.count == 2)
    // Nobody can check the same files where they are there already, either.
    try FileManager.default.removeItem(atPath: folder.file("data/SHA256SUMS"))
    #expect(try fetch(server, count: 1).run().unchecked.count == 2)
    files["fineweb_train_000001.bin"]?[0] ^= 1
    let broken = self.server(files, offersChecksums: false)
    defer { broken.stop() }
    try FileManager.default.removeItem(atPath: folder.file("data/fineweb_train_000001.bin"))
    let error = #expect(throws: DownloadError.self) { try fetch(broken, count: 1).run() }
    #expect(error?.code == .wrongContent)
    #expect(error?.message.contains("not an llm.c token shard") == true)
    #expect(folder.read("data/fineweb_train_000001.bin.part") == nil)
  }

  @Test func whatCannotBeAskedForIsRefused() throws {
    let server = server([:])
    defer { server.stop() }
    for count in [0, -1, 104] {
      #expect(code { _ = try self.fetch(server, count: count).run() } == .invalidOption)
    }
    var fetch = self.fetch(server)
    for address in ["", "shards", "ftp://a/b", "file:///tmp", "http://"] {
      fetch.address = address
      #expect(code { _ = try fetch.run() } == .invalidOption, "\(address)")
    }
    #expect(server.requests.isEmpty)
    fetch.address = server.address
    #expect(code { _ = try fetch.run() } == .notFound)
  }

  @Test func aListThatIsNoneIsNamedByItsLine() throws {
    try FileManager.default.createDirectory(
      atPath: folder.file("data"), withIntermediateDirectories: true)
    let digest = String(repeating: "a", count: 64)
    for text in ["hello\n", digest + "\n", digest + " x\n", digest.dropLast() + "g  x\n"] {
      try folder.write(Array(text.utf8), to: "data/SHA256SUMS")
      #expect(code { _ = try ChecksumList(folder: folder.file("data")) } == .wrongContent)
    }
    try folder.write(Array("\(digest)  a b\n\(digest) *c\n".utf8), to: "data/SHA256SUMS")
    let list = try ChecksumList(folder: folder.file("data"))
    #expect(list.digests == ["a b": digest, "c": digest])
    // Files that are not there are passed over.
    #expect(try list.verify(folder: folder.file("data")) == 0)
    #expect(list.missing(folder: folder.file("data")) == ["a b", "c"])
    try folder.write(Array("\(digest)  a b\r\n\(digest) *c\r\n".utf8), to: "data/SHA256SUMS")
    #expect(try ChecksumList(folder: folder.file("data")) == list)
    for name in ["../a", "/etc/a", "a/b", "..", "a\u{1B}[2J"] {
      try folder.write(Array("\(digest)  \(name)\n".utf8), to: "data/SHA256SUMS")
      #expect(
        code { _ = try ChecksumList(folder: folder.file("data")) } == .wrongContent, "\(name)")
    }
  }

  /// Names and address as they were published; the last shard is number 103.
  @Test func theAddressesAreThePublishedOnes() {
    let shards = PublicShards.fineweb10B
    #expect(shards.trainFile(1) == "fineweb_train_000001.bin")
    #expect(shards.trainFile(shards.trainCount) == "fineweb_train_000103.bin")
    #expect(
      URL(string: shards.address)?.appendingPathComponent(shards.validationFile).absoluteString
        == "https://huggingface.co/datasets/kjj0/fineweb10B-gpt2/resolve/main/fineweb_val_000000.bin"
    )
  }
}
