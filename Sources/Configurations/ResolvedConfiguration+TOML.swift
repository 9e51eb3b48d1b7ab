// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

extension ResolvedConfiguration {
  /// The configuration as TOML, with the origin of each value in a comment.
  ///
  /// Reading the text again gives the same values, and so the same ``contentHash(excluding:)``.
  public var tomlText: String {
    let root = Node()
    for entry in entries { root.insert(entry, at: components(of: entry.key)[...]) }
    var lines: [String] = []
    root.write(to: &lines, path: "")
    return lines.joined(separator: "\n") + "\n"
  }

  /// A section while the text is put together.
  private final class Node {
    var entries: [(name: String, entry: Entry)] = []
    var children: [(name: String, node: Node)] = []
    var lists: [(name: String, nodes: [Node])] = []

    func insert(_ entry: Entry, at parts: ArraySlice<String>) {
      guard let first = parts.first, parts.count > 1 else {
        entries.append((parts.joined(), entry))
        return
      }
      child(first).insert(entry, at: parts.dropFirst())
    }

    private func child(_ component: String) -> Node {
      let (name, index) = indexed(component)
      if let index {
        if !lists.contains(where: { $0.name == name }) { lists.append((name, [])) }
        for position in lists.indices where lists[position].name == name {
          while lists[position].nodes.count <= index { lists[position].nodes.append(Node()) }
          return lists[position].nodes[index]
        }
      }
      if let known = children.first(where: { $0.name == component }) { return known.node }
      let node = Node()
      children.append((component, node))
      return node
    }

    /// Writes values before sections, as TOML demands.
    func write(to lines: inout [String], path: String) {
      let texts = entries.map { name, entry in
        entry.value.map { "\(name) = \($0)" } ?? "# \(name) is absent"
      }
      let width = min(48, texts.map(\.count).max() ?? 0)
      for (text, item) in zip(texts, entries) {
        let padding = String(repeating: " ", count: max(0, width - text.count))
        let origin = item.entry.origin.description.filter { !$0.isNewline }
        lines.append("\(text)\(padding)  # \(origin)")
      }
      for (name, node) in children {
        if !node.entries.isEmpty {
          if !lines.isEmpty { lines.append("") }
          lines.append("[\(joined(path, name))]")
        }
        node.write(to: &lines, path: joined(path, name))
      }
      for (name, nodes) in lists {
        for node in nodes {
          if !lines.isEmpty { lines.append("") }
          lines.append("[[\(joined(path, name))]]")
          node.write(to: &lines, path: joined(path, name))
        }
      }
    }
  }
}
