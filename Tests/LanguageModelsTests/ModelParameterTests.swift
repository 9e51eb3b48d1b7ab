// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import LanguageModels
import TensorGraph
import Testing

@Suite struct ModelParameterTests {
  static func decoder(tied: Bool = false, norms: Bool = true) throws -> any LanguageModel {
    try ModelConfiguration(
      vocabularySize: 11, width: 12, layers: 2, heads: 2, contextLength: 8, isTied: tied,
      hasQueryKeyNorm: norms
    ).makeModel()
  }

  static func llama() throws -> any LanguageModel {
    try ModelConfiguration(
      architecture: .llama, vocabularySize: 11, width: 12, layers: 2, heads: 6, keyValueHeads: 3,
      headWidth: 4, feedForwardWidth: 10, contextLength: 8, hasQueryKeyNorm: true
    ).makeModel()
  }

  @Test("The decoder's parameters have the names, shapes and roles of its specification")
  func decoderParameters() throws {
    let found = try Self.decoder().parameters.map { "\($0.name) \($0.shape) \($0.role)" }
    let block = { (i: Int) in
      [
        "blocks.\(i).attention.norm.gain [12] normGain",
        "blocks.\(i).attention.query.weight [12, 12] attentionQuery",
        "blocks.\(i).attention.key.weight [12, 12] attentionKey",
        "blocks.\(i).attention.value.weight [12, 12] attentionValue",
        "blocks.\(i).attention.output.weight [12, 12] attentionOutput",
        "blocks.\(i).attention.query_norm.gain [6] queryKeyNormGain",
        "blocks.\(i).attention.key_norm.gain [6] queryKeyNormGain",
        "blocks.\(i).mlp.norm.gain [12] normGain",
        "blocks.\(i).mlp.in.weight [48, 12] mlpIn",
        "blocks.\(i).mlp.out.weight [12, 48] mlpOut",
      ]
    }
    let expected =
      ["embedding.weight [11, 12] embedding"] + block(0) + block(1)
      + ["final_norm.gain [12] normGain", "head.weight [11, 12] head"]
    #expect(found == expected)
  }

  @Test("Llama's query, key and feed-forward shapes follow heads, groups and head width")
  func llamaParameters() throws {
    let shapes = Dictionary(
      uniqueKeysWithValues: try Self.llama().parameters.map { ($0.name, $0.shape) })
    #expect(shapes["blocks.1.attention.query.weight"] == [24, 12])
    #expect(shapes["blocks.1.attention.key.weight"] == [12, 12])
    #expect(shapes["blocks.1.attention.value.weight"] == [12, 12])
    #expect(shapes["blocks.1.attention.output.weight"] == [12, 24])
    #expect(shapes["blocks.1.attention.query_norm.gain"] == [4])
    #expect(shapes["blocks.1.mlp.in.weight"] == [10, 12])
    #expect(shapes["blocks.1.mlp.gate.weight"] == [10, 12])
    #expect(shapes["blocks.1.mlp.out.weight"] == [12, 10])
    #expect(shapes.count == 3 + 2 * 11)
  }

  @Test("Tied models have no head of their own, plain ones no query and key norms")
  func switches() throws {
    #expect(try !Self.decoder(tied: true).parameters.contains { $0.role == .head })
    #expect(try !Self.decoder(norms: false).parameters.contains { $0.role == .queryKeyNormGain })
  }

  @Test("Every parameter enters the loss, and its gradient has its shape", arguments: [0, 1, 2])
  func gradientsExist(which: Int) throws {
    let model = try [Self.decoder(), Self.decoder(tied: true), Self.llama()][which]
    let graph = Graph()
    let inputs = ModelInputs(model.configuration, sequences: 2, in: graph)
    let weights = ModelWeights(model.parameters, in: graph)
    let (loss, _) = model.loss(inputs, scale: graph.scalar("loss_scale"), weights)
    let found = try gradients(
      of: loss, withRespectTo: model.parameters.map { weights[$0.name] })
    for (parameter, gradient) in zip(model.parameters, found) {
      #expect(gradient.shape == parameter.shape, "\(parameter.name)")
      let isConstant = graph.nodes[gradient.value.node].operation is Broadcast
      #expect(!isConstant, "\(parameter.name) does not enter the loss")
    }
    let logits = model.logits(inputs, weights)
    try graph.check()
    #expect(logits.shape == [16, 11])
  }

  @Test("Parameter counts agree with the shapes added up by hand")
  func counts() throws {
    let cost = try ModelCost(Self.decoder())
    let block = 4 * 144 + 2 * 6 + 2 * 12 + 2 * 48 * 12
    #expect(cost.embeddingParameters == 132)
    #expect(cost.headParameters == 132)
    #expect(cost.nonEmbeddingParameters == 2 * block + 12)
    #expect(cost.parameters == 2 * block + 12 + 264)
    let products = 2 * (4 * 144 + 2 * 48 * 12) + 132
    // 36 pairs of query and key in 8 tokens; 12 numbers a row in each of 2 layers.
    let pairs: Double = 36
    let attention: Double = 4 * pairs / 8 * 24
    #expect(cost.forwardFLOPsPerToken == Double(2 * products) + attention)
    #expect(try ModelCost(Self.decoder(tied: true)).headParameters == 0)
    #expect(
      try ModelCost(Self.decoder(tied: true)).forwardFLOPsPerToken == cost.forwardFLOPsPerToken)
  }

  @Test("Initial weights depend on seed and name only, and have the declared deviation")
  func initialization() throws {
    let parameters = try Self.decoder().parameters
    func values(_ name: String, _ seed: UInt64) throws -> [Float] {
      let parameter = try #require(parameters.first { $0.name == name })
      var values = [Float](repeating: .nan, count: parameter.shape.count)
      values.withUnsafeMutableBufferPointer { parameter.initialize($0, seed: seed) }
      return values
    }
    let first = try values("blocks.0.mlp.in.weight", 1)
    #expect(try values("blocks.0.mlp.in.weight", 1) == first)
    #expect(try values("blocks.0.mlp.in.weight", 2) != first)
    #expect(try values("blocks.1.mlp.in.weight", 1) != first)
    #expect(try values("final_norm.gain", 1) == [Float](repeating: 1, count: 12))
    // 576 draws: the sample deviation is within 12 % of the true one but for one seed in 10,000.
    func deviation(_ values: [Float]) -> Double {
      (values.reduce(0) { $0 + Double($1) * Double($1) } / Double(values.count)).squareRoot()
    }
    #expect(abs(deviation(first) / 0.02 - 1) < 0.12)
    let output = try values("blocks.0.mlp.out.weight", 1)
    #expect(abs(deviation(output) / (0.02 / 2) - 1) < 0.12)
  }

  @Test("A large parameter drawn in pieces equals the stream drawn in one")
  func initializationInPieces() {
    let parameter = Parameter(
      name: "long", role: .embedding, shape: [3, 50_001],
      initialization: .normal(standardDeviation: 0.5))
    let one = Parameter(
      name: "long", role: .embedding, shape: [1, 70_000],
      initialization: .normal(standardDeviation: 0.5))
    var whole = [Float](repeating: 0, count: parameter.shape.count)
    var part = [Float](repeating: 0, count: one.shape.count)
    whole.withUnsafeMutableBufferPointer { parameter.initialize($0, seed: 9) }
    part.withUnsafeMutableBufferPointer { one.initialize($0, seed: 9) }
    #expect(Array(whole.prefix(part.count)) == part)
    #expect(!whole.contains(0))
  }
}
