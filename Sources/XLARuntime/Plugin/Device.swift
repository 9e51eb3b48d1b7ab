// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPJRT

/// One device that this process can use.
final class Device {
  /// The device's number among all processes' devices.
  let id: Int
  /// The process that it belongs to.
  let processIndex: Int
  /// What it is, as `NVIDIA H100 80GB HBM3` or `cpu`.
  let kind: String
  /// Its name in the plugin's messages.
  let description: String
  /// The plugin's object, alive as long as the plugin's client, which this object keeps.
  let handle: OpaquePointer
  private let owner: ClientOwner
  private var plugin: Plugin { owner.plugin }

  /// Reads what the plugin says about a device of one of its clients.
  init(_ handle: OpaquePointer, _ client: ClientOwner) throws(XLAError) {
    let plugin = client.plugin
    self.handle = handle
    owner = client
    var described = pj_device_get_description_args()
    described.device = handle
    try plugin.call(PJ_DEVICE_GET_DESCRIPTION, &described, .device, "describe a device")
    func number(_ slot: pj_slot) throws(XLAError) -> Int {
      var arguments = pj_device_number_args()
      arguments.description = described.description
      try plugin.call(slot, &arguments, .device, "number a device")
      return Int(arguments.number)
    }
    func text(_ slot: pj_slot) throws(XLAError) -> String {
      var arguments = pj_device_text_args()
      arguments.description = described.description
      try plugin.call(slot, &arguments, .device, "name a device")
      return Plugin.text(arguments.text, arguments.text_size)
    }
    id = try number(PJ_DEVICE_DESCRIPTION_ID)
    processIndex = try number(PJ_DEVICE_DESCRIPTION_PROCESS_INDEX)
    kind = try text(PJ_DEVICE_DESCRIPTION_KIND)
    description = try text(PJ_DEVICE_DESCRIPTION_TO_STRING)
  }
}

/// What a device's allocator says about its memory, in bytes.
struct DeviceMemory: Hashable, Sendable {
  /// Held now.
  var inUse: Int
  /// The most that was held at once since the client started; nil where the plugin does not count it.
  var peak: Int?
  /// The most that may be held; nil where the plugin does not say.
  var limit: Int?
}

extension Device {
  /// What the device's memory holds; nil where the plugin does not count, as the CPU plugin does not.
  var memory: DeviceMemory? {
    guard plugin.has(PJ_DEVICE_MEMORY_STATS) else { return nil }
    var arguments = pj_device_memory_stats_args()
    arguments.device = handle
    guard plugin.succeeds(PJ_DEVICE_MEMORY_STATS, &arguments) else { return nil }
    return DeviceMemory(
      inUse: Int(arguments.bytes_in_use),
      peak: arguments.peak_bytes_in_use_is_set ? Int(arguments.peak_bytes_in_use) : nil,
      limit: arguments.bytes_limit_is_set ? Int(arguments.bytes_limit) : nil)
  }
}
