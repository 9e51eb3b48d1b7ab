// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPJRT
import Testing

@testable import XLARuntime

/// Tables of functions made by hand: what a plugin of another age, or of another kind, would hand out.
enum HandmadeTable {
  /// A function that reports success whatever it is asked.
  private static let succeed: pj_failing_function = { _ in nil }

  /// Makes a table, which is never freed: that its plugin was initialised is remembered by its address.
  ///
  /// - Parameters:
  ///   - minor: The interface's minor version.
  ///   - slots: How long the table says it is.
  ///   - missing: A slot without a function.
  ///   - function: Functions in place of one that reports success.
  /// - Returns: The table.
  static func make(
    minor: Int32, slots: Int = Int(PJ_SLOT_COUNT), missing: pj_slot? = nil,
    function: (pj_slot) -> pj_function? = { _ in nil }
  ) -> UnsafePointer<pj_api> {
    let table = UnsafeMutablePointer<pj_api>.allocate(capacity: 1)
    table.initialize(to: pj_api())
    let head = MemoryLayout<pj_api>.offset(of: \pj_api.functions) ?? 0
    table.pointee.struct_size = head + slots * MemoryLayout<pj_function>.size
    table.pointee.major_version = 0
    table.pointee.minor_version = minor
    withUnsafeMutableBytes(of: &table.pointee.functions) { bytes in
      let functions = bytes.bindMemory(to: pj_function?.self)
      for slot in 0..<slots where missing.map({ Int($0.rawValue) }) != slot {
        functions[slot] =
          function(pj_slot(UInt32(slot))) ?? unsafeBitCast(succeed, to: pj_function.self)
      }
    }
    return UnsafePointer(table)
  }
}

@Suite("Plugins of other ages")
struct PluginTableTests {
  @Test(
    "A table that has everything is taken, also one of a later interface",
    arguments: [57, 81, 116, 900])
  func complete(minor: Int32) throws {
    let plugin = try Plugin(api: HandmadeTable.make(minor: minor), path: "plugin.so")
    #expect(plugin.interfaceVersion == (0, Int(minor)))
    #expect(plugin.has(PJ_EXECUTABLE_GET_COMPILED_MEMORY_STATS))
  }

  @Test("An interface that is too old is refused, with its version and the one needed")
  func tooOld() {
    let error = #expect(throws: XLAError.self) {
      _ = try Plugin(api: HandmadeTable.make(minor: 56), path: "plugin.so")
    }
    #expect(error?.code == .plugin)
    #expect(error?.message.contains("plugin.so speaks PJRT interface 0.56") == true)
    #expect(error?.message.contains("0.57 or newer") == true)
  }

  @Test("A table that ends too early, or has a hole, is refused")
  func holes() {
    let short = #expect(throws: XLAError.self) {
      _ = try Plugin(api: HandmadeTable.make(minor: 81, slots: 56), path: "plugin.so")
    }
    #expect(short?.message.contains("function 58 of its table is missing") == true)
    let hole = #expect(throws: XLAError.self) {
      _ = try Plugin(
        api: HandmadeTable.make(minor: 81, missing: PJ_CLIENT_COMPILE), path: "plugin.so")
    }
    #expect(hole?.message.contains("function 20 of its table is missing") == true)
  }

  @Test("A function that a plugin may lack is reported as absent, not called")
  func optional() throws {
    let plugin = try Plugin(api: HandmadeTable.make(minor: 60, slots: 96), path: "plugin.so")
    #expect(!plugin.has(PJ_EXECUTABLE_GET_COMPILED_MEMORY_STATS))
    #expect(plugin.has(PJ_EXECUTABLE_GET_COST_ANALYSIS))
  }

  @Test(
    "The CUDA plugin, of a later interface, is opened, and says that it sees no device",
    .enabled(if: PluginUnderTest.isCUDAWithoutDevice))
  func cudaWithoutDevice() throws {
    let plugin = try Plugin(path: try #require(PluginUnderTest.cudaPath))
    #expect(plugin.interfaceVersion > (0, 81))
    let absent = #expect(throws: XLAError.self) { _ = try Client(plugin) }
    #expect(absent?.code == .device)
    #expect(absent?.message.contains("No visible GPU devices") == true)
    #expect(absent?.message.contains("nvidia-smi") == true)
    let option = #expect(throws: XLAError.self) {
      _ = try Client(plugin, options: ["nonsense": .flag(true)])
    }
    #expect(option?.code == .setting)
    #expect(option?.message.contains("nonsense") == true)
    #expect(plugin.undestroyedErrors == 0)
  }
}
