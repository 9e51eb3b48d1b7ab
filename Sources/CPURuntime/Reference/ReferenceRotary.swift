// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TensorGraph

extension Rotary: ReferenceOperation {
  func evaluate(_ inputs: [ReferenceTensor]) -> [[Double]] {
    let x = inputs[0]
    let half = headWidth / 2
    var y = ReferenceSum(x.shape)
    for row in 0..<x.shape[0] {
      let position = Double(row % contextLength)
      for first in stride(from: 0, to: x.shape[1], by: headWidth) {
        for pair in 0..<half {
          let wavelength = pow(Double(base), -2 * Double(pair) / Double(headWidth))
          let angle = position * wavelength * (inverse ? -1 : 1)
          let (x1, x2) = (x[row, first + pair], x[row, first + pair + half])
          y[row, first + pair] = x1 * cos(angle) - x2 * sin(angle)
          y[row, first + pair + half] = x2 * cos(angle) + x1 * sin(angle)
        }
      }
    }
    return [y.values]
  }
}
