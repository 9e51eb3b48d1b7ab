// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A program's live nodes as groups in an order in which they can run: single operations, and elementwise regions that
/// run as one pass over memory.
public struct ExecutionSchedule {
  /// Nodes that run together.
  public struct Group {
    /// Indices of nodes, in order.
    public fileprivate(set) var nodes: [Int]
    /// Elementwise functions, casts and broadcasts over one iteration space, and the reductions that end them.
    public let isRegion: Bool
    /// When it runs.
    public let stage: Stage
  }

  /// The groups, in order; all of the compute stage first.
  public let groups: [Group]

  /// Fuses and orders a program's live nodes.
  ///
  /// Leaves, constants and reshapes need no work and are left out.
  ///
  /// Two groups join when their iteration spaces and stages agree and no third group would have to run between them.
  public init(_ program: Program, maximumInputs: Int = 24) {
    var fusion = Fusion(program, maximumInputs: maximumInputs)
    fusion.run()
    fusion.sink()
    groups = fusion.ordered()
  }
}

private struct Fusion {
  let graph: Graph
  let live: [Bool]
  let compute: [Bool]
  let maximumInputs: Int
  /// Nodes whose results are outputs or assigned.
  let kept: Set<Int>
  var groups: [ExecutionSchedule.Group?] = []
  /// Group of each node; -1 for leaves and constants.
  ///
  /// Reshapes belong to their operand's group.
  var groupOf: [Int]
  /// Groups that must run before, directly or not.
  var before: [Set<Int>] = []
  var spaces: [Shape?] = []
  var externalInputs: [Set<Graph.Value>] = []

  init(_ program: Program, maximumInputs: Int) {
    graph = program.graph
    live = program.liveNodes()
    compute = program.computeNodes()
    self.maximumInputs = maximumInputs
    kept = Set(
      program.outputs.map(\.tensor.value.node) + program.assignments.map(\.value.value.node))
    groupOf = [Int](repeating: -1, count: graph.nodes.count)
  }

  mutating func run() {
    for index in graph.nodes.indices where live[index] {
      let node = graph.nodes[index]
      switch node.operation {
      case is Leaf, is Constant: continue
      case is Reshape:
        groupOf[index] = groupOf[node.inputs[0].node]
        continue
      default: break
      }
      let space = Self.space(of: node, in: graph)
      groups.append(
        ExecutionSchedule.Group(
          nodes: [index], isRegion: space != nil, stage: compute[index] ? .compute : .commit))
      let group = groups.count - 1
      groupOf[index] = group
      spaces.append(space)
      var direct: Set<Int> = []
      for input in node.inputs where groupOf[input.node] >= 0 {
        direct.insert(groupOf[input.node])
      }
      before.append(direct.reduce(into: direct) { $0.formUnion(before[$1]) })
      externalInputs.append(
        Set(node.inputs.filter { !(graph.nodes[$0.node].operation is Constant) }))
      if space != nil { join(index, group) }
    }
  }

  /// The iteration space of a node that can live in a region.
  static func space(of node: Graph.Node, in graph: Graph) -> Shape? {
    switch node.operation {
    case is Elementwise, is Cast, is Broadcast:
      let shape = node.results[0].shape
      return [shape.rows, shape.columns]
    case let reduce as Reduce where reduce.kind == .maximum && reduce.axes == .rows:
      // Partial maxima would need a pass of their own for no known use: it runs by itself.
      return nil
    case is Reduce:
      let shape = graph.type(of: node.inputs[0]).shape
      return [shape.rows, shape.columns]
    default: return nil
    }
  }

  /// Joins a new node's group with the regions of its operands, and those that read the same operands' siblings.
  mutating func join(_ index: Int, _ group: Int) {
    var group = group
    for input in graph.nodes[index].inputs {
      let producer = graph.nodes[input.node]
      // A reduction ends its region and a reshape changes the space: both are read from memory.
      if producer.operation is Reduce || producer.operation is Reshape { continue }
      let other = groupOf[input.node]
      guard other >= 0, other != group, canJoin(group, other) else { continue }
      group = merge(other, group)
    }
  }

  func canJoin(_ a: Int, _ b: Int) -> Bool {
    guard let first = groups[a], let second = groups[b], spaces[a] != nil, spaces[a] == spaces[b],
      first.stage == second.stage
    else { return false }
    // A value of one that the other reads through a reduction cannot be read in the same pass.
    if readsReduction(a, of: b) || readsReduction(b, of: a) { return false }
    if runsBetween(a, b) || runsBetween(b, a) { return false }
    let members = Set(first.nodes + second.nodes)
    let inputs = externalInputs[a].union(externalInputs[b]).filter { !members.contains($0.node) }
    return inputs.count <= maximumInputs
  }

  func readsReduction(_ reader: Int, of producer: Int) -> Bool {
    guard let nodes = groups[reader]?.nodes else { return false }
    return nodes.contains { index in
      graph.nodes[index].inputs.contains { input in
        let origin = base(input.node)
        return groupOf[origin] == producer
          && (graph.nodes[origin].operation is Reduce || origin != input.node)
      }
    }
  }

  func base(_ node: Int) -> Int {
    var node = node
    while graph.nodes[node].operation is Reshape { node = graph.nodes[node].inputs[0].node }
    return node
  }

  /// Whether some third group must run after `a` and before `b`.
  func runsBetween(_ a: Int, _ b: Int) -> Bool {
    guard before[b].contains(a), let nodes = groups[b]?.nodes else { return false }
    for index in nodes {
      for input in graph.nodes[index].inputs {
        let other = groupOf[input.node]
        if other >= 0, other != a, other != b, before[other].contains(a) { return true }
      }
    }
    return false
  }

  mutating func merge(_ a: Int, _ b: Int) -> Int {
    guard let first = groups[a], let second = groups[b] else { return b }
    var joined = first
    joined.nodes = (first.nodes + second.nodes).sorted()
    groups[a] = joined
    groups[b] = nil
    for node in second.nodes { groupOf[node] = a }
    for index in graph.nodes.indices where groupOf[index] == b { groupOf[index] = a }
    before[a].formUnion(before[b])
    before[a].remove(a)
    before[a].remove(b)
    externalInputs[a].formUnion(externalInputs[b])
    for other in groups.indices where groups[other] != nil && other != a {
      if before[other].contains(b) || before[other].contains(a) {
        before[other].remove(b)
        before[other].insert(a)
        before[other].formUnion(before[a])
      }
    }
    return a
  }

  /// Moves functions that only one later region reads into that region, where what they are computed from is stored anyway:
  /// it is computed there instead of being written and read.
  mutating func sink() {
    var readers: [Int: Set<Int>] = [:]
    for index in graph.nodes.indices where live[index] && groupOf[index] >= 0 {
      for input in graph.nodes[index].inputs { readers[input.node, default: []].insert(index) }
    }
    for index in graph.nodes.indices.reversed() where live[index] && !kept.contains(index) {
      let node = graph.nodes[index]
      let source = groupOf[index]
      guard node.operation is Elementwise, let nodes = readers[index],
        !nodes.contains(where: { graph.nodes[$0].operation is Reshape }),
        case let targets = Set(nodes.map { groupOf[$0] }), targets.count == 1,
        let target = targets.first, target != source, spaces[target] != nil,
        spaces[target] == spaces[source], groups[target]?.stage == groups[source]?.stage,
        node.inputs.allSatisfy({ isStored($0, readers) }),
        externalInputs[target].union(node.inputs).count <= maximumInputs
      else { continue }
      groups[source]?.nodes.removeAll { $0 == index }
      if groups[source]?.nodes.isEmpty == true { groups[source] = nil }
      let joined = (groups[target]?.nodes ?? []) + [index]
      groups[target]?.nodes = joined.sorted()
      groupOf[index] = target
      externalInputs[target].formUnion(node.inputs)
    }
  }

  /// Whether a value is in memory whatever reads it next: a leaf, a number, a reduction, or read outside its group.
  func isStored(_ value: Graph.Value, _ readers: [Int: Set<Int>]) -> Bool {
    let node = value.node
    let operation = graph.nodes[node].operation
    if operation is Leaf || operation is Constant || operation is Reduce { return true }
    if graph.type(of: value).shape.count == 1 || kept.contains(node) { return true }
    return readers[node]?.contains { groupOf[$0] != groupOf[node] } ?? false
  }

  /// Groups in an order that respects dependencies, as late as their last node.
  func ordered() -> [ExecutionSchedule.Group] {
    var waiting: [Int: Int] = [:]
    var readers: [Int: [Int]] = [:]
    for (index, group) in groups.enumerated() {
      guard let group else { continue }
      var direct: Set<Int> = []
      for node in group.nodes {
        for input in graph.nodes[node].inputs {
          let other = groupOf[input.node]
          if other >= 0, other != index { direct.insert(other) }
        }
      }
      waiting[index] = direct.count
      for other in direct { readers[other, default: []].append(index) }
    }
    func key(_ index: Int) -> (Int, Int) {
      guard let group = groups[index] else { return (0, 0) }
      return (group.stage == .compute ? 0 : 1, group.nodes.last ?? 0)
    }
    var ready = waiting.filter { $0.value == 0 }.map(\.key)
    var result: [ExecutionSchedule.Group] = []
    while let next = ready.min(by: { key($0) < key($1) }), let group = groups[next] {
      ready.removeAll { $0 == next }
      result.append(group)
      for reader in readers[next] ?? [] {
        waiting[reader, default: 0] -= 1
        if waiting[reader] == 0 { ready.append(reader) }
      }
    }
    precondition(
      result.count == waiting.count, "fusion made a cycle: \(result.count) of \(waiting.count) ran")
    return result
  }
}
