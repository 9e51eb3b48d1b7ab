// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPJRT
import Synchronization
import TensorGraph
import Testing

@testable import XLARuntime

/// The plugin's own table with some functions in between, which count what is made and what is destroyed.
private enum CountingTable {
  /// The address of the plugin's table.
  static let real = Atomic<UInt>(0)
  /// Objects that exist, by kind.
  static let existing = Mutex<[String: Int]>([:])
  /// Objects ever made, by kind.
  static let made = Mutex<[String: Int]>([:])
  /// Results of the program that runs.
  static let outputCount = 2

  static func count(_ kind: String, _ change: Int) {
    existing.withLock { $0[kind, default: 0] += change }
    if change > 0 { made.withLock { $0[kind, default: 0] += change } }
  }

  /// Calls the plugin's function.
  static func pass(_ slot: pj_slot, _ arguments: UnsafeMutableRawPointer?) -> OpaquePointer? {
    pj_call(UnsafePointer(bitPattern: real.load(ordering: .relaxed)), slot, arguments)
  }

  /// Calls the plugin's function and counts one object more, or fewer, when it succeeds.
  static func pass<Arguments>(
    _ slot: pj_slot, _ arguments: UnsafeMutableRawPointer?, as type: Arguments.Type,
    _ counted: (Arguments) -> Void
  ) -> OpaquePointer? {
    let error = pass(slot, arguments)
    if error == nil, let read = arguments?.assumingMemoryBound(to: type).pointee { counted(read) }
    return error
  }

  private static let createClient: pj_failing_function = { arguments in
    pass(PJ_CLIENT_CREATE, arguments, as: pj_client_create_args.self) { _ in count("client", 1) }
  }
  private static let destroyClient: pj_failing_function = { arguments in
    count("client", -1)
    return pass(PJ_CLIENT_DESTROY, arguments)
  }
  private static let compile: pj_failing_function = { arguments in
    pass(PJ_CLIENT_COMPILE, arguments, as: pj_client_compile_args.self) { _ in count("program", 1) }
  }
  private static let destroyProgram: pj_failing_function = { arguments in
    count("program", -1)
    return pass(PJ_LOADED_EXECUTABLE_DESTROY, arguments)
  }
  private static let getExecutable: pj_failing_function = { arguments in
    pass(PJ_LOADED_EXECUTABLE_GET_EXECUTABLE, arguments, as: pj_get_executable_args.self) { _ in
      count("executable", 1)
    }
  }
  private static let destroyExecutable: pj_failing_function = { arguments in
    count("executable", -1)
    return pass(PJ_EXECUTABLE_DESTROY, arguments)
  }
  private static let upload: pj_failing_function = { arguments in
    pass(PJ_CLIENT_BUFFER_FROM_HOST_BUFFER, arguments, as: pj_buffer_from_host_args.self) { made in
      count("buffer", 1)
      if made.done_with_host_buffer != nil { count("event", 1) }
    }
  }
  private static let download: pj_failing_function = { arguments in
    pass(PJ_BUFFER_TO_HOST_BUFFER, arguments, as: pj_buffer_to_host_args.self) { made in
      if made.event != nil { count("event", 1) }
    }
  }
  private static let execute: pj_failing_function = { arguments in
    pass(PJ_LOADED_EXECUTABLE_EXECUTE, arguments, as: pj_execute_args.self) { made in
      count("buffer", made.num_devices * outputCount)
      count("event", made.num_devices)
    }
  }
  private static let destroyBuffer: pj_failing_function = { arguments in
    count("buffer", -1)
    return pass(PJ_BUFFER_DESTROY, arguments)
  }
  private static let destroyEvent: pj_failing_function = { arguments in
    count("event", -1)
    return pass(PJ_EVENT_DESTROY, arguments)
  }

  /// The table over a library's own; never freed.
  static func over(_ path: String) throws -> UnsafePointer<pj_api> {
    let api = try #require(pj_get_api(pj_open(path)))
    real.store(UInt(bitPattern: api), ordering: .relaxed)
    let own: [UInt32: pj_failing_function] = [
      PJ_CLIENT_CREATE.rawValue: createClient, PJ_CLIENT_DESTROY.rawValue: destroyClient,
      PJ_CLIENT_COMPILE.rawValue: compile, PJ_LOADED_EXECUTABLE_DESTROY.rawValue: destroyProgram,
      PJ_LOADED_EXECUTABLE_GET_EXECUTABLE.rawValue: getExecutable,
      PJ_EXECUTABLE_DESTROY.rawValue: destroyExecutable,
      PJ_CLIENT_BUFFER_FROM_HOST_BUFFER.rawValue: upload,
      PJ_BUFFER_TO_HOST_BUFFER.rawValue: download,
      PJ_LOADED_EXECUTABLE_EXECUTE.rawValue: execute, PJ_BUFFER_DESTROY.rawValue: destroyBuffer,
      PJ_EVENT_DESTROY.rawValue: destroyEvent,
    ]
    return HandmadeTable.make(minor: api.pointee.minor_version) { slot in
      if let function = own[slot.rawValue] { return unsafeBitCast(function, to: pj_function.self) }
      return withUnsafeBytes(of: api.pointee.functions) {
        $0.bindMemory(to: pj_function?.self)[Int(slot.rawValue)]
      }
    }
  }
}

@Suite("Ownership of a plugin's objects", .serialized)
struct PluginOwnershipTests {
  /// Runs a program with every kind of end: waited for or not, copied back or not, refused.
  private func work(_ plugin: Plugin) throws {
    let client = try Client(plugin)
    let text = """
      module @pair {
        func.func public @main(%a: tensor<256xf32> {tf.aliasing_output = 0 : i32}) -> (tensor<256xf32>, tensor<256xf32>) {
          %0 = stablehlo.add %a, %a : tensor<256xf32>
          %1 = stablehlo.multiply %0, %0 : tensor<256xf32>
          return %0, %1 : tensor<256xf32>, tensor<256xf32>
        }
      }
      """
    let program = try client.compile(text)
    #expect(throws: XLAError.self) { _ = try client.compile("module @nothing {") }
    #expect(throws: XLAError.self) {
      _ = try client.compile(text.replacing("256xf32", with: "?xf32")).execute([[]])
    }
    let type = TensorType([256])
    var weights = try client.upload([Float](repeating: 1, count: 256), type)
    for step in 0..<5 {
      let run = try program.execute([[weights]])
      if step % 2 == 0 { try run.wait() }
      #expect(throws: XLAError.self) { try program.execute([[weights]]).wait() }
      weights = run.outputs[0][0]
    }
    #expect(try weights.elements(as: Float.self) == [Float](repeating: 32, count: 256))
    // A transfer that nobody waits for ends when it is let go.
    let target = UnsafeMutableRawBufferPointer.allocate(byteCount: 1024, alignment: 64)
    defer { target.deallocate() }
    _ = try weights.startCopy(to: target)
  }

  @Test(
    "Every client, program, buffer, event and error that is made is destroyed",
    .enabled(if: PluginUnderTest.isPresent))
  func everything() throws {
    let plugin = try Plugin(
      api: try CountingTable.over(try #require(PluginUnderTest.path)), path: "counted.so")
    try work(plugin)
    let made = CountingTable.made.withLock { $0 }
    #expect(made["client"] == 1)
    #expect(made["program"].map { $0 >= 1 } == true)
    #expect(made["buffer"].map { $0 >= 11 } == true)
    #expect(made["event"].map { $0 >= 7 } == true)
    for (kind, count) in CountingTable.existing.withLock({ $0 }) {
      #expect(count == 0, "\(kind)")
    }
    #expect(plugin.undestroyedErrors == 0)
  }

  @Test(
    "A plugin's codes become kinds of failure",
    arguments: [
      (8, XLAError.Code.memory), (14, .device), (10, .device), (15, .device), (13, .execution),
      (3, .execution),
    ])
  func codes(number: Int, kind: XLAError.Code) throws {
    FailingPlugin.code.store(number, ordering: .relaxed)
    let plugin = try Plugin(api: FailingPlugin.table(), path: "failing.so")
    var arguments = pj_execute_args()
    let error = #expect(throws: XLAError.self) {
      try plugin.call(PJ_LOADED_EXECUTABLE_EXECUTE, &arguments, .execution, "run a program")
    }
    #expect(error?.code == kind)
    #expect(error?.message.hasPrefix("cannot run a program: it is broken") == true)
    #expect(arguments.struct_size == MemoryLayout<pj_execute_args>.size)
  }

  @Test("While a client starts another process has the memory; while a program runs this one does")
  func remedies() throws {
    FailingPlugin.code.store(8, ordering: .relaxed)
    let plugin = try Plugin(api: FailingPlugin.table(), path: "failing.so")
    let starting = #expect(throws: XLAError.self) { _ = try Client(plugin) }
    #expect(starting?.code == .memory)
    #expect(starting?.message.contains("another process") == true)
    #expect(starting?.message.contains("micro-batch") == false)
    var arguments = pj_execute_args()
    let running = #expect(throws: XLAError.self) {
      try plugin.call(PJ_LOADED_EXECUTABLE_EXECUTE, &arguments, .execution, "run a program")
    }
    #expect(running?.message.contains("machine.batch_runs") == true)
  }
}

/// A plugin whose programs fail with a code.
private enum FailingPlugin {
  static let code = Atomic<Int>(13)

  private static let fail: pj_failing_function = { _ in OpaquePointer(bitPattern: 8) }
  private static let message: pj_plain_function = { arguments in
    let text: StaticString = "it is broken"
    let pointer = arguments?.assumingMemoryBound(to: pj_error_message_args.self)
    pointer?.pointee.message = UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
    pointer?.pointee.message_size = text.utf8CodeUnitCount
  }
  private static let getCode: pj_failing_function = { arguments in
    arguments?.assumingMemoryBound(to: pj_error_get_code_args.self).pointee.code =
      Int32(code.load(ordering: .relaxed))
    return nil
  }

  static func table() -> UnsafePointer<pj_api> {
    HandmadeTable.make(minor: 81) { slot in
      switch slot {
      case PJ_ERROR_MESSAGE: unsafeBitCast(message, to: pj_function.self)
      case PJ_ERROR_GET_CODE: unsafeBitCast(getCode, to: pj_function.self)
      case PJ_LOADED_EXECUTABLE_EXECUTE, PJ_CLIENT_CREATE: unsafeBitCast(fail, to: pj_function.self)
      default: nil
      }
    }
  }
}
