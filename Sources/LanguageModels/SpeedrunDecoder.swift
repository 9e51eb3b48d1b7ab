// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// The decoder of the NanoGPT speedrun's records 51 to 53 (https://github.com/KellerJordan/modded-nanogpt, 2025), every part of
/// which is an option.
///
/// With rn(x) = x / sqrt(mean(x^2) + 2^-23), token ids t, and sequences that pack documents:
///
///     e = W[t];  e_t += lambda_s sigmoid(S e_t[0:12]) e_{t-1};  x = x0 = rn(e)
///     for every layer i:
///       x += sigmoid(lambda_k) (output of an earlier layer)                    at one layer
///       x = r_i x + z_i x0                                                     at layer 0: (r_0 + z_0) x
///       x += attention_i(rn(x));  x += relu(rn(x) Win')^2 Wout'
///     x = rn(x - lambda_b (output of an earlier layer));  logits = 15 tanh(x W' / 15)
///
/// Attention on n = rn(x): q, k, v = n (a_i0 Wqkv)'; q and k through rn, head by head, then turned by run-time frequencies; on layers
/// with the long window the pairs of k that do not turn come from the token before; v += value table[t]; softmax(s q k') v inside
/// documents and the layer's window; every head times sigmoid(G n[0:12]); then (a_i1 Wo)'.
///
/// There are no biases, gains or dropout. Gates and shifts reach over borders of documents, as published; attention does not.
/// Legend: N rows (tokens of all sequences), C width, H heads, D head width, F feed-forward width, V vocabulary, L layers.
public struct SpeedrunDecoder: LanguageModel {
  /// Sizes and switches.
  public let configuration: ModelConfiguration
  private let options: SpeedrunOptions

  /// Channels that gates read.
  public static let gateWidth = 12
  /// In rn: float32's distance between 1 and the next number, whatever the precision of the operands.
  private static let epsilon: Float = 0x1p-23

  /// The model of a configuration.
  public init(_ configuration: ModelConfiguration) {
    self.configuration = configuration
    options = configuration.speedrun ?? SpeedrunOptions(layers: configuration.layers)
  }

  // MARK: - Parameters

  /// The declarations, in the order of the forward pass.
  public var parameters: [Parameter] {
    let c = configuration
    var all = [head]
    if options.hasEmbeddingTable {
      all.append(
        Parameter(
          name: "embedding.weight", role: .embedding, shape: [c.vocabularySize, c.width],
          initialization: normal(options.embeddingDeviation)))
    }
    if options.hasSmearGate {
      all += [gate("smear.gate.weight", nil, outputs: 1), scalars("smear.lambda", [0])]
    }
    if options.hasResidualLambdas { all.append(scalars("residual_lambdas", [1.1])) }
    if options.hasFirstStateLambdas { all.append(scalars("x0_lambdas", [0])) }
    if options.hasAttentionLambdas { all.append(scalars("attention_lambdas", [0.5, 1])) }
    all += (0..<options.valueTables).map {
      Parameter(
        name: "value_embeddings.\($0).weight", role: .valueEmbedding,
        shape: [c.vocabularySize, c.heads * c.headWidth], initialization: .constant(0))
    }
    for layer in 0..<c.layers { all += block(layer) }
    if options.skip != nil { all.append(scalars("skip.lambda", [-1.5])) }
    if options.backoutLayer != nil { all.append(scalars("backout.lambda", [0.5])) }
    return all
  }

  private var head: Parameter {
    Parameter(
      name: "head.weight", role: .head, shape: [configuration.vocabularySize, configuration.width],
      initialization: normal(options.headDeviation))
  }

  private func block(_ layer: Int) -> [Parameter] {
    let c = configuration
    let (attention, mlp) = ("blocks.\(layer).attention", "blocks.\(layer).mlp")
    let inner = c.heads * c.headWidth
    var all: [Parameter] = []
    if hasAttention(layer) {
      let projections: [(String, ParameterRole)] = [
        ("query", .attentionQuery), ("key", .attentionKey), ("value", .attentionValue),
      ]
      all = projections.map { name, role in
        Parameter(
          name: "\(attention).\(name).weight", role: role, layer: layer, shape: [inner, c.width],
          heads: c.heads, initialization: uniform(options.projectionDeviation))
      }
      all.append(
        Parameter(
          name: "\(attention).output.weight", role: .attentionOutput, layer: layer,
          shape: [c.width, inner], heads: c.heads, initialization: .constant(0)))
      if options.hasHeadGates {
        all.append(gate("\(attention).gate.weight", layer, outputs: c.heads))
      }
    }
    return all + [
      Parameter(
        name: "\(mlp).in.weight", role: .mlpIn, layer: layer, shape: [c.feedForwardWidth, c.width],
        initialization: uniform(0.5)),
      Parameter(
        name: "\(mlp).out.weight", role: .mlpOut, layer: layer,
        shape: [c.width, c.feedForwardWidth],
        initialization: .constant(0)),
    ]
  }

  /// A gate `[outputs, 12]`, half open at the start.
  private func gate(_ name: String, _ layer: Int?, outputs: Int) -> Parameter {
    Parameter(
      name: name, role: .gate, layer: layer, shape: [outputs, Self.gateWidth],
      initialization: .constant(0))
  }

  /// One number, or as many for every layer, all of which start alike.
  private func scalars(_ name: String, _ first: [Float]) -> Parameter {
    let isPerLayer = name.hasSuffix("lambdas")
    return Parameter(
      name: name, role: .scalar, shape: [isPerLayer ? configuration.layers * first.count : 1],
      initialization: first.count == 1 ? .constant(first[0]) : .repeating(first))
  }

  /// A deviation of `factor` / sqrt(C).
  private func uniform(_ factor: Float) -> Initialization {
    let deviation = Double(factor) / Double(configuration.width).squareRoot()
    return .uniform(bound: Float(deviation * 3.0.squareRoot()))
  }

  private func normal(_ deviation: Float) -> Initialization {
    deviation == 0 ? .constant(0) : .normal(standardDeviation: deviation)
  }

  private func hasAttention(_ layer: Int) -> Bool { !options.attentionFreeLayers.contains(layer) }

  /// Of the layers with attention: long or short.
  public var attentionWindows: [Int?] {
    (0..<configuration.layers).filter(hasAttention).map {
      options.longLayers.contains($0)
        ? configuration.attentionWindow : configuration.shortAttentionWindow
    }
  }

  // MARK: - Equations

  /// See the type.
  public func hidden(_ inputs: ModelInputs, _ w: ModelWeights) -> Tensor {
    let tables = w[options.readsHead ? "head.weight" : "embedding.weight"]
    let first = norm(smeared(tables.rows(of: inputs.tokens), w))
    let turns = turns(inputs)
    var x = first
    var (skipped, kept): (Tensor?, Tensor?)
    for i in 0..<configuration.layers {
      if let skip = options.skip, skip.to == i, let skipped {
        x = x + sigmoid(w["skip.lambda"]) * skipped
      }
      x = mixed(x, first, i, w)
      if hasAttention(i) { x = x + attention(norm(x), i, turns, inputs, w) }
      x = x + feedForward(norm(x), "blocks.\(i).mlp", w)
      if options.skip?.from == i { skipped = x }
      if options.backoutLayer == i { kept = x }
    }
    if let kept { x = x - w["backout.lambda"] * kept }
    return norm(x)
  }

  /// e_t + lambda_s sigmoid(S e_t[0:12]) e_{t-1}; the first token of a sequence stays as it is.
  private func smeared(_ e: Tensor, _ w: ModelWeights) -> Tensor {
    guard options.hasSmearGate else { return e }
    let gate = sigmoid(gated(e, w["smear.gate.weight"]))
    let before = e.precedingTokens(contextLength: configuration.contextLength)
    return e + w["smear.lambda"] * gate * before
  }

  /// r_i x + z_i x0.
  private func mixed(_ x: Tensor, _ first: Tensor, _ i: Int, _ w: ModelWeights) -> Tensor {
    var mixed = options.hasResidualLambdas ? entry(i, of: w["residual_lambdas"]) * x : x
    if options.hasFirstStateLambdas { mixed = mixed + entry(i, of: w["x0_lambdas"]) * first }
    return mixed
  }

  private func attention(
    _ n: Tensor, _ i: Int, _ turns: Turns, _ inputs: ModelInputs, _ w: ModelWeights
  ) -> Tensor {
    let c = configuration
    let name = "blocks.\(i).attention"
    func weight(_ projection: String, _ place: Int) -> Tensor {
      let weight = w["\(name).\(projection).weight"]
      return options.hasAttentionLambdas
        ? entry(2 * i + place, of: w["attention_lambdas"]) * weight : weight
    }
    let isLong = options.longLayers.contains(i)
    let query = headNorm(n.linear(weight("query", 0))).rotated(
      cosines: turns.cosines * turns.scale, sines: turns.sines * turns.scale,
      headWidth: c.headWidth)
    var key = headNorm(n.linear(weight("key", 0))).rotated(
      cosines: turns.cosines, sines: turns.sines, headWidth: c.headWidth)
    if options.shiftsKeys, isLong {
      key = key.shifted(
        columns: Self.stillColumns(c.headWidth), ofEvery: c.headWidth,
        contextLength: c.contextLength)
    }
    var value = n.linear(weight("value", 0))
    if let served = options.valueEmbeddings.first(where: { $0.layer == i }) {
      value = value + w["value_embeddings.\(served.table).weight"].rows(of: inputs.tokens)
    }
    var mixed = query.attention(
      keys: key, values: value, headWidth: c.headWidth, contextLength: c.contextLength,
      window: isLong ? c.attentionWindow : c.shortAttentionWindow,
      currentWindow: isLong ? inputs.attentionWindow : inputs.shortAttentionWindow,
      documents: inputs.documents)
    if options.hasHeadGates {
      let gates = sigmoid(gated(n, w["\(name).gate.weight"]))
      let rows = gates.shape.count
      mixed = (mixed.reshaped([rows, c.headWidth]) * gates.reshaped([rows, 1])).reshaped(
        mixed.shape)
    }
    return mixed.linear(weight("output", 1))
  }

  /// relu(x Win')^2 Wout'.
  private func feedForward(_ x: Tensor, _ name: String, _ w: ModelWeights) -> Tensor {
    let inner = x.linear(w["\(name).in.weight"])
    let active = options.activation == .gelu ? gelu(inner) : square(relu(inner))
    return active.linear(w["\(name).out.weight"])
  }

  /// Tables of the turns, and what turns queries are multiplied by: s sqrt(D), for attention divides by sqrt(D).
  private struct Turns {
    let cosines: Tensor
    let sines: Tensor
    let scale: Tensor
  }

  private func turns(_ inputs: ModelInputs) -> Turns {
    guard let frequencies = inputs.rotaryFrequencies, let scale = inputs.attentionScale else {
      preconditionFailure("the inputs of another architecture")
    }
    // Pairs turn backwards: (x1, x2) becomes (x1 cos + x2 sin, x2 cos - x1 sin).
    let (cosines, sines) = frequencies.rotaryTables(contextLength: configuration.contextLength)
    return Turns(
      cosines: cosines, sines: -sines,
      scale: scale * Float(Double(configuration.headWidth).squareRoot()))
  }

  /// Columns of a head that do not turn when half of the pairs do: the second halves of both halves.
  private static func stillColumns(_ headWidth: Int) -> [Range<Int>] {
    [headWidth / 4..<headWidth / 2, 3 * headWidth / 4..<headWidth]
  }

  /// x[0:12] G', `[N, outputs]`: a product with all channels, where the others count nothing.
  private func gated(_ x: Tensor, _ gate: Tensor) -> Tensor {
    let rest: Shape = [configuration.width - Self.gateWidth, gate.shape.rows]
    let narrow = gate.transposed()
    if rest[0] == 0 { return x.matrixProduct(narrow) }
    let nothing = x.graph.constant(0).broadcast(to: rest)
    return x.matrixProduct(concatenated([narrow, nothing]))
  }

  /// One number of a list, `[1]`.
  private func entry(_ index: Int, of list: Tensor) -> Tensor { list.slice(index..<index + 1) }

  /// rn: every row to root mean square 1.
  private func norm(_ x: Tensor) -> Tensor {
    let ones = x.graph.constant(1).broadcast(to: [x.shape.columns])
    return x.normalized(.rms, gain: ones, epsilon: Self.epsilon)
  }

  /// rn of every head by itself.
  private func headNorm(_ x: Tensor) -> Tensor {
    let width = configuration.headWidth
    return norm(x.reshaped([x.shape.count / width, width])).reshaped(x.shape)
  }

  // MARK: - Head

  /// The cap.
  public var headForm: HeadForm {
    var form = HeadForm()
    form.softCap = options.softCap
    return form
  }

  /// The head's own weight, which lookups share while they are tied.
  public func head(_ weights: ModelWeights) -> Tensor { weights["head.weight"] }

  /// What training minimises: several tokens ahead, and a float8 product, where the options say so.
  ///
  /// With scales s_x, s_w, s_g: l = s_x s_w e4m3(x / s_x) e4m3(W / s_w)'; gradients by l are kept as s_g e5m2(g / s_g), and gradients pass
  /// the roundings of x and W as if there were none.
  public func trainingLoss(
    _ inputs: ModelInputs, scale: Tensor, _ weights: ModelWeights
  ) -> (loss: Tensor, crossEntropySum: Tensor) {
    trainingLoss(of: hidden(inputs, weights), inputs, scale: scale, weights)
  }

  /// The training loss of last hidden states `[N, C]`, from wherever they are.
  public func trainingLoss(
    of hidden: Tensor, _ inputs: ModelInputs, scale: Tensor, _ weights: ModelWeights
  ) -> (loss: Tensor, crossEntropySum: Tensor) {
    var (x, weight, form) = (hidden, head(weights), headForm)
    form.predictions = options.predictions
    form.contextLength = configuration.contextLength
    if let scales = options.float8 {
      x = roundedToE4M3(x * (1 / scales.hidden))
      weight = roundedToE4M3(weight * (1 / scales.weight))
      form.logitFactor = scales.hidden * scales.weight
      form.gradientScale = scales.gradient
    }
    return x.linearCrossEntropy(
      weight: weight, targets: inputs.targets, scale: scale, zLoss: inputs.zLoss, form: form,
      predictionWeights: inputs.predictionWeights)
  }
}
