// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

/// What one execution of a program asks of a machine: the two numbers that its time mostly follows from.
public struct PlannedWork: Equatable, Sendable {
  /// FLOPs of matrix products, heads, attention and orthogonal bases.
  public var productFLOPs: Double
  /// Those of attention among them, at the largest window where it is read at each run.
  public var attentionFLOPs: Double
  /// Bytes that all other kernels read and write, every buffer counted once for each kernel.
  public var otherBytes: Double

  /// Any work.
  public init(productFLOPs: Double = 0, attentionFLOPs: Double = 0, otherBytes: Double = 0) {
    self.productFLOPs = productFLOPs
    self.attentionFLOPs = attentionFLOPs
    self.otherBytes = otherBytes
  }

  /// Seconds on a machine of these speeds, as if products were as fast as the best ones and nothing stayed in a cache.
  ///
  /// - Parameters:
  ///   - flopsPerSecond: Of products, see `MachineProbe.productPeak`.
  ///   - bytesPerSecond: Read plus written, see `MachineProbe.copyBandwidth`.
  /// - Returns: Seconds of one execution.
  public func seconds(flopsPerSecond: Double, bytesPerSecond: Double) -> Double {
    productFLOPs / flopsPerSecond + otherBytes / bytesPerSecond
  }

  static let productCategories: Set<KernelPlan.Category> = [.product, .head, .attention, .basis]

  static func isAttention(_ operation: any Operation) -> Bool {
    operation is Attention || operation is AttentionGradient
  }

  static func isProduct(_ operation: any Operation) -> Bool {
    switch operation {
    case is MatrixProduct, is LinearCrossEntropy, is LinearCrossEntropyGradient, is LinearSample,
      is Attention, is AttentionGradient, is OrthogonalBasis, is SymmetricEigenbasis:
      true
    default: false
    }
  }
}
