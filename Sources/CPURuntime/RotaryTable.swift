// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// Cosines and sines of rotary positions, computed in double once for each set of sizes and shared by all programs.
final class RotaryTable: Sendable {
  /// `[T, D/2]`.
  nonisolated(unsafe) let cosine: UnsafeMutablePointer<Float>
  /// `[T, D/2]`.
  nonisolated(unsafe) let sine: UnsafeMutablePointer<Float>

  private struct Key: Hashable {
    let contextLength: Int
    let headWidth: Int
    let base: Float
  }

  private static let tables = Mutex<[Key: RotaryTable]>([:])

  static func table(contextLength: Int, headWidth: Int, base: Float) -> RotaryTable {
    let key = Key(contextLength: contextLength, headWidth: headWidth, base: base)
    return tables.withLock { tables in
      if let known = tables[key] { return known }
      let made = RotaryTable(key)
      tables[key] = made
      return made
    }
  }

  private init(_ key: Key) {
    let half = key.headWidth / 2
    cosine = .allocate(capacity: key.contextLength * half)
    sine = .allocate(capacity: key.contextLength * half)
    for position in 0..<key.contextLength {
      for pair in 0..<half {
        let wavelength = pow(Double(key.base), -2 * Double(pair) / Double(key.headWidth))
        let angle = Double(position) * wavelength
        cosine[position * half + pair] = Float(cos(angle))
        sine[position * half + pair] = Float(sin(angle))
      }
    }
  }

  deinit {
    cosine.deallocate()
    sine.deallocate()
  }
}
