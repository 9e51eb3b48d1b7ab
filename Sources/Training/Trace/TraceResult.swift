// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorFiles

/// What one traced step found, and how it is written.
struct TraceResult {
  struct Gradient {
    let name: String
    let shape: [Int]
    let bytes: [UInt8]
  }

  let scalars: [String: Float]
  let gradients: [Gradient]

  /// Gathers tensors into one file.
  ///
  /// Everything written must stay in place until then, hence the storage made here.
  func write(
    batch: StepBatch, contextLength: Int, kept: [TensorFileWriter.Tensor], parameters: Set<String>,
    metadata: [String: String], to path: String
  ) throws {
    var storage: [UnsafeMutableRawBufferPointer] = []
    defer { for memory in storage { memory.deallocate() } }
    func copy(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
      let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 16)
      memory.copyMemory(from: bytes)
      storage.append(memory)
      return UnsafeRawBufferPointer(memory)
    }
    var tensors: [TensorFileWriter.Tensor] = []
    let shape = [batch.tokens.count / contextLength, contextLength]
    let inputs = [
      ("tokens", Optional(batch.tokens)), ("targets", Optional(batch.targets)),
      ("documents", batch.documents),
    ]
    for (name, memory) in inputs {
      guard let memory else { continue }
      tensors.append(
        .init(
          name: "batch." + name, elementType: .int32, shape: shape,
          bytes: UnsafeRawBufferPointer(memory)))
    }
    for (name, number) in scalars.sorted(by: { $0.key < $1.key }) {
      let bytes = withUnsafeBytes(of: number) { copy($0) }
      tensors.append(.init(name: name, elementType: .float32, shape: [], bytes: bytes))
    }
    for gradient in gradients {
      let bytes = gradient.bytes.withUnsafeBytes { copy($0) }
      tensors.append(
        .init(
          name: "gradient." + gradient.name, elementType: .float32, shape: gradient.shape,
          bytes: bytes))
    }
    for tensor in kept {
      var named = tensor
      if parameters.contains(tensor.name) { named.name = "parameter." + tensor.name }
      tensors.append(named)
    }
    try TensorFileWriter.write(tensors, metadata: metadata, to: path)
  }
}
