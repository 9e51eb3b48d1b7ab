// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPJRT

/// A tensor in a device's memory; freed with this object.
final class DeviceBuffer {
  /// The plugin's object.
  let handle: OpaquePointer
  private let client: Client
  private var knownByteCount: Int?

  /// Takes ownership of a buffer of the plugin.
  init(_ handle: OpaquePointer, _ client: Client, byteCount: Int? = nil) {
    self.handle = handle
    self.client = client
    knownByteCount = byteCount
  }

  deinit {
    var arguments = pj_buffer_destroy_args()
    arguments.buffer = handle
    client.plugin.release(PJ_BUFFER_DESTROY, &arguments)
  }

  /// Bytes of the tensor on the host; on a device it may take more.
  var byteCount: Int {
    get throws(XLAError) {
      if let knownByteCount { return knownByteCount }
      var arguments = pj_buffer_to_host_args()
      arguments.source = handle
      try client.plugin.call(PJ_BUFFER_TO_HOST_BUFFER, &arguments, .execution, "measure a result")
      if let event = arguments.event { client.plugin.discard(event) }
      knownByteCount = arguments.destination_size
      return arguments.destination_size
    }
  }

  /// Starts a copy to the host, which begins when the tensor is there.
  ///
  /// The target must have `byteCount` bytes and stay alive until the transfer was waited for.
  func startCopy(to destination: UnsafeMutableRawBufferPointer) throws(XLAError) -> Transfer {
    var arguments = pj_buffer_to_host_args()
    arguments.source = handle
    arguments.destination = destination.baseAddress
    arguments.destination_size = destination.count
    try client.plugin.call(
      PJ_BUFFER_TO_HOST_BUFFER, &arguments, .execution,
      "copy a result of \(destination.count) bytes to the host")
    return Transfer(arguments.event, client, keeping: self)
  }

  /// Waits for the tensor and copies it.
  func download() throws(XLAError) -> [UInt8] {
    let count = try byteCount
    let target = UnsafeMutableRawBufferPointer.allocate(byteCount: max(count, 1), alignment: 64)
    defer { target.deallocate() }
    try startCopy(to: UnsafeMutableRawBufferPointer(rebasing: target[0..<count])).wait()
    return Array(target[0..<count])
  }
}

/// A copy from a device to the host that may still be going on.
final class Transfer {
  private var event: OpaquePointer?
  private let client: Client
  private var source: DeviceBuffer?

  init(_ event: OpaquePointer?, _ client: Client, keeping source: DeviceBuffer) {
    self.event = event
    self.client = client
    self.source = source
  }

  deinit {
    // Nobody may free the target while the plugin still writes it.
    try? wait()
  }

  /// Waits until the bytes are there.
  func wait() throws(XLAError) {
    defer { source = nil }
    guard let event else { return }
    self.event = nil
    try client.plugin.await(event, .execution, "copy a result to the host")
  }
}
