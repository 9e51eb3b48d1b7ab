// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A number as a log prints it: its value and its digits, so that it can be printed again.
public struct LogNumber: Equatable, Sendable, CustomStringConvertible {
  /// The value; may be NaN or infinite.
  public var value: Double
  /// Digits after the point.
  public var decimals: Int

  /// Makes a number.
  ///
  /// - Parameters:
  ///   - value: Any number.
  ///   - decimals: Digits after the point, at least 0.
  public init(_ value: Double, decimals: Int) {
    precondition(decimals >= 0, "\(decimals) digits after the point")
    self.value = value
    self.decimals = decimals
  }

  /// As Python prints it: `3.2793`, `nan`, `inf`.
  public var description: String {
    if value.isNaN { return "nan" }
    if value.isInfinite { return value > 0 ? "inf" : "-inf" }
    return String(format: "%.\(decimals)f", value)
  }

  /// Reads `3.2793`, `-1`, `nan`, `inf`; nil for anything else, also for `1e-3`.
  init?(_ bytes: UnsafeRawBufferPointer) {
    switch bytes.count {
    case 3 where bytes.elementsEqual("nan".utf8): self.init(.nan, decimals: 0)
    case 3 where bytes.elementsEqual("inf".utf8): self.init(.infinity, decimals: 0)
    case 4 where bytes.elementsEqual("-inf".utf8): self.init(-.infinity, decimals: 0)
    case 1...24:
      var decimals: Int?
      var digits = 0
      for (index, byte) in bytes.enumerated() {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
          digits += 1
          if let known = decimals { decimals = known + 1 }
        case UInt8(ascii: ".") where decimals == nil && digits > 0: decimals = 0
        case UInt8(ascii: "-") where index == 0: break
        default: return nil
        }
      }
      guard digits > 0, decimals != 0, let value = Double(String(decoding: bytes, as: UTF8.self))
      else { return nil }
      self.init(value, decimals: decimals ?? 0)
    default: return nil
    }
  }
}
