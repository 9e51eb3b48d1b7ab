// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// A decoder in the style of Llama (Touvron et al., 2023): pre-norm, no biases.
///
/// RMS norm (epsilon 1e-5), rotary positions (halves, base 10000), grouped queries (Ainslie et al., 2023): query head h reads
/// key/value head h / (H/G); gated feed-forward layer (Shazeer, 2020); optional norm of queries and keys.
///
/// Legend: N rows (tokens of all sequences), C width, H query heads, G key/value heads, D head width,
/// F feed-forward width, V vocabulary.
public struct Llama: LanguageModel {
  /// Sizes and switches.
  public let configuration: ModelConfiguration

  /// The model of a configuration.
  public init(_ configuration: ModelConfiguration) { self.configuration = configuration }

  /// The declarations, in the order of the forward pass.
  public var parameters: [Parameter] {
    let c = configuration
    let (queries, keys) = (c.heads * c.headWidth, c.keyValueHeads * c.headWidth)
    let declare = Declarations(c)
    var all = [declare.matrix("embedding.weight", .embedding, nil, [c.vocabularySize, c.width])]
    for i in 0..<c.layers {
      let (attention, mlp) = ("blocks.\(i).attention", "blocks.\(i).mlp")
      all += [
        declare.gain("\(attention).norm.gain", .normGain, i, c.width),
        declare.matrix(
          "\(attention).query.weight", .attentionQuery, i, [queries, c.width], heads: c.heads),
        declare.matrix(
          "\(attention).key.weight", .attentionKey, i, [keys, c.width], heads: c.keyValueHeads),
        declare.matrix(
          "\(attention).value.weight", .attentionValue, i, [keys, c.width], heads: c.keyValueHeads),
        declare.output(
          "\(attention).output.weight", .attentionOutput, i, [c.width, queries], heads: c.heads),
      ]
      if c.hasQueryKeyNorm {
        all += [
          declare.gain("\(attention).query_norm.gain", .queryKeyNormGain, i, c.headWidth),
          declare.gain("\(attention).key_norm.gain", .queryKeyNormGain, i, c.headWidth),
        ]
      }
      all += [
        declare.gain("\(mlp).norm.gain", .normGain, i, c.width),
        declare.matrix("\(mlp).in.weight", .mlpIn, i, [c.feedForwardWidth, c.width]),
        declare.matrix("\(mlp).gate.weight", .mlpGate, i, [c.feedForwardWidth, c.width]),
        declare.output("\(mlp).out.weight", .mlpOut, i, [c.width, c.feedForwardWidth]),
      ]
    }
    all.append(declare.gain("final_norm.gain", .normGain, nil, c.width))
    if !c.isTied {
      all.append(declare.matrix("head.weight", .head, nil, [c.vocabularySize, c.width]))
    }
    return all
  }

  /// x = embedding; for every block x += attention(norm(x)), x += mlp(norm(x)); norm(x).
  public func hidden(_ inputs: ModelInputs, _ w: ModelWeights) -> Tensor {
    var x = w[configuration.lookupName].rows(of: inputs.tokens)
    for i in 0..<configuration.layers {
      let (attention, mlp) = ("blocks.\(i).attention", "blocks.\(i).mlp")
      x = x + self.attention(norm(x, w["\(attention).norm.gain"]), attention, inputs, w)
      x = x + feedForward(norm(x, w["\(mlp).norm.gain"]), mlp, w)
    }
    return norm(x, w["final_norm.gain"])
  }

  /// softmax(rope(x Wq') rope(x Wk')' / sqrt(D)) (x Wv') Wo', head by head.
  private func attention(
    _ x: Tensor, _ name: String, _ inputs: ModelInputs, _ w: ModelWeights
  ) -> Tensor {
    let c = configuration
    var query = x.linear(w["\(name).query.weight"])
    var key = x.linear(w["\(name).key.weight"])
    let value = x.linear(w["\(name).value.weight"])
    if c.hasQueryKeyNorm {
      query = headNorm(query, w["\(name).query_norm.gain"])
      key = headNorm(key, w["\(name).key_norm.gain"])
    }
    query = query.rotary(headWidth: c.headWidth, contextLength: c.contextLength, base: 10_000)
    key = key.rotary(headWidth: c.headWidth, contextLength: c.contextLength, base: 10_000)
    let mixed = query.attention(
      keys: key, values: value, headWidth: c.headWidth, contextLength: c.contextLength,
      window: c.attentionWindow, currentWindow: inputs.attentionWindow,
      documents: inputs.documents)
    return mixed.linear(w["\(name).output.weight"])
  }

  /// (silu(x Wgate') * (x Win')) Wout'.
  private func feedForward(_ x: Tensor, _ name: String, _ w: ModelWeights) -> Tensor {
    let gate = silu(x.linear(w["\(name).gate.weight"]))
    return (gate * x.linear(w["\(name).in.weight"])).linear(w["\(name).out.weight"])
  }

  /// RMS norm with a gain.
  private func norm(_ x: Tensor, _ gain: Tensor) -> Tensor {
    x.normalized(.rms, gain: gain, epsilon: 1e-5)
  }

  /// The norm of every head by itself; one gain `[D]` for all heads.
  private func headNorm(_ x: Tensor, _ gain: Tensor) -> Tensor {
    let heads: Shape = [x.shape.count / configuration.headWidth, configuration.headWidth]
    return norm(x.reshaped(heads), gain).reshaped(x.shape)
  }
}
