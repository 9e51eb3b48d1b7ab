// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

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

extension Client {
  /// Copies a tensor to this process's devices, whole or in parts.
  func upload(
    _ bytes: UnsafeRawBufferPointer, _ type: TensorType, _ sharding: Sharding, to devices: DeviceSet
  ) throws(XLAError) -> [DeviceBuffer] {
    var buffers: [DeviceBuffer] = []
    guard case .split(let axis) = sharding, devices.count > 1 else {
      for device in devices.local { buffers.append(try upload(bytes, type, to: device)) }
      return buffers
    }
    let parts = TensorParts(type, axis: axis, count: devices.count)
    let part = HostMemory(byteCount: parts.type.byteCount)
    for (index, device) in zip(devices.parts, devices.local) {
      parts.copy(index, from: bytes, to: part.bytes)
      buffers.append(try upload(UnsafeRawBufferPointer(part.bytes), parts.type, to: device))
    }
    return buffers
  }
}

extension Sharding {
  /// Puts a tensor together from the buffers of all devices, which are this process's.
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
      try buffer.startCopy(to: part.part(0, parts.type.byteCount)).wait()
      parts.copy(index, to: memory, from: UnsafeRawBufferPointer(part.bytes))
    }
  }
}
