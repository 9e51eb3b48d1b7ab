// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CKernels
import Testing

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// One head of one sequence, masked, in double arithmetic.
struct AttentionReference {
  var length: Int
  var scale: Double
  var causal: Bool
  var window: Int
  var documents: [Int32]?

  func sees(query: Int, key: Int) -> Bool {
    if causal && key > query { return false }
    if window > 0 && key <= query - window { return false }
    if let documents, documents[query] != documents[key] { return false }
    return true
  }

  /// Probabilities [length, length] and log-sum-exp of raw scores [length, length].
  func softmax(_ scores: [Double]) -> (probabilities: [Double], logSumExp: [Double]) {
    var probabilities = [Double](repeating: 0, count: length * length)
    var logSumExp = [Double](repeating: 0, count: length)
    for q in 0..<length {
      let keys = (0..<length).filter { sees(query: q, key: $0) }
      let largest = keys.map { scores[q * length + $0] * scale }.max() ?? 0
      let sum = keys.reduce(0) { $0 + exp(scores[q * length + $1] * scale - largest) }
      logSumExp[q] = largest + log(sum)
      for key in keys {
        probabilities[q * length + key] = exp(scores[q * length + key] * scale - logSumExp[q])
      }
    }
    return (probabilities, logSumExp)
  }

  /// Gradient of the scores for a gradient of the probabilities.
  func backward(_ scores: [Double], _ gradient: [Double]) -> (scores: [Double], delta: [Double]) {
    let p = softmax(scores).probabilities
    var result = [Double](repeating: 0, count: length * length)
    var delta = [Double](repeating: 0, count: length)
    for q in 0..<length {
      let row = q * length..<(q + 1) * length
      delta[q] = row.reduce(0) { $0 + p[$1] * gradient[$1] }
      for index in row { result[index] = p[index] * (gradient[index] - delta[q]) * scale }
    }
    return (result, delta)
  }
}

extension KernelTests {
  @Suite struct Attention {
    static let cases: [AttentionReference] = [
      AttentionReference(length: 1, scale: 1, causal: true, window: 0),
      AttentionReference(length: 37, scale: 0.5, causal: false, window: 0),
      AttentionReference(length: 48, scale: 0.25, causal: true, window: 0),
      AttentionReference(length: 61, scale: 0.7, causal: true, window: 9),
      AttentionReference(length: 50, scale: 1.3, causal: true, window: 1),
      AttentionReference(
        length: 53, scale: 0.4, causal: true, window: 0,
        documents: (0..<53).map { Int32($0 / 20) }),
      AttentionReference(
        length: 40, scale: 0.4, causal: false, window: 0,
        documents: (0..<40).map { Int32($0 % 3) }),
      AttentionReference(
        length: 45, scale: 0.9, causal: true, window: 11,
        documents: (0..<45).map { Int32($0 < 17 ? 5 : 6) }),
      AttentionReference(
        length: 33, scale: 0.9, causal: true, window: 0,
        documents: [Int32](repeating: 3, count: 33)),
    ]

    /// Calls `body` for every block of queries and keys, key blocks in order.
    static func forEachBlock(
      _ reference: AttentionReference, queries: Int, keys: Int, stride: Int,
      _ body: (ck_attention_block) -> Void
    ) {
      let documents = reference.documents ?? []
      documents.withUnsafeBufferPointer { documents in
        for firstQuery in Swift.stride(from: 0, to: reference.length, by: queries) {
          for firstKey in Swift.stride(from: 0, to: reference.length, by: keys) {
            body(
              ck_attention_block(
                queries: min(queries, reference.length - firstQuery),
                keys: min(keys, reference.length - firstKey), first_query: firstQuery,
                first_key: firstKey, score_stride: stride, scale: Float(reference.scale),
                causal: reference.causal ? 1 : 0, window: reference.window,
                documents: reference.documents == nil ? nil : documents.baseAddress))
          }
        }
      }
    }

    @Test("the reference's score gradient is the derivative of its probabilities")
    func referenceGradient() {
      var random = TestRandom(40)
      let reference = AttentionReference(length: 5, scale: 0.6, causal: true, window: 3)
      let scores = random.floats(25).map(Double.init), weights = random.floats(25).map(Double.init)
      let want = centralDifferences(scores) {
        zip(reference.softmax($0).probabilities, weights).reduce(0) { $0 + $1.0 * $1.1 }
      }
      let got = reference.backward(scores, weights).scores
      #expect(zip(got, want).allSatisfy { abs($0 - $1) < 1e-8 })
    }

    @Test(
      "online softmax over blocks gives the probabilities of the whole row",
      arguments: cases.indices)
    func softmax(index: Int) {
      let reference = Self.cases[index], length = reference.length
      var random = TestRandom(41 + index)
      let scores = random.floats(length * length, in: -30...30)
      let want = reference.softmax(scores.map(Double.init))
      for (queries, keys) in [(length, length), (16, 16), (7, 13), (64, 5), (32, 48)] {
        for type in [CK_F32, CK_BF16] {
          var bits: [Float]?
          for set in InstructionSet.available {
            let stride = keys + 3
            let maximum = Elements([Float](repeating: -.infinity, count: length))
            let sum = Elements([Float](repeating: 0, count: length))
            // What the probabilities so far would become when rescaled by the factors.
            var probabilities = [Double](repeating: 0, count: length * length)
            var isFinite = true, isIntact = true
            set.run {
              Self.forEachBlock(reference, queries: queries, keys: keys, stride: stride) { block in
                let raw = Elements(count: queries * stride)
                for r in 0..<block.queries {
                  for c in 0..<block.keys {
                    raw.floatPointer[r * stride + c] =
                      scores[(block.first_query + r) * length + block.first_key + c]
                  }
                }
                let output = type == CK_F32 ? raw : Elements(count: queries * stride, type)
                let factor = Elements(count: queries)
                var block = block
                ck_attention_softmax(
                  &block, raw.floatPointer, output.data, type,
                  maximum.floatPointer + block.first_query, sum.floatPointer + block.first_query,
                  factor.floatPointer)
                let values = output.floats
                isIntact = isIntact && output.isIntact && factor.isIntact
                for r in 0..<block.queries {
                  let row = (block.first_query + r) * length
                  for c in 0..<length { probabilities[row + c] *= Double(factor.floatPointer[r]) }
                  for c in 0..<block.keys {
                    let p = values[r * stride + c]
                    isFinite = isFinite && p.isFinite
                    probabilities[row + block.first_key + c] = Double(p)
                  }
                }
              }
            }
            #expect(isFinite && isIntact, "\(set)")
            let sums = sum.doubles, largest = maximum.doubles
            for q in 0..<length {
              for c in 0..<length { probabilities[q * length + c] /= sums[q] }
            }
            let agreement = Agreement(
              probabilities.map(Float.init), want.probabilities, absolute: 2e-6,
              relative: 2e-5 + storageError(type))
            #expect(agreement.holds, "\(set) \(queries) x \(keys): \(agreement)")
            let masked = want.probabilities.indices.allSatisfy {
              want.probabilities[$0] != 0 || probabilities[$0] == 0
            }
            #expect(masked, "\(set): a masked probability is not 0")
            let logs = zip(largest, sums).map { Float($0 + log($1)) }
            let logAgreement = Agreement(logs, want.logSumExp, absolute: 1e-5, relative: 1e-6)
            #expect(logAgreement.holds, "\(set): \(logAgreement)")
            let together = probabilities.map(Float.init) + logs
            #expect(firstDifference(bits ?? together, together) == nil, "\(set) against portable")
            bits = bits ?? together
          }
        }
      }
    }

    @Test("a row with nothing visible in a block keeps its state and gets zeros")
    func emptyRows() {
      for set in InstructionSet.available {
        var block = ck_attention_block(
          queries: 2, keys: 20, first_query: 3, first_key: 16, score_stride: 20, scale: 1,
          causal: 1,
          window: 0, documents: nil)
        let scores = Elements([Float](repeating: .nan, count: 40)), factor = Elements(count: 2)
        let maximum = Elements([-.infinity, 2]), sum = Elements([0, 5])
        set.run {
          ck_attention_softmax(
            &block, scores.floatPointer, scores.data, CK_F32, maximum.floatPointer,
            sum.floatPointer,
            factor.floatPointer)
        }
        #expect(scores.floats == [Float](repeating: 0, count: 40))
        #expect(maximum.floats == [-.infinity, 2] && sum.floats == [0, 5])
        #expect(factor.floats == [0, 1])
      }
    }

    @Test(
      "recomputed probabilities and score gradients agree with the reference",
      arguments: cases.indices)
    func backward(index: Int) {
      let reference = Self.cases[index], length = reference.length
      var random = TestRandom(60 + index)
      let scores = random.floats(length * length, in: -8...8)
      let gradient = random.floats(length * length)
      let want = reference.softmax(scores.map(Double.init))
      let wantGradient = reference.backward(scores.map(Double.init), gradient.map(Double.init))
      let logSumExp = want.logSumExp.map(Float.init), delta = wantGradient.delta.map(Float.init)
      for (queries, keys) in [(length, length), (16, 16), (7, 13)] {
        for type in [CK_F32, CK_BF16] {
          for set in InstructionSet.available {
            let stride = keys + 1
            var p = [Float](repeating: .nan, count: length * length), recomputed = p, ds = p
            set.run {
              Self.forEachBlock(reference, queries: queries, keys: keys, stride: stride) { block in
                var block = block
                let raw = Elements(count: queries * stride), dp = Elements(count: queries * stride)
                for r in 0..<block.queries {
                  for c in 0..<block.keys {
                    let from = (block.first_query + r) * length + block.first_key + c
                    raw.floatPointer[r * stride + c] = scores[from]
                    dp.floatPointer[r * stride + c] = gradient[from]
                  }
                }
                let first = block.first_query
                let once = Elements(count: queries * stride, type)
                let again = Elements(count: queries * stride, type)
                let result = Elements(count: queries * stride, type)
                logSumExp.withUnsafeBufferPointer { logSumExp in
                  delta.withUnsafeBufferPointer { delta in
                    guard let logs = logSumExp.baseAddress, let shifts = delta.baseAddress else {
                      return
                    }
                    ck_attention_recompute(
                      &block, raw.floatPointer, logs + first, once.data, type)
                    ck_attention_backward(
                      &block, raw.floatPointer, dp.floatPointer, logs + first, shifts + first,
                      again.data, result.data, type)
                  }
                }
                #expect(once.isIntact && again.isIntact && result.isIntact)
                let values = (once.floats, again.floats, result.floats)
                for r in 0..<block.queries {
                  for c in 0..<block.keys {
                    let to = (first + r) * length + block.first_key + c
                    recomputed[to] = values.0[r * stride + c]
                    p[to] = values.1[r * stride + c]
                    ds[to] = values.2[r * stride + c]
                  }
                }
              }
            }
            #expect(firstDifference(p, recomputed) == nil)
            let agreement = Agreement(
              p, want.probabilities, absolute: 1e-6, relative: 1e-5 + storageError(type))
            #expect(agreement.holds, "\(set): \(agreement)")
            let gradients = Agreement(
              ds, wantGradient.scores, absolute: 5e-6, relative: 1e-5 + storageError(type))
            #expect(gradients.holds, "\(set): \(gradients)")
          }
        }
      }
    }

    @Test("scaling rows and finishing", arguments: [1, 16, 37, 64])
    func finishing(width: Int) {
      var random = TestRandom(70)
      let rows = 5, stride = width + 3
      let accumulated = random.floats(rows * stride), factor = random.floats(rows)
      let sum = random.floats(rows, in: 0.1...9), maximum = random.floats(rows)
      for set in InstructionSet.available {
        for type in [CK_F32, CK_BF16] {
          let memory = Elements(accumulated), output = Elements(count: rows * (width + 1), type)
          let logs = Elements(count: rows)
          let parts = (Elements(factor), Elements(maximum), Elements(sum))
          set.run {
            ck_scale_rows(rows, width, memory.floatPointer, stride, parts.0.floatPointer)
            ck_attention_finish(
              rows, width, memory.floatPointer, stride, parts.1.floatPointer, parts.2.floatPointer,
              output.data, type, width + 1, logs.floatPointer)
          }
          let all = output.floats
          for r in 0..<rows {
            let got = Array(all[r * (width + 1)..<r * (width + 1) + width])
            let want = (0..<width).map {
              Double(accumulated[r * stride + $0]) * Double(factor[r]) / Double(sum[r])
            }
            let agreement = Agreement(got, want, relative: 4e-7 + storageError(type))
            #expect(agreement.holds && output.isIntact, "\(set): \(agreement)")
          }
          let want = zip(maximum, sum).map { Double($0) + log(Double($1)) }
          #expect(Agreement(logs.floats, want, absolute: 3e-7, relative: 3e-7).holds)
          // What lies between the rows is left alone.
          #expect(memory.floats[width] == accumulated[width])
        }
      }
    }
  }
}
