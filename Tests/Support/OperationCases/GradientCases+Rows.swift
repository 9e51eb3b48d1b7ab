// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

@testable import TensorGraph

// MARK: - Rotations and norms

extension GradientCases {
  /// Rotary embedding of `sequences` times `contextLength` rows.
  static func rotary(
    sequences: Int, contextLength: Int, heads: Int, headWidth: Int, inverse: Bool = false
  ) -> GradientCase {
    GradientCase(
      name: "rotary \(sequences) x \(contextLength), \(heads) heads of \(headWidth)"
        + (inverse ? ", inverse" : "")
    ) { graph in
      let x = graph.parameter("x", [sequences * contextLength, heads * headWidth])
      let operation = Rotary(
        headWidth: headWidth, contextLength: contextLength, base: 10_000, inverse: inverse)
      return .init(results: [graph.apply(operation, x)])
    }
  }

  static var rotaries: [GradientCase] {
    [
      rotary(sequences: 1, contextLength: 1, heads: 1, headWidth: 2),
      rotary(sequences: 2, contextLength: 5, heads: 1, headWidth: 4),
      rotary(sequences: 1, contextLength: 7, heads: 3, headWidth: 6),
      rotary(sequences: 3, contextLength: 2, heads: 2, headWidth: 2, inverse: true),
    ]
  }

  /// Rotation of heads by tables of given frequencies, whose tables are observed.
  static func rotation(
    sequences: Int, contextLength: Int, heads: Int, headWidth: Int, inverse: Bool = false
  ) -> GradientCase {
    GradientCase(
      name: "rotation \(sequences) x \(contextLength), \(heads) heads of \(headWidth)"
        + (inverse ? ", inverse" : ""), fills: ["frequencies": .uniform(0...1)]
    ) { graph in
      let x = graph.parameter("x", [sequences * contextLength, heads * headWidth])
      let frequencies = graph.input("frequencies", [headWidth / 2], .float32)
      let (cosines, sines) = frequencies.rotaryTables(contextLength: contextLength)
      let operation = Rotation(headWidth: headWidth, inverse: inverse)
      return .init(
        results: [graph.apply(operation, [x, cosines * 0.7, sines * 0.7])[0]],
        observed: [cosines, sines])
    }
  }

  static var rotations: [GradientCase] {
    [
      rotation(sequences: 1, contextLength: 1, heads: 1, headWidth: 2),
      rotation(sequences: 2, contextLength: 5, heads: 1, headWidth: 4),
      rotation(sequences: 3, contextLength: 2, heads: 2, headWidth: 6, inverse: true),
    ]
  }

  /// All columns, or some of every head, from the token before.
  static func tokenShift(
    sequences: Int, contextLength: Int, heads: Int, headWidth: Int, ranges: [Range<Int>],
    keepsFirst: Bool
  ) -> GradientCase {
    GradientCase(
      name: "token shift \(sequences) x \(contextLength), \(heads) heads of \(headWidth), \(ranges)"
        + (keepsFirst ? ", first kept" : "")
    ) { graph in
      let x = graph.parameter("x", [sequences * contextLength, heads * headWidth])
      let operation = TokenShift(
        contextLength: contextLength, period: headWidth, ranges: ranges, keepsFirst: keepsFirst)
      return .init(results: [graph.apply(operation, x)])
    }
  }

  static var tokenShifts: [GradientCase] {
    [
      tokenShift(
        sequences: 1, contextLength: 1, heads: 1, headWidth: 3, ranges: [0..<3], keepsFirst: false),
      tokenShift(
        sequences: 2, contextLength: 4, heads: 1, headWidth: 3, ranges: [0..<3], keepsFirst: false),
      tokenShift(
        sequences: 2, contextLength: 4, heads: 2, headWidth: 8, ranges: [2..<4, 6..<8],
        keepsFirst: true),
      tokenShift(
        sequences: 2, contextLength: 1, heads: 1, headWidth: 5, ranges: [1..<2], keepsFirst: true),
    ]
  }

  /// A norm of the rows of a tensor; statistics are observed.
  static func norm(_ kind: RowNorm.Kind, _ shape: Shape, epsilon: Float = 1e-5) -> GradientCase {
    GradientCase(
      name: "\(kind.rawValue) norm of \(shape)", negligible: shape.columns < 3 ? 1 : 1e-2
    ) { graph in
      let x = graph.parameter("x", shape)
      let gain = graph.parameter("gain", [shape.columns])
      let results = graph.apply(RowNorm(kind: kind, epsilon: epsilon), [x, gain])
      return .init(results: [results[0]], observed: Array(results.dropFirst()))
    }
  }

  static var norms: [GradientCase] {
    [RowNorm.Kind.layer, .rms].flatMap { kind in
      [
        norm(kind, [5, 7]), norm(kind, [1, 3]), norm(kind, [2, 3, 5]), norm(kind, [11]),
        norm(kind, [4, 1], epsilon: 0.1), norm(kind, [3, 2], epsilon: 0.1),
      ]
    }
  }
}

// MARK: - Attention

/// Sizes of an attention.
struct AttentionSizes: Sendable {
  var sequences = 1
  var contextLength: Int
  var heads = 1
  var keyValueHeads = 1
  var headWidth: Int
  var window: Int?
  /// A window that is read at the run, as well.
  var currentWindow: Double?
  /// Document lengths vary between 1 and this.
  var longestDocument: Int?

  var rows: Int { sequences * contextLength }

  var name: String {
    "attention \(sequences) x \(contextLength), \(heads)/\(keyValueHeads) heads of \(headWidth)"
      + (window.map { ", window \($0)" } ?? "")
      + (currentWindow.map { ", window read as \($0)" } ?? "")
      + (longestDocument.map { ", documents up to \($0)" } ?? "")
  }

  /// Document numbers that rise along the rows.
  var documents: Fill {
    var source = NamedNumbers(name)
    var numbers: [Double] = []
    var document = 0.0
    while numbers.count < rows {
      let length = Int.random(in: 1...(longestDocument ?? rows), using: &source)
      numbers += [Double](repeating: document, count: length)
      document += 1
    }
    return .values(Array(numbers.prefix(rows)))
  }
}

extension GradientCases {
  /// Attention of random queries, keys and values; the log-sum-exp is observed.
  static func attention(_ sizes: AttentionSizes) -> GradientCase {
    // With one visible key the gradients of queries and keys are exactly zero.
    let alone =
      sizes.contextLength == 1 || sizes.window == 1 || sizes.longestDocument == 1
      || sizes.currentWindow.map { $0 < 1.5 } == true
    return GradientCase(
      name: sizes.name,
      fills: [
        "documents": sizes.documents, "current window": .values([sizes.currentWindow ?? 0]),
      ], negligible: alone ? 1 : 1e-2
    ) { graph in
      let q = graph.parameter("q", [sizes.rows, sizes.heads * sizes.headWidth])
      let narrow: Shape = [sizes.rows, sizes.keyValueHeads * sizes.headWidth]
      let operation = Attention(
        headWidth: sizes.headWidth, contextLength: sizes.contextLength, window: sizes.window,
        masksDocuments: sizes.longestDocument != nil,
        readsWindow: sizes.currentWindow != nil)
      var inputs = [q, graph.parameter("k", narrow), graph.parameter("v", narrow)]
      if sizes.longestDocument != nil { inputs.append(graph.input("documents", [sizes.rows])) }
      if sizes.currentWindow != nil { inputs.append(graph.scalar("current window")) }
      let results = graph.apply(operation, inputs)
      return .init(results: [results[0]], observed: [results[1]])
    }
  }

  static var attentions: [GradientCase] {
    [
      AttentionSizes(contextLength: 1, headWidth: 1),
      AttentionSizes(contextLength: 1, headWidth: 2),
      AttentionSizes(sequences: 3, contextLength: 1, heads: 2, headWidth: 3),
      AttentionSizes(contextLength: 7, headWidth: 1),
      AttentionSizes(sequences: 2, contextLength: 5, headWidth: 3),
      AttentionSizes(sequences: 2, contextLength: 7, heads: 4, keyValueHeads: 2, headWidth: 2),
      AttentionSizes(contextLength: 11, heads: 3, headWidth: 3),
      AttentionSizes(contextLength: 5, heads: 3, keyValueHeads: 3, headWidth: 2),
      AttentionSizes(sequences: 2, contextLength: 7, headWidth: 3, window: 3),
      AttentionSizes(contextLength: 5, headWidth: 3, window: 1),
      AttentionSizes(contextLength: 5, headWidth: 3, window: 5),
      AttentionSizes(contextLength: 5, headWidth: 3, window: 100),
      AttentionSizes(sequences: 2, contextLength: 7, headWidth: 3, longestDocument: 4),
      AttentionSizes(contextLength: 5, headWidth: 3, longestDocument: 1),
      AttentionSizes(
        sequences: 2, contextLength: 11, heads: 2, headWidth: 3, window: 3, longestDocument: 5),
      AttentionSizes(sequences: 2, contextLength: 7, headWidth: 3, currentWindow: 3),
      AttentionSizes(contextLength: 7, headWidth: 3, currentWindow: 2.5),
      AttentionSizes(contextLength: 5, headWidth: 3, currentWindow: 0),
      AttentionSizes(contextLength: 5, headWidth: 3, currentWindow: .infinity),
      AttentionSizes(contextLength: 7, headWidth: 3, window: 4, currentWindow: 6),
      AttentionSizes(
        sequences: 2, contextLength: 11, heads: 4, keyValueHeads: 2, headWidth: 3, window: 9,
        currentWindow: 4, longestDocument: 5),
    ].map(attention)
  }
}

// MARK: - Cross entropy

/// Which targets of a cross entropy count.
enum TargetMask: String, CaseIterable {
  case none, some, all
}

extension GradientCases {
  /// The head's loss; masked targets are -1.
  ///
  /// The weight of the z-loss is a constant, or read at the run.
  static func crossEntropy(
    rows: Int, width: Int, vocabularySize: Int, zLoss: Float = 0, readsZLoss: Bool = false,
    mask: TargetMask = .none, form: HeadForm = HeadForm()
  ) -> GradientCase {
    let targets: Fill =
      switch mask {
      case .none: .integers(0..<vocabularySize)
      case .some: .integers(-1..<vocabularySize)
      case .all: .values([-1])
      }
    return GradientCase(
      name: "cross entropy \(rows) x \(width), vocabulary \(vocabularySize), z-loss \(zLoss)"
        + (readsZLoss ? " read, " : ", ") + "masked \(mask.rawValue)" + description(form),
      fills: [
        "targets": targets, "x": .normal(0.7), "scale": .values([1 / Double(rows)]),
        "z-loss": .values([Double(zLoss)]), "weight 1": .values([0.5]), "weight 2": .values([0.2]),
      ],
      negligible: vocabularySize == 1 ? 1 : 1e-2
    ) { graph in
      let (loss, sum) = graph.parameter("x", [rows, width]).linearCrossEntropy(
        weight: graph.parameter("weight", [vocabularySize, width]),
        targets: graph.input("targets", [rows]), scale: graph.parameter("scale", []),
        zLoss: readsZLoss ? graph.scalar("z-loss") : graph.constant(zLoss), form: form,
        predictionWeights: (1..<form.predictions).map { graph.scalar("weight \($0)") })
      return .init(results: [loss], observed: [sum])
    }
  }

  static var crossEntropies: [GradientCase] {
    let sizes = [(1, 1, 1), (1, 3, 2), (5, 1, 7), (7, 3, 11), (3, 5, 13)]
    return sizes.flatMap { rows, width, vocabulary in
      [
        crossEntropy(rows: rows, width: width, vocabularySize: vocabulary),
        crossEntropy(rows: rows, width: width, vocabularySize: vocabulary, zLoss: 0.1),
      ]
    } + [
      crossEntropy(rows: 11, width: 3, vocabularySize: 2, zLoss: 0.1, mask: .some),
      crossEntropy(rows: 13, width: 2, vocabularySize: 3, mask: .some),
      crossEntropy(rows: 3, width: 2, vocabularySize: 5, zLoss: 0.1, mask: .all),
      crossEntropy(
        rows: 7, width: 3, vocabularySize: 11, zLoss: 0.1, readsZLoss: true, mask: .some),
    ]
      + headForms.map {
        crossEntropy(rows: 12, width: 3, vocabularySize: 7, zLoss: 0.1, mask: .some, form: $0)
      }
  }

  /// Caps, factors, tokens ahead.
  static var headForms: [HeadForm] {
    var (capped, ahead, both) = (HeadForm(), HeadForm(), HeadForm())
    capped.softCap = 2
    capped.logitFactor = 0.7
    ahead.predictions = 3
    ahead.contextLength = 4
    both.softCap = 3
    both.predictions = 2
    both.contextLength = 6
    return [capped, ahead, both]
  }

  private static func description(_ form: HeadForm) -> String {
    form == HeadForm()
      ? ""
      : ", factor \(form.logitFactor), cap \(form.softCap ?? 0), \(form.predictions) ahead of \(form.contextLength)"
  }
}
