// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CKernels
import TensorGraph

/// Columns of logits that exist at once; a multiple of the kernel's groups.
private let tileColumns = 512
/// Columns that one partial sum stands for, and whose logits are computed again to find the label.
private let groupColumns = Int(CK_SAMPLE_GROUP)

extension Lowering {
  /// Labels row by row: logits tile by tile leave one maximum and one sum for each group of columns; these point at the
  /// group of the label, whose few logits are computed once more.
  ///
  /// Sums go by columns within groups and by groups within rows, whatever the number of threads.
  func lowerSample(_ operation: LinearSample, _ index: Int, _ stage: Stage) {
    let inputs = graph.nodes[index].inputs
    let (x, weight, uniforms, temperature) = (inputs[0], inputs[1], inputs[2], inputs[3])
    let result = Graph.Value(node: index)
    let rows = type(x).shape[0]
    let width = type(x).shape[1]
    let vocabulary = type(weight).shape[0]
    let element = type(x).elementType
    let bytes = element.byteCount
    let tiles = (vocabulary + tileColumns - 1) / tileColumns
    let groups = (vocabulary + groupColumns - 1) / groupColumns
    // As in the cross entropy: a large head is streamed from memory once for each block of rows.
    let block = min(rows, vocabulary * width * bytes > 16 << 20 ? 256 : 128)
    let (xBuffer, wBuffer, uBuffer) = (buffer(x), buffer(weight), buffer(uniforms))
    let (temperatureBuffer, resultBuffer) = (buffer(temperature), buffer(result))
    let targetBuffer = operation.hasTargets ? buffer(inputs[4]) : nil
    let productsOnly = self.productsOnly
    let cache = products
    let scratch = laneScratch
    let logitBytes = block * tileColumns * 4
    // Logits of a tile, and maximum and sum of each row and group.
    let scratchBytes = logitBytes + 2 * block * groups * 4

    func logits(_ m: Int, _ n: Int, stride: Int) -> Product {
      cache.product(
        ProductKey(
          m: m, n: n, k: width, type: element, resultType: .float32, aStride: width,
          bStride: width, cStride: stride, transposeB: true))
    }

    emit(
      KernelPlan(
        label: operation.name, category: .head, rows: rows, block: block,
        reads: inputs.map(whole), writes: [rowwise(result)], stage: stage
      ) { binding in
        let from = UnsafeRawPointer(binding.address(xBuffer))
        let table = UnsafeRawPointer(binding.address(wBuffer))
        let uniform = binding.address(uBuffer).assumingMemoryBound(to: Float.self)
        let temperature = binding.address(temperatureBuffer).assumingMemoryBound(to: Float.self)
        let target = targetBuffer.map { binding.address($0).assumingMemoryBound(to: Int32.self) }
        let label = binding.address(resultBuffer).assumingMemoryBound(to: Int32.self)
        let heights = rows % block == 0 ? [block] : [block, rows % block]
        let widths = [min(tileColumns, vocabulary), vocabulary % tileColumns].filter { $0 > 0 }
        let blocks = heights.map { m in widths.map { logits(m, $0, stride: tileColumns) } }
        let ends = [min(groupColumns, vocabulary), vocabulary % groupColumns].filter { $0 > 0 }
        let single = ends.map { logits(1, $0, stride: groupColumns) }
        let head = HeadKernel(operation.form)
        return { range, _, lane in
          let m = range.count
          let height = m == heights[0] ? 0 : heights.count - 1
          let row = range.lowerBound
          let values = scratch[lane].assumingMemoryBound(to: Float.self)
          let maximum = values + block * tileColumns
          let sum = maximum + block * groups
          var form = head.form()
          let inverse = 1 / min(max(temperature.pointee, 1e-30), 1e30)
          for tile in 0..<tiles {
            let column = tile * tileColumns
            let n = min(tileColumns, vocabulary - column)
            blocks[height][n == widths[0] ? 0 : widths.count - 1].run(
              lane, from + row * width * bytes, table + column * width * bytes, values)
            if productsOnly { continue }
            let group = column / groupColumns
            ck_cap_logits(&form, m, n, values, tileColumns)
            ck_sample_groups(
              m, n, values, tileColumns, inverse, maximum + group, sum + group, groups)
          }
          if productsOnly { return }
          for place in 0..<m {
            if let target, target[row + place] < 0 {
              label[row + place] = target[row + place]
              continue
            }
            var rest = 0.0
            let group = ck_sample_group(
              groups, maximum + place * groups, sum + place * groups, inverse,
              uniform[row + place], &rest)
            let column = group * groupColumns
            let n = min(groupColumns, vocabulary - column)
            single[n == ends[0] ? 0 : ends.count - 1].run(
              lane, from + (row + place) * width * bytes, table + column * width * bytes, values)
            ck_cap_logits(&form, 1, n, values, groupColumns)
            label[row + place] = Int32(column + ck_sample_column(n, values, inverse, rest))
          }
        }
      }, laneScratch: scratchBytes)
  }
}
