// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPJRT
import Foundation
import Synchronization

/// A PJRT plugin: a shared library that compiles StableHLO and runs it on the devices that it knows.
///
/// A library stays open until the process ends: plugins start threads and register platforms that outlive every handle.
final class Plugin {
  /// The oldest interface whose table is in the order that is declared here.
  ///
  /// In 0.57 the table was put into another order; later interfaces only append to it (openxla/xla,
  /// xla/pjrt/c/CHANGELOG.md).
  static let oldestInterface = (major: 0, minor: 57)

  /// The library's file, from the root: the system's loader looks for a bare name elsewhere than in the working folder.
  let path: String
  /// The version of the PJRT interface that the plugin was built with.
  let interfaceVersion: (major: Int, minor: Int)
  /// The table of functions.
  private let api: UnsafePointer<pj_api>
  /// How many errors of the plugin exist that were not destroyed.
  private let openErrors = Atomic<Int>(0)

  /// Opens a library and initialises the plugin in it, once for each library.
  convenience init(path: String) throws(XLAError) {
    try LibraryFile.check(path)
    let path = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    // Plugins write their progress to standard error unless this says otherwise; who set it has decided already.
    setenv("TF_CPP_MIN_LOG_LEVEL", "2", 0)
    guard let library = pj_open(path) else {
      let reason = pj_open_failure().map { String(cString: $0) } ?? "no reason given"
      throw XLAError(.plugin, "\(path) cannot be opened as a shared library: \(reason)")
    }
    guard pj_has_api(library) else {
      throw XLAError(
        .plugin, "\(path) is a shared library, but no PJRT plugin: it exports no GetPjrtApi")
    }
    guard let api = pj_get_api(library) else {
      throw XLAError(.plugin, "\(path): GetPjrtApi returned nothing")
    }
    try self.init(api: api, path: path)
  }

  /// Takes a table of functions, checks that it has what is needed, and initialises the plugin behind it.
  init(api: UnsafePointer<pj_api>, path: String) throws(XLAError) {
    self.api = api
    self.path = path
    interfaceVersion = (Int(api.pointee.major_version), Int(api.pointee.minor_version))
    let (major, minor) = interfaceVersion
    let oldest = Self.oldestInterface
    let missing = Self.required.first { !pj_has(api, $0) }
    guard (major, minor) >= oldest, missing == nil else {
      let detail = missing.map { "; function \($0.rawValue) of its table is missing" } ?? ""
      throw XLAError(
        .plugin,
        "\(path) speaks PJRT interface \(major).\(minor)\(detail). Assay needs \(oldest.major).\(oldest.minor) or newer: "
          + "install a newer release of the plugin")
    }
    let address = UInt(bitPattern: api)
    let failure = Self.initialised.withLock { (known: inout Set<UInt>) -> XLAError? in
      guard !known.contains(address) else { return nil }
      var arguments = pj_plugin_initialize_args()
      do throws(XLAError) {
        try call(PJ_PLUGIN_INITIALIZE, &arguments, .plugin, "initialise the plugin")
      } catch {
        return error
      }
      known.insert(address)
      return nil
    }
    if let failure { throw failure }
  }

  /// Tables whose plugin was initialised in this process.
  private static let initialised = Mutex<Set<UInt>>([])

  /// What no run can do without.
  private static let required: [pj_slot] = [
    PJ_ERROR_DESTROY, PJ_ERROR_MESSAGE, PJ_ERROR_GET_CODE, PJ_PLUGIN_INITIALIZE, PJ_EVENT_DESTROY,
    PJ_EVENT_AWAIT, PJ_CLIENT_CREATE, PJ_CLIENT_DESTROY, PJ_CLIENT_PLATFORM_NAME,
    PJ_CLIENT_PROCESS_INDEX, PJ_CLIENT_PLATFORM_VERSION, PJ_CLIENT_DEVICES,
    PJ_CLIENT_ADDRESSABLE_DEVICES, PJ_CLIENT_COMPILE, PJ_CLIENT_BUFFER_FROM_HOST_BUFFER,
    PJ_DEVICE_DESCRIPTION_ID, PJ_DEVICE_DESCRIPTION_PROCESS_INDEX, PJ_DEVICE_DESCRIPTION_KIND,
    PJ_DEVICE_DESCRIPTION_TO_STRING, PJ_DEVICE_GET_DESCRIPTION, PJ_EXECUTABLE_DESTROY,
    PJ_EXECUTABLE_NUM_OUTPUTS, PJ_LOADED_EXECUTABLE_DESTROY, PJ_LOADED_EXECUTABLE_GET_EXECUTABLE,
    PJ_LOADED_EXECUTABLE_ADDRESSABLE_DEVICES, PJ_LOADED_EXECUTABLE_EXECUTE, PJ_BUFFER_DESTROY,
    PJ_BUFFER_TO_HOST_BUFFER,
  ]

  /// True when the plugin has an optional function.
  func has(_ slot: pj_slot) -> Bool { pj_has(api, slot) }

  /// Calls a function.
  ///
  /// The first word of its arguments is set to their size. An error of the plugin is translated and destroyed.
  ///
  /// - Parameters:
  ///   - slot: The function.
  ///   - arguments: The function's struct of arguments.
  ///   - code: The kind of failure, where the plugin's own code says nothing more precise.
  ///   - action: What was tried, after "cannot", for the message.
  /// - Throws: What the plugin reported.
  func call<Arguments>(
    _ slot: pj_slot, _ arguments: inout Arguments, _ code: XLAError.Code,
    _ action: @autoclosure () -> String
  ) throws(XLAError) {
    if let error = tryCall(slot, &arguments) { throw translated(error, code, action()) }
  }

  /// Calls a function that a plugin need not have an answer for; false when it reported an error.
  func succeeds<Arguments>(_ slot: pj_slot, _ arguments: inout Arguments) -> Bool {
    guard let error = tryCall(slot, &arguments) else { return true }
    destroy(error)
    return false
  }

  /// Calls a function that only frees something; what it says is of no use to anybody.
  func release<Arguments>(_ slot: pj_slot, _ arguments: inout Arguments) {
    if let error = tryCall(slot, &arguments) { destroy(error) }
  }

  private func tryCall<Arguments>(_ slot: pj_slot, _ arguments: inout Arguments) -> OpaquePointer? {
    let error = withUnsafeMutableBytes(of: &arguments) { bytes -> OpaquePointer? in
      bytes.storeBytes(of: bytes.count, as: Int.self)
      return pj_call(api, slot, bytes.baseAddress)
    }
    if error != nil { openErrors.add(1, ordering: .relaxed) }
    return error
  }

  /// Errors of the plugin that were made and not destroyed; 0 between calls.
  var undestroyedErrors: Int { openErrors.load(ordering: .relaxed) }

  /// Reads and destroys an error of the plugin.
  private func translated(_ error: OpaquePointer, _ code: XLAError.Code, _ action: String)
    -> XLAError
  {
    var message = pj_error_message_args()
    message.struct_size = MemoryLayout.size(ofValue: message)
    message.error = error
    pj_call_plain(api, PJ_ERROR_MESSAGE, &message)
    let text = Self.text(message.message, message.message_size)

    // An error about an error is possible in the interface; its code is then taken as given.
    var kind = pj_error_get_code_args()
    kind.error = error
    if let second = tryCall(PJ_ERROR_GET_CODE, &kind) { destroy(second) }
    destroy(error)

    var (kindOfFailure, remedy) = (code, "")
    switch kind.code {
    case Int32(PJ_RESOURCE_EXHAUSTED):
      kindOfFailure = .memory
      remedy =
        code == .device
        ? "; the device's memory is taken, perhaps by another process: end that one (nvidia-smi shows it), let this one see "
          + "another device (CUDA_VISIBLE_DEVICES), or lower XLA_CLIENT_MEM_FRACTION"
        : "; the device's memory does not suffice: use a smaller micro-batch, fewer runs in one program (machine.batch_runs), "
          + "or more devices"
    case Int32(PJ_ABORTED), Int32(PJ_UNAVAILABLE), Int32(PJ_DATA_LOSS):
      kindOfFailure = .device
      remedy =
        "; the device, or another process, is lost: the run can be resumed from its last checkpoint"
    // A CUDA device that failed once fails from then on, with a code that says no more than that.
    case Int32(PJ_INTERNAL) where code == .execution && text.contains("CUDA_ERROR_"):
      kindOfFailure = .device
      remedy =
        "; the device is lost to this process: the run can be resumed from its last checkpoint"
    default: break
    }
    return XLAError(kindOfFailure, "cannot \(action): \(text)\(remedy)")
  }

  private func destroy(_ error: OpaquePointer) {
    var arguments = pj_error_destroy_args()
    arguments.struct_size = MemoryLayout.size(ofValue: arguments)
    arguments.error = error
    pj_call_plain(api, PJ_ERROR_DESTROY, &arguments)
    openErrors.subtract(1, ordering: .relaxed)
  }

  /// Waits for an event and destroys it.
  func await(_ event: OpaquePointer, _ code: XLAError.Code, _ action: @autoclosure () -> String)
    throws(XLAError)
  {
    var arguments = pj_event_args()
    arguments.event = event
    let error = tryCall(PJ_EVENT_AWAIT, &arguments)
    discard(event)
    if let error { throw translated(error, code, action()) }
  }

  /// Destroys an event without waiting for it.
  func discard(_ event: OpaquePointer) {
    var arguments = pj_event_args()
    arguments.event = event
    release(PJ_EVENT_DESTROY, &arguments)
  }

  /// A string of the plugin, which is not ended by a zero.
  static func text(_ start: UnsafePointer<CChar>?, _ count: Int) -> String {
    guard let start else { return "" }
    return String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
  }
}
