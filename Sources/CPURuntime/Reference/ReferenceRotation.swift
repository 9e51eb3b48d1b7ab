// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TensorGraph

extension RotaryTables: ReferenceOperation {
  func evaluate(_ inputs: [ReferenceTensor]) -> [[Double]] {
    let angles = (0..<contextLength).flatMap { position in
      inputs[0].values.map { Double(position) * $0 }
    }
    return [angles.map { cos($0) }, angles.map { sin($0) }]
  }
}

extension Rotation: ReferenceOperation {
  func evaluate(_ inputs: [ReferenceTensor]) -> [[Double]] {
    let (x, cosines, sines) = (inputs[0], inputs[1], inputs[2])
    let half = headWidth / 2
    var y = ReferenceSum(x.shape)
    for row in 0..<x.shape[0] {
      let position = row % cosines.shape[0]
      for first in stride(from: 0, to: x.shape[1], by: headWidth) {
        for pair in 0..<half {
          let (c, s) = (cosines[position, pair], sines[position, pair] * (inverse ? -1 : 1))
          let (x1, x2) = (x[row, first + pair], x[row, first + pair + half])
          y[row, first + pair] = x1 * c - x2 * s
          y[row, first + pair + half] = x2 * c + x1 * s
        }
      }
    }
    return [y.values]
  }
}

extension TokenShift: ReferenceOperation {
  func evaluate(_ inputs: [ReferenceTensor]) -> [[Double]] {
    let x = inputs[0]
    var y = ReferenceSum(x.shape)
    for row in 0..<x.shape[0] {
      for column in 0..<x.shape[1] {
        let isShifted = ranges.contains { $0.contains(column % period) }
        let isFirst = row % contextLength == 0
        // Which row this element comes from; nil: from none.
        let source = !isShifted || (isFirst && keepsFirst) ? row : isFirst ? nil : row - 1
        guard let source else { continue }
        if isAdjoint {
          y[source, column] += x[row, column]
        } else {
          y[row, column] = x[source, column]
        }
      }
    }
    return [y.values]
  }
}
