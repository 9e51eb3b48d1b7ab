// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// Who updates what, when an optimizer's work is dealt out to ranks.
///
/// Every rank has all weights and its own part of the batch. Of each parameter, gradients are averaged over the ranks, one or all
/// ranks make the update, and the new weights reach the others:
///
/// | share | gradients | who updates | afterwards |
/// |---|---|---|---|
/// | replicated | all-reduced | every rank, the same | nothing |
/// | rows | reduce-scattered | every rank its own rows | all-gathered |
/// | whole, in a bucket | reduce-scattered by units | the rank that owns the unit | all-gathered |
///
/// Which of them is possible follows from the method's card: what acts on each number by itself can be cut anywhere, what sees a
/// parameter as one thing cannot be cut at all. A plan knows no method by name and nothing of devices.
public struct ShardingPlan: Sendable {
  /// A parameter's share.
  public enum Share: Equatable, Sendable {
    /// Every rank updates all of it.
    case replicated
    /// Each rank updates its rows; of a parameter without rows, its numbers. Ranges may be empty with padding.
    case rows([Range<Int>])
    /// One rank updates it.
    case whole(bucket: Int, rank: Int)
  }

  /// Parameters that go together: attention's projections of a layer, or any other matrix by itself.
  public struct Unit: Equatable, Sendable {
    /// What kind it is: `gate`, `attention`, `mlp`, else the role's key.
    public let label: String
    /// The parameters' names.
    public let parameters: [String]
  }

  /// Units whose gradients are stacked and scattered together.
  public struct Bucket: Equatable, Sendable {
    /// The units, in order; rank r owns the r-th of R equal parts of `slots`.
    public let units: [Unit]
    /// Places, the padding included: a multiple of the number of ranks.
    public let slots: Int

    /// The rank that owns a place.
    func rank(ofSlot slot: Int, ranks: Int) -> Int { slot / (slots / ranks) }

    /// The units of a rank; none where it has nothing but padding, and takes part in the exchange all the same.
    public func units(of rank: Int, ranks: Int) -> ArraySlice<Unit> {
      let size = slots / ranks
      return units[min(rank * size, units.count)..<min((rank + 1) * size, units.count)]
    }
  }

  /// An exchange between ranks.
  public enum Exchange: Equatable, Sendable {
    /// The mean of a replicated parameter's gradients, everywhere.
    case allReduce(parameter: String)
    /// The mean of a parameter's gradients, rows by rank; its new weights come back by an all-gather.
    case scatterRows(parameter: String)
    /// The same for a bucket.
    case scatterBucket(Int)
    /// The sums of squares of groups' gradients, for clipping; it needs the means, so it comes after the others.
    case allReduceSquares(groups: [String])
  }

  /// The rules.
  public let rules: ShardingRules
  /// Shares by parameter.
  public let shares: [String: Share]
  /// Buckets of whole matrices.
  public let buckets: [Bucket]
  /// The exchanges of gradients in the order in which they are launched, the smallest first; updates follow in the same order.
  public private(set) var exchanges: [Exchange]
  /// Groups whose norm is needed from all ranks.
  private let clipped: [String]
  private let optimizer: Optimizer

  /// Deals an optimizer's work out.
  ///
  /// - Throws: ``OptimizerError`` for a method that mixes the parameters of its group, rows that cannot be dealt out evenly, or sizes
  ///   of buckets that do not fit the units.
  public init(_ optimizer: Optimizer, _ rules: ShardingRules) throws(OptimizerError) {
    var shares: [String: Share] = [:]
    var whole: [Parameter] = []
    var sizes: [(exchange: Exchange, count: Int)] = []
    for group in optimizer.trained {
      for parameter in group.members {
        switch group.scope {
        case .group:
          throw OptimizerError(
            .ineligible, name: parameter.name,
            "group '\(group.name)' is updated as one thing by \(group.card?.name ?? "its method"), which cannot be dealt out "
              + "to \(rules.ranks) ranks; use one rank or another method")
        case .element where parameter.shape.count < rules.replicatedBelow:
          shares[parameter.name] = .replicated
          sizes.append((.allReduce(parameter: parameter.name), parameter.shape.count))
        case .element:
          shares[parameter.name] = .rows(try Self.rows(parameter, rules))
          sizes.append((.scatterRows(parameter: parameter.name), parameter.shape.count))
        case .parameter:
          whole.append(parameter)
        }
      }
    }
    buckets = try Self.buckets(Self.units(whole), rules)
    let counts = Dictionary(uniqueKeysWithValues: whole.map { ($0.name, $0.shape.count) })
    for (index, bucket) in buckets.enumerated() {
      for (slot, unit) in bucket.units.enumerated() {
        let rank = bucket.rank(ofSlot: slot, ranks: rules.ranks)
        for name in unit.parameters { shares[name] = .whole(bucket: index, rank: rank) }
      }
      let count = bucket.units.flatMap(\.parameters).reduce(0) { $0 + (counts[$1] ?? 0) }
      sizes.append((.scatterBucket(index), count))
    }
    self.rules = rules
    self.shares = shares
    self.optimizer = optimizer
    exchanges = sizes.enumerated()
      .sorted { ($0.element.count, $0.offset) < ($1.element.count, $1.offset) }
      .map(\.element.exchange)
    clipped = optimizer.trained.filter {
      rules.clipsAllGradients || $0.settings.gradientClip != nil
    }.map(\.name)
    if !clipped.isEmpty { exchanges.append(.allReduceSquares(groups: clipped)) }
  }

  /// Rows of each rank.
  private static func rows(
    _ parameter: Parameter, _ rules: ShardingRules
  ) throws(OptimizerError) -> [Range<Int>] {
    let rows = parameter.shape.rank > 1 ? parameter.shape.rows : parameter.shape.count
    if rows % rules.ranks != 0, rules.unevenRows == .refused {
      throw OptimizerError(
        .value, name: parameter.name,
        "'\(parameter.name)' \(parameter.shape) has \(rows) rows, which \(rules.ranks) ranks cannot share evenly; choose a "
          + "number of ranks that divides them, or let them be padded")
    }
    let size = (rows + rules.ranks - 1) / rules.ranks
    return (0..<rules.ranks).map { min($0 * size, rows)..<min(($0 + 1) * size, rows) }
  }

  // MARK: - Whole matrices

  /// The order of kinds; others follow in the order of the parameters.
  private static let kinds = ["gate", "attention", "mlp"]

  private static func label(_ role: ParameterRole) -> String {
    switch role {
    case .gate: "gate"
    case .attentionQuery, .attentionKey, .attentionValue, .attentionOutput: "attention"
    case .mlpIn, .mlpGate, .mlpOut: "mlp"
    default: role.key
    }
  }

  /// Units by kind, and inside a kind in the order of the parameters.
  private static func units(_ parameters: [Parameter]) -> [Unit] {
    var order: [String] = []
    var labels: [String: String] = [:]
    var members: [String: [String]] = [:]
    for parameter in parameters {
      let label = label(parameter.role)
      let isJoint = label == "attention" && parameter.layer != nil
      let key = isJoint ? "attention of layer \(parameter.layer ?? 0)" : parameter.name
      if members[key] == nil { order.append(key) }
      labels[key] = label
      members[key, default: []].append(parameter.name)
    }
    let units = order.map { Unit(label: labels[$0] ?? "", parameters: members[$0] ?? []) }
    let known = kinds.flatMap { kind in units.filter { $0.label == kind } }
    return known + units.filter { !kinds.contains($0.label) }
  }

  private static func buckets(
    _ units: [Unit], _ rules: ShardingRules
  ) throws(OptimizerError) -> [Bucket] {
    func bucket(_ units: [Unit]) -> Bucket {
      Bucket(units: units, slots: (units.count + rules.ranks - 1) / rules.ranks * rules.ranks)
    }
    guard let sizes = rules.bucketSizes else {
      var labels: [String] = []
      for unit in units where !labels.contains(unit.label) { labels.append(unit.label) }
      return labels.map { label in bucket(units.filter { $0.label == label }) }
    }
    guard sizes.reduce(0, +) == units.count, sizes.allSatisfy({ $0 >= 1 }) else {
      throw OptimizerError(
        .value, name: "buckets",
        "buckets of \(sizes.map(String.init).joined(separator: ", ")) units do not fit \(units.count) units; let their sizes add up"
      )
    }
    var start = 0
    return sizes.map { size in
      defer { start += size }
      return bucket(Array(units[start..<start + size]))
    }
  }

  // MARK: - One rank

  /// What one rank updates: the same groups, with the parameters that it owns, cut to the rows that it owns.
  ///
  /// Its equations are the methods' own. Where gradients are clipped, it takes their norms from ``StepConditions/gradientNorms``.
  public func optimizer(of rank: Int) -> Optimizer {
    precondition((0..<rules.ranks).contains(rank), "rank \(rank) of \(rules.ranks)")
    var result = Optimizer(
      groups: optimizer.groups.map { group in
        var group = group
        group.members = group.members.compactMap { owned($0, by: rank) }
        return group
      })
    result.productType = optimizer.productType
    result.givenNorms = Set(clipped)
    return result
  }

  /// What a rank puts into the sum of squares of a group's gradients; the root of all ranks' sum is the group's norm.
  ///
  /// - Parameters:
  ///   - group: the group's name.
  ///   - rank: whose part; of what every rank updates, the first counts.
  ///   - gradient: the mean gradients of what the rank owns.
  /// - Returns: the rank's part, exact.
  public func squares(
    of group: String, rank: Int, gradient: (Parameter) -> [Float]
  ) -> ExactSquares {
    var sum = ExactSquares()
    for parameter in optimizer.trained.first(where: { $0.name == group })?.members ?? []
    where rank == 0 || shares[parameter.name] != .replicated {
      if let owned = owned(parameter, by: rank) { sum.add(gradient(owned)) }
    }
    return sum
  }

  private func owned(_ parameter: Parameter, by rank: Int) -> Parameter? {
    switch shares[parameter.name] {
    case .replicated: return parameter
    case .rows(let ranges):
      let count = ranges[rank].count
      if count == 0 { return nil }
      let shape =
        parameter.shape.rank > 1
        ? Shape([count] + parameter.shape.dimensions.dropFirst()) : Shape([count])
      return Parameter(
        name: parameter.name, role: parameter.role, layer: parameter.layer, shape: shape,
        initialization: parameter.initialization)
    case .whole(_, let owner): return owner == rank ? parameter : nil
    case nil: return nil
    }
  }
}

extension ParameterGroup {
  /// What an update of one number depends on, the rule's masks included.
  public var scope: OptimizerCard.Scope {
    guard let card else { return .element }
    // The mean of a mask is taken over the parameter.
    return card.scope == .element && settings.caution == .rescaled ? .parameter : card.scope
  }
}
