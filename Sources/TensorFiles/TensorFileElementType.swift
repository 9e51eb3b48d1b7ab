// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// The element types of tensor files, by their names in the format.
public enum TensorFileElementType: String, CaseIterable, Sendable {
  /// 64-bit floating point.
  case float64 = "F64"
  /// 32-bit floating point.
  case float32 = "F32"
  /// The upper half of a 32-bit floating-point number.
  case bfloat16 = "BF16"
  /// 16-bit floating point with 5 bits of exponent.
  case float16 = "F16"
  /// 64-bit signed integer.
  case int64 = "I64"
  /// 32-bit signed integer.
  case int32 = "I32"
  /// 8-bit unsigned integer.
  case uint8 = "U8"

  /// Bytes per element.
  public var byteWidth: Int {
    switch self {
    case .float64, .int64: 8
    case .float32, .int32: 4
    case .bfloat16, .float16: 2
    case .uint8: 1
    }
  }
}

/// The number of bytes of a tensor, or `nil` when it has a negative dimension or does not fit in an `Int`.
func byteCount(of shape: [Int], _ elementType: TensorFileElementType) -> Int? {
  var result = elementType.byteWidth
  for dimension in shape {
    guard dimension >= 0 else { return nil }
    let (product, overflow) = result.multipliedReportingOverflow(by: dimension)
    if overflow { return nil }
    result = product
  }
  return result
}
