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
  /// Edges between groups that were looked at to find the order: a measure of the work, the same at every run.
  let orderVisits: Int

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
    orderVisits = fusion.order.visits
  }
}

private struct Fusion {
  let graph: Graph
  let nodes: [Graph.Node]
  let live: [Bool]
  let compute: [Bool]
  let maximumInputs: Int
  /// Nodes whose results are outputs, assigned, or the condition.
  let kept: Set<Int>
  var groups: [ExecutionSchedule.Group?] = []
  /// The node behind reshapes, of each node.
  let bases: [Int]
  /// Group of each node that is no reshape; -1 for leaves and constants.
  var groupOf: [Int]
  var order = GroupOrder()
  var spaces: [Shape?] = []
  var externalInputs: [Set<Graph.Value>] = []

  init(_ program: Program, maximumInputs: Int) {
    graph = program.graph
    nodes = graph.nodes
    live = program.liveNodes()
    compute = program.computeNodes()
    self.maximumInputs = maximumInputs
    kept = Set(
      program.computed.map(\.value.node) + program.assignments.map(\.value.value.node))
    groupOf = [Int](repeating: -1, count: nodes.count)
    var bases = Array(nodes.indices)
    for (index, node) in nodes.enumerated() where node.operation is Reshape {
      bases[index] = bases[node.inputs[0].node]
    }
    self.bases = bases
  }

  mutating func run() {
    for (index, node) in nodes.enumerated() where live[index] {
      if node.operation is Leaf || node.operation is Constant || node.operation is Reshape {
        continue
      }
      let space = Self.space(of: node, in: graph)
      groups.append(
        ExecutionSchedule.Group(
          nodes: [index], isRegion: space != nil, stage: compute[index] ? .compute : .commit))
      let group = groups.count - 1
      groupOf[index] = group
      spaces.append(space)
      order.add(reading: Set(node.inputs.map { self.group(of: $0.node) }.filter { $0 >= 0 }))
      externalInputs.append(Set(node.inputs.filter { !(nodes[$0.node].operation is Constant) }))
      if space != nil { join(index, group) }
    }
  }

  /// The group of a node; a reshape belongs to its operand's.
  func group(of node: Int) -> Int { groupOf[bases[node]] }

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
    for input in nodes[index].inputs {
      let producer = nodes[input.node]
      // A reduction ends its region and a reshape changes the space: both are read from memory.
      if producer.operation is Reduce || producer.operation is Reshape { continue }
      let other = groupOf[input.node]
      guard other >= 0, other != group, canJoin(group, other) else { continue }
      merge(other, group)
      group = other
    }
  }

  mutating func canJoin(_ a: Int, _ b: Int) -> Bool {
    guard let first = groups[a], let second = groups[b], spaces[a] != nil, spaces[a] == spaces[b],
      first.stage == second.stage
    else { return false }
    // A value of one that the other reads through a reduction cannot be read in the same pass.
    if readsReduction(first, of: b) || readsReduction(second, of: a) { return false }
    return inputCount(a, b) <= maximumInputs && !order.hasGroupBetween(a, b)
  }

  func readsReduction(_ reader: ExecutionSchedule.Group, of producer: Int) -> Bool {
    reader.nodes.contains { index in
      nodes[index].inputs.contains { input in
        let base = bases[input.node]
        return groupOf[base] == producer
          && (base != input.node || nodes[base].operation is Reduce)
      }
    }
  }

  /// Values that two groups read and do not make themselves.
  func inputCount(_ a: Int, _ b: Int) -> Int {
    externalInputs[a].union(externalInputs[b]).count { input in
      let isReshaped = bases[input.node] != input.node
      return isReshaped || (groupOf[input.node] != a && groupOf[input.node] != b)
    }
  }

  /// Joins the second group to the first.
  mutating func merge(_ a: Int, _ b: Int) {
    guard let added = groups[b]?.nodes else { return }
    groups[a]?.nodes.append(contentsOf: added)
    groups[a]?.nodes.sort()
    groups[b] = nil
    for node in added { groupOf[node] = a }
    order.join(a, b)
    externalInputs[a].formUnion(externalInputs[b])
  }

  /// Moves functions that only one later region reads into that region, where what they are computed from is stored anyway:
  /// it is computed there instead of being written and read.
  mutating func sink() {
    var allReaders: [Int: Set<Int>] = [:]
    for index in nodes.indices where live[index] && group(of: index) >= 0 {
      for input in nodes[index].inputs { allReaders[input.node, default: []].insert(index) }
    }
    for (index, node) in nodes.enumerated().reversed() where live[index] && !kept.contains(index) {
      let source = groupOf[index]
      guard node.operation is Elementwise, let readers = allReaders[index],
        !readers.contains(where: { nodes[$0].operation is Reshape }),
        case let targets = Set(readers.map { groupOf[$0] }), targets.count == 1,
        let target = targets.first, target != source, spaces[target] != nil,
        spaces[target] == spaces[source], groups[target]?.stage == groups[source]?.stage,
        node.inputs.allSatisfy({ isStored($0, allReaders) }),
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
    let operation = nodes[node].operation
    if operation is Leaf || operation is Constant || operation is Reduce { return true }
    if graph.type(of: value).shape.count == 1 || kept.contains(node) { return true }
    return readers[node]?.contains { group(of: $0) != group(of: node) } ?? false
  }

  /// Groups in an order that respects dependencies, as late as their last node.
  func ordered() -> [ExecutionSchedule.Group] {
    let sorted = groups.indices.filter { groups[$0] != nil }.sorted { key($0) < key($1) }
    var place = [Int](repeating: -1, count: groups.count)
    for (position, index) in sorted.enumerated() { place[index] = position }
    var waiting = [Int](repeating: 0, count: sorted.count)
    var readers = [[Int]](repeating: [], count: sorted.count)
    for (position, index) in sorted.enumerated() {
      var direct: Set<Int> = []
      for node in groups[index]?.nodes ?? [] {
        for input in nodes[node].inputs {
          let other = group(of: input.node)
          if other >= 0, other != index { direct.insert(place[other]) }
        }
      }
      waiting[position] = direct.count
      for other in direct { readers[other].append(position) }
    }
    // Places of the groups that could run now, the next one last.
    var ready = Array(sorted.indices.filter { waiting[$0] == 0 }.reversed())
    var result: [ExecutionSchedule.Group] = []
    while let next = ready.popLast() {
      if let group = groups[sorted[next]] { result.append(group) }
      for reader in readers[next] {
        waiting[reader] -= 1
        if waiting[reader] == 0 { Self.insert(reader, &ready) }
      }
    }
    precondition(
      result.count == sorted.count, "fusion made a cycle: \(result.count) of \(sorted.count) ran")
    return result
  }

  /// What groups are sorted by: stage, then last node.
  private func key(_ index: Int) -> (Int, Int) {
    guard let group = groups[index] else { return (0, 0) }
    return (group.stage == .compute ? 0 : 1, group.nodes.last ?? 0)
  }

  /// Inserts a number into numbers that fall.
  private static func insert(_ number: Int, _ falling: inout [Int]) {
    var (low, high) = (0, falling.count)
    while low < high {
      let middle = (low + high) / 2
      if falling[middle] > number { low = middle + 1 } else { high = middle }
    }
    falling.insert(number, at: low)
  }
}
