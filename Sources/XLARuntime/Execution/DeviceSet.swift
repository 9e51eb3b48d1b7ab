// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// The devices that share every program, and which of them are this process's.
///
/// Cut tensors have as many parts as there are devices in all; a process holds those of its own devices.
struct DeviceSet {
  /// Devices of all processes together.
  let count: Int
  /// This process's own, in the order of their parts.
  let local: [Device]
  /// Of each of them, which part of a cut tensor is its.
  let parts: [Int]
  /// The ids of all devices in the order of the parts; nil: one process, and the plugin's own choice, the first devices.
  let assignment: [Int]?

  /// Whether this process has all of them.
  var isWhole: Bool { local.count == count }

  /// The first devices of a client of one process, or all devices of a client of several.
  ///
  /// - Throws: A device error when there are too few, or when some process would be left out.
  init(_ client: Client, count: Int) throws(XLAError) {
    let here = client.devices.count
    guard client.globalDeviceCount > here else {
      guard count >= 1, count <= here else {
        throw XLAError(
          .device,
          "devices = \(count): \(client.platform) offers \(here) here; use 1 to \(here)")
      }
      self.count = count
      local = Array(client.devices.prefix(count))
      parts = Array(0..<count)
      assignment = nil
      return
    }
    guard count == client.globalDeviceCount else {
      throw XLAError(
        .device,
        "devices = \(count): the processes of this run have \(client.globalDeviceCount) devices of \(client.platform) together, "
          + "and none may be left out; write devices = \(client.globalDeviceCount)")
    }
    let order = Self.order(client.allDevices.map { ($0.processIndex, $0.id) })
    self.count = count
    assignment = order
    let own = Dictionary(client.devices.map { ($0.id, $0) }) { first, _ in first }
    let mine = order.enumerated().compactMap { part, id in own[id].map { (part, $0) } }
    parts = mine.map(\.0)
    local = mine.map(\.1)
  }

  /// The ids of devices, process by process, so that neighbouring parts lie on one machine.
  static func order(_ devices: [(process: Int, id: Int)]) -> [Int] {
    devices.sorted { $0 < $1 }.map(\.id)
  }
}
