// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import XLARuntime

/// The second process of `TwoProcessesTests`: the same executable, which runs this alone.
@Suite(
  "The second of two processes",
  .enabled(if: ProcessInfo.processInfo.environment["ASSAY_SECOND_PROCESS"] != nil))
struct SecondProcess {
  @Test("It answers over the exchange that its environment names")
  func answer() throws {
    let group = try #require(try ProcessGroup.read())
    #expect(group.index == 1 && !group.isFirst)
    let values = try ProcessExchange(group, patienceSeconds: 20).keyValues
    let question = try #require(try values.value(of: "question", timeoutMilliseconds: 20_000))
    try values.set("answer", to: question.reversed() + [UInt8(group.count)])

    // What a client of two processes says here is told to the first.
    guard let path = PluginUnderTest.path else { return }
    do throws(XLAError) {
      let plugin = try Plugin(path: path)
      let client = try Client(plugin, options: group.options(for: plugin), keyValues: values)
      try values.set(
        "client", to: Array("\(client.globalDeviceCount) of \(client.devices.count)".utf8))
    } catch {
      try values.set("client", to: Array(error.message.utf8))
    }
  }
}

#if os(Linux)
  @Suite("Two processes")
  struct TwoProcessesTests {
    @Test("Two processes find each other by their environment and exchange values")
    func exchange() throws {
      // A free port, which the server gives back to be taken again by its number.
      let port = try KeyValueServer(host: "127.0.0.1", port: 0).port
      var environment = [
        "RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "\(port)",
      ]
      let group = try #require(try ProcessGroup.read(environment))
      let exchange = try Self.patiently { try ProcessExchange(group) }
      environment["RANK"] = "1"
      environment["ASSAY_SECOND_PROCESS"] = "1"

      let second = Process()
      second.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
      second.arguments = ["--testing-library", "swift-testing", "--filter", "SecondProcess"]
      second.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new
      }
      second.standardInput = FileHandle.nullDevice
      let output = FileManager.default.temporaryDirectory.appendingPathComponent(
        "second-\(UUID().uuidString)")
      _ = FileManager.default.createFile(atPath: output.path, contents: nil)
      defer { try? FileManager.default.removeItem(at: output) }
      second.standardOutput = try FileHandle(forWritingTo: output)
      second.standardError = second.standardOutput
      try second.run()

      try exchange.keyValues.set("question", to: [1, 2, 3])
      let answer = try exchange.keyValues.value(of: "answer", timeoutMilliseconds: 30_000)
      let words = { String(decoding: (try? Data(contentsOf: output)) ?? Data(), as: UTF8.self) }
      #expect(answer == [3, 2, 1, 2], "\(words())")
      if PluginUnderTest.isPresent {
        let client = try #require(
          try exchange.keyValues.value(of: "client", timeoutMilliseconds: 30_000))
        // The CPU plugin ignores the other process, which is an error and not a run on half of the data; a plugin that does not has
        // the devices of both.
        let text = String(decoding: client, as: UTF8.self)
        let counts = text.components(separatedBy: " of ").compactMap { Int($0) }
        #expect(
          text.contains("forms no client of several processes")
            || counts.count == 2 && counts[0] == group.count * counts[1], "\(text)")
      }
      second.waitUntilExit()
      #expect(second.terminationStatus == 0, "\(words())")
    }

    /// The listener of a port lets it go a moment after its server is gone.
    private static func patiently<Result>(_ body: () throws -> Result) throws -> Result {
      for _ in 0..<40 {
        if let result = try? body() { return result }
        usleep(50_000)
      }
      return try body()
    }
  }
#endif
