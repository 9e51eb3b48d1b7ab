// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import LanguageModels
import TensorGraph
import Testing

@Suite struct SpeedrunDecoderTests {
  static func published(
    _ change: (inout SpeedrunOptions) -> Void = { _ in }
  ) throws -> any LanguageModel {
    var options = SpeedrunOptions(layers: 11)
    change(&options)
    return try ModelConfiguration(
      architecture: .speedrun, vocabularySize: 50_304, width: 768, layers: 11, heads: 6,
      headWidth: 128, contextLength: 2048, masksDocuments: true, attentionWindow: 385,
      shortAttentionWindow: 129, speedrun: options
    ).makeModel()
  }

  private static func count(_ model: any LanguageModel) -> Int {
    model.parameters.reduce(0) { $0 + $1.shape.count }
  }

  @Test("The published model has 230,032,139 parameters; untied later, a table more")
  func parameterCount() throws {
    let tied = try Self.published()
    #expect(Self.count(tied) == 230_032_139)
    let later = try Self.published { $0.embedding = .tiedThenUntied }
    #expect(Self.count(later) == 230_032_139 + 50_304 * 768)
    let names = tied.parameters.map(\.name)
    #expect(Set(names).count == names.count)
  }

  @Test("With eleven layers every part is where the record has it")
  func layout() {
    let options = SpeedrunOptions(layers: 11)
    #expect(options.longLayers == [3, 10])
    #expect(options.attentionFreeLayers == [6])
    #expect(options.skip == .init(from: 3, to: 6))
    #expect(options.backoutLayer == 7)
    #expect(options.valueEmbeddings.map(\.layer) == [0, 1, 8, 9, 10])
    #expect(options.valueEmbeddings.map(\.table) == [1, 2, 0, 1, 2])
  }

  @Test("A decoder of any depth has parts that fit it", arguments: 1...16)
  func depths(layers: Int) throws {
    let model = try ModelConfiguration(
      architecture: .speedrun, vocabularySize: 64, width: 32, layers: layers, heads: 2,
      contextLength: 8
    ).makeModel()
    #expect(model.parameters.count > 5)
    #expect(model.attentionWindows.count == layers - (layers > 3 ? 1 : 0))
  }

  @Test("Each switch takes away its own parameters and no others")
  func switches() throws {
    let all = Set(try Self.published().parameters.map(\.name))
    func missing(_ change: (inout SpeedrunOptions) -> Void) throws -> Set<String> {
      all.subtracting(try Self.published(change).parameters.map(\.name))
    }
    #expect(try missing { $0.valueEmbeddings = [] }.count == 3)
    #expect(try missing { $0.hasResidualLambdas = false } == ["residual_lambdas"])
    #expect(try missing { $0.hasFirstStateLambdas = false } == ["x0_lambdas"])
    #expect(try missing { $0.hasAttentionLambdas = false } == ["attention_lambdas"])
    #expect(try missing { $0.hasSmearGate = false } == ["smear.gate.weight", "smear.lambda"])
    #expect(try missing { $0.hasHeadGates = false }.count == 10)
    #expect(try missing { $0.skip = nil } == ["skip.lambda"])
    #expect(try missing { $0.backoutLayer = nil } == ["backout.lambda"])
    #expect(
      try missing {
        $0.softCap = nil; $0.shiftsKeys = false; $0.predictions = 3
      }.isEmpty)
  }

  @Test("First values are the published ones")
  func initialization() throws {
    let parameters = Dictionary(
      uniqueKeysWithValues: try Self.published().parameters.map { ($0.name, $0) })
    func first(_ name: String) -> Initialization? { parameters[name]?.initialization }
    #expect(first("head.weight") == .normal(standardDeviation: 0.005))
    #expect(first("blocks.0.attention.query.weight") == .uniform(bound: 0.03125))
    #expect(first("blocks.4.mlp.in.weight") == .uniform(bound: 0.03125))
    #expect(first("blocks.4.mlp.out.weight") == .constant(0))
    #expect(first("residual_lambdas") == .constant(1.1))
    #expect(first("attention_lambdas") == .repeating([0.5, 1]))
    #expect(first("skip.lambda") == .constant(-1.5))
    #expect(first("backout.lambda") == .constant(0.5))
  }

  @Test("What repeats is written over and over, what is uniform stays within its bound")
  func writing() {
    func values(_ initialization: Initialization, _ count: Int) -> [Float] {
      let parameter = Parameter(
        name: "p", role: .scalar, shape: [count], initialization: initialization)
      return [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
        parameter.initialize(
          UnsafeMutableBufferPointer(rebasing: buffer[0..<count]), seed: 3)
        initialized = count
      }
    }
    #expect(values(.repeating([0.5, 1]), 5) == [0.5, 1, 0.5, 1, 0.5])
    let uniform = values(.uniform(bound: 0.25), 70_000)
    #expect(uniform.allSatisfy { $0 >= -0.25 && $0 < 0.25 })
    let squares = uniform.reduce(0.0) { $0 + Double($1) * Double($1) } / 70_000
    #expect(abs(squares * 3 / 0.0625 - 1) < 0.02)
  }

  @Test("Places that do not exist and sizes that do not fit are named")
  func errors() throws {
    func key(_ change: (inout SpeedrunOptions) -> Void) -> String? {
      do {
        _ = try Self.published(change)
        return nil
      } catch {
        return (error as? ModelError)?.key
      }
    }
    #expect(key { $0.longLayers = [11] } == "long_layers")
    #expect(key { $0.longLayers = [3, 6] } == "long_layers")
    #expect(key { $0.attentionFreeLayers = [3] } == "long_layers")
    #expect(key { $0.attentionFreeLayers = [-1] } == "attention_free_layers")
    #expect(key { $0.attentionFreeLayers = [0] } == "value_embedding_layers")
    #expect(key { $0.valueEmbeddings = [.init(layer: 0, table: 1)] } == "value_embedding_tables")
    #expect(key { $0.skip = .init(from: 6, to: 3) } == "skip_layers")
    #expect(key { $0.backoutLayer = 12 } == "backout_layer")
    #expect(key { $0.predictions = 4 } == "predictions")
    #expect(key { $0.softCap = 41 } == "soft_cap")
    #expect(throws: ModelError.self) {
      try ModelConfiguration(
        architecture: .speedrun, vocabularySize: 64, width: 8, layers: 4, heads: 1,
        contextLength: 8)
    }
  }

  @Test("The cost counts windows of each layer, and no tables as products")
  func cost() throws {
    let cost = ModelCost(try Self.published())
    #expect(cost.embeddingParameters == 3 * 50_304 * 768)
    #expect(cost.headParameters == 50_304 * 768)
    let products = 50_304 * 768 + 40 * 768 * 768 + 22 * 3072 * 768 + 10 * 6 * 12 + 12
    let pairs =
      2 * Attention.pairs(contextLength: 2048, window: 385)
      + 8 * Attention.pairs(contextLength: 2048, window: 129)
    #expect(
      abs(cost.forwardFLOPsPerToken - (2 * Double(products) + 4 * pairs / 2048 * 768)) < 1)
  }
}
