// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// How one element is stored.
public enum ElementType: String, Hashable, Sendable, CaseIterable {
  /// IEEE single precision; what every elementwise operation computes in.
  case float32
  /// The upper half of a float32: 8 bits of exponent, 7 of fraction.
  case bfloat16
  /// Token ids, targets, document numbers.
  case int32

  /// Bytes of one element.
  public var byteCount: Int { self == .bfloat16 ? 2 : 4 }

  /// True for the two floating-point types.
  public var isFloatingPoint: Bool { self != .int32 }
}

/// A shape and the way its elements are stored.
public struct TensorType: Hashable, Sendable, CustomStringConvertible {
  /// Axis sizes.
  public var shape: Shape
  /// Storage of one element.
  public var elementType: ElementType

  /// Makes a type; elements are float32 unless said otherwise.
  public init(_ shape: Shape, _ elementType: ElementType = .float32) {
    self.shape = shape
    self.elementType = elementType
  }

  /// Bytes of the whole tensor.
  public var byteCount: Int { shape.count * elementType.byteCount }

  /// For example `float32[2048, 256]`.
  public var description: String { "\(elementType.rawValue)\(shape)" }
}
