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
  /// The plugin's object, alive as long as the client.
  let handle: OpaquePointer
  private let plugin: Plugin

  /// Reads what the plugin says about a device of one of its clients.
  init(_ handle: OpaquePointer, _ plugin: Plugin) throws(XLAError) {
    self.handle = handle
    self.plugin = plugin
    var owner = pj_device_get_description_args()
    owner.device = handle
    try plugin.call(PJ_DEVICE_GET_DESCRIPTION, &owner, .device, "describe a device")
    func number(_ slot: pj_slot) throws(XLAError) -> Int {
      var arguments = pj_device_number_args()
      arguments.description = owner.description
      try plugin.call(slot, &arguments, .device, "number a device")
      return Int(arguments.number)
    }
    func text(_ slot: pj_slot) throws(XLAError) -> String {
      var arguments = pj_device_text_args()
      arguments.description = owner.description
      try plugin.call(slot, &arguments, .device, "name a device")
      return Plugin.text(arguments.text, arguments.text_size)
    }
    id = try number(PJ_DEVICE_DESCRIPTION_ID)
    processIndex = try number(PJ_DEVICE_DESCRIPTION_PROCESS_INDEX)
    kind = try text(PJ_DEVICE_DESCRIPTION_KIND)
    description = try text(PJ_DEVICE_DESCRIPTION_TO_STRING)
  }
}
