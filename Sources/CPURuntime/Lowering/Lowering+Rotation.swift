// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CKernels
import Foundation
import TensorGraph

/// Rotations by tables that are made at each run, and shifts by one token.
extension Lowering {
  func lowerRotaryTables(_ operation: RotaryTables, _ index: Int, _ stage: Stage) {
    let frequencies = input(index, 0)
    let (cosines, sines) = (Graph.Value(node: index), Graph.Value(node: index, result: 1))
    let pairs = type(frequencies).shape[0]
    let buffers = [frequencies, cosines, sines].map(buffer)
    emit(
      KernelPlan(
        label: operation.name, category: .rotary, rows: operation.contextLength, block: 256,
        reads: [whole(frequencies)], writes: [rowwise(cosines), rowwise(sines)], stage: stage
      ) { binding in
        let frequency = binding.address(buffers[0]).assumingMemoryBound(to: Float.self)
        let cosine = binding.address(buffers[1]).assumingMemoryBound(to: Float.self)
        let sine = binding.address(buffers[2]).assumingMemoryBound(to: Float.self)
        return { rows, _, _ in
          for pair in 0..<pairs {
            // Turned on from row to row in double precision: after thousands of rows the error is still below float32's.
            let angle = Double(frequency[pair])
            let (turnCosine, turnSine) = (cos(angle), sin(angle))
            var c = cos(angle * Double(rows.lowerBound))
            var s = sin(angle * Double(rows.lowerBound))
            for row in rows {
              cosine[row * pairs + pair] = Float(c)
              sine[row * pairs + pair] = Float(s)
              (c, s) = (c * turnCosine - s * turnSine, s * turnCosine + c * turnSine)
            }
          }
        }
      })
  }

  func lowerRotation(_ operation: Rotation, _ index: Int, _ stage: Stage) {
    let (x, cosines, sines) = (input(index, 0), input(index, 1), input(index, 2))
    let value = Graph.Value(node: index)
    let shape = type(x).shape
    let buffers = [x, cosines, sines, value].map(buffer)
    let (xType, yType) = (type(x).elementType, operation.elementType)
    let columns = shape.columns
    let heads = columns / operation.headWidth
    let context = type(cosines).shape[0]
    emit(
      KernelPlan(
        label: operation.name, category: .rotary, rows: shape.rows,
        block: rowBlock(rows: shape.rows, columns: columns), chains: true,
        reads: [rowwise(x), whole(cosines), whole(sines)], writes: [rowwise(value)], stage: stage
      ) { binding in
        let from = binding.address(buffers[0])
        let cosine = binding.address(buffers[1]).assumingMemoryBound(to: Float.self)
        let sine = binding.address(buffers[2]).assumingMemoryBound(to: Float.self)
        let to = binding.address(buffers[3])
        return { rows, _, _ in
          let first = rows.lowerBound
          ck_rotary(
            rows.count, first, context, heads, operation.headWidth,
            from + first * columns * xType.byteCount, xType.kernelType,
            to + first * columns * yType.byteCount, yType.kernelType, cosine, sine,
            operation.inverse ? 1 : 0)
        }
      })
  }

  func lowerTokenShift(_ operation: TokenShift, _ index: Int, _ stage: Stage) {
    let x = input(index, 0)
    let value = Graph.Value(node: index)
    let shape = type(x).shape
    let (xBuffer, yBuffer) = (buffer(x), buffer(value))
    let element = type(x).elementType.kernelType
    let ranges = operation.ranges.map { ck_column_range(begin: $0.lowerBound, end: $0.upperBound) }
    emit(
      KernelPlan(
        label: operation.name, category: .elementwise, rows: shape.rows,
        block: rowBlock(rows: shape.rows, columns: shape.columns), chains: true, reads: [whole(x)],
        writes: [rowwise(value)], stage: stage
      ) { binding in
        let (from, to) = (binding.address(xBuffer), binding.address(yBuffer))
        return { rows, _, _ in
          ck_token_shift(
            rows.lowerBound, rows.count, shape.columns, operation.contextLength, operation.period,
            ranges, ranges.count, operation.keepsFirst ? 1 : 0, operation.isAdjoint ? 1 : 0, from,
            to, element)
        }
      })
  }
}
