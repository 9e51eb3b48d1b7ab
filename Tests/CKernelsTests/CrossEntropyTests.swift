// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CKernels
import Testing

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Mean-free cross entropy with z-loss of rows of logits, in double arithmetic.
enum CrossEntropyReference {
  static func logSumExp(_ logits: ArraySlice<Double>) -> Double {
    let largest = logits.max() ?? 0
    return largest + log(logits.reduce(0) { $0 + exp($1 - largest) })
  }

  /// scale * (cross entropy + z_loss * lse^2), summed over rows with weights; rows without target count nothing.
  static func loss(
    _ logits: [Double], targets: [Int32], weights: [Double], scale: Double, zLoss: Double
  ) -> Double {
    let columns = logits.count / targets.count
    return targets.indices.reduce(0) { total, r in
      guard targets[r] >= 0 else { return total }
      let lse = logSumExp(logits[r * columns..<(r + 1) * columns])
      let entropy = lse - logits[r * columns + Int(targets[r])]
      return total + scale * weights[r] * (entropy + zLoss * lse * lse)
    }
  }

  static func gradient(
    _ logits: [Double], targets: [Int32], weights: [Double], scale: Double, zLoss: Double
  ) -> [Double] {
    let columns = logits.count / targets.count
    var result = [Double](repeating: 0, count: logits.count)
    for r in targets.indices where targets[r] >= 0 {
      let lse = logSumExp(logits[r * columns..<(r + 1) * columns])
      for c in 0..<columns {
        let p = exp(logits[r * columns + c] - lse)
        result[r * columns + c] =
          scale * weights[r] * (p * (1 + 2 * zLoss * lse) - (c == Int(targets[r]) ? 1 : 0))
      }
    }
    return result
  }
}

extension KernelTests {
  @Suite struct CrossEntropy {
    @Test("the reference's gradient is the derivative of its loss")
    func referenceGradient() {
      var random = TestRandom(80)
      let logits = random.floats(18).map(Double.init), targets: [Int32] = [2, -1, 5]
      let weights = [0.5, 1, 2]
      let got = CrossEntropyReference.gradient(
        logits, targets: targets, weights: weights, scale: 0.3, zLoss: 0.1)
      let want = centralDifferences(logits) {
        CrossEntropyReference.loss($0, targets: targets, weights: weights, scale: 0.3, zLoss: 0.1)
      }
      #expect(zip(got, want).allSatisfy { abs($0 - $1) < 1e-8 })
    }

    @Test("tiles of any width give the loss and its gradient", arguments: [1, 7, 16, 64, 100, 301])
    func tiles(tile: Int) {
      var random = TestRandom(81)
      let rows = 9, vocabulary = 301
      let logits = random.floats(rows * vocabulary, in: -20...20)
      var targets = (0..<rows).map { _ in Int32.random(in: 0..<Int32(vocabulary), using: &random) }
      targets[3] = -1
      targets[4] = 0
      targets[5] = Int32(vocabulary - 1)
      let weights = random.floats(rows, in: 0.5...2)
      let doubles = logits.map(Double.init)
      for (type, zLoss, weighted) in [(CK_F32, Float(0), false), (CK_BF16, Float(1e-4), true)] {
        let scale: Float = 0.125
        let rowWeights = weighted ? weights : [Float](repeating: 1, count: rows)
        let want = CrossEntropyReference.gradient(
          doubles, targets: targets, weights: rowWeights.map(Double.init), scale: Double(scale),
          zLoss: Double(zLoss))
        let wantLogs = (0..<rows).map {
          CrossEntropyReference.logSumExp(doubles[$0 * vocabulary..<($0 + 1) * vocabulary])
        }
        let wantLoss = (0..<rows).map { r in
          targets[r] < 0 ? 0 : wantLogs[r] - doubles[r * vocabulary + Int(targets[r])]
        }
        var bits: [Float]?
        for set in InstructionSet.available {
          let result = run(
            set, logits, targets: targets, weights: weighted ? weights : nil, tile: tile,
            type: type,
            scale: scale, zLoss: zLoss, softcap: 0)
          let logs = Agreement(result.logSumExp, wantLogs, absolute: 2e-6, relative: 2e-7)
          #expect(logs.holds, "\(set): \(logs)")
          let losses = Agreement(result.loss, wantLoss, absolute: 5e-6, relative: 2e-7)
          #expect(losses.holds, "\(set): \(losses)")
          // A probability near 1 loses digits against the 1 it is subtracted from.
          let gradient = Agreement(
            result.gradient, want, absolute: 0.3 * (2e-6 + storageError(type)),
            relative: 1e-5 + 2 * storageError(type))
          #expect(gradient.holds, "\(set), tile \(tile): \(gradient)")
          let together = result.logSumExp + result.loss + result.gradient
          let difference = firstDifference(bits ?? together, together)
          #expect(difference == nil, "\(set) against portable: \(difference ?? "")")
          bits = bits ?? together
        }
      }
    }

    @Test("capped logits")
    func softcap() {
      var random = TestRandom(82)
      let rows = 5, vocabulary = 83, cap: Float = 15
      let logits = random.floats(rows * vocabulary, in: -60...60)
      let targets: [Int32] = [0, 82, 40, -1, 7]
      let capped = logits.map { Double(cap) * tanh(Double($0) / Double(cap)) }
      let wantLogs = (0..<rows).map {
        CrossEntropyReference.logSumExp(capped[$0 * vocabulary..<($0 + 1) * vocabulary])
      }
      for set in InstructionSet.available {
        let result = run(
          set, logits, targets: targets, weights: nil, tile: 40, type: CK_F32, scale: 1, zLoss: 0,
          softcap: cap)
        let logs = Agreement(result.logSumExp, wantLogs, absolute: 5e-6, relative: 1e-6)
        #expect(logs.holds, "\(set): \(logs)")
        let wantLoss = (0..<rows).map { r in
          targets[r] < 0 ? 0 : wantLogs[r] - capped[r * vocabulary + Int(targets[r])]
        }
        let losses = Agreement(result.loss, wantLoss, absolute: 1e-5, relative: 1e-6)
        #expect(losses.holds, "\(set): \(losses)")
      }
    }

    @Test("infinite and not-a-number logits")
    func specialLogits() {
      for set in InstructionSet.available {
        let masked = run(
          set, [-.infinity, -.infinity, -.infinity, 1, 2, -.infinity], targets: [4], weights: nil,
          tile: 3, type: CK_F32, scale: 1, zLoss: 0, softcap: 0)
        #expect(abs(masked.loss[0] - 0.313_261_7) < 1e-6, "\(set): \(masked)")
        #expect(masked.gradient[0] == 0 && masked.gradient[5] == 0)
        let broken = run(
          set, [0, .nan, 1, 2], targets: [0], weights: nil, tile: 4, type: CK_F32, scale: 1,
          zLoss: 0,
          softcap: 0)
        #expect(broken.loss[0].isNaN)
      }
    }

    private func run(
      _ set: InstructionSet, _ logits: [Float], targets: [Int32], weights: [Float]?, tile: Int,
      type: ck_type, scale: Float, zLoss: Float, softcap: Float
    ) -> (logSumExp: [Float], loss: [Float], gradient: [Float]) {
      let rows = targets.count, vocabulary = logits.count / rows
      let tileCount = (vocabulary + tile - 1) / tile
      let stride = vocabulary + 1
      let maximum = Elements([Float](repeating: -.infinity, count: rows))
      let sum = Elements([Float](repeating: 0, count: rows)), targetLogit = Elements(count: rows)
      let tileMaxima = Elements(count: rows * tileCount),
        weightMemory = weights.map { Elements($0) }
      let exponentials = Elements(count: rows * stride, type), memory = Elements(logits)
      let logSumExp = Elements(count: rows), loss = Elements(count: rows)
      let width = type == CK_BF16 ? 2 : 4
      set.run {
        for (index, first) in Swift.stride(from: 0, to: vocabulary, by: tile).enumerated() {
          ck_cross_entropy_tile(
            rows, min(tile, vocabulary - first), memory.floatPointer + first, vocabulary, softcap,
            Int32(first), targets, exponentials.data + first * width, type, stride,
            tileMaxima.floatPointer + index, tileCount, maximum.floatPointer, sum.floatPointer,
            targetLogit.floatPointer)
        }
        ck_cross_entropy_finish(
          rows, targets, maximum.floatPointer, sum.floatPointer, targetLogit.floatPointer,
          logSumExp.floatPointer, loss.floatPointer)
        for (index, first) in Swift.stride(from: 0, to: vocabulary, by: tile).enumerated() {
          ck_cross_entropy_gradient(
            rows, min(tile, vocabulary - first), Int32(first), targets,
            tileMaxima.floatPointer + index, tileCount, logSumExp.floatPointer, scale, zLoss,
            weightMemory?.floatPointer, exponentials.data + first * width, type, stride)
        }
      }
      #expect(exponentials.isIntact && tileMaxima.isIntact && targetLogit.isIntact)
      let all = exponentials.floats
      return (
        logSumExp.floats, loss.floats,
        (0..<rows).flatMap { all[$0 * stride..<$0 * stride + vocabulary] }
      )
    }
  }
}
