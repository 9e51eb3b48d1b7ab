// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A part of a text that is a configuration of its own: TOML for somebody else to read.
public struct ConfigurationLayer: Equatable, Sendable {
  /// A key and what it is set to.
  public struct Entry: Equatable, Sendable {
    /// The dotted path.
    public let key: String
    /// The value as TOML.
    public let value: String
  }

  /// TOML in which every key stands on the line that it has in the original text, so that messages about it name the right one.
  public let text: String
  /// Its keys in the order of the text.
  public let entries: [Entry]

  /// The value of a key as TOML; nil when the layer does not set it.
  public subscript(key: String) -> String? { entries.first { $0.key == key }?.value }
}

extension ConfigurationSource {
  /// What the source says below a section, as a text of its own.
  ///
  /// - Parameters:
  ///   - section: a section, or a table of an array; empty: everything.
  ///   - isWanted: whether a key is taken, by its path below the section.
  /// - Returns: the keys as TOML; arrays of tables become arrays of inline tables.
  public func layer(
    _ section: String = "", where isWanted: (String) -> Bool = { _ in true }
  ) -> ConfigurationLayer {
    let prefix = section.isEmpty ? "" : section + "."
    var nodes: [(path: String, line: Int?, value: ConfigurationValue?)] = []
    for (key, setting) in settings where key.hasPrefix(prefix) {
      let path = String(key.dropFirst(prefix.count))
      if isWanted(path) { nodes.append((path, setting.line, setting.value)) }
    }
    // A table without keys still counts as one of its array.
    for (key, array) in sections where key.hasPrefix(prefix) {
      let path = String(key.dropFirst(prefix.count))
      for index in 0..<(array.count ?? 0) where isWanted(path) {
        let table = "\(path)[\(index)]"
        if !nodes.contains(where: { $0.path.hasPrefix(table + ".") }) {
          nodes.append((table, array.line, nil))
        }
      }
    }
    let order = nodes.sorted { ($0.line ?? 0, $0.path) < ($1.line ?? 0, $1.path) }
    let entries = order.compactMap { node in
      node.value.map { ConfigurationLayer.Entry(key: node.path, value: $0.description) }
    }
    return ConfigurationLayer(
      text: TOMLLines(order.map { TOMLLines.Node(components(of: $0.path)[...], $0.line, $0.value) })
        .text, entries: entries)
  }

  /// The names of the sections directly below a section, sorted.
  public func sectionNames(in section: String) -> [String] {
    let depth = section.isEmpty ? 0 : components(of: section).count
    let prefix = section.isEmpty ? "" : section + "."
    let names = (Array(settings.keys) + Array(sections.keys)).filter { $0.hasPrefix(prefix) }
      .map { components(of: $0) }.filter { $0.count > depth + 1 }.map { $0[depth] }
    let empty = sections.keys.filter { $0.hasPrefix(prefix) }.map { components(of: $0) }
      .filter { $0.count == depth + 1 }.map { $0[depth] }
    return Set(names + empty).sorted()
  }

  /// Whether the source sets a key, or has a section, of this path.
  public func has(_ path: String) -> Bool { settings[path] != nil || sections[path] != nil }

  /// The value of a key as TOML.
  public func value(of key: String) -> ConfigurationValue? { settings[key]?.value }

}

extension ConfigurationReading {
  /// What is said below this section by names that the caller does not know, as a text for somebody else to read.
  ///
  /// The names are left out of the search for unknown keys: whoever reads the layer complains about them.
  ///
  /// - Parameter known: names that the caller reads itself.
  /// - Returns: everything else.
  public func layer(except known: [String]) -> ConfigurationLayer {
    for name in givenNames where !known.contains(name) { ignore(name) }
    return reader.source.layer(path) { key in
      !known.contains(indexed(components(of: key)[0]).name)
    }
  }

  /// A value of any kind, for keys that take several; nil when it is not given or a section.
  ///
  /// What it may be is the caller's to say: nothing is declared, and no problem is found.
  public func anyValue(_ name: String) -> ConfigurationValue? {
    ignore(name)
    return reader.source.settings[joined(path, name)]?.value
  }

  /// Whether a section, and not a value, is given.
  public func isSection(_ name: String) -> Bool {
    reader.source.sections[joined(path, name)] != nil
  }

  /// The names of the sections directly below one of this section's, in the order of the text.
  public func sectionsInOrder(of name: String) -> [String] {
    let full = joined(path, name)
    return section(name).givenSections.sorted { first, second in
      let lines = [first, second].map { reader.source.sections[joined(full, $0)]?.line ?? 0 }
      return (lines[0], first) < (lines[1], second)
    }
  }

  /// Where a key or a section of this section stands, for messages: `study.toml:12`.
  public func whereabouts(of name: String) -> String {
    let key = joined(path, name)
    return reader.source.settings[key]?.place ?? reader.source.sections[key]?.place
      ?? reader.source.sections[path]?.place ?? key
  }
}

extension ConfigurationReading {
  /// The line on which a key or a section of this section stands; nil for what is not given in a text.
  public func line(of name: String) -> Int? {
    let key = joined(path, name)
    return reader.source.settings[key]?.line ?? reader.source.sections[key]?.line
  }

  /// The line of this section; of a table of an array that of its first key.
  public var line: Int? {
    if let line = reader.source.sections[path]?.line { return line }
    return reader.source.settings.filter { $0.key.hasPrefix(path + ".") }.compactMap(\.value.line)
      .min()
  }
}

/// Keys written as TOML, each on a line of its own choice.
private struct TOMLLines {
  struct Node {
    var path: ArraySlice<String>
    var line: Int?
    /// Nil for a table of an array that may have no keys.
    var value: ConfigurationValue?

    init(_ path: ArraySlice<String>, _ line: Int?, _ value: ConfigurationValue?) {
      self.path = path
      self.line = line
      self.value = value
    }
  }

  private(set) var text = ""
  private var line = 1

  init(_ nodes: [Node]) {
    var done: Set<String> = []
    for node in nodes {
      guard let (path, _) = Self.array(in: node) else {
        if let value = node.value {
          write("\(node.path.joined(separator: ".")) = \(value)\n", at: node.line)
        }
        continue
      }
      guard done.insert(path).inserted else { continue }
      let tables = Self.tables(nodes, path)
      write("\(path) = [\n", at: tables.first.flatMap(\.line))
      for table in tables { write(Self.inline(table.nodes) + ",\n", at: table.line) }
      write("]\n", at: nil)
    }
  }

  private mutating func write(_ statement: String, at wanted: Int?) {
    if let wanted, wanted > line {
      text += String(repeating: "\n", count: wanted - line)
      line = wanted
    }
    text += statement
    line += statement.count { $0 == "\n" }
  }

  /// The path of the first array of tables that a key lies in, and the number of the table.
  private static func array(in node: Node) -> (path: String, index: Int)? {
    for place in node.path.indices {
      let (name, index) = indexed(node.path[place])
      guard let index else { continue }
      let above = node.path[node.path.startIndex..<place]
      return ((above + [name]).joined(separator: "."), index)
    }
    return nil
  }

  /// The tables of an array, with their keys relative to them.
  private static func tables(_ nodes: [Node], _ path: String) -> [(line: Int?, nodes: [Node])] {
    let depth = components(of: path).count
    var tables: [Int: (line: Int?, nodes: [Node])] = [:]
    for node in nodes {
      guard let (other, index) = array(in: node), other == path else { continue }
      var table = tables[index] ?? (node.line, [])
      table.line = [table.line, node.line].compactMap { $0 }.min()
      var inner = node
      inner.path = node.path.dropFirst(depth)
      if !inner.path.isEmpty { table.nodes.append(inner) }
      tables[index] = table
    }
    return tables.sorted { $0.key < $1.key }.map(\.value)
  }

  /// `{ a = 1, b.c = 2 }`; inline tables are on one line.
  private static func inline(_ nodes: [Node]) -> String {
    var parts: [String] = []
    var done: Set<String> = []
    for node in nodes {
      if let (path, _) = array(in: node) {
        guard done.insert(path).inserted else { continue }
        let tables = tables(nodes, path).map { inline($0.nodes) }
        parts.append("\(path) = [\(tables.joined(separator: ", "))]")
      } else if let value = node.value {
        parts.append("\(node.path.joined(separator: ".")) = \(value)")
      }
    }
    return parts.isEmpty ? "{}" : "{ \(parts.joined(separator: ", ")) }"
  }
}
