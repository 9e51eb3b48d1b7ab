// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A part of a configuration: keys are given relative to it.
public struct ConfigurationSection: ConfigurationReading {
  /// The reader that collects values and problems.
  public let reader: ConfigurationReader

  /// The dotted path of the section.
  public let path: String
}

/// Typed access to keys; conformed to by a reader (full paths) and its sections (relative paths).
public protocol ConfigurationReading {
  /// The reader that collects values and problems.
  var reader: ConfigurationReader { get }

  /// The dotted path that keys are relative to; empty at the root.
  var path: String { get }
}

// MARK: - Structure

extension ConfigurationReading {
  /// A section below this one; it need not be in the source.
  public func section(_ name: String) -> ConfigurationSection {
    reader.declare(section: joined(path, name))
    return ConfigurationSection(reader: reader, path: joined(path, name))
  }

  /// An array of tables, as in `[[optimizer.rule]]`: one section for each table, none when absent.
  ///
  /// - Parameters:
  ///   - name: the array, relative to this section.
  ///   - takesOne: whether a single table, `[schedule.pause]` or `pause = { ... }`, is as good as an array with one.
  /// - Returns: a section for each table, in the order of the text.
  public func tables(_ name: String, orOne takesOne: Bool = false) -> [ConfigurationSection] {
    let full = joined(path, name)
    reader.declare(list: full)
    if let setting = reader.source.settings[full], setting.value != .array([]) {
      let form = takesOne ? "a table; write [\(full)]" : "tables; write [[\(full)]]"
      reader.add(
        ConfigurationProblem(
          .wrongType, keys: [full],
          "\(setting.place): \(full) = \(setting.value), expected \(form)"))
    }
    guard let section = reader.source.sections[full] else { return [] }
    guard let count = section.count else {
      if takesOne { return [ConfigurationSection(reader: reader, path: full)] }
      reader.add(
        ConfigurationProblem(
          .wrongType, keys: [full],
          "\(section.place): [\(full)] is one section, expected tables; write [[\(full)]]"))
      return []
    }
    return (0..<count).map { index in
      reader.declare(section: "\(full)[\(index)]")
      return ConfigurationSection(reader: reader, path: "\(full)[\(index)]")
    }
  }

  /// The names of keys and sections that the source gives directly below this section, sorted.
  public var givenNames: [String] {
    let depth = path.isEmpty ? 0 : components(of: path).count
    let prefix = path.isEmpty ? "" : path + "."
    var names: Set<String> = []
    for key in Array(reader.source.settings.keys) + Array(reader.source.sections.keys)
    where key.hasPrefix(prefix) {
      names.insert(indexed(components(of: key)[depth]).name)
    }
    return names.sorted()
  }

  /// The names of sections and arrays of tables that the source gives directly below this section, sorted.
  public var givenSections: [String] {
    givenNames.filter { reader.source.sections[joined(path, $0)] != nil }
  }

  /// Whether the source gives a key, rather than leaving it to its default.
  public func isGiven(_ name: String) -> Bool {
    reader.source.settings[joined(path, name)] != nil
  }

  /// Whether the source gives a key a whole number, rather than one with a fraction or anything else.
  public func isGivenWhole(_ name: String) -> Bool {
    if case .integer = reader.source.settings[joined(path, name)]?.value { return true }
    return false
  }

  /// Whether a problem with a key or section has been recorded: what was read then is only a stand-in.
  public func isRefused(_ name: String) -> Bool { reader.isRefused(joined(path, name)) }

  /// Whether a problem with something in a section has been recorded.
  public func hasProblem(in section: String) -> Bool {
    reader.hasProblem(in: joined(path, section))
  }

  /// Leaves a key or a section out of the search for unknown ones, because another problem is about it.
  public func ignore(_ name: String) {
    reader.declare(refused: joined(path, name))
  }

  /// Leaves this section out of the search for unknown keys, because another problem is about it.
  public func ignore() {
    reader.declare(refused: path)
  }

  /// Records that the values of several keys cannot hold together.
  ///
  /// - Parameters:
  ///   - names: the keys concerned, relative to this section.
  ///   - message: what is contradictory and what to do, in a sentence without full stop.
  public func contradiction(_ names: String..., message: String) {
    contradiction(names, message: message)
  }

  /// Records that the values of several keys cannot hold together.
  ///
  /// - Parameters:
  ///   - names: the keys concerned, relative to this section.
  ///   - message: what is contradictory and what to do, in a sentence without full stop.
  public func contradiction(_ names: [String], message: String) {
    let keys = names.map { joined(path, $0) }
    let given = keys.map { reader.valueAndPlace(of: $0) }.joined(separator: ", ")
    reader.add(
      ConfigurationProblem(
        .contradiction, keys: keys, given.isEmpty ? message : "\(message): \(given)"))
  }

  /// Records that one value is not possible, for a reason that only the caller can know.
  ///
  /// A section or an array of tables that is refused is refused as a whole: what is in it is not complained about.
  ///
  /// - Parameters:
  ///   - name: the key or section, relative to this section.
  ///   - message: what is wrong and what to do, in a sentence without full stop.
  public func refuse(_ name: String, message: String) {
    let key = joined(path, name)
    if reader.source.sections[key] != nil { reader.declare(refused: key) }
    reader.add(
      ConfigurationProblem(
        .outOfRange, keys: [key], "\(reader.valueAndPlace(of: key)): \(message)"))
  }

  /// Reports what is said of a part that another key switches off, because it would have no effect.
  ///
  /// What an earlier layer says of the part is no mistake and is left alone: whoever lays one text over another can switch a part
  /// off without unsaying how it was set up.
  ///
  /// - Parameters:
  ///   - names: keys or sections, relative to this section; those that are not given are no problem.
  ///   - part: the key that switches the part off, by its full path; it need not be given.
  ///   - message: why they have no effect and what to do, in a sentence without full stop.
  public func refuseWithoutEffect(
    _ names: [String], switchedBy part: String, message: String
  ) {
    let source = reader.source
    let switched = source.settings[part]?.layer ?? 0
    for name in names {
      let key = joined(path, name)
      guard let layer = source.settings[key]?.layer ?? source.sections[key]?.layer else { continue }
      ignore(name)
      if layer >= switched { reader.contradiction([key, part], message: message) }
    }
  }
}

extension ConfigurationReader {
  /// `model.width = 100 (run.toml:3)`, for messages about keys that have been read.
  func valueAndPlace(of key: String) -> String {
    if let setting = source.settings[key] { return "\(key) = \(setting.value) (\(setting.place))" }
    if let section = source.sections[key] { return "\(key) (\(section.place))" }
    guard let known = schema.first(where: { $0.name == key }) else { return key }
    if case .defaulted(let value) = known.presence { return "\(key) = \(value) (default)" }
    return "\(key) (absent)"
  }
}
