// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import XLARuntime

@Suite("Choice of a plugin")
struct PluginChoiceTests {
  /// A folder that is gone after the test.
  private static func withFolder(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "plugin-choice-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder)
  }

  private static func write(_ text: String, to file: URL, executable: Bool = false) throws {
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
    if executable {
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
    }
  }

  private static func error(_ device: String, _ environment: [String: String]) -> XLAError? {
    do throws(XLAError) {
      _ = try PluginChoice.path(for: device, environment: environment)
      return nil
    } catch {
      return error
    }
  }

  @Test("The family's variable comes before the general one, and both before Python")
  func variables() throws {
    try Self.withFolder { folder in
      let (own, general) = (
        folder.appendingPathComponent("own.so"), folder.appendingPathComponent("general.so")
      )
      try Self.write("", to: own)
      try Self.write("", to: general)
      var environment = ["ASSAY_XLA_CUDA_PLUGIN": own.path, "ASSAY_XLA_PLUGIN": general.path]
      #expect(try PluginChoice.path(for: "xla:cuda", environment: environment) == own.path)
      #expect(try PluginChoice.path(for: "xla:cpu", environment: environment) == general.path)
      environment["ASSAY_XLA_CPU_PLUGIN"] = "/nowhere/plugin.so"
      let error = Self.error("xla:cpu", environment)
      #expect(
        error?.message == "ASSAY_XLA_CPU_PLUGIN names /nowhere/plugin.so, and there is no such file"
      )
    }
  }

  @Test("The Python on the PATH is asked for the package, without importing it")
  func python() throws {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    let hasPython = path.split(separator: ":").contains {
      FileManager.default.isExecutableFile(atPath: $0 + "/python3")
    }
    try #require(hasPython, "this test needs python3 on the PATH")
    try Self.withFolder { folder in
      let package = folder.appendingPathComponent("xla_plugins/xla_cpu_pjrt")
      try Self.write(
        "raise SystemExit('imported')", to: package.appendingPathComponent("__init__.py"))
      try Self.write("", to: package.appendingPathComponent("xla_cpu_pjrt.so"))
      let environment = ["PATH": path, "PYTHONPATH": folder.path]
      let found = try PluginChoice.path(for: "xla:cpu", environment: environment)
      #expect(found.hasSuffix("xla_plugins/xla_cpu_pjrt/xla_cpu_pjrt.so"))
      #expect(FileManager.default.fileExists(atPath: found))
    }
  }

  @Test("Without a plugin, the error says what to install and which variable names a file")
  func nothing() {
    let cpu = Self.error("xla:cpu", ["PATH": "/nowhere"])
    #expect(cpu?.code == .plugin)
    #expect(cpu?.message.contains("pip install xla-cpu-pjrt") == true)
    #expect(cpu?.message.contains("ASSAY_XLA_CPU_PLUGIN=FILE") == true)
    let cuda = Self.error("xla:cuda", [:])
    #expect(cuda?.message.contains("jax[cuda13]") == true)
    #expect(cuda?.message.contains("jax_plugins.xla_cuda12") == true)
  }

  @Test(
    "A device of another kind is a mistake in the setting",
    arguments: ["cpu", "xla:", "xla:abacus", "cuda:0"])
  func unknown(device: String) {
    let error = Self.error(device, [:])
    #expect(error?.code == .setting)
    #expect(error?.message.contains("\"\(device)\"") == true)
  }

  @Test(
    "A file that is no library, or one for another processor, is refused before the loader sees it")
  func files() throws {
    #expect(
      Self.error("xla:/nowhere/plugin.so", [:])?.message.hasPrefix(
        "there is no file /nowhere/plugin.so") == true)
    #if os(Linux)
      try Self.withFolder { folder in
        let text = folder.appendingPathComponent("text.so")
        try Self.write("this is not a shared library at all", to: text)
        #expect(
          Self.error("xla:\(text.path)", [:])?.message.contains("is not a shared library") == true)
        #if arch(x86_64)
          let (machine, name): (UInt8, String) = (183, "arm64")
        #else
          let (machine, name): (UInt8, String) = (62, "x86-64")
        #endif
        let foreign = folder.appendingPathComponent("foreign.so")
        let header: [UInt8] =
          [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9) + [3, 0, machine, 0]
        try Data(header + [UInt8](repeating: 0, count: 100)).write(to: foreign)
        let error = Self.error("xla:\(foreign.path)", [:])
        #expect(error?.message.contains("another processor: \(name)") == true)
      }
    #endif
  }

  @Test("A shared library that is no plugin says so")
  func noPlugin() throws {
    #if os(Linux)
      let candidates = [
        "/lib/x86_64-linux-gnu/libm.so.6", "/lib/aarch64-linux-gnu/libm.so.6", "/lib64/libm.so.6",
      ]
      let library = try #require(candidates.first { FileManager.default.fileExists(atPath: $0) })
      let error = #expect(throws: XLAError.self) { _ = try Plugin(path: library) }
      #expect(error?.message.contains("exports no GetPjrtApi") == true)
    #endif
  }

  @Test("A file's bare name is one of the working folder, not of the loader's")
  func bareName() throws {
    #if os(Linux)
      let candidates = [
        "/lib/x86_64-linux-gnu/libm.so.6", "/lib/aarch64-linux-gnu/libm.so.6", "/lib64/libm.so.6",
      ]
      let library = try #require(candidates.first { FileManager.default.fileExists(atPath: $0) })
      let name = "assay-\(UUID().uuidString).so"
      try FileManager.default.createSymbolicLink(atPath: name, withDestinationPath: library)
      defer { try? FileManager.default.removeItem(atPath: name) }
      // It was opened: what is wrong with it is that it is no plugin.
      let error = #expect(throws: XLAError.self) { _ = try Plugin(path: name) }
      #expect(error?.message.contains("exports no GetPjrtApi") == true)
      #expect(error?.message.hasPrefix("/") == true)
    #endif
  }

  @Test("A plugin of another platform than the device is refused, with who named it")
  func platforms() throws {
    for (platform, device) in [
      ("cpu", "xla:cpu"), ("cuda", "xla:cuda"), ("GPU", "xla:cuda"), ("tpu", "xla:./tpu.so"),
    ] {
      try PluginChoice.check(platform, of: "/p.so", for: device, environment: [:])
    }
    let error = #expect(throws: XLAError.self) {
      try PluginChoice.check(
        "cpu", of: "/p.so", for: "xla:cuda", environment: ["ASSAY_XLA_PLUGIN": "/p.so"])
    }
    #expect(error?.code == .setting)
    for words in [
      "\"xla:cuda\"", "ASSAY_XLA_PLUGIN names /p.so", "platform is cpu",
      "ASSAY_XLA_CUDA_PLUGIN", "device = \"xla:/p.so\"",
    ] {
      #expect(error?.message.contains(words) == true, "\(words)")
    }
    #expect(throws: XLAError.self) {
      try PluginChoice.check("rocm", of: "/p.so", for: "xla:cuda", environment: [:])
    }
  }

  @Test("Variables of JAX's users become options of a CUDA client, and of no other")
  func allocator() throws {
    let cuda = try Plugin(api: HandmadeTable.make(minor: 116), path: "/packages/xla_cuda_plugin.so")
    let other = try Plugin(api: HandmadeTable.make(minor: 116), path: "/packages/xla_cpu_pjrt.so")
    let environment = [
      "XLA_PYTHON_CLIENT_ALLOCATOR": "BFC", "XLA_CLIENT_MEM_FRACTION": "0.5",
      "XLA_PYTHON_CLIENT_PREALLOCATE": "true",
    ]
    let expected: [String: ClientOption] = [
      "platform_name": .text("cuda"), "allocator": .text("bfc"), "memory_fraction": .number(0.5),
      "preallocate": .flag(true),
    ]
    #expect(try AllocatorOptions.options(for: cuda, environment: environment) == expected)
    #expect(try AllocatorOptions.options(for: other, environment: environment).isEmpty)
    #expect(
      try AllocatorOptions.options(for: cuda, environment: [:])["preallocate"] == .flag(false))
    for (name, value) in [
      ("XLA_PYTHON_CLIENT_ALLOCATOR", "slab"), ("XLA_CLIENT_MEM_FRACTION", "90"),
      ("XLA_PYTHON_CLIENT_PREALLOCATE", "maybe"),
    ] {
      let error = #expect(throws: XLAError.self) {
        _ = try AllocatorOptions.options(for: cuda, environment: [name: value])
      }
      #expect(error?.code == .setting)
      #expect(error?.message.contains(name) == true && error?.message.contains(value) == true)
    }
  }
}
