// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TensorGraph

extension Rotary: StableHLOOperation {
  func lower(_ inputs: [HLOValue], results: [TensorType], _ context: LoweringContext) -> [HLOValue]
  {
    let builder = context.builder
    let pairs = headWidth / 2
    func table(_ name: String, _ function: (Double) -> Double) -> HLOValue {
      builder.remember("\(name) \(contextLength) \(headWidth) \(base)") {
        let numbers = (0..<contextLength).flatMap { position in
          (0..<pairs).map { pair in
            Float(
              function(Double(position) * pow(Double(base), Double(-2 * pair) / Double(headWidth))))
          }
        }
        return builder.constant(numbers, [contextLength, pairs])
      }
    }
    return [
      turned(
        inputs[0], cosines: table("cosine", cos), sines: table("sine", sin), headWidth: headWidth,
        inverse: inverse
      ).converted(to: results[0].element)
    ]
  }
}

extension RotaryTables: StableHLOOperation {
  func lower(_ inputs: [HLOValue], results: [TensorType], _ context: LoweringContext) -> [HLOValue]
  {
    let frequencies = inputs[0].converted(to: .f64)
    return ["cosine", "sine"].map {
      context.stored(angles(contextLength, frequencies, $0))
    }
  }
}

extension Rotation: StableHLOOperation {
  func lower(_ inputs: [HLOValue], results: [TensorType], _ context: LoweringContext) -> [HLOValue]
  {
    [
      turned(
        inputs[0], cosines: inputs[1], sines: inputs[2], headWidth: headWidth, inverse: inverse
      ).converted(to: results[0].element)
    ]
  }
}

/// A function of the angles t f_j of positions and frequencies `[P]`, reckoned in double precision: float32 `[T, P]`.
private func angles(
  _ contextLength: Int, _ frequencies: HLOValue, _ function: String
) -> HLOValue {
  let builder = frequencies.builder
  let shape = [contextLength, frequencies.shape[0]]
  let positions = builder.iota(shape, axis: 0, .f64)
  return builder.unary(function, positions * frequencies).converted(to: .f32)
}

/// Pairs (j, j + D/2) of every head turned by tables `[T, D/2]`; row n of `x [N, H D]` stands at position n mod T.
private func turned(
  _ x: HLOValue, cosines: HLOValue, sines: HLOValue, headWidth: Int, inverse: Bool
) -> HLOValue {
  let length = cosines.shape[0]
  let pairs = headWidth / 2
  let heads = x.shape[1] / headWidth
  let split = [x.shape[0] / length, length, heads, headWidth]
  let whole = x.wide.reshaped(split)
  let (first, second) = (whole.slice(3, 0..<pairs), whole.slice(3, pairs..<headWidth))
  func table(_ values: HLOValue) -> HLOValue {
    values.broadcast(to: [split[0], length, heads, pairs], axes: [1, 3])
  }
  let cosine = table(cosines)
  let sine = inverse ? -table(sines) : table(sines)
  let turned = x.builder.concatenate(
    [first * cosine - second * sine, second * cosine + first * sine], axis: 3)
  return turned.reshaped(x.shape)
}
