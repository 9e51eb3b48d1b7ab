// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

extension RowNorm: StableHLOOperation {
  func lower(_ inputs: [HLOValue], results: [TensorType], _ context: LoweringContext) -> [HLOValue]
  {
    let (x, gain) = (inputs[0].wide, inputs[1].wide)
    let statistics = results[1].shape.dimensions
    let width = Double(x.shape[x.rank - 1])
    func mean(_ value: HLOValue) -> HLOValue {
      value.rowSums.reshaped(statistics) / width
    }
    let center = kind == .layer ? mean(x) : nil
    let centered = center.map { x - $0 } ?? x
    let r = 1 / (mean(centered * centered) + Double(epsilon)).squareRoot()
    let y = (centered * r * gain).converted(to: results[0].element)
    return [y, r] + (center.map { [$0] } ?? [])
  }
}

extension RowNormGradient: StableHLOOperation {
  /// With n the normalised row and g = dy gain: dx = r (g - mean(g) - n mean(g n)), the first mean for layer norm alone; dgain = sum dy n.
  func lower(_ inputs: [HLOValue], results: [TensorType], _ context: LoweringContext) -> [HLOValue]
  {
    let (dy, x, gain, r) = (inputs[0].wide, inputs[1].wide, inputs[2].wide, inputs[3])
    let last = x.rank - 1
    let width = Double(x.shape[last])
    func mean(_ value: HLOValue) -> HLOValue {
      value.rowSums.reshaped(r.shape) / width
    }
    let normal = (kind == .layer ? x - inputs[4] : x) * r
    let g = dy * gain
    let centered = kind == .layer ? g - mean(g) : g
    let dx = r * (centered - normal * mean(g * normal))
    let dgain = (dy * normal).sum(Array(0..<last))
    return [dx.converted(to: results[0].element), dgain]
  }
}
