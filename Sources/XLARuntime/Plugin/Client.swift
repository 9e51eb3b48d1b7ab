// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPJRT
import TensorGraph

/// A value of an option that a plugin takes when a client is made.
enum ClientOption: Hashable, Sendable {
  case text(String)
  case integer(Int)
  case integers([Int])
  case number(Float)
  case flag(Bool)
}

/// A client of the plugin's own, destroyed with this object, together with what it calls back.
final class ClientOwner {
  /// The plugin that the client is of.
  let plugin: Plugin
  /// The plugin's object.
  let handle: OpaquePointer
  private let keyValues: KeyValueBox?

  /// Takes ownership.
  init(_ handle: OpaquePointer, _ plugin: Plugin, _ keyValues: KeyValueBox?) {
    self.handle = handle
    self.plugin = plugin
    self.keyValues = keyValues
  }

  deinit {
    var arguments = pj_client_destroy_args()
    arguments.client = handle
    plugin.release(PJ_CLIENT_DESTROY, &arguments)
  }
}

/// A plugin at work on this machine's devices.
final class Client {
  /// The plugin that this client is of.
  let plugin: Plugin
  /// The kind of machine, as `cpu` or `cuda`.
  let platform: String
  /// The plugin's own version, in its own words.
  let platformVersion: String
  /// The devices that this process can use.
  let devices: [Device]
  /// The devices of all processes together, in the plugin's order; those of others can only be named.
  let allDevices: [Device]
  /// Their number.
  var globalDeviceCount: Int { allDevices.count }
  /// The number of this process among those that form the client; 0 where there is one.
  let processIndex: Int
  /// The plugin's object, which the devices keep too.
  private let owner: ClientOwner
  /// The plugin's object.
  var handle: OpaquePointer { owner.handle }

  /// Starts a client.
  ///
  /// - Parameters:
  ///   - plugin: The plugin.
  ///   - options: The plugin's own options, as `num_nodes`.
  ///   - keyValues: What the processes share, where several form one client.
  /// - Throws: A device error when the plugin finds no device, or refuses an option.
  init(
    _ plugin: Plugin, options: [String: ClientOption] = [:], keyValues: (any KeyValueStore)? = nil
  )
    throws(XLAError)
  {
    self.plugin = plugin
    let named = NamedValues(options)
    var arguments = pj_client_create_args()
    arguments.create_options = named.start
    arguments.num_options = named.count
    let box = keyValues.map(KeyValueBox.init)
    box?.install(in: &arguments)
    do throws(XLAError) {
      try plugin.call(PJ_CLIENT_CREATE, &arguments, .device, "start a client of \(plugin.path)")
    } catch {
      throw Self.explained(error, options)
    }
    withExtendedLifetime(named) {}
    guard let handle = arguments.client else {
      throw XLAError(.plugin, "\(plugin.path) made no client and gave no reason")
    }
    owner = ClientOwner(handle, plugin, box)
    platform = try Self.text(PJ_CLIENT_PLATFORM_NAME, handle, plugin)
    platformVersion = try Self.text(PJ_CLIENT_PLATFORM_VERSION, handle, plugin)
    var process = pj_client_process_index_args()
    process.client = handle
    try plugin.call(PJ_CLIENT_PROCESS_INDEX, &process, .device, "number this process")
    processIndex = Int(process.process_index)
    var found: [Device] = []
    for device in try Self.devices(PJ_CLIENT_ADDRESSABLE_DEVICES, handle, plugin) {
      found.append(try Device(device, owner))
    }
    var all: [Device] = []
    for device in try Self.devices(PJ_CLIENT_DEVICES, handle, plugin) {
      if let own = found.first(where: { $0.handle == device }) {
        all.append(own)
      } else {
        all.append(try Device(device, owner))
      }
    }
    allDevices = all
    guard !found.isEmpty else {
      throw XLAError(
        .device, "\(plugin.path) sees no device of platform \(platform) on this machine")
    }
    if case .integer(let nodes)? = options["num_nodes"], nodes > 1,
      all.count == found.count
    {
      throw XLAError(
        .setting,
        "\(plugin.path) forms no client of several processes: of \(nodes) processes it sees its own "
          + "\(found.count) devices of platform \(platform) only. Run one process, or another plugin, as xla:cuda"
      )
    }
    devices = found
  }

  /// What a plugin said when it made no client, with what to do about it.
  private static func explained(_ error: XLAError, _ options: [String: ClientOption]) -> XLAError {
    guard error.code == .device else { return error }
    if error.message.contains("option") && !options.isEmpty {
      return XLAError(
        .setting, error.message + " (options: \(options.keys.sorted().joined(separator: ", ")))")
    }
    return XLAError(
      .device,
      error.message
        + " If there should be a device: does its own tool show it (as nvidia-smi), does "
        + "CUDA_VISIBLE_DEVICES hide it, does another process hold its memory?")
  }

  private static func text(_ slot: pj_slot, _ client: OpaquePointer, _ plugin: Plugin)
    throws(XLAError) -> String
  {
    var arguments = pj_client_text_args()
    arguments.client = client
    try plugin.call(slot, &arguments, .device, "ask the client for its platform")
    return Plugin.text(arguments.text, arguments.text_size)
  }

  private static func devices(_ slot: pj_slot, _ client: OpaquePointer, _ plugin: Plugin)
    throws(XLAError)
    -> [OpaquePointer]
  {
    var arguments = pj_client_devices_args()
    arguments.client = client
    try plugin.call(slot, &arguments, .device, "ask the client for its devices")
    return UnsafeBufferPointer(start: arguments.devices, count: arguments.num_devices).compactMap {
      $0
    }
  }

  /// Copies a tensor to a device; the bytes may change as soon as this returns.
  func upload(_ bytes: UnsafeRawBufferPointer, _ type: TensorType, to device: Device)
    throws(XLAError)
    -> DeviceBuffer
  {
    precondition(bytes.count >= type.byteCount, "\(bytes.count) bytes for \(type)")
    var arguments = pj_buffer_from_host_args()
    arguments.client = handle
    arguments.data = bytes.baseAddress
    arguments.type =
      switch type.elementType {
      case .float32: Int32(PJ_F32)
      case .bfloat16: Int32(PJ_BF16)
      case .int32: Int32(PJ_S32)
      }
    arguments.host_buffer_semantics = Int32(PJ_IMMUTABLE_ONLY_DURING_CALL)
    arguments.device = device.handle
    let dimensions = ContiguousArray(type.shape.dimensions.map(Int64.init))
    let failure = dimensions.withUnsafeBufferPointer { sizes -> XLAError? in
      arguments.dims = sizes.baseAddress
      arguments.num_dims = sizes.count
      do throws(XLAError) {
        try plugin.call(
          PJ_CLIENT_BUFFER_FROM_HOST_BUFFER, &arguments, .execution,
          "copy \(type) to \(device.description)")
        return nil
      } catch {
        return error
      }
    }
    if let failure { throw failure }
    if let event = arguments.done_with_host_buffer { plugin.discard(event) }
    guard let buffer = arguments.buffer else {
      throw XLAError(.execution, "\(plugin.path) made no buffer for \(type) and gave no reason")
    }
    return DeviceBuffer(buffer, self, byteCount: type.byteCount)
  }

  /// The options with what this plugin needs beside them.
  ///
  /// CPU plugins of interface 0.81 hand float32 products to a library that packs the right operand once and knows it again by its
  /// address: a parameter that is updated in place is then multiplied as it was at the first step. Without that library they are
  /// right (measured: the gradient norm of the second step off by 2 %, from the third on the loss; 0.112 is right with it).
  ///
  /// Maxima and minima are those of StableHLO, NaN where an operand is: XLA's faster ones may lose it.
  func effective(_ options: CompileOptions) -> CompileOptions {
    var options = options
    options.overrides.merge(plugin.neededOverrides) { given, _ in given }
    if platform == "cpu", plugin.interfaceVersion.major == 0, plugin.interfaceVersion.minor < 100 {
      options.overrides.merge(["xla_cpu_use_xnnpack": .flag(false)]) { given, _ in given }
    }
    switch platform {
    case "cpu": options.overrides["xla_cpu_enable_fast_min_max"] = .flag(false)
    case "cuda", "rocm": options.overrides["xla_gpu_enable_fast_min_max"] = .flag(false)
    default: break
    }
    return options
  }

  /// Compiles a module of StableHLO, given as text.
  ///
  /// - Throws: A compilation error with the plugin's own words.
  func compile(_ text: String, _ options: CompileOptions = CompileOptions()) throws(XLAError)
    -> LoadedProgram
  {
    let wanted = options.partitions
    guard wanted <= globalDeviceCount else {
      throw XLAError(
        .device,
        "a program for \(wanted) devices, and there are \(globalDeviceCount) of platform \(platform): ask for fewer"
      )
    }
    var code = Array(text.utf8CString)
    let format = Array("mlir".utf8CString)
    let serialized = effective(options).serialized.map { CChar(bitPattern: $0) }
    var arguments = pj_client_compile_args()
    let failure = code.withUnsafeMutableBufferPointer { code in
      format.withUnsafeBufferPointer { format in
        serialized.withUnsafeBufferPointer { serialized -> XLAError? in
          var program = pj_program()
          program.struct_size = MemoryLayout.size(ofValue: program)
          program.code = code.baseAddress
          program.code_size = code.count - 1
          program.format = format.baseAddress
          program.format_size = format.count - 1
          arguments.client = handle
          arguments.compile_options = serialized.baseAddress
          arguments.compile_options_size = serialized.count
          return withUnsafePointer(to: &program) { program in
            arguments.program = program
            do throws(XLAError) {
              try plugin.call(PJ_CLIENT_COMPILE, &arguments, .compilation, "compile a program")
              return nil
            } catch {
              return error
            }
          }
        }
      }
    }
    if let failure { throw failure }
    guard let executable = arguments.executable else {
      throw XLAError(.compilation, "\(plugin.path) compiled nothing and gave no reason")
    }
    return try LoadedProgram(executable, self)
  }
}
