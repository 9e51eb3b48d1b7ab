// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Which groups must run before which, while groups are added and joined.
///
/// A graph has no loops, so every group can have a rank above the ranks of all that it reads. Whether there is a way from one
/// group to another is searched for between their ranks alone, and lowest first: what is read from far back tells soonest.
/// Memory grows with the edges, and so, in practice, does the time of all searches together: those of a model's layers find
/// their way within a few groups.
struct GroupOrder {
  /// Of each group, those whose results it reads itself.
  private var reads: [Set<Int>] = []
  /// Of each group, those that read its results themselves.
  private var readers: [Set<Int>] = []
  private var ranks: [Int] = []
  /// The last search that came by each group.
  private var lastVisit: [Int] = []
  private var searches = 0
  /// Edges looked at so far.
  private(set) var visits = 0

  /// Adds a group that nothing reads yet; the next number is its name.
  mutating func add(reading others: Set<Int>) {
    for other in others { readers[other].insert(reads.count) }
    reads.append(others)
    readers.append([])
    ranks.append(rank(above: others))
    lastVisit.append(0)
  }

  /// Whether some third group must run after one of two groups and before the other.
  mutating func hasGroupBetween(_ a: Int, _ b: Int) -> Bool {
    let (first, last) = ranks[a] < ranks[b] ? (a, b) : (b, a)
    guard readers[first].contains(where: { ranks[$0] < ranks[last] }) else { return false }
    searches += 1
    var open: [Int] = []
    push(reads[last], after: first, &open)
    while let group = open.popLast() {
      if reads[group].contains(first) { return true }
      push(reads[group], after: first, &open)
    }
    return false
  }

  /// Puts the groups of a higher rank that were not seen yet on the stack, the lowest on top.
  private mutating func push(_ groups: Set<Int>, after first: Int, _ open: inout [Int]) {
    visits += groups.count
    let begin = open.count
    for group in groups where ranks[group] > ranks[first] && lastVisit[group] != searches {
      lastVisit[group] = searches
      open.append(group)
    }
    open[begin...].sort { (ranks[$1], $1) < (ranks[$0], $0) }
  }

  /// Joins the second group to the first; there must be no group between them.
  mutating func join(_ a: Int, _ b: Int) {
    for other in readers[b] {
      reads[other].remove(b)
      reads[other].insert(a)
    }
    for other in reads[b] {
      readers[other].remove(b)
      readers[other].insert(a)
    }
    visits += reads[b].count + readers[b].count
    reads[a].formUnion(reads[b])
    readers[a].formUnion(readers[b])
    for group in [a, b] {
      reads[a].remove(group)
      readers[a].remove(group)
    }
    (reads[b], readers[b]) = ([], [])
    let before = min(ranks[a], ranks[b])
    ranks[a] = rank(above: reads[a])
    if ranks[a] > before { raiseReaders(of: a) }
  }

  /// Lifts all that read a group, directly or not, above it.
  private mutating func raiseReaders(of group: Int) {
    var raised = [group]
    var next = 0
    while next < raised.count {
      let group = raised[next]
      visits += readers[group].count
      for reader in readers[group] where ranks[reader] <= ranks[group] {
        ranks[reader] = ranks[group] + 1
        raised.append(reader)
      }
      next += 1
    }
  }

  private func rank(above groups: Set<Int>) -> Int { groups.reduce(0) { max($0, ranks[$1] + 1) } }
}
