// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A Chromium without a screen, asked over a pipe by its DevTools protocol.
///
/// Confined to one test: its calls never overlap.
final class Browser: @unchecked Sendable {
  static let isWanted = ProcessInfo.processInfo.environment["ASSAY_BROWSER"] == "1"

  /// The executable; nil when this machine has none.
  static let path: String? = {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    let names = ["chromium", "chromium-browser", "google-chrome"]
    let candidates =
      folders.flatMap { folder in names.map { "\(folder)/\($0)" } }
      + ["/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"]
    return candidates.first { FileManager.default.isExecutableFile(atPath: $0) }
  }()

  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  private let process = Process()
  private let requests = Pipe()
  private let answers = Pipe()
  private let profile = NSTemporaryDirectory() + "/assay-browser-" + UUID().uuidString
  private var received: [UInt8] = []
  private var session: String?
  private var number = 0
  /// What the page's console said beyond what the page expects: a dashboard that does not answer.
  private(set) var complaints: [String] = []

  init() throws {
    guard let path = Self.path else {
      throw Failure(
        description: "there is no Chromium on PATH; run Scripts/install-dependencies.sh --browser")
    }
    // The protocol speaks over descriptors 3 and 4; a shell puts them there. Root in a container has no sandbox, and the only page
    // that is opened is ours.
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = [
      "-c", "exec \"$0\" \"$@\" 3<&0 4>&1 0</dev/null 1>/dev/null", path, "--headless",
      "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
      "--disable-background-networking", "--hide-scrollbars", "--window-size=1280,1500",
      "--user-data-dir=\(profile)", "--remote-debugging-pipe", "about:blank",
    ]
    process.standardInput = requests
    process.standardOutput = answers
    process.standardError = FileHandle.nullDevice
    try process.run()
  }

  /// Ends the process and removes what it kept.
  func end() {
    process.terminate()
    process.waitUntilExit()
    try? FileManager.default.removeItem(atPath: profile)
  }

  // MARK: - The page

  func open(_ address: String) async throws {
    let target = try await ask("Target.createTarget", ["url": "about:blank"])
    let attached = try await ask(
      "Target.attachToTarget", ["targetId": target["targetId"] as? String ?? "", "flatten": true])
    session = attached["sessionId"] as? String
    _ = try await ask("Log.enable")
    _ = try await ask("Runtime.enable")
    _ = try await ask("Page.navigate", ["url": address])
  }

  /// The value of an expression as text.
  func text(_ expression: String) async throws -> String {
    let answer = try await ask(
      "Runtime.evaluate", ["expression": "String(\(expression))", "returnByValue": true])
    guard let result = answer["result"] as? [String: Any], let value = result["value"] as? String
    else { throw Failure(description: "\(expression): \(answer)") }
    return value
  }

  /// Waits until an expression is true.
  func wait(for expression: String, seconds: Int = 30) async throws {
    let end = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < end {
      if try await text(expression) == "true" { return }
      try await Task.sleep(for: .milliseconds(50))
    }
    let page = try await text("document.body.innerText")
    throw Failure(description: "never true: \(expression)\n\(page)")
  }

  func setDark() async throws {
    _ = try await ask(
      "Emulation.setEmulatedMedia",
      ["features": [["name": "prefers-color-scheme", "value": "dark"]]])
  }

  /// Draws the page into the folder of ASSAY_BROWSER_PICTURES, for people.
  func picture(_ name: String) async throws {
    guard let folder = ProcessInfo.processInfo.environment["ASSAY_BROWSER_PICTURES"] else { return }
    let answer = try await ask("Page.captureScreenshot", ["captureBeyondViewport": true])
    let data = Data(base64Encoded: answer["data"] as? String ?? "") ?? Data()
    try data.write(to: URL(fileURLWithPath: folder + "/\(name).png"))
  }

  // MARK: - The protocol: JSON texts that end with a zero

  private func ask(
    _ method: String, _ parameters: [String: Any] = [:]
  ) async throws -> [String: Any] {
    number += 1
    var message: [String: Any] = ["id": number, "method": method, "params": parameters]
    if let session { message["sessionId"] = session }
    let request = try JSONSerialization.data(withJSONObject: message) + [0]
    let id = number
    // On a thread of its own: it blocks, and the server in this process needs the others.
    let data: Data = try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread {
        continuation.resume(with: Result { try self.exchange(request, id) })
      }
    }
    let answer = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
    guard let result = answer["result"] as? [String: Any] else {
      throw Failure(description: "\(method): \(answer["error"] ?? answer)")
    }
    return result
  }

  private func exchange(_ request: Data, _ id: Int) throws -> Data {
    requests.fileHandleForWriting.write(request)
    while true {
      while let end = received.firstIndex(of: 0) {
        let message = Data(received[..<end])
        received.removeFirst(end + 1)
        let object = try JSONSerialization.jsonObject(with: message) as? [String: Any] ?? [:]
        if object["id"] as? Int == id { return message }
        note(object)
      }
      let more = answers.fileHandleForReading.availableData
      guard !more.isEmpty else { throw Failure(description: "the browser ended") }
      received += more
    }
  }

  private func note(_ event: [String: Any]) {
    guard let method = event["method"] as? String,
      ["Runtime.exceptionThrown", "Log.entryAdded"].contains(method)
    else { return }
    complaints.append("\(event["params"] ?? "")")
  }
}
