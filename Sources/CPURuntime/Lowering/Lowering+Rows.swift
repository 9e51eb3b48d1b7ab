// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CKernels
import TensorGraph

extension Lowering {
  func lowerNorm(_ operation: RowNorm, _ index: Int, _ stage: Stage) {
    let (x, gain) = (input(index, 0), input(index, 1))
    let shape = type(x).shape
    let results = graph.nodes[index].results.indices.map { Graph.Value(node: index, result: $0) }
    let (xBuffer, gainBuffer) = (buffer(x), buffer(gain))
    let resultBuffers = results.map(buffer)
    let xType = type(x).elementType
    let yType = operation.elementType
    let columns = shape.columns
    let kind = operation.kind == .layer ? CK_LAYER_NORM : CK_RMS_NORM
    emit(
      KernelPlan(
        label: operation.name, category: .norm, rows: shape.rows,
        block: rowBlock(rows: shape.rows, columns: columns), chains: true,
        reads: [rowwise(x), whole(gain)], writes: results.map(rowwise), stage: stage
      ) { binding in
        let from = binding.address(xBuffer)
        let to = binding.address(resultBuffers[0])
        let gains = binding.address(gainBuffer).assumingMemoryBound(to: Float.self)
        let deviation = binding.address(resultBuffers[1]).assumingMemoryBound(to: Float.self)
        let mean =
          resultBuffers.count > 2
          ? binding.address(resultBuffers[2]).assumingMemoryBound(to: Float.self) : nil
        return { rows, _, _ in
          let first = rows.lowerBound
          ck_norm_forward(
            kind, rows.count, columns, operation.epsilon,
            from + first * columns * xType.byteCount, xType.kernelType, columns, gains,
            to + first * columns * yType.byteCount, yType.kernelType, columns,
            mean.map { $0 + first }, deviation + first)
        }
      })
  }

  func lowerNormGradient(_ operation: RowNormGradient, _ index: Int, _ stage: Stage) {
    let inputs = graph.nodes[index].inputs
    let (dy, x, gain) = (inputs[0], inputs[1], inputs[2])
    let shape = type(x).shape
    let columns = shape.columns
    let dx = Graph.Value(node: index, result: 0)
    let dgain = Graph.Value(node: index, result: 1)
    let buffers = inputs.map(buffer)
    let dxBuffer = buffer(dx)
    let (dyType, xType, dxType) = (
      type(dy).elementType, type(x).elementType, operation.elementType
    )
    let kind = operation.kind == .layer ? CK_LAYER_NORM : CK_RMS_NORM
    let block = rowBlock(rows: shape.rows, columns: columns)
    // In a chain of tokens, blocks of heads only grow: the plain block bounds the number of units.
    let partial = workspace((shape.rows + block - 1) / block * columns * 4)
    let kernel = KernelPlan(
      label: operation.name, category: .norm, rows: shape.rows, block: block, chains: true,
      reads: [rowwise(dy), rowwise(x), whole(gain)] + inputs.dropFirst(3).map(rowwise),
      writes: [rowwise(dx), BufferUse(buffer: partial, rowLocal: true)], stage: stage
    ) { binding in
      let upstream = binding.address(buffers[0])
      let from = binding.address(buffers[1])
      let gains = binding.address(buffers[2]).assumingMemoryBound(to: Float.self)
      let deviation = binding.address(buffers[3]).assumingMemoryBound(to: Float.self)
      let mean =
        buffers.count > 4 ? binding.address(buffers[4]).assumingMemoryBound(to: Float.self) : nil
      let to = binding.address(dxBuffer)
      let gainGradient = binding.address(partial).assumingMemoryBound(to: Float.self)
      return { rows, unit, _ in
        let first = rows.lowerBound
        ck_norm_backward(
          kind, rows.count, columns,
          upstream + first * columns * dyType.byteCount, dyType.kernelType, columns,
          from + first * columns * xType.byteCount, xType.kernelType, columns, gains,
          mean.map { $0 + first }, deviation + first, nil,
          to + first * columns * dxType.byteCount, dxType.kernelType, columns,
          gainGradient + unit * columns)
      }
    }
    emit(kernel)
    let result = buffer(dgain)
    emit(
      KernelPlan(
        label: "combine", category: .norm, rows: 1, block: 1,
        reads: [BufferUse(buffer: partial, rowLocal: false)], writes: [whole(dgain)], stage: stage
      ) { [unowned kernel] binding in
        let from = binding.address(partial).assumingMemoryBound(to: Float.self)
        let to = binding.address(result).assumingMemoryBound(to: Float.self)
        let units = kernel.unitCount
        return { _, _, _ in ck_sum_partials(from, units, columns, to, 0) }
      })
  }

  func lowerRotary(_ operation: Rotary, _ index: Int, _ stage: Stage) {
    let x = input(index, 0)
    let value = Graph.Value(node: index)
    let shape = type(x).shape
    let (xBuffer, yBuffer) = (buffer(x), buffer(value))
    let (xType, yType) = (type(x).elementType, operation.elementType)
    let columns = shape.columns
    let heads = columns / operation.headWidth
    emit(
      KernelPlan(
        label: operation.name, category: .rotary, rows: shape.rows,
        block: rowBlock(rows: shape.rows, columns: columns), chains: true, reads: [rowwise(x)],
        writes: [rowwise(value)], stage: stage
      ) { binding in
        let table = RotaryTable.table(
          contextLength: operation.contextLength, headWidth: operation.headWidth,
          base: operation.base)
        let from = binding.address(xBuffer)
        let to = binding.address(yBuffer)
        return { rows, _, _ in
          let first = rows.lowerBound
          ck_rotary(
            rows.count, first, operation.contextLength, heads, operation.headWidth,
            from + first * columns * xType.byteCount, xType.kernelType,
            to + first * columns * yType.byteCount, yType.kernelType,
            table.cosine, table.sine, operation.inverse ? 1 : 0)
        }
      })
  }

  func lowerEmbedding(_ index: Int, _ stage: Stage) {
    let (table, tokens) = (input(index, 0), input(index, 1))
    let value = Graph.Value(node: index)
    let columns = type(value).shape.columns
    let rows = type(value).shape.rows
    let (tableBuffer, tokenBuffer, resultBuffer) = (buffer(table), buffer(tokens), buffer(value))
    emit(
      KernelPlan(
        label: "embedding", category: .embedding, rows: rows,
        block: rowBlock(rows: rows, columns: columns), chains: true,
        reads: [whole(table), rowwise(tokens)], writes: [rowwise(value)], stage: stage
      ) { binding in
        let from = binding.address(tableBuffer).assumingMemoryBound(to: Float.self)
        let ids = binding.address(tokenBuffer).assumingMemoryBound(to: Int32.self)
        let to = binding.address(resultBuffer)
        return { rows, _, _ in
          ck_embedding_forward(
            rows.count, columns, ids + rows.lowerBound, from, to + rows.lowerBound * columns * 4,
            CK_F32)
        }
      })
  }

  func lowerEmbeddingGradient(_ operation: EmbeddingGradient, _ index: Int, _ stage: Stage) {
    let (dy, tokens) = (input(index, 0), input(index, 1))
    let value = Graph.Value(node: index)
    let rows = type(dy).shape.rows
    let columns = type(dy).shape.columns
    let vocabulary = operation.vocabularySize
    let offsets = workspace((vocabulary + 1) * 4)
    let order = workspace(rows * 4)
    let (dyBuffer, tokenBuffer, resultBuffer) = (buffer(dy), buffer(tokens), buffer(value))
    let dyType = type(dy).elementType.kernelType
    emit(
      KernelPlan(
        label: "token sort", category: .embedding, rows: 1, block: 1, reads: [whole(tokens)],
        writes: [
          BufferUse(buffer: offsets, rowLocal: false), BufferUse(buffer: order, rowLocal: false),
        ], stage: stage
      ) { binding in
        let ids = binding.address(tokenBuffer).assumingMemoryBound(to: Int32.self)
        let starts = binding.address(offsets).assumingMemoryBound(to: Int32.self)
        let sorted = binding.address(order).assumingMemoryBound(to: Int32.self)
        return { _, _, _ in ck_embedding_sort(rows, vocabulary, ids, starts, sorted) }
      })
    emit(
      KernelPlan(
        label: operation.name, category: .embedding, rows: vocabulary,
        block: max(1, min(vocabulary, 65_536 / columns)),
        reads: [
          whole(dy), BufferUse(buffer: offsets, rowLocal: false),
          BufferUse(buffer: order, rowLocal: false),
        ], writes: [whole(value)], stage: stage
      ) { binding in
        let from = binding.address(dyBuffer)
        let starts = binding.address(offsets).assumingMemoryBound(to: Int32.self)
        let sorted = binding.address(order).assumingMemoryBound(to: Int32.self)
        let to = binding.address(resultBuffer).assumingMemoryBound(to: Float.self)
        return { rows, _, _ in
          ck_embedding_backward(
            rows.lowerBound, rows.upperBound, columns, from, dyType, starts, sorted, to, 0)
        }
      })
  }

  /// The largest element of every column; NaN wherever a column holds one.
  func lowerMaximumOverRows(_ index: Int, _ stage: Stage) {
    let x = input(index, 0)
    let value = Graph.Value(node: index)
    let (rows, columns) = (type(x).shape.rows, type(x).shape.columns)
    let (xBuffer, resultBuffer) = (buffer(x), buffer(value))
    let isNarrow = type(x).elementType == .bfloat16
    emit(
      KernelPlan(
        label: "maximum over rows", category: .elementwise, rows: columns, block: 512,
        reads: [whole(x)], writes: [whole(value)], stage: stage
      ) { binding in
        let from = UnsafeRawPointer(binding.address(xBuffer))
        let to = binding.address(resultBuffer).assumingMemoryBound(to: Float.self)
        return { range, _, _ in
          for column in range {
            var largest = -Float.infinity
            for row in 0..<rows {
              let place = row * columns + column
              let element =
                isNarrow
                ? Float(
                  bitPattern: UInt32(from.load(fromByteOffset: place * 2, as: UInt16.self)) << 16)
                : from.load(fromByteOffset: place * 4, as: Float.self)
              largest = element > largest || element.isNaN ? element : largest
              if largest.isNaN { break }
            }
            to[column] = largest
          }
        }
      })
  }
}
