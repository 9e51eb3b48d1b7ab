// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CKernels
import TensorGraph

/// Columns of logits that exist in fp32 at once.
private let tileColumns = 512
/// Bytes of exponentials held between the passes over the vocabulary; larger batches go in chunks of rows.
private let chunkBytes = 112 << 20

extension Lowering {
  /// Loss, and with `gradientType` the gradients, in one sweep: logits tile by tile, exponentials kept, never the logits.
  ///
  /// For each chunk of rows: blocks of rows make logits, softmax and dx; then tiles of the vocabulary add up dW.
  func lowerCrossEntropy(
    _ form: HeadForm, gradientType: ElementType?, _ index: Int, _ stage: Stage
  ) {
    let inputs = graph.nodes[index].inputs
    let (x, weight, targets, scale) = (inputs[0], inputs[1], inputs[2], inputs[3])
    let zLoss = inputs[4]
    let rows = type(x).shape[0]
    let width = type(x).shape[1]
    let vocabulary = type(weight).shape[0]
    let element = type(x).elementType
    let bytes = element.byteCount
    let tiles = (vocabulary + tileColumns - 1) / tileColumns
    // A large head is streamed from memory once for each block of rows: make them taller.
    let block = min(rows, vocabulary * width * bytes > 16 << 20 ? 256 : 128)
    let inference = gradientType == nil
    let productsOnly = self.productsOnly
    // Without gradients each lane only needs room for one block; that room is one tile wide.
    let perChunk =
      inference
      ? rows : min(rows, max(block, chunkBytes / (vocabulary * bytes) / block * block))
    let exponentials = workspace(inference ? 4 : perChunk * vocabulary * bytes)
    let tileMaximum = workspace(inference ? 4 : perChunk * tiles * 4)
    let statistics = workspace(rows * 3 * 4)  // log-sum-exp, cross entropy, objective
    let depth = form.predictions
    let (xBuffer, wBuffer, tBuffer) = (buffer(x), buffer(weight), buffer(targets))
    let (sBuffer, zBuffer) = (buffer(scale), buffer(zLoss))
    let predictionBuffers = inputs[5...].map(buffer)
    let cache = products
    let scratch = laneScratch
    let logitBytes = block * tileColumns * 4
    // Logits, exponentials of one tile (inference), tile maximum, and maximum, sum, target logits of each row.
    let scratchBytes = 2 * logitBytes + (3 + depth) * block * 4

    func key(
      _ m: Int, _ n: Int, _ k: Int, _ strides: (Int, Int, Int), _ result: ElementType,
      a: Bool = false, b: Bool = false, accumulate: Bool = false
    ) -> ProductKey {
      ProductKey(
        m: m, n: n, k: k, type: element, resultType: result, aStride: strides.0,
        bStride: strides.1, cStride: strides.2, transposeA: a, transposeB: b,
        accumulate: accumulate)
    }

    let first = inference ? 0 : 2
    let dx = gradientType == nil ? nil : Graph.Value(node: index, result: 0)
    let dw = gradientType == nil ? nil : Graph.Value(node: index, result: 1)
    let dxBuffer = dx.map(buffer)
    let dwBuffer = dw.map(buffer)

    for start in stride(from: 0, to: rows, by: perChunk) {
      let count = min(perChunk, rows - start)
      emit(
        KernelPlan(
          label: "logits and softmax", category: .head, rows: count, block: block,
          reads: inputs.map(whole),
          writes: [exponentials, tileMaximum, statistics].map {
            BufferUse(buffer: $0, rowLocal: false)
          } + (dx.map { [whole($0)] } ?? []), stage: stage
        ) { binding in
          let from = binding.address(xBuffer) + start * width * bytes
          let table = binding.address(wBuffer)
          let target = binding.address(tBuffer).assumingMemoryBound(to: Int32.self) + start
          let lossScale = binding.address(sBuffer).assumingMemoryBound(to: Float.self)
          let zWeight = binding.address(zBuffer).assumingMemoryBound(to: Float.self)
          let head = HeadKernel(form, weights: predictionBuffers.map(binding.address))
          let kept = binding.address(exponentials)
          let keptMaximum = binding.address(tileMaximum).assumingMemoryBound(to: Float.self)
          let logs = binding.address(statistics).assumingMemoryBound(to: Float.self) + start
          let losses = logs + rows
          let objectives = losses + rows
          let to = dxBuffer.map(binding.address)
          let heights = count % block == 0 ? [block] : [min(block, count), count % block]
          let widths = [min(tileColumns, vocabulary), vocabulary % tileColumns].filter { $0 > 0 }
          let logitProducts = heights.map { m in
            widths.map { n in
              cache.product(key(m, n, width, (width, width, tileColumns), .float32, b: true))
            }
          }
          let inputGradients =
            gradientType.map { type in
              heights.map { m in
                cache.product(key(m, width, vocabulary, (vocabulary, width, width), type))
              }
            } ?? []
          let gradientBytes = (gradientType ?? .float32).byteCount
          return { range, _, lane in
            let m = range.count
            let height = m == heights[0] ? 0 : heights.count - 1
            let row = range.lowerBound
            let logits = scratch[lane].assumingMemoryBound(to: Float.self)
            let spare = scratch[lane] + logitBytes
            let spareMaximum = (spare + logitBytes).assumingMemoryBound(to: Float.self)
            let maximum = spareMaximum + block
            let sum = maximum + block
            let targetLogit = sum + block
            var form = head.form()
            for index in 0..<m {
              maximum[index] = -.infinity
              sum[index] = 0
            }
            for index in 0..<m * depth { targetLogit[index] = 0 }
            for tile in 0..<tiles {
              let column = tile * tileColumns
              let n = min(tileColumns, vocabulary - column)
              logitProducts[height][n == widths[0] ? 0 : widths.count - 1].run(
                lane, from + row * width * bytes, table + column * width * bytes, logits)
              if productsOnly { continue }
              ck_cross_entropy_tile(
                &form, m, n, logits, tileColumns, start + row, Int32(column), target + row,
                inference ? spare : kept + (row * vocabulary + column) * bytes, element.kernelType,
                inference ? tileColumns : vocabulary,
                inference ? spareMaximum : keptMaximum + row * tiles + tile,
                inference ? 1 : tiles, maximum, sum, targetLogit)
            }
            if !productsOnly {
              ck_cross_entropy_finish(
                &form, m, start + row, target + row, maximum, sum, targetLogit, logs + row,
                losses + row, objectives + row)
            }
            guard let to else { return }
            for tile in 0..<(productsOnly ? 0 : tiles) {
              let column = tile * tileColumns
              ck_cross_entropy_gradient(
                &form, m, min(tileColumns, vocabulary - column), start + row, Int32(column),
                target + row, keptMaximum + row * tiles + tile, tiles, logs + row,
                lossScale.pointee, zWeight.pointee, kept + (row * vocabulary + column) * bytes,
                element.kernelType, vocabulary)
            }
            inputGradients[height].run(
              lane, kept + row * vocabulary * bytes, table,
              to + (start + row) * width * gradientBytes)
          }
        }, laneScratch: scratchBytes)
      guard let dw, let dwBuffer else { continue }
      emit(
        KernelPlan(
          label: "head gradient", category: .head, rows: vocabulary, block: 256,
          reads: [BufferUse(buffer: exponentials, rowLocal: false), whole(x)]
            + (start > 0 ? [whole(dw)] : []),
          writes: [whole(dw)], stage: stage
        ) { binding in
          let from = binding.address(xBuffer) + start * width * bytes
          let kept = binding.address(exponentials)
          let to = binding.address(dwBuffer)
          let heights = Set([min(256, vocabulary), vocabulary % 256]).filter { $0 > 0 }
          let tiles = Dictionary(
            uniqueKeysWithValues: heights.map { m in
              (
                m,
                cache.product(
                  key(
                    m, width, count, (vocabulary, width, width), .float32, a: true,
                    accumulate: start > 0))
              )
            })
          return { range, _, lane in
            tiles[range.count]?.run(
              lane, kept + range.lowerBound * bytes, from, to + range.lowerBound * width * 4)
          }
        })
    }
    if productsOnly { return }
    lowerLossSum(
      rows: rows, statistics: statistics, targets: tBuffer, scale: sBuffer, zLoss: zBuffer,
      loss: Graph.Value(node: index, result: first),
      sum: Graph.Value(node: index, result: first + 1), stage)
  }

  private func lowerLossSum(
    rows: Int, statistics: Int, targets: Int, scale: Int, zLoss: Int, loss: Graph.Value,
    sum: Graph.Value, _ stage: Stage
  ) {
    let (lossBuffer, sumBuffer) = (buffer(loss), buffer(sum))
    emit(
      KernelPlan(
        label: "loss", category: .head, rows: 1, block: 1,
        reads: [statistics, targets, scale, zLoss].map { BufferUse(buffer: $0, rowLocal: false) },
        writes: [whole(loss), whole(sum)], stage: stage
      ) { binding in
        let logs = binding.address(statistics).assumingMemoryBound(to: Float.self)
        let losses = logs + rows
        let objectives = losses + rows
        let target = binding.address(targets).assumingMemoryBound(to: Int32.self)
        let lossScale = binding.address(scale).assumingMemoryBound(to: Float.self)
        let zWeight = binding.address(zLoss).assumingMemoryBound(to: Float.self)
        let total = binding.address(lossBuffer).assumingMemoryBound(to: Float.self)
        let plain = binding.address(sumBuffer).assumingMemoryBound(to: Float.self)
        return { _, _, _ in
          var crossEntropy = 0.0
          var objective = 0.0
          var squares = 0.0
          for row in 0..<rows where target[row] >= 0 {
            crossEntropy += Double(losses[row])
            objective += Double(objectives[row])
            squares += Double(logs[row]) * Double(logs[row])
          }
          plain.pointee = Float(crossEntropy)
          total.pointee = Float(
            Double(lossScale.pointee) * (objective + Double(zWeight.pointee) * squares))
        }
      })
  }
}

/// The form of a head as its kernels read it, with the weights of this run.
struct HeadKernel {
  private let fixed: HeadForm
  private let sources: [UnsafePointer<Float>]

  /// A head's form.
  ///
  /// - Parameters:
  ///   - form: caps, factors, tokens ahead.
  ///   - sources: where the weights of the second prediction and so on are found at each run.
  init(_ form: HeadForm, weights sources: [UnsafeMutableRawPointer] = []) {
    fixed = form
    self.sources = sources.map { UnsafePointer($0.assumingMemoryBound(to: Float.self)) }
  }

  /// The form with the weights as they are now.
  func form() -> ck_head {
    var head = ck_head()
    head.logit_scale = fixed.logitFactor
    head.softcap = fixed.softCap ?? 0
    head.depth = fixed.predictions
    head.context_length = fixed.contextLength
    head.gradient_scale = fixed.gradientScale ?? 0
    withUnsafeMutableBytes(of: &head.weights) { bytes in
      let weights = bytes.bindMemory(to: Float.self)
      weights[0] = 1
      for (place, source) in sources.enumerated() { weights[place + 1] = source.pointee }
    }
    return head
  }
}
