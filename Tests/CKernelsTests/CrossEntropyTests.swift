// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CKernels
import Testing

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Mean-free cross entropy with z-loss of rows of products, in double arithmetic: caps, several targets a row.
struct CrossEntropyReference {
  var targets: [Int32]
  var scale = 1.0
  var zLoss = 0.0
  /// 0: none.
  var cap = 0.0
  /// Of a row's first target and of those of the rows after it in its sequence.
  var predictionWeights = [1.0]
  var contextLength = Int.max

  static func logSumExp(_ logits: ArraySlice<Double>) -> Double {
    let largest = logits.max() ?? 0
    return largest + log(logits.reduce(0) { $0 + exp($1 - largest) })
  }

  func capped(_ product: Double) -> Double { cap > 0 ? cap * tanh(product / cap) : product }

  /// Targets of a row that count, with their weights.
  func places(_ row: Int) -> [(target: Int, weight: Double)] {
    guard targets[row] >= 0 else { return [] }
    return predictionWeights.indices.compactMap { k in
      let inside = row % contextLength + k < contextLength && row + k < targets.count
      guard inside, targets[row + k] >= 0 else { return nil }
      return (Int(targets[row + k]), predictionWeights[k])
    }
  }

  /// For every row: log-sum-exp, cross entropy of the first target, weighted sum over all of them.
  func rows(_ products: [Double]) -> [(logSumExp: Double, crossEntropy: Double, objective: Double)]
  {
    let columns = products.count / targets.count
    return targets.indices.map { r in
      let logits = products[r * columns..<(r + 1) * columns].map(capped)
      let lse = Self.logSumExp(logits[...])
      let terms = places(r).map { (lse - logits[$0.target], $0.weight) }
      return (lse, terms.first?.0 ?? 0, terms.reduce(0) { $0 + $1.0 * $1.1 })
    }
  }

  /// scale * (objective + z_loss * lse^2), summed over rows; rows without target count nothing.
  func loss(_ products: [Double]) -> Double {
    zip(targets, rows(products)).reduce(0) { total, row in
      row.0 < 0
        ? total : total + scale * (row.1.objective + zLoss * row.1.logSumExp * row.1.logSumExp)
    }
  }

  func gradient(_ products: [Double]) -> [Double] {
    let columns = products.count / targets.count
    let statistics = rows(products)
    var result = [Double](repeating: 0, count: products.count)
    for r in targets.indices where targets[r] >= 0 {
      let (lse, places) = (statistics[r].logSumExp, places(r))
      let weights = places.reduce(0) { $0 + $1.weight }
      for c in 0..<columns {
        let l = capped(products[r * columns + c])
        let here = places.reduce(0) { $0 + ($1.target == c ? $1.weight : 0) }
        let slope = cap > 0 ? 1 - l * l / (cap * cap) : 1
        result[r * columns + c] =
          scale * slope * (exp(l - lse) * (weights + 2 * zLoss * lse) - here)
      }
    }
    return result
  }
}

extension KernelTests {
  @Suite struct CrossEntropy {
    /// What a head asks for: caps, several targets a row.
    static let forms: [CrossEntropyReference] = [
      CrossEntropyReference(targets: []),
      CrossEntropyReference(targets: [], zLoss: 1e-4),
      CrossEntropyReference(targets: [], cap: 15),
      CrossEntropyReference(
        targets: [], zLoss: 1e-3, predictionWeights: [1, 0.5, 0.25], contextLength: 3),
      CrossEntropyReference(targets: [], cap: 10, predictionWeights: [1, 0.25], contextLength: 9),
    ]

    @Test("the reference's gradient is the derivative of its loss", arguments: forms.indices)
    func referenceGradient(form: Int) {
      var random = TestRandom(80)
      let products = random.floats(36, in: -5...5).map(Double.init)
      var reference = Self.forms[form]
      reference.targets = [2, 2, 5, -1, 0, 1]
      reference.scale = 0.3
      let want = centralDifferences(products) { reference.loss($0) }
      #expect(zip(reference.gradient(products), want).allSatisfy { abs($0 - $1) < 1e-8 })
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
      targets[7] = targets[6]
      for (number, form) in Self.forms.enumerated() {
        for type in [CK_F32, CK_BF16] {
          var reference = form
          reference.targets = targets
          reference.scale = 0.125
          let doubles = logits.map(Double.init)
          let want = reference.gradient(doubles), rowsWanted = reference.rows(doubles)
          var bits: [Float]?
          for set in InstructionSet.available {
            let result = run(set, logits, reference, tile: tile, type: type)
            let at = "\(set), form \(number), tile \(tile)"
            let logs = Agreement(
              result.logSumExp, rowsWanted.map(\.logSumExp), absolute: 5e-6, relative: 1e-6)
            #expect(logs.holds, "\(at): \(logs)")
            let losses = Agreement(
              result.loss, rowsWanted.map(\.crossEntropy), absolute: 1e-5, relative: 1e-6)
            #expect(losses.holds, "\(at): \(losses)")
            let objectives = Agreement(
              result.objective, rowsWanted.map(\.objective), absolute: 2e-5, relative: 1e-6)
            #expect(objectives.holds, "\(at): \(objectives)")
            // A probability near 1 loses digits against the 1 it is subtracted from.
            let gradient = Agreement(
              result.gradient, want, absolute: 0.6 * (2e-6 + storageError(type)),
              relative: 1e-5 + 2 * storageError(type))
            #expect(gradient.holds, "\(at): \(gradient)")
            let together = result.logSumExp + result.loss + result.objective + result.gradient
            let difference = firstDifference(bits ?? together, together)
            #expect(difference == nil, "\(at) against portable: \(difference ?? "")")
            bits = bits ?? together
          }
        }
      }
    }

    @Test("scaled products, and gradients rounded to float8")
    func float8() {
      var random = TestRandom(83)
      let rows = 4, vocabulary = 37
      let products = random.floats(rows * vocabulary, in: -400...400)
      let scale: Float = 0.01, gradientScale: Float = 0.003
      var reference = CrossEntropyReference(targets: [3, 36, -1, 0], cap: 15)
      reference.scale = 0.5
      let want = reference.gradient(products.map { Double($0 * scale) })
      for set in InstructionSet.available {
        let result = run(
          set, products, reference, tile: 20, type: CK_BF16, logitScale: scale,
          gradientScale: gradientScale)
        for (got, want) in zip(result.gradient, want) {
          let number = want / Double(gradientScale)
          // Two bits of fraction: at most an eighth away, and no bits beyond them; exponentials in bf16 add their own error.
          #expect(abs(Double(got) - number) <= abs(number) * (0.125 + 0.02) + 0x1p-17, "\(set)")
          #expect(got.bitPattern & 0x1f_ffff == 0 || abs(got) < 0x1p-14, "\(set): \(got)")
        }
      }
    }

    @Test("infinite and not-a-number logits")
    func specialLogits() {
      for set in InstructionSet.available {
        let masked = run(
          set, [-.infinity, -.infinity, -.infinity, 1, 2, -.infinity],
          CrossEntropyReference(targets: [4]), tile: 3, type: CK_F32)
        #expect(abs(masked.loss[0] - 0.313_261_7) < 1e-6, "\(set): \(masked)")
        #expect(masked.gradient[0] == 0 && masked.gradient[5] == 0)
        let broken = run(
          set, [0, .nan, 1, 2], CrossEntropyReference(targets: [0]), tile: 4, type: CK_F32)
        #expect(broken.loss[0].isNaN)
      }
    }

    private func run(
      _ set: InstructionSet, _ products: [Float], _ reference: CrossEntropyReference, tile: Int,
      type: ck_type, logitScale: Float = 1, gradientScale: Float = 0
    ) -> (logSumExp: [Float], loss: [Float], objective: [Float], gradient: [Float]) {
      let targets = reference.targets
      let rows = targets.count, vocabulary = products.count / rows
      let depth = reference.predictionWeights.count
      let tileCount = (vocabulary + tile - 1) / tile
      let stride = vocabulary + 1
      let maximum = Elements([Float](repeating: -.infinity, count: rows))
      let sum = Elements([Float](repeating: 0, count: rows))
      let targetLogit = Elements(count: rows * depth)
      let tileMaxima = Elements(count: rows * tileCount)
      let exponentials = Elements(count: rows * stride, type), memory = Elements(products)
      let logSumExp = Elements(count: rows), loss = Elements(count: rows)
      let objective = Elements(count: rows)
      let width = type == CK_BF16 ? 2 : 4
      set.run {
        var head = ck_head()
        head.logit_scale = logitScale
        head.softcap = Float(reference.cap)
        head.depth = depth
        head.context_length = min(reference.contextLength, rows)
        head.gradient_scale = gradientScale
        withUnsafeMutableBytes(of: &head.weights) { bytes in
          let weights = bytes.bindMemory(to: Float.self)
          for (place, weight) in reference.predictionWeights.enumerated() {
            weights[place] = Float(weight)
          }
        }
        for (index, first) in Swift.stride(from: 0, to: vocabulary, by: tile).enumerated() {
          ck_cross_entropy_tile(
            &head, rows, min(tile, vocabulary - first), memory.floatPointer + first, vocabulary, 0,
            Int32(first), targets, exponentials.data + first * width, type, stride,
            tileMaxima.floatPointer + index, tileCount, maximum.floatPointer, sum.floatPointer,
            targetLogit.floatPointer)
        }
        ck_cross_entropy_finish(
          &head, rows, 0, targets, maximum.floatPointer, sum.floatPointer, targetLogit.floatPointer,
          logSumExp.floatPointer, loss.floatPointer, objective.floatPointer)
        for (index, first) in Swift.stride(from: 0, to: vocabulary, by: tile).enumerated() {
          ck_cross_entropy_gradient(
            &head, rows, min(tile, vocabulary - first), 0, Int32(first), targets,
            tileMaxima.floatPointer + index, tileCount, logSumExp.floatPointer,
            Float(reference.scale), Float(reference.zLoss),
            exponentials.data + first * width, type, stride)
        }
      }
      #expect(exponentials.isIntact && tileMaxima.isIntact && targetLogit.isIntact)
      let all = exponentials.floats
      return (
        logSumExp.floats, loss.floats, objective.floats,
        (0..<rows).flatMap { all[$0 * stride..<$0 * stride + vocabulary] }
      )
    }
  }
}
