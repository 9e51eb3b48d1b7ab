// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// The candidate that a name was most likely meant to be.
///
/// Letter case, `-` and `_` are ignored. The distance is the number of insertions, deletions,
/// substitutions and transpositions of neighbours; it may be at most a third of the longer name (and
/// at least 1 is always allowed), beyond that a guess would mislead.
///
/// - Parameters:
///   - name: what somebody wrote.
///   - candidates: what would be valid; of equally near ones the first wins.
/// - Returns: the nearest candidate, or `nil` when none is near.
public func nearest(to name: String, among candidates: some Sequence<String>) -> String? {
  let wanted = normalised(name)
  var best: (candidate: String, distance: Int)?
  for candidate in candidates {
    let other = normalised(candidate)
    let limit = max(1, max(wanted.count, other.count) / 3)
    let distance = editDistance(wanted, other)
    if distance <= limit, distance < max(wanted.count, other.count),
      best.map({ distance < $0.distance }) ?? true
    {
      best = (candidate, distance)
    }
  }
  return best?.candidate
}

private func normalised(_ name: String) -> [Character] {
  name.lowercased().filter { $0 != "-" && $0 != "_" }
}

/// The optimal string alignment distance.
func editDistance(_ a: [Character], _ b: [Character]) -> Int {
  if a.isEmpty || b.isEmpty { return max(a.count, b.count) }
  var beforePrevious = [Int](repeating: 0, count: b.count + 1)
  var previous = Array(0...b.count)
  var current = previous
  for i in 1...a.count {
    current[0] = i
    for j in 1...b.count {
      let cost = a[i - 1] == b[j - 1] ? 0 : 1
      var value = min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + cost)
      if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
        value = min(value, beforePrevious[j - 2] + 1)
      }
      current[j] = value
    }
    (beforePrevious, previous, current) = (previous, current, beforePrevious)
  }
  return previous[b.count]
}

/// ` Did you mean 'x'?`, or nothing.
func suggestion(_ candidate: String?) -> String {
  candidate.map { " Did you mean '\($0)'?" } ?? ""
}
