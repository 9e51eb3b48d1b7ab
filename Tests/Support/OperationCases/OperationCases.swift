// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPURuntime

@testable import TensorGraph

/// Programs on which every runtime is compared with the reference: every operation forward and backward, fused regions,
/// stages, whole updates and whole steps, over awkward sizes.
enum OperationCases {
  /// What every runtime is compared with, for tests of rooms that do not know it.
  static func reference() -> any Runtime { ReferenceRuntime() }

  static let all: [OperationCase] =
    GradientCases.all.map(\.operationCase) + larger.map(\.operationCase) + narrowed + regions
    + stages + updates + steps + random + samples + bases

  /// Sizes around vectors, tiles and blocks, too slow for finite differences.
  private static var larger: [GradientCase] {
    let elements: [GradientCase] = [[1, 513], [1, 1025], [3, 511], [129, 3], [1031], [67, 65]]
      .flatMap { (shape: Shape) in
        [
          GradientCase(name: "chain on \(shape)") { graph in
            let a = graph.parameter("a", shape)
            let row = graph.parameter("row", [shape.columns])
            return .init(results: [gelu(a * row) + tanh(a) - 0.5 * silu(row)])
          }
        ] + GradientCases.reductions(shape)
      }
    let products = [(17, 33, 65), (64, 64, 64), (1, 129, 31), (127, 1, 16), (37, 48, 101)]
      .flatMap { m, n, k in
        [(false, false), (false, true), (true, false), (true, true)].map {
          GradientCases.product(m, n, k, $0, $1)
        }
      }
    let attentions = [
      AttentionSizes(contextLength: 67, headWidth: 16),
      AttentionSizes(sequences: 2, contextLength: 64, heads: 2, headWidth: 8),
      AttentionSizes(
        sequences: 3, contextLength: 33, heads: 6, keyValueHeads: 2, headWidth: 5),
      AttentionSizes(contextLength: 131, headWidth: 4, window: 17),
      AttentionSizes(contextLength: 65, headWidth: 6, window: 64),
      AttentionSizes(sequences: 2, contextLength: 70, heads: 2, headWidth: 3, longestDocument: 40),
      AttentionSizes(
        sequences: 2, contextLength: 90, headWidth: 4, window: 33, longestDocument: 90),
      AttentionSizes(contextLength: 131, headWidth: 4, currentWindow: 17),
      AttentionSizes(
        sequences: 2, contextLength: 193, heads: 2, keyValueHeads: 1, headWidth: 5, window: 150,
        currentWindow: 70, longestDocument: 180),
    ].map(GradientCases.attention)
    return elements + products + GradientCases.largerMatrices + attentions
      + [
        GradientCases.norm(.layer, [67, 33]), GradientCases.norm(.rms, [67, 33]),
        GradientCases.norm(.layer, [3, 257]), GradientCases.norm(.rms, [131, 16]),
        GradientCases.rotary(sequences: 3, contextLength: 37, heads: 3, headWidth: 10),
        GradientCases.rotary(sequences: 1, contextLength: 64, heads: 2, headWidth: 32),
        GradientCases.crossEntropy(rows: 67, width: 17, vocabularySize: 131, zLoss: 1e-2),
        GradientCases.crossEntropy(
          rows: 33, width: 16, vocabularySize: 513, zLoss: 1e-4, mask: .some),
        GradientCases.crossEntropy(rows: 129, width: 5, vocabularySize: 3, mask: .some),
        GradientCases.rotation(sequences: 3, contextLength: 300, heads: 3, headWidth: 10),
        GradientCases.tokenShift(
          sequences: 3, contextLength: 97, heads: 3, headWidth: 16, ranges: [4..<8, 12..<16],
          keepsFirst: true),
      ]
      + GradientCases.headForms.map {
        GradientCases.crossEntropy(
          rows: 132, width: 16, vocabularySize: 530, zLoss: 1e-4, mask: .some, form: $0)
      } + GradientCases.embedding(rows: 131, vocabularySize: 29, width: 33)
      + GradientCases.embedding(rows: 7, vocabularySize: 257, width: 17)
  }

  /// Products, attention, norms, rotations and heads as a bfloat16 run stores them.
  private static var narrowed: [OperationCase] {
    let small =
      [
        GradientCases.product(3, 5, 7, false, true), GradientCases.product(17, 33, 65, false, true),
        GradientCases.product(1, 7, 3, false, false),
        GradientCases.product(37, 48, 101, true, false),
        GradientCases.product(33, 16, 31, true, true),
        GradientCases.attention(AttentionSizes(sequences: 2, contextLength: 7, headWidth: 3)),
        GradientCases.attention(
          AttentionSizes(
            sequences: 2, contextLength: 67, heads: 4, keyValueHeads: 2, headWidth: 8)),
        GradientCases.attention(
          AttentionSizes(contextLength: 65, headWidth: 16, window: 17, longestDocument: 30)),
        GradientCases.crossEntropy(
          rows: 33, width: 16, vocabularySize: 131, zLoss: 1e-4, mask: .some),
        GradientCases.crossEntropy(rows: 3, width: 5, vocabularySize: 13),
      ]
      + GradientCases.headForms.map {
        GradientCases.crossEntropy(
          rows: 24, width: 16, vocabularySize: 131, zLoss: 1e-4, mask: .some, form: $0)
      }
    let layers = GradientCases.compositions.filter { $0.name.contains("layer") }
    return (small + layers + [normThenProducts]).map { $0.operationCase.inBFloat16() }
  }

  /// A norm and a rotation that only products and attention read.
  private static var normThenProducts: GradientCase {
    GradientCase(name: "norm, products, rotation and attention") { graph in
      let x = graph.parameter("x", [33, 12])
      let y = x.normalized(.layer, gain: graph.parameter("gain", [12]), epsilon: 1e-5)
      func projected(_ label: String) -> Tensor { y.linear(graph.parameter(label, [8, 12])) }
      func turned(_ x: Tensor) -> Tensor { x.rotary(headWidth: 4, contextLength: 11, base: 100) }
      return .init(results: [
        turned(projected("query")).attention(
          keys: turned(projected("key")), values: projected("value"), headWidth: 4,
          contextLength: 11)
      ])
    }
  }
}
