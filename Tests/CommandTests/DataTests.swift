// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LocalServer
import Testing

@Suite struct DataTests {
  /// An llm.c shard as bytes, written here by its description.
  static func shard(_ tokens: [UInt16]) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 1024)
    for (place, number) in [20_240_520, 1, tokens.count].enumerated() {
      for byte in 0..<4 { bytes[4 * place + byte] = UInt8(number >> (8 * byte) & 255) }
    }
    for token in tokens { bytes += [UInt8(token & 255), UInt8(token >> 8)] }
    return bytes
  }

  /// Documents of 1 to 60 tokens.
  static func tokens(_ documents: Int, seed: Int) -> [UInt16] {
    var tokens: [UInt16] = []
    for document in 0..<documents {
      let length = (document * 37 + seed) % 60
      tokens.append(50_256)
      for place in 0..<length { tokens.append(UInt16((place * place + document * seed) % 900)) }
    }
    return tokens
  }

  static let files: [String: [UInt8]] = [
    "fineweb_val_000000.bin": shard(tokens(300, seed: 3)),
    "fineweb_train_000001.bin": shard(tokens(900, seed: 5)),
    "fineweb_train_000002.bin": shard(tokens(900, seed: 7)),
  ]

  static func server(pause: Double = 0) -> LocalServer {
    LocalServer { request, _ in
      guard let bytes = files[String(request.path.split(separator: "/").last ?? "")] else {
        return .init(404, headers: [("Content-Length", "0")])
      }
      return .file(bytes, request, pause: pause)
    }
  }

  static let run = [
    "--model.width=16", "--model.layers=1", "--model.heads=2", "--model.context_length=32",
    "--training.steps=4", "--training.batch_tokens=128", "--evaluation.tokens=320",
    "--machine.precision=fp32", "--data.order=documents", "--data.document_mask=true",
    "--evaluation.selection=first",
  ]

  @Test("Fetching is killed, goes on where it was, verifies, and what it made trains on documents")
  func fetch() throws {
    let workspace = try Workspace()
    let slow = Self.server(pause: 0.05)
    defer { slow.stop() }
    let executable = try Command.executable()
    let arguments = { (server: LocalServer) in
      ["data", "fetch", "fineweb10B", "--shards", "2", "--out", "shards", "--from", server.address]
    }
    let killed = try Running([executable] + arguments(slow), in: workspace.folder)
    let part = "shards/fineweb_train_000001.bin.part"
    while !killed.hasEnded(), ((try? workspace.read(part).count) ?? 0) < 8192 { usleep(2000) }
    killed.send(SIGKILL)
    #expect(killed.wait().code == -SIGKILL)
    let left = try workspace.read(part).count
    #expect(left >= 8192 && left < Self.files["fineweb_train_000001.bin"]?.count ?? 0)
    #expect(!workspace.exists("shards/fineweb_train_000001.bin"))

    let fast = Self.server()
    defer { fast.stop() }
    let rest = try Command.run(arguments(fast), in: workspace.folder)
    #expect(rest.code == 0, "\(rest)")
    #expect(rest.errors.contains("3 shards"), "\(rest)")
    #expect(rest.errors.contains("offers no SHA-256"), "\(rest)")
    #expect(fast.requests.map(\.firstByte) == [left, nil])
    for (name, bytes) in Self.files {
      #expect(try Array(workspace.read("shards/" + name)) == bytes)
    }
    let again = try Command.run(arguments(fast) + ["--json"], in: workspace.folder)
    #expect(try (again.json()["fetched"] as? [String]) == [])
    #expect(fast.requests.count == 2)

    let inspected = try Command.run(["data", "inspect", "shards"], in: workspace.folder)
    #expect(inspected.code == 0, "\(inspected)")
    #expect(inspected.output.contains("1,800 documents"), "\(inspected)")
    #expect(inspected.errors.contains("3 files agree with SHA256SUMS"), "\(inspected)")

    try workspace.write("", to: "run.toml")
    let trained = try Command.run(
      ["train", "run.toml", "--data.path=shards", "--run.folder=run"] + Self.run,
      in: workspace.folder)
    #expect(trained.code == 0, "\(trained)")
    let planned = try Command.run(
      ["plan", "run.toml", "--data.path=shards", "--flops-per-second=1e9"] + Self.run,
      in: workspace.folder)
    #expect(planned.code == 0, "\(planned)")

    var damaged = try Array(workspace.read("shards/fineweb_val_000000.bin"))
    damaged[2000] ^= 1
    try workspace.write(Data(damaged), to: "shards/fineweb_val_000000.bin")
    for arguments in [arguments(fast), ["data", "inspect", "shards"]] {
      let refused = try Command.run(arguments, in: workspace.folder)
      #expect(refused.code == 1)
      #expect(refused.errors.contains("fineweb_val_000000.bin' is damaged"), "\(refused)")
    }
  }

  @Test("What cannot be fetched is one line that says what to do")
  func refusals() throws {
    let workspace = try Workspace()
    let server = LocalServer { _, _ in .init(404, headers: [("Content-Length", "0")]) }
    defer { server.stop() }
    for (arguments, code, text) in [
      (["fineweb10B", "--shards", "1", "--from", server.address], 1, "there is no http://"),
      (["fineweb10B", "--shards", "104"], 64, "103 training shards"),
      (["fineweb10B", "--shards", "1", "--from", "here"], 64, "not the address"),
      (["fineweb", "--shards", "1"], 64, "known is fineweb10B"),
      (["fineweb10B"], 64, "--shards"),
    ] as [([String], Int32, String)] {
      let result = try Command.run(["data", "fetch"] + arguments, in: workspace.folder)
      #expect(result.code == code, "\(result)")
      #expect(result.errors.contains(text), "\(result)")
    }
  }

  @Test("A prepared data set is exported, and trains to the same loss as before")
  func export() throws {
    let workspace = try Workspace()
    let text = (0..<200).map { document in
      "Document \(document) says " + (0..<20).map { "\($0 * document % 17)" }.joined(separator: " ")
    }
    try workspace.write(text.joined(separator: "\n\n"), to: "text.txt")
    let prepared = try Command.run(
      ["data", "prepare", "text.txt", "--tokenizer", "bytes", "--output", "set"],
      in: workspace.folder)
    #expect(prepared.code == 0, "\(prepared)")
    let exported = try Command.run(
      ["data", "export", "set", "--output", "shards", "--name", "sample", "--json"],
      in: workspace.folder)
    #expect(exported.code == 0, "\(exported)")
    #expect(try exported.json()["train"] as? [String] == ["sample_train_000001.bin"])
    try workspace.write("", to: "run.toml")
    var losses: [Double] = []
    for name in ["set", "shards"] {
      let result = try Command.run(
        ["train", "run.toml", "--data.path=\(name)", "--run.folder=run-\(name)"] + Self.run,
        in: workspace.folder)
      #expect(result.code == 0, "\(result)")
      let shown = try Command.run(["show", "run", "run-\(name)", "--json"], in: workspace.folder)
      let final = try shown.json()["final"] as? [String: Any]
      losses.append(try #require(final?["validationLoss"] as? Double, "\(shown)"))
    }
    #expect(losses[0] == losses[1])
    let inspected = try Command.run(
      ["data", "inspect", "shards", "--samples", "1"], in: workspace.folder)
    #expect(inspected.output.contains("<|endoftext|>Document "), "\(inspected)")
  }
}
