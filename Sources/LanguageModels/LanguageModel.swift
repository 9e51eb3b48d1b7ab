// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// A model as its file declares it: parameters with roles, and equations from tokens to the last hidden state.
public protocol LanguageModel: Sendable {
  /// Sizes and switches.
  var configuration: ModelConfiguration { get }

  /// Every parameter, in a fixed order.
  var parameters: [Parameter] { get }

  /// The normalised output of the last block, `[N, C]`.
  ///
  /// - Parameters:
  ///   - inputs: tokens, documents and window; targets are not read.
  ///   - weights: the parameters' values.
  /// - Returns: `[N, C]`, ready for the head.
  func hidden(_ inputs: ModelInputs, _ weights: ModelWeights) -> Tensor

  /// The head's weight `[V, C]`.
  func head(_ weights: ModelWeights) -> Tensor

  /// What evaluation makes of the head's products: a cap, a factor.
  var headForm: HeadForm { get }

  /// What training minimises, and the plain sum of the next token's cross-entropies; see ``loss(_:scale:_:)``.
  func trainingLoss(
    _ inputs: ModelInputs, scale: Tensor, _ weights: ModelWeights
  ) -> (loss: Tensor, crossEntropySum: Tensor)

  /// The most keys that a query of each layer with attention sees; nil: all of its context.
  var attentionWindows: [Int?] { get }
}

/// The values of a model's parameters in one graph: usually its leaves, or an average of them.
public struct ModelWeights {
  private let tensors: [String: Tensor]

  /// One parameter leaf for every parameter.
  public init(_ parameters: [Parameter], in graph: Graph) {
    tensors = Dictionary(
      uniqueKeysWithValues: parameters.map { ($0.name, graph.parameter($0.name, $0.shape)) })
  }

  /// Any values by parameter name.
  public init(_ tensors: [String: Tensor]) { self.tensors = tensors }

  /// The value of the parameter of that name.
  public subscript(name: String) -> Tensor {
    guard let tensor = tensors[name] else {
      preconditionFailure("no parameter '\(name)' among \(tensors.keys.sorted())")
    }
    return tensor
  }
}

/// The leaves that the host writes before a model runs.
public struct ModelInputs {
  /// int32 `[N]`, sequences of T tokens one after another.
  public let tokens: Tensor
  /// int32 `[N]`; negative: not counted.
  public let targets: Tensor
  /// int32 `[N]`, when attention stays inside documents.
  public let documents: Tensor?
  /// How many keys back a query sees at this run, where the configuration schedules it.
  public let attentionWindow: Tensor?
  /// The same for layers with a short window of their own.
  public let shortAttentionWindow: Tensor?
  /// The frequencies of rotary positions, float32 `[D/2]`, where the architecture leaves them to the run.
  public let rotaryFrequencies: Tensor?
  /// What products of queries and keys are multiplied by, where the architecture leaves it to the run.
  public let attentionScale: Tensor?
  /// Weights of the second and third token ahead in the training loss, where the model predicts them.
  public let predictionWeights: [Tensor]
  /// The weight of the squared log-sum-exp in the loss: read at each run where the configuration schedules it, else its number.
  public let zLoss: Tensor

  /// Leaves `tokens`, `targets` and, with document masks, `documents` for a number of sequences; scalars `attention_window`,
  /// `attention_window_short` and `z_loss` where they are scheduled; and for the speedrun's decoder the input `rotary_frequencies`, and
  /// scalars `attention_scale`, `prediction_weight_2` and `prediction_weight_3`.
  public init(_ configuration: ModelConfiguration, sequences: Int, in graph: Graph) {
    let count = sequences * configuration.contextLength
    tokens = graph.input("tokens", [count])
    targets = graph.input("targets", [count])
    documents = configuration.masksDocuments ? graph.input("documents", [count]) : nil
    attentionWindow =
      configuration.schedulesAttentionWindow ? graph.scalar("attention_window") : nil
    shortAttentionWindow =
      configuration.schedulesShortAttentionWindow ? graph.scalar("attention_window_short") : nil
    let speedrun = configuration.speedrun
    rotaryFrequencies = speedrun.map { _ in
      graph.input("rotary_frequencies", [configuration.headWidth / 2], .float32)
    }
    attentionScale = speedrun.map { _ in graph.scalar("attention_scale") }
    predictionWeights = (1..<(speedrun?.predictions ?? 1)).map {
      graph.scalar("prediction_weight_\($0 + 1)")
    }
    zLoss =
      configuration.schedulesZLoss ? graph.scalar("z_loss") : graph.constant(configuration.zLoss)
  }
}

extension LanguageModel {
  /// Its own, or the token table.
  public func head(_ weights: ModelWeights) -> Tensor {
    weights[configuration.isTied ? "embedding.weight" : "head.weight"]
  }

  /// Products as they are.
  public var headForm: HeadForm { HeadForm() }

  /// The loss that evaluation measures.
  public func trainingLoss(
    _ inputs: ModelInputs, scale: Tensor, _ weights: ModelWeights
  ) -> (loss: Tensor, crossEntropySum: Tensor) {
    loss(inputs, scale: scale, weights)
  }

  /// One window for all layers.
  public var attentionWindows: [Int?] {
    Array(repeating: configuration.attentionWindow, count: configuration.layers)
  }

  /// Loss and plain cross-entropy sum.
  ///
  /// loss = scale sum_n (c_n + zLoss s_n^2) with cross-entropy c and log-sum-exp s of row n, over targets that count.
  /// The scale is usually 1 / (targets that count in the whole step).
  public func loss(
    _ inputs: ModelInputs, scale: Tensor, _ weights: ModelWeights
  ) -> (loss: Tensor, crossEntropySum: Tensor) {
    hidden(inputs, weights).linearCrossEntropy(
      weight: head(weights), targets: inputs.targets, scale: scale, zLoss: inputs.zLoss,
      form: headForm)
  }

  /// Logits `[N, V]`.
  public func logits(_ inputs: ModelInputs, _ weights: ModelWeights) -> Tensor {
    let products = hidden(inputs, weights).linear(head(weights))
    guard let cap = headForm.softCap else { return products }
    return tanh(products * (1 / cap)) * cap
  }
}

extension ModelConfiguration {
  /// The model of this configuration.
  public func makeModel() -> any LanguageModel {
    switch architecture {
    case .decoder: Decoder(self)
    case .llama: Llama(self)
    case .speedrun: SpeedrunDecoder(self)
    }
  }
}
