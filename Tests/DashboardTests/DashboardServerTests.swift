// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords
import Synchronization
import Testing

@testable import Dashboard

/// The server as a browser meets it.
@Suite(.timeLimit(.minutes(20))) struct DashboardServerTests {
  let study: InventedStudy

  init() throws { study = try InventedStudy() }

  @Test func thePageTheStateAndTheDrawingsAreServed() async throws {
    try study.add(study.point("base", .reporting, seed: 1), loss: 3)
    try await Served.run(study.path) { address in
      let page = try await RawRequest("GET / HTTP/1.1", to: address).answer()
      #expect(page.status == 200 && page.header("Content-Type") == "text/html; charset=utf-8")
      #expect(page.body.contains("<!doctype html>"))
      #expect(page.header("Content-Security-Policy")?.contains("default-src 'none'") == true)
      // Nothing from elsewhere.
      for word in ["http://", "https://", "src=", "@import", "url("] {
        #expect(!page.body.contains(word), "\(word)")
      }
      var state = try await RawRequest("GET /state.json HTTP/1.1", to: address).answer()
      // What is known is told at once; the first analysis may still be under way.
      while !state.body.contains("\"done\":1") {
        state = try await RawRequest("GET /state.json HTTP/1.1", to: address).answer()
      }
      #expect(state.header("Content-Type") == "application/json; charset=utf-8")
      #expect(state.header("Cache-Control") == "no-store")
      let decoded = try JSONDecoder().decode(DashboardState.self, from: Data(state.body.utf8))
      #expect(decoded.progress.done == 1)
      let charts = try await RawRequest("GET /charts.json HTTP/1.1", to: address).answer()
      let drawn = try JSONDecoder().decode(DashboardCharts.self, from: Data(charts.body.utf8))
      #expect(drawn.charts.allSatisfy { $0.svg.hasPrefix("<svg") })
      let head = try await RawRequest("HEAD / HTTP/1.1", to: address).answer()
      #expect(head.status == 200)
    }
  }

  @Test(arguments: [
    ("GET /etc/passwd HTTP/1.1", "127.0.0.1", 404),
    ("GET /../study.json HTTP/1.1", "127.0.0.1", 404),
    ("POST /state.json HTTP/1.1", "127.0.0.1", 405),
    ("GET / HTTP/1.1", "evil.example", 403),
    ("GET /state.json HTTP/1.1", "127.0.0.1.evil.example", 403),
    ("GET / HTTP/1.1", "localhost", 200),
  ])
  func otherRequestsAreRefused(line: String, host: String, status: Int) async throws {
    try await Served.run(study.path) { address in
      let answer = try await RawRequest(line, host: host, to: address).answer()
      #expect(answer.status == status)
    }
  }

  @Test func onlyThisMachineIsListenedTo() async throws {
    try await Served.run(study.path) { address in
      #expect(address.hasPrefix("http://127.0.0.1:"))
      // Its other addresses are not served: here the next one of the loopback network.
      await #expect(throws: (any Error).self) {
        try await RawRequest("GET / HTTP/1.1", to: address, at: "127.0.0.2").answer()
      }
    }
  }

  @Test func aTakenPortIsAnErrorWithTheRemedy() async throws {
    try await Served.run(study.path) { address in
      let port = try #require(UInt16(address.split(separator: ":").last?.dropLast() ?? ""))
      let second = try await DashboardServer(folder: study.path, port: port)
      let error = await #expect(throws: DashboardError.self) { try await second.run { _ in } }
      #expect(error?.code == .port)
      #expect(error?.message.contains("--port") == true)
    }
  }

  @Test func aFolderWithoutAStudyIsAnError() async {
    let error = await #expect(throws: DashboardError.self) {
      try await DashboardServer(folder: NSTemporaryDirectory(), port: 0)
    }
    #expect(error?.code == .noStudy)
  }

  @Test func nothingIsWritten() async throws {
    let trial = try study.begin(study.point("base", .reporting, seed: 1))
    try study.step(trial, 0..<5)
    func listing() throws -> [String] {
      try FileManager.default.subpathsOfDirectory(atPath: study.path).sorted().map { name in
        let attributes = try FileManager.default.attributesOfItem(atPath: study.path + "/" + name)
        return "\(name) \(attributes[.modificationDate] ?? 0) \(attributes[.size] ?? 0)"
      }
    }
    let before = try listing()
    try await Served.run(study.path) { address in
      for path in ["/", "/state.json", "/charts.json"] {
        _ = try await RawRequest("GET \(path) HTTP/1.1", to: address).answer()
      }
    }
    let after = try listing()
    #expect(after == before)
  }

  @Test func requestsAreAnsweredWhileTheStudyIsAnalysed() async throws {
    let gate = Gate()
    let watch = StudyWatch(folder: study.path, patience: 0) { folder in
      gate.wait()
      return try DashboardServer.analysis(of: folder)
    }
    gate.open()
    await watch.look()
    gate.close()
    try study.add(study.point("base", .reporting, seed: 1), loss: 3)
    let second = Task { await watch.look() }
    try await Task.sleep(for: .milliseconds(50))
    // The analysis waits at the gate; the state before it is told.
    let before = try JSONDecoder().decode(DashboardState.self, from: await watch.state())
    #expect(before.progress.done == 0)
    gate.open()
    await second.value
    let after = try JSONDecoder().decode(DashboardState.self, from: await watch.state())
    #expect(after.progress.done == 1)
  }

  @Test func namesOfAStudyAreTextNotMarkup() async throws {
    let evil = "<img src=x onerror=alert(1)>"
    let study = try InventedStudy(arms: ["base", evil], name: "a \"<b>study</b>\"")
    let trial = try study.begin(study.point(evil, .reporting, seed: 1))
    try study.step(trial, 0..<10)
    for seed in 2...3 { try study.add(study.point(evil, .reporting, seed: seed), loss: 3) }
    let watch = StudyWatch(folder: study.path, patience: 0, analyse: DashboardServer.analysis(of:))
    let drawn = try JSONDecoder().decode(DashboardCharts.self, from: await watch.charts())
    #expect(drawn.charts.count == 2)
    for chart in drawn.charts {
      #expect(!chart.svg.contains("<img"))
      #expect(chart.svg.contains("&lt;img"))
    }
  }
}

/// Holds up threads while it is closed, as it is at first.
final class Gate: Sendable {
  private let isOpen = Mutex(false)

  func wait() {
    while !isOpen.withLock({ $0 }) { usleep(2000) }
  }

  func open() { isOpen.withLock { $0 = true } }

  func close() { isOpen.withLock { $0 = false } }
}
