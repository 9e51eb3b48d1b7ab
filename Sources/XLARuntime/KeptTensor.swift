// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TensorGraph

/// A parameter or state: on the devices, on the host, or the same on both.
final class KeptTensor {
  let type: TensorType
  let sharding: Sharding
  private let devices: Int
  private var buffers: [DeviceBuffer]?
  private var mirror: HostMemory?

  /// Starts as zeros, on the host.
  init(_ type: TensorType, _ sharding: Sharding, devices: Int) {
    self.type = type
    self.sharding = sharding
    self.devices = devices
  }

  /// Bytes on all devices together.
  var deviceBytes: Int {
    if case .split = sharding { return type.byteCount }
    return type.byteCount * devices
  }

  /// The buffers for a run, one for each device, with what the host wrote.
  func buffersForRun(_ client: Client, _ devices: [Device]) throws(XLAError) -> [DeviceBuffer] {
    if let buffers {
      // What the host looked at may be outdated by the run.
      mirror = nil
      return buffers
    }
    let memory = mirror ?? HostMemory(byteCount: type.byteCount)
    let made = try client.upload(UnsafeRawBufferPointer(memory.bytes), type, sharding, to: devices)
    mirror = nil
    buffers = made
    return made
  }

  /// What a run left.
  func replace(_ new: [DeviceBuffer]) {
    buffers = new
    mirror = nil
  }

  /// The host's copy; after `writing` the devices' is dropped.
  func hostView(for access: KeptAccess) throws(XLAError) -> UnsafeMutableRawBufferPointer {
    let memory: HostMemory
    if let mirror {
      memory = mirror
    } else {
      memory = HostMemory(byteCount: type.byteCount)
      if let buffers, access != .writing {
        try sharding.download(buffers, type, into: memory.bytes)
      }
      mirror = memory
    }
    if access != .reading { buffers = nil }
    return memory.bytes
  }
}

/// Memory of the host that starts as zeros.
final class HostMemory {
  let bytes: UnsafeMutableRawBufferPointer

  init(byteCount: Int) {
    bytes = .allocate(byteCount: max(byteCount, 4), alignment: 64)
    bytes.initializeMemory(as: UInt8.self, repeating: 0)
  }

  deinit { bytes.deallocate() }
}

extension Client {
  /// Copies a tensor to devices, whole or in parts.
  func upload(
    _ bytes: UnsafeRawBufferPointer, _ type: TensorType, _ sharding: Sharding,
    to devices: [Device]
  ) throws(XLAError) -> [DeviceBuffer] {
    var buffers: [DeviceBuffer] = []
    guard case .split(let axis) = sharding, devices.count > 1 else {
      for device in devices { buffers.append(try upload(bytes, type, to: device)) }
      return buffers
    }
    let parts = TensorParts(type, axis: axis, count: devices.count)
    let part = HostMemory(byteCount: parts.type.byteCount)
    for (index, device) in devices.enumerated() {
      parts.copy(index, from: bytes, to: part.bytes)
      buffers.append(try upload(UnsafeRawBufferPointer(part.bytes), parts.type, to: device))
    }
    return buffers
  }
}

extension Sharding {
  /// Puts a tensor together from the devices' buffers.
  func download(
    _ buffers: [DeviceBuffer], _ type: TensorType, into memory: UnsafeMutableRawBufferPointer
  ) throws(XLAError) {
    guard case .split(let axis) = self, buffers.count > 1 else {
      return try buffers[0].startCopy(
        to: UnsafeMutableRawBufferPointer(rebasing: memory[0..<type.byteCount])
      ).wait()
    }
    let parts = TensorParts(type, axis: axis, count: buffers.count)
    let part = HostMemory(byteCount: parts.type.byteCount)
    for (index, buffer) in buffers.enumerated() {
      try buffer.startCopy(
        to: UnsafeMutableRawBufferPointer(rebasing: part.bytes[0..<parts.type.byteCount])
      ).wait()
      parts.copy(index, to: memory, from: UnsafeRawBufferPointer(part.bytes))
    }
  }
}

/// A tensor cut into equal parts along an axis.
struct TensorParts {
  /// Of a part.
  let type: TensorType
  private let blocks: Int
  private let blockBytes: Int
  private let count: Int

  init(_ whole: TensorType, axis: Int, count: Int) {
    var dimensions = whole.shape.dimensions
    precondition(dimensions[axis] % count == 0, "\(whole) in \(count) parts along axis \(axis)")
    dimensions[axis] /= count
    type = TensorType(Shape(dimensions), whole.elementType)
    blocks = dimensions[..<axis].reduce(1, *)
    blockBytes = dimensions[axis...].reduce(1, *) * whole.elementType.byteCount
    self.count = count
  }

  /// One part out of the whole.
  func copy(
    _ index: Int, from whole: UnsafeRawBufferPointer, to part: UnsafeMutableRawBufferPointer
  ) {
    for block in 0..<blocks {
      let first = (block * count + index) * blockBytes
      UnsafeMutableRawBufferPointer(rebasing: part[(block * blockBytes)...]).copyMemory(
        from: UnsafeRawBufferPointer(rebasing: whole[first..<first + blockBytes]))
    }
  }

  /// One part into the whole.
  func copy(
    _ index: Int, to whole: UnsafeMutableRawBufferPointer, from part: UnsafeRawBufferPointer
  ) {
    for block in 0..<blocks {
      let first = (block * count + index) * blockBytes
      UnsafeMutableRawBufferPointer(rebasing: whole[first...]).copyMemory(
        from: UnsafeRawBufferPointer(
          rebasing: part[block * blockBytes..<(block + 1) * blockBytes]))
    }
  }
}
