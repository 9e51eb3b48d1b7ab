// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

/// A parameter or state: on the devices, on the host, or the same on both.
final class KeptTensor {
  /// As programs know it.
  let type: TensorType
  /// As it is stored: with an axis of runs in front where several share it.
  let storage: TensorType
  let sharding: Sharding
  private let devices: Int
  private var buffers: [DeviceBuffer]?
  private var mirror: HostMemory?

  /// Starts as zeros, on the host.
  init(_ type: TensorType, storage: TensorType, _ sharding: Sharding, devices: Int) {
    self.type = type
    self.storage = storage
    self.sharding = sharding
    self.devices = devices
  }

  /// Bytes on the device that holds most.
  var deviceBytes: Int {
    if case .split = sharding { return storage.byteCount / devices }
    return storage.byteCount
  }

  /// The buffers for a run, one for each of this process's devices, with what the host wrote.
  ///
  /// The host's copy is forgotten: the run may change the tensor.
  func buffersForRun(_ client: Client, _ devices: DeviceSet) throws(XLAError) -> [DeviceBuffer] {
    if let buffers {
      mirror = nil
      return buffers
    }
    let memory = mirror ?? HostMemory(byteCount: storage.byteCount)
    let made = try client.upload(
      UnsafeRawBufferPointer(memory.bytes), storage, sharding, to: devices)
    mirror = nil
    buffers = made
    return made
  }

  /// What a run left.
  func replace(_ new: [DeviceBuffer]) {
    buffers = new
    mirror = nil
  }

  /// The host's copy; when the host writes, the devices' is dropped.
  ///
  /// - Parameters:
  ///   - access: what the host will do.
  ///   - gather: makes the whole tensor, on each device, of the devices' parts; nil: this process has them all.
  /// - Returns: the values, until the next run.
  /// - Throws: What copying them to the host throws.
  func hostView(
    for access: KeptAccess, gather: (([DeviceBuffer]) throws(XLAError) -> [DeviceBuffer])? = nil
  ) throws(XLAError) -> UnsafeMutableRawBufferPointer {
    let memory: HostMemory
    if let mirror {
      memory = mirror
    } else {
      memory = HostMemory(byteCount: storage.byteCount)
      if let buffers, access != .writing {
        if case .split = sharding, let gather {
          try Sharding.replicated.download(gather(buffers), storage, into: memory.bytes)
        } else {
          try sharding.download(buffers, storage, into: memory.bytes)
        }
      }
      mirror = memory
    }
    if access != .reading { buffers = nil }
    return memory.bytes
  }
}

/// Memory of the host that starts as zeros.
final class HostMemory {
  /// At least four bytes.
  let bytes: UnsafeMutableRawBufferPointer

  init(byteCount: Int) {
    bytes = .allocate(byteCount: max(byteCount, 4), alignment: 64)
    bytes.initializeMemory(as: UInt8.self, repeating: 0)
  }

  deinit { bytes.deallocate() }

  /// Some of the bytes.
  func part(_ first: Int, _ count: Int) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(rebasing: bytes[first..<first + count])
  }
}
