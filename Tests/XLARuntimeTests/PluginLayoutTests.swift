// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import XLARuntime

/// Compares the declarations with the official header, which lies beside `xla_cpu_pjrt.so`.
@Suite("Layout of the PJRT interface", .enabled(if: PluginUnderTest.header != nil))
struct PluginLayoutTests {
  /// Compiles the comparison; the compiler's words and its status.
  private func compile(_ flags: [String]) throws -> (status: Int32, words: String) {
    let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent()
      .deletingLastPathComponent().path
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments =
      [
        "cc", "-std=c11", "-fsyntax-only", "-I", package + "/Sources/CPJRT/include", "-I",
        try #require(PluginUnderTest.header),
      ]
      + flags + [package + "/Scripts/tests/pjrt-layout.c"]
    process.standardInput = FileHandle.nullDevice
    let output = Pipe()
    process.standardError = output
    process.standardOutput = output
    try process.run()
    let words = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, words)
  }

  @Test("Every struct, field, slot and number is where the official header has it")
  func agreement() throws {
    let result = try compile([])
    #expect(result.status == 0, "\(result.words)")
  }

  @Test("The comparison can fail: a slot that is off by one does not compile")
  func plantedMistake() throws {
    let result = try compile(["-DPLANTED_MISTAKE=1"])
    #expect(result.status != 0)
    #expect(result.words.contains("PJ_ERROR_DESTROY"))
  }
}
