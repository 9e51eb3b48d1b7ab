// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPJRT
import Foundation
import Synchronization
import Testing

@testable import XLARuntime

/// A plugin of nothing but a client's creation, which asks the key-value store as a plugin of several processes would.
private enum AskingPlugin {
  /// What the creation found out, as text: the message of the error that it ends with.
  static let report = Mutex<String>("")
  /// Errors that exist: those that this plugin made and those that the callbacks made through it.
  static let errors = Atomic<Int>(0)

  /// Makes an error; its address is its code, so that nothing has to be freed.
  private static let makeError: pj_callback_error = { code, _, _ in
    errors.add(1, ordering: .relaxed)
    return OpaquePointer(bitPattern: Int(code))
  }

  private static let create: pj_failing_function = { arguments in
    guard let arguments = arguments?.assumingMemoryBound(to: pj_client_create_args.self) else {
      return nil
    }
    var make: pj_callback_error? = makeError
    var lines: [String] = []
    let key = "topology"
    let value: [CChar] = [1, 2, 3]
    withUnsafeMutablePointer(to: &make) { make in
      key.withCString { key in
        var look = pj_key_value_try_get_args()
        (look.key, look.key_size, look.callback_error) = (key, 8, make)
        look.user_arg = arguments.pointee.kv_try_get_user_arg
        let absent = arguments.pointee.kv_try_get_callback(&look)
        lines.append("absent \(absent.map { Int(bitPattern: $0) } ?? 0)")

        var wait = pj_key_value_get_args()
        (wait.key, wait.key_size, wait.callback_error, wait.timeout_in_ms) = (key, 8, make, 20)
        wait.user_arg = arguments.pointee.kv_get_user_arg
        let late = arguments.pointee.kv_get_callback(&wait)
        lines.append("late \(late.map { Int(bitPattern: $0) } ?? 0)")

        value.withUnsafeBufferPointer { value in
          var put = pj_key_value_put_args()
          (put.key, put.key_size, put.callback_error) = (key, 8, make)
          (put.value, put.value_size) = (value.baseAddress, value.count)
          put.user_arg = arguments.pointee.kv_put_user_arg
          lines.append("put \(arguments.pointee.kv_put_callback(&put) == nil)")
        }

        for name in ["try", "get"] {
          let (start, count, deleter):
            (
              UnsafeMutablePointer<CChar>?, Int,
              (@convention(c) (UnsafeMutablePointer<CChar>?) -> Void)?
            )
          if name == "try" {
            _ = arguments.pointee.kv_try_get_callback(&look)
            (start, count, deleter) = (look.value, look.value_size, look.value_deleter)
          } else {
            _ = arguments.pointee.kv_get_callback(&wait)
            (start, count, deleter) = (wait.value, wait.value_size, wait.value_deleter)
          }
          lines.append("\(name) \(Array(UnsafeBufferPointer(start: start, count: count)))")
          deleter?(start)
        }
      }
    }
    // Two errors of the callbacks are the plugin's to free; the third is what the caller of this function gets.
    errors.subtract(2, ordering: .relaxed)
    report.withLock { $0 = lines.joined(separator: "; ") }
    errors.add(1, ordering: .relaxed)
    return OpaquePointer(bitPattern: Int(PJ_INTERNAL))
  }

  private static let message: pj_plain_function = { arguments in
    // A string of static memory: it outlives the error.
    let text: StaticString = "asked enough"
    let pointer = arguments?.assumingMemoryBound(to: pj_error_message_args.self)
    pointer?.pointee.message = UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
    pointer?.pointee.message_size = text.utf8CodeUnitCount
  }

  private static let code: pj_failing_function = { arguments in
    arguments?.assumingMemoryBound(to: pj_error_get_code_args.self).pointee.code = Int32(
      PJ_INTERNAL)
    return nil
  }

  private static let destroy: pj_plain_function = { _ in errors.subtract(1, ordering: .relaxed) }

  /// The table; never freed.
  static func table() -> UnsafePointer<pj_api> {
    HandmadeTable.make(minor: 81) { slot in
      switch slot {
      case PJ_ERROR_DESTROY: unsafeBitCast(destroy, to: pj_function.self)
      case PJ_ERROR_MESSAGE: unsafeBitCast(message, to: pj_function.self)
      case PJ_ERROR_GET_CODE: unsafeBitCast(code, to: pj_function.self)
      case PJ_CLIENT_CREATE: unsafeBitCast(create, to: pj_function.self)
      default: nil
      }
    }
  }
}

@Suite("Clients of several processes", .serialized)
struct PluginProcessesTests {
  @Test(
    "A plugin reaches the store of another process through the callbacks, and what it is handed is freed"
  )
  func callbacks() throws {
    let server = try KeyValueServer(host: "127.0.0.1", port: 0)
    let remote = RemoteKeyValueStore(host: "127.0.0.1", port: server.port, patienceSeconds: 5)
    let plugin = try Plugin(api: AskingPlugin.table(), path: "asking.so")
    let error = #expect(throws: XLAError.self) { _ = try Client(plugin, keyValues: remote) }
    #expect(error?.message.contains("asked enough") == true)
    let report = AskingPlugin.report.withLock { $0 }
    #expect(
      report
        == "absent \(PJ_NOT_FOUND); late \(PJ_DEADLINE_EXCEEDED); put true; try [1, 2, 3]; get [1, 2, 3]"
    )
    #expect(try server.store.valueIfPresent(of: "topology") == [1, 2, 3])
    #expect(AskingPlugin.errors.load(ordering: .relaxed) == 0)
    #expect(plugin.undestroyedErrors == 0)
  }

  /// Counts the requests of a plugin.
  private final class CountingStore: KeyValueStore {
    let inner = MemoryKeyValueStore()
    let requests = Atomic<Int>(0)
    func value(of key: String, timeoutMilliseconds: Int) throws(XLAError) -> [UInt8]? {
      requests.add(1, ordering: .relaxed)
      return try inner.value(of: key, timeoutMilliseconds: timeoutMilliseconds)
    }
    func valueIfPresent(of key: String) throws(XLAError) -> [UInt8]? {
      requests.add(1, ordering: .relaxed)
      return try inner.valueIfPresent(of: key)
    }
    func set(_ key: String, to value: [UInt8]) throws(XLAError) {
      requests.add(1, ordering: .relaxed)
      try inner.set(key, to: value)
    }
  }

  @Test(
    "A plugin that ignores the other processes is refused", .enabled(if: PluginUnderTest.isPresent))
  func ignoring() throws {
    let store = CountingStore()
    let plugin = try Plugin(path: try #require(PluginUnderTest.path))
    let options: [String: ClientOption] = ["node_id": .integer(1), "num_nodes": .integer(2)]
    do throws(XLAError) {
      let client = try Client(plugin, options: options, keyValues: store)
      // A plugin that can: it saw the devices of the other, for which it needed the store.
      #expect(client.globalDeviceCount > client.devices.count)
      #expect(store.requests.load(ordering: .relaxed) > 0)
    } catch {
      #expect(error.code == .setting)
      #expect(error.message.contains("forms no client of several processes"))
      // What is missing in it: it asks the store nothing.
      #expect(store.requests.load(ordering: .relaxed) == 0)
    }
  }
}
