// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Reads a configuration source against a schema that the reading itself declares.
///
/// Each access names a key, its kind, default and range, and returns a value that is always of that kind
/// and inside that range. What is wrong in the source is collected, and ``finish()`` reports all of it
/// at once, together with keys that nobody asked for:
///
///     let reader = ConfigurationReader(source)
///     let model = reader.section("model")
///     let width = model.integer("width", default: 256, in: 1...65536, doc: "channels")
///     let heads = model.integer("headCount", default: 4, in: 1...1024)
///     if width % heads != 0 {
///       model.contradiction("width", "headCount", message: "the width must be divisible by the heads")
///     }
///     let resolved = try reader.finish()
///
/// Nothing may be done with the values before ``finish()`` has returned: where the source is wrong they
/// are defaults or other accepted values.
public final class ConfigurationReader: ConfigurationReading {
  let source: ConfigurationSource

  /// The keys asked for so far, in order, without repetition: the schema.
  public private(set) var schema: [ConfigurationKey] = []

  private var names: [String: ConfigurationKind] = [:]
  private var knownSections: Set<String> = []
  private var knownLists: Set<String> = []
  private var refusedSections: Set<String> = []
  private var entries: [ResolvedConfiguration.Entry] = []
  private var problems: [ConfigurationProblem] = []

  /// Starts reading a source.
  public init(_ source: ConfigurationSource) {
    self.source = source
  }

  /// The reader itself.
  public var reader: ConfigurationReader { self }

  /// The empty path.
  public var path: String { "" }

  /// Ends the reading.
  ///
  /// - Returns: every key asked for, with its value and origin.
  /// - Throws: ``ConfigurationError`` with all problems: unknown keys and sections with the nearest known
  ///   key, wrong types, values out of range, missing keys, contradictions.
  public func finish() throws(ConfigurationError) -> ResolvedConfiguration {
    let all = problems + unknownKeys()
    if !all.isEmpty { throw ConfigurationError(all) }
    return ResolvedConfiguration(entries: entries)
  }

  // MARK: - For the typed accessors

  /// Records a key, its value and origin; returns what the source says, if it says anything.
  func setting(for key: ConfigurationKey) -> ConfigurationSource.Setting? {
    if let kind = names[key.name] {
      precondition(
        kind == key.kind, "key \(key.name) is read as \(kind) and as \(key.kind)")
    } else {
      names[key.name] = key.kind
      schema.append(key)
    }
    if let section = source.sections[key.name] {
      add(
        ConfigurationProblem(
          .wrongType, keys: [key.name],
          "\(section.place): \(key.name) is a \(section.count == nil ? "section" : "list of tables")"
            + ", expected \(key.kind.phrase)"))
    }
    return source.settings[key.name]
  }

  /// Records the value that a key has in the end.
  func record(_ key: ConfigurationKey, _ value: ConfigurationValue?, _ origin: ConfigurationOrigin)
  {
    guard !entries.contains(where: { $0.key == key.name }) else { return }
    entries.append(
      ResolvedConfiguration.Entry(key: key.name, kind: key.kind, value: value, origin: origin))
  }

  func add(_ problem: ConfigurationProblem) {
    if !problems.contains(problem) { problems.append(problem) }
  }

  func declare(section: String) {
    knownSections.insert(section)
  }

  /// Declares an array of tables; what stands in its place is judged by the caller.
  func declare(list: String) {
    knownSections.insert(list)
    knownLists.insert(list)
  }

  /// Declares a section about which everything has been said.
  func declare(refused section: String) {
    refusedSections.insert(section)
  }

  /// Whether a key or section is the subject of a problem, which is enough said about it.
  func isRefused(_ name: String) -> Bool {
    problems.contains { $0.keys.contains(name) }
      || refusedSections.contains { section in
        name == section || name.hasPrefix(section + ".") || name.hasPrefix(section + "[")
      }
  }

  /// Whether a key in a section, or a section in it, is the subject of a problem.
  func hasProblem(in section: String) -> Bool {
    problems.contains { problem in
      problem.keys.contains { $0.hasPrefix(section + ".") || $0.hasPrefix(section + "[") }
    }
  }

  // MARK: - Unknown keys

  private func unknownKeys() -> [ConfigurationProblem] {
    var found: [(layer: Int, line: Int, name: String, problem: ConfigurationProblem)] = []
    var parents = knownSections
    for key in schema {
      var parts = components(of: key.name)
      while parts.count > 1 {
        parts.removeLast()
        parents.insert(parts.joined(separator: "."))
      }
    }
    for (name, setting) in source.settings
    where names[name] == nil && !knownLists.contains(name) && !isRefused(name) {
      let text = "\(setting.place): unknown key \(name) = \(setting.value)."
      let problem = ConfigurationProblem(
        parents.contains(name) ? .wrongType : .unknownKey, keys: [name],
        parents.contains(name)
          ? "\(setting.place): \(name) = \(setting.value), but \(name) is a section"
            + keyList(in: name)
          : text + remedy(for: name))
      found.append((setting.layer, setting.line ?? 0, name, problem))
    }
    for (name, section) in source.sections
    where !parents.contains(name) && names[name] == nil && !isRefused(name) {
      let below = source.settings.keys.contains {
        $0.hasPrefix(name + ".") || $0.hasPrefix(name + "[")
      }
      if below { continue }
      let problem = ConfigurationProblem(
        .unknownKey, keys: [name],
        "\(section.place): unknown section [\(name)]."
          + suggestion(nearest(to: name, among: parents.sorted())))
      found.append((section.layer, section.line ?? 0, name, problem))
    }
    return found.sorted { ($0.layer, $0.line, $0.name) < ($1.layer, $1.line, $1.name) }
      .map(\.problem)
  }

  /// The nearest known key, or the keys that would be known in the same section.
  private func remedy(for name: String) -> String {
    let (section, leaf) = split(name)
    let known = schema.map(\.name)
    let siblings = known.filter { split($0).section == section }
    if let near = nearest(to: leaf, among: siblings.map { split($0).leaf }) {
      return suggestion(joined(section, near))
    }
    let namesakes = known.filter { nearest(to: leaf, among: [split($0).leaf]) != nil }
    let exact = namesakes.filter { split($0).leaf.lowercased() == leaf.lowercased() }
    if let near = nearest(to: name, among: known) ?? exact.first { return suggestion(near) }
    return keyList(in: section)
  }

  private func keyList(in section: String) -> String {
    let leaves = schema.map { split($0.name) }.filter { $0.section == section }.map(\.leaf)
    if leaves.isEmpty {
      let sections = Set(schema.map { components(of: $0.name)[0] }).sorted()
      return sections.isEmpty ? "" : " Known at the top: \(sections.joined(separator: ", "))."
    }
    let place = section.isEmpty ? "outside of sections" : "in [\(section)]"
    return " Known \(place): \(leaves.joined(separator: ", "))."
  }
}
