// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPJRT
import Foundation

/// What several processes share while they form one client: small values by name.
protocol KeyValueStore: AnyObject, Sendable {
  /// The value of a key; waits until some process has written it. Nil when that took too long.
  func value(of key: String, timeoutMilliseconds: Int) throws(XLAError) -> [UInt8]?
  /// The value of a key; nil when nobody has written it yet.
  func valueIfPresent(of key: String) throws(XLAError) -> [UInt8]?
  /// Writes a value.
  func set(_ key: String, to value: [UInt8]) throws(XLAError)
}

/// A store's functions in the form in which a plugin calls them, from any of its threads, as long as this object lives.
final class KeyValueBox {
  private let store: any KeyValueStore

  /// Wraps a store.
  init(_ store: any KeyValueStore) { self.store = store }

  /// Writes the functions into the arguments of a client that is to be made.
  func install(in arguments: inout pj_client_create_args) {
    let this = Unmanaged.passUnretained(self).toOpaque()
    arguments.kv_get_user_arg = this
    arguments.kv_put_user_arg = this
    arguments.kv_try_get_user_arg = this
    arguments.kv_get_callback = { arguments in
      guard let arguments else { return nil }
      return KeyValueBox.find(
        arguments.pointee.user_arg, arguments.pointee.key, arguments.pointee.key_size,
        milliseconds: Int(arguments.pointee.timeout_in_ms), arguments.pointee.callback_error,
        &arguments.pointee.value, &arguments.pointee.value_size, &arguments.pointee.value_deleter)
    }
    arguments.kv_try_get_callback = { arguments in
      guard let arguments else { return nil }
      return KeyValueBox.find(
        arguments.pointee.user_arg, arguments.pointee.key, arguments.pointee.key_size,
        milliseconds: nil, arguments.pointee.callback_error,
        &arguments.pointee.value, &arguments.pointee.value_size, &arguments.pointee.value_deleter)
    }
    arguments.kv_put_callback = { arguments in
      guard let arguments, let box = KeyValueBox.box(arguments.pointee.user_arg) else { return nil }
      let key = Plugin.text(arguments.pointee.key, arguments.pointee.key_size)
      let value = UnsafeRawBufferPointer(
        start: arguments.pointee.value, count: arguments.pointee.value_size)
      do throws(XLAError) {
        try box.store.set(key, to: Array(value))
        return nil
      } catch {
        return KeyValueBox.error(
          arguments.pointee.callback_error, Int32(PJ_INTERNAL), error.message)
      }
    }
  }

  private static func box(_ pointer: UnsafeMutableRawPointer?) -> KeyValueBox? {
    pointer.map { Unmanaged<KeyValueBox>.fromOpaque($0).takeUnretainedValue() }
  }

  /// Hands a value to the plugin, after some time where it may wait; returns the plugin's error where there is none.
  private static func find(
    _ this: UnsafeMutableRawPointer?, _ start: UnsafePointer<CChar>?, _ count: Int,
    milliseconds: Int?, _ make: UnsafeMutablePointer<pj_callback_error?>?,
    _ value: inout UnsafeMutablePointer<CChar>?, _ valueCount: inout Int,
    _ deleter: inout (@convention(c) (UnsafeMutablePointer<CChar>?) -> Void)?
  ) -> OpaquePointer? {
    guard let box = box(this) else { return nil }
    let key = Plugin.text(start, count)
    do throws(XLAError) {
      let found =
        if let milliseconds {
          try box.store.value(of: key, timeoutMilliseconds: milliseconds)
        } else {
          try box.store.valueIfPresent(of: key)
        }
      guard let found else {
        return milliseconds.map {
          error(make, Int32(PJ_DEADLINE_EXCEEDED), "no process wrote \(key) within \($0) ms")
        } ?? error(make, Int32(PJ_NOT_FOUND), "no process wrote \(key) so far")
      }
      (value, valueCount) = copy(found)
      deleter = { free($0) }
      return nil
    } catch {
      return Self.error(make, Int32(PJ_INTERNAL), error.message)
    }
  }

  /// A copy that the plugin frees with `free`, ended by a zero for plugins that read text.
  private static func copy(_ value: [UInt8]) -> (UnsafeMutablePointer<CChar>?, Int) {
    let block = UnsafeMutableRawPointer(malloc(value.count + 1))
    value.withUnsafeBytes { bytes in
      if let start = bytes.baseAddress { block?.copyMemory(from: start, byteCount: bytes.count) }
    }
    block?.storeBytes(of: 0, toByteOffset: value.count, as: UInt8.self)
    return (block?.assumingMemoryBound(to: CChar.self), value.count)
  }

  private static func error(
    _ make: UnsafeMutablePointer<pj_callback_error?>?, _ code: Int32, _ message: String
  )
    -> OpaquePointer?
  {
    guard let make else { return nil }
    let text = Array(message.utf8CString)
    return text.withUnsafeBufferPointer { pj_make_error(make, code, $0.baseAddress, $0.count - 1) }
  }
}
