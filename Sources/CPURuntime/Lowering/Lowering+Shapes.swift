// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CKernels
import TensorGraph

/// Operations that move numbers and compute none.
extension Lowering {
  /// Elements of a unit: a few hundred kilobytes, which the second-level cache holds.
  private static let unitElements = 1 << 16

  func lowerTranspose(_ index: Int, _ stage: Stage) {
    let x = input(index, 0)
    let value = Graph.Value(node: index)
    let shape = type(x).shape
    let (rows, columns) = (shape[shape.rank - 2], shape.columns)
    let batch = shape.count / (rows * columns)
    let bytes = type(x).elementType.byteCount
    let (from, to) = (buffer(x), buffer(value))
    // Small entries go whole; of large ones a unit makes some rows.
    let wholeEntries = batch > 1 && rows * columns <= Self.unitElements
    let entries = max(1, min(batch / 2, Self.unitElements / (rows * columns)))
    emit(
      KernelPlan(
        label: "transpose", category: category(stage),
        rows: wholeEntries ? batch : batch * columns,
        block: wholeEntries ? entries : max(16, Self.unitElements / rows / 16 * 16), chains: true,
        reads: [wholeEntries ? rowwise(x) : whole(x)], writes: [rowwise(value)], stage: stage
      ) { binding in
        let (input, output) = (binding.address(from), binding.address(to))
        return { range, _, _ in
          var row = range.lowerBound * (wholeEntries ? columns : 1)
          let end = range.upperBound * (wholeEntries ? columns : 1)
          while row < end {
            let (entry, column) = (row / columns, row % columns)
            let count = min(columns - column, end - row)
            ck_transpose(
              input + (entry * rows * columns + column) * bytes, output + row * rows * bytes, rows,
              count, columns, rows, bytes)
            row += count
          }
        }
      })
  }

  func lowerSlice(_ operation: Slice, _ index: Int, _ stage: Stage) {
    gather(
      [(input(index, 0), operation.first..<operation.end)], into: Graph.Value(node: index),
      operation.name, stage)
  }

  func lowerConcatenate(_ index: Int, _ stage: Stage) {
    let inputs = graph.nodes[index].inputs
    gather(
      inputs.map { ($0, 0..<type($0).shape[0]) }, into: Graph.Value(node: index), "concatenate",
      stage)
  }

  /// Copies entries of leading axes, one part after the other.
  private func gather(
    _ parts: [(source: Graph.Value, range: Range<Int>)], into value: Graph.Value, _ label: String,
    _ stage: Stage
  ) {
    let size = type(value).shape[0]
    let elements = type(value).shape.count / size
    let bytes = elements * type(value).elementType.byteCount
    let sources = parts.map { buffer($0.source) }
    let result = buffer(value)
    emit(
      KernelPlan(
        label: label, category: category(stage), rows: size,
        block: max(1, min(size, Self.unitElements / elements)), chains: true,
        reads: parts.map { whole($0.source) }, writes: [rowwise(value)], stage: stage
      ) { binding in
        let output = binding.address(result)
        var copies: [(end: Int, source: UnsafeRawPointer)] = []
        var end = 0
        for (part, source) in zip(parts, sources) {
          // Where entry 0 of the result would lie if all of it came from this part.
          let start = (part.range.lowerBound - end) * bytes
          end += part.range.count
          copies.append((end, UnsafeRawPointer(binding.address(source)) + start))
        }
        let fixed = copies
        return { range, _, _ in
          var entry = range.lowerBound
          for index in fixed.indices where entry < min(fixed[index].end, range.upperBound) {
            let stop = min(fixed[index].end, range.upperBound)
            (output + entry * bytes).copyMemory(
              from: fixed[index].source + entry * bytes, byteCount: (stop - entry) * bytes)
            entry = stop
          }
        }
      })
  }

  /// The class of work that belongs to no operation's own.
  private func category(_ stage: Stage) -> KernelPlan.Category {
    stage == .commit ? .update : .elementwise
  }
}
