// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPJRT

/// A compiled program on its devices.
final class LoadedProgram {
  /// The plugin's object.
  let handle: OpaquePointer
  /// The same program as the plugin's compiler left it, which is asked for statistics.
  let compiled: OpaquePointer
  /// The client that it is of.
  let client: Client
  /// Tensors that each device returns.
  let outputCount: Int
  /// Ids of the devices of this process that the program runs on, in the order of `execute`'s arguments.
  let deviceIDs: [Int]

  /// Takes ownership of a program of the plugin.
  init(_ handle: OpaquePointer, _ client: Client) throws(XLAError) {
    self.handle = handle
    self.client = client
    let plugin = client.plugin
    var compiled: OpaquePointer?
    do throws(XLAError) {
      var executable = pj_get_executable_args()
      executable.loaded = handle
      try plugin.call(
        PJ_LOADED_EXECUTABLE_GET_EXECUTABLE, &executable, .compilation, "read a compiled program")
      compiled = executable.executable
      var outputs = pj_executable_num_outputs_args()
      outputs.executable = executable.executable
      try plugin.call(
        PJ_EXECUTABLE_NUM_OUTPUTS, &outputs, .compilation, "count a program's results")
      outputCount = outputs.num_outputs
      var devices = pj_loaded_executable_devices_args()
      devices.executable = handle
      try plugin.call(
        PJ_LOADED_EXECUTABLE_ADDRESSABLE_DEVICES, &devices, .compilation, "find a program's devices"
      )
      let handles = UnsafeBufferPointer(start: devices.devices, count: devices.num_devices)
      deviceIDs = handles.compactMap { handle in client.devices.first { $0.handle == handle }?.id }
      guard let found = executable.executable, deviceIDs.count == handles.count else {
        throw XLAError(
          .compilation, "\(plugin.path) compiled a program for devices that it does not list")
      }
      self.compiled = found
    } catch {
      Self.destroy(handle, compiled, plugin)
      throw error
    }
  }

  deinit { Self.destroy(handle, compiled, client.plugin) }

  private static func destroy(_ handle: OpaquePointer, _ compiled: OpaquePointer?, _ plugin: Plugin)
  {
    if let compiled {
      var arguments = pj_executable_destroy_args()
      arguments.executable = compiled
      plugin.release(PJ_EXECUTABLE_DESTROY, &arguments)
    }
    var arguments = pj_loaded_executable_destroy_args()
    arguments.executable = handle
    plugin.release(PJ_LOADED_EXECUTABLE_DESTROY, &arguments)
  }

  /// Starts the program; returns before it is done.
  ///
  /// A buffer whose argument says `tf.aliasing_output` is used up: only freeing it is allowed afterwards.
  ///
  /// - Parameter arguments: The buffers, by device (in the order of `deviceIDs`) and argument.
  /// - Returns: The run, whose results may be used at once.
  /// - Throws: What the plugin reported at once; a failure later is thrown by the run's `wait`.
  func execute(_ arguments: [[DeviceBuffer]]) throws(XLAError) -> Execution {
    precondition(
      arguments.count == deviceIDs.count, "\(arguments.count) devices for \(deviceIDs.count)")
    let argumentCount = arguments[0].count
    precondition(
      arguments.allSatisfy { $0.count == argumentCount },
      "devices with different numbers of arguments")
    let deviceCount = arguments.count

    // The plugin wants arrays of arrays: one block for all handles, and one pointer into it for each device.
    let inputs = UnsafeMutableBufferPointer<OpaquePointer?>.allocate(
      capacity: deviceCount * argumentCount)
    let inputRows = UnsafeMutableBufferPointer<UnsafePointer<OpaquePointer?>?>.allocate(
      capacity: deviceCount)
    let outputs = UnsafeMutableBufferPointer<OpaquePointer?>.allocate(
      capacity: deviceCount * outputCount)
    let outputRows = UnsafeMutableBufferPointer<UnsafeMutablePointer<OpaquePointer?>?>.allocate(
      capacity: deviceCount)
    let events = UnsafeMutableBufferPointer<OpaquePointer?>.allocate(capacity: deviceCount)
    defer {
      inputs.deallocate()
      inputRows.deallocate()
      outputs.deallocate()
      outputRows.deallocate()
      events.deallocate()
    }
    outputs.initialize(repeating: nil)
    events.initialize(repeating: nil)
    for (device, row) in arguments.enumerated() {
      for (index, buffer) in row.enumerated() {
        inputs.initializeElement(at: device * argumentCount + index, to: buffer.handle)
      }
      inputRows.initializeElement(
        at: device, to: inputs.baseAddress.map { UnsafePointer($0 + device * argumentCount) })
      outputRows.initializeElement(
        at: device, to: outputs.baseAddress.map { $0 + device * outputCount })
    }

    var options = pj_execute_options()
    options.struct_size = MemoryLayout.size(ofValue: options)
    var call = pj_execute_args()
    call.executable = handle
    call.argument_lists = UnsafePointer(inputRows.baseAddress)
    call.num_devices = deviceCount
    call.num_args = argumentCount
    call.output_lists = UnsafePointer(outputRows.baseAddress)
    call.device_complete_events = events.baseAddress
    let failure = withUnsafeMutablePointer(to: &options) { options -> XLAError? in
      call.options = options
      do throws(XLAError) {
        try client.plugin.call(
          PJ_LOADED_EXECUTABLE_EXECUTE, &call, .execution, "run a program\(needs)")
        return nil
      } catch {
        return error
      }
    }
    // The buffers are alive at least until the plugin has taken its own references.
    withExtendedLifetime(arguments) {}
    if let failure { throw failure }
    let results = (0..<deviceCount).map { device in
      (0..<outputCount).compactMap {
        outputs[device * outputCount + $0].map { DeviceBuffer($0, client) }
      }
    }
    return Execution(results, events.compactMap { $0 }, self)
  }

  /// For the message of a failed run: the memory that the compiler planned.
  fileprivate var needs: String {
    memory.map { " that needs \(($0.total + 1 << 19) >> 20) MiB on each device" } ?? ""
  }
}

/// A run of a program that may still be going on.
final class Execution {
  /// The results, by device and output; usable as arguments of other runs before this one is done.
  let outputs: [[DeviceBuffer]]
  private var events: [OpaquePointer]
  private let program: LoadedProgram

  init(_ outputs: [[DeviceBuffer]], _ events: [OpaquePointer], _ program: LoadedProgram) {
    self.outputs = outputs
    self.events = events
    self.program = program
  }

  deinit { for event in events { program.client.plugin.discard(event) } }

  /// Waits until every device is done; throws what the first that failed said.
  func wait() throws(XLAError) {
    let waiting = events
    events = []
    var failure: XLAError?
    for event in waiting {
      do throws(XLAError) {
        try program.client.plugin.await(
          event, .execution, "finish a run of a program\(program.needs)")
      } catch {
        failure = failure ?? error
      }
    }
    if let failure { throw failure }
  }
}
