// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TOMLKit

/// The texts a configuration is made of: presets, then files, then command-line overrides.
///
/// A later layer replaces single keys of earlier ones, and an array of tables as a whole. Tables of an array that have a `name` can also
/// be changed one by one, as `optimizer.rule.NAME.key`.
public struct ConfigurationSource: Sendable {
  /// A value before anything is known about its key.
  struct Setting: Sendable {
    var value: ConfigurationValue
    var origin: ConfigurationOrigin
    /// The order of layers, for sorting messages.
    var layer: Int
    /// The line in the text, from 1.
    var line: Int?
    /// What was typed, on the command line.
    var typed: String?

    /// Where it was set, for messages.
    var place: String { Configurations.place(origin, line: line) }
  }

  /// A section or an array of tables as it stands in a text.
  struct Section: Sendable {
    var origin: ConfigurationOrigin
    var layer: Int
    var line: Int?
    /// The number of tables, for an array of tables.
    var count: Int?

    /// Where it was set, for messages.
    var place: String { Configurations.place(origin, line: line) }
  }

  var settings: [String: Setting] = [:]
  var sections: [String: Section] = [:]
  private var layerCount = 0

  /// Creates a source without any value: every key has its default.
  public init() {}

  /// Creates a source from a file and overrides.
  ///
  /// - Parameters:
  ///   - path: the file, or `nil` for none.
  ///   - overrides: texts of the form `--section.key=value`.
  /// - Throws: ``ConfigurationError`` when the file cannot be read or is not TOML, or an override is malformed.
  public init(file path: String?, overrides: [String] = []) throws(ConfigurationError) {
    if let path { try add(file: path) }
    try add(overrides: overrides)
  }

  /// What a key is given as, before anything is checked.
  ///
  /// - Parameter key: its full path.
  /// - Returns: the text; nil where the key is not given, or is no text.
  public func text(_ key: String) -> String? {
    guard case .string(let text)? = settings[key]?.value else { return nil }
    return text
  }

  // MARK: - Layers

  /// Adds the TOML text of a preset.
  ///
  /// - Parameters:
  ///   - name: the name under which origins show the preset.
  ///   - text: TOML.
  /// - Throws: ``ConfigurationError`` when the text is not TOML, with line and column.
  public mutating func add(preset name: String, text: String) throws(ConfigurationError) {
    try add(text: text, origin: .preset(name))
  }

  /// Adds the TOML text of a layer that somebody else has read.
  ///
  /// - Parameters:
  ///   - label: where it comes from, as origins and messages show it: `preset NAME`, `file NAME` or `study PART`; any other
  ///     text is taken for the name of a file.
  ///   - text: TOML.
  /// - Throws: ``ConfigurationError`` when the text is not TOML, with line and column.
  public mutating func add(layer label: String, text: String) throws(ConfigurationError) {
    switch ConfigurationOrigin(label) {
    case .none, .default, .commandLine: try add(text: text, origin: .file(label))
    case .some(let origin): try add(text: text, origin: origin)
    }
  }

  /// Adds a TOML file.
  ///
  /// - Parameter path: the file; also the name under which origins and messages show it.
  /// - Throws: ``ConfigurationError`` when the file cannot be read or is not TOML, with line and column.
  public mutating func add(file path: String) throws(ConfigurationError) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw ConfigurationError(
        .unreadableFile, "\(path): there is no such configuration file; check the path")
    }
    guard !isFolder.boolValue else {
      throw ConfigurationError(
        .unreadableFile, "\(path) is a folder; give the configuration file in it")
    }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ConfigurationError(
        .unreadableFile, "\(path): the configuration file cannot be read; check its permissions")
    }
    guard let text = String(data: data, encoding: .utf8) else {
      throw ConfigurationError(
        .unreadableFile, "\(path): the configuration file is not UTF-8 text; convert it")
    }
    try add(text: text, origin: .file(path))
  }

  /// Adds command-line overrides.
  ///
  /// A value is read as TOML (`256`, `3e-4`, `true`, `[1, 2]`); what is not TOML is a string without
  /// quotes (`bf16`, `runs/first`). A key that takes a string takes what was typed, even `2024`.
  /// When a key is given twice, the last one holds.
  ///
  /// - Parameter overrides: texts of the form `--section.key=value`.
  /// - Throws: ``ConfigurationError`` when one is malformed; all malformed ones are named.
  public mutating func add(overrides: [String]) throws(ConfigurationError) {
    guard !overrides.isEmpty else { return }
    let layer = layerCount
    layerCount += 1
    var problems: [ConfigurationProblem] = []
    for text in overrides {
      do throws(ConfigurationError) {
        try add(override: text, layer: layer)
      } catch {
        problems += error.problems
      }
    }
    if !problems.isEmpty { throw ConfigurationError(problems) }
  }

  private mutating func add(override text: String, layer: Int) throws(ConfigurationError) {
    let body = text.hasPrefix("--") ? text.dropFirst(2) : Substring(text)
    guard let equals = body.firstIndex(of: "=") else {
      throw ConfigurationError(
        .invalidOverride, "command line: '\(text)' has no value; write --section.key=value")
    }
    let key = String(body[..<equals])
    let typed = String(body[body.index(after: equals)...])
    let parts = key.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard parts.allSatisfy({ isBareKey($0) }) else {
      throw ConfigurationError(
        .invalidOverride, keys: [key],
        "command line: '\(key)' in '\(text)' is not a key; write --section.key=value")
    }
    let path = try named(parts, typed: text)
    drop(arrayAt: path)
    switch parseOverride(typed) {
    case .value(let table):
      let node = table["value"]
      if let node {
        try collect(
          node, at: path, context: Context(origin: .commandLine, layer: layer, typed: typed))
      }
    case .string:
      settings[path] = Setting(
        value: .string(typed), origin: .commandLine, layer: layer, typed: typed)
    case .broken(let reason):
      throw ConfigurationError(
        .invalidOverride, keys: [key],
        "command line: the value of '\(text)' begins like TOML but is not: \(reason); "
          + "mind that the shell removes quotes")
    }
  }

  private enum OverrideValue {
    case value(TOMLTable)
    case string
    case broken(String)
  }

  private func parseOverride(_ typed: String) -> OverrideValue {
    do {
      guard !typed.utf8.contains(0), !typed.contains(where: \.isNewline) else { return .string }
      let table = try TOMLTable(string: "value = " + typed)
      guard let node = table["value"], table.count == 1 else { return .string }
      switch node.type {
      case .date, .time, .dateTime: return .string
      default: return .value(table)
      }
    } catch {
      guard let first = typed.first, "[{\"'".contains(first) else { return .string }
      return .broken((error as? TOMLParseError)?.description ?? "\(error)")
    }
  }

  private mutating func add(
    text: String, origin: ConfigurationOrigin
  ) throws(ConfigurationError) {
    if let zero = text.utf8.firstIndex(of: 0) {
      let line = 1 + text.utf8[..<zero].count { $0 == 0x0A }
      throw ConfigurationError(
        .syntax, "\(place(origin, line: line)): there is a NUL byte in the text; remove it")
    }
    let table: TOMLTable
    do {
      table = try TOMLTable(string: text)
    } catch let error as TOMLParseError {
      let begin = error.source.begin
      throw ConfigurationError(
        .syntax,
        "\(place(origin, line: begin.line)):\(begin.column): this is not TOML: \(error.description)"
      )
    } catch {
      throw ConfigurationError(.syntax, "\(origin): this is not TOML: \(error)")
    }
    let context = Context(
      origin: origin, layer: layerCount, lines: KeyLocator(text).lines)
    layerCount += 1
    try collect(table, at: "", context: context)
  }

  // MARK: - From TOML values to settings

  private struct Context {
    var origin: ConfigurationOrigin
    var layer: Int
    var lines: [String: Int] = [:]
    var typed: String?

    func refuse(_ key: String, _ reason: String) -> ConfigurationError {
      let place = place(origin, line: lines[key])
      return ConfigurationError(.unsupportedValue, keys: [key], "\(place): \(key) \(reason)")
    }
  }

  private mutating func collect(
    _ table: TOMLTable, at path: String, context: Context
  ) throws(ConfigurationError) {
    for key in table.keys {
      guard let node = table[key] else { continue }
      try collect(node, at: joined(path, pathComponent(key)), context: context)
    }
  }

  private mutating func collect(
    _ node: any TOMLValueConvertible, at path: String, context: Context
  ) throws(ConfigurationError) {
    if let table = node.table {
      if let names = changedNames(table, inArray: path) {
        for (name, change) in names {
          guard let index = index(of: name, inArray: path) else {
            throw context.refuse("\(path).\(name)", missing(name, inArray: path))
          }
          try collect(change, at: "\(path)[\(index)]", context: context)
        }
        return
      }
      if sections[path]?.count != nil { drop(arrayAt: path) }
      sections[path] = Section(
        origin: context.origin, layer: context.layer, line: context.lines[path])
      try collect(table, at: path, context: context)
    } else if let tables = tables(in: node) {
      drop(tableAt: path)
      drop(arrayAt: path)
      sections[path] = Section(
        origin: context.origin, layer: context.layer, line: context.lines[path],
        count: tables.count)
      for (index, table) in tables.enumerated() {
        try collect(table, at: "\(path)[\(index)]", context: context)
      }
    } else {
      let value = try value(of: node, at: path, context: context)
      if value == .array([]) { drop(tableAt: path) }
      drop(arrayAt: path)
      settings[path] = Setting(
        value: value, origin: context.origin,
        layer: context.layer, line: context.lines[path], typed: context.typed)
    }
  }

  /// The elements of a non-empty array whose elements are all tables.
  private func tables(in node: any TOMLValueConvertible) -> [TOMLTable]? {
    guard let array = node.array, !array.isEmpty else { return nil }
    var tables: [TOMLTable] = []
    for element in array {
      guard let table = element.table else { return nil }
      tables.append(table)
    }
    return tables
  }

  private func value(
    of node: any TOMLValueConvertible, at path: String, context: Context
  ) throws(ConfigurationError) -> ConfigurationValue {
    if let value = node.bool { return .boolean(value) }
    if let value = node.int { return .integer(value) }
    if let value = node.double { return .number(value) }
    if let value = node.string { return .string(value) }
    if let array = node.array {
      var values: [ConfigurationValue] = []
      for element in array {
        if element.type == .table {
          throw context.refuse(path, "mixes tables and values in one array; separate them")
        }
        values.append(try value(of: element, at: path, context: context))
      }
      return .array(values)
    }
    throw context.refuse(
      path, "is a \(node.type), which no key takes; put it in quotes if it is meant as a string")
  }

  // MARK: - Tables by name

  /// The tables of a table that stands where an earlier layer has an array of tables with names; nil: it takes the array's place.
  private func changedNames(
    _ table: TOMLTable, inArray path: String
  ) -> [(name: String, change: any TOMLValueConvertible)]? {
    guard let count = sections[path]?.count, !table.keys.isEmpty,
      (0..<count).contains(where: { name(of: $0, inArray: path) != nil })
    else { return nil }
    let changes = table.keys.compactMap { key in table[key].map { (name: key, change: $0) } }
    return changes.allSatisfy { $0.change.table != nil } ? changes : nil
  }

  private func name(of index: Int, inArray path: String) -> String? {
    guard case .string(let name) = settings["\(path)[\(index)].name"]?.value else { return nil }
    return name
  }

  private func index(of name: String, inArray path: String) -> Int? {
    guard let count = sections[path]?.count else { return nil }
    return (0..<count).first { self.name(of: $0, inArray: path) == name }
  }

  private func missing(_ name: String, inArray path: String) -> String {
    let names = (0..<(sections[path]?.count ?? 0)).compactMap { self.name(of: $0, inArray: path) }
    return
      "changes a table that is not there: '\(path)' has tables named \(names.map { "'\($0)'" }.joined(separator: ", "))"
  }

  /// The path of a key of the command line, whose parts may be names of tables.
  private func named(
    _ parts: [String], typed text: String
  ) throws(ConfigurationError) -> String {
    var path = ""
    var place = 0
    while place < parts.count {
      let isArray = sections[path]?.count != nil
      guard isArray, place + 1 < parts.count,
        (0..<(sections[path]?.count ?? 0)).contains(where: { name(of: $0, inArray: path) != nil })
      else {
        path = joined(path, parts[place])
        place += 1
        continue
      }
      guard let index = index(of: parts[place], inArray: path) else {
        throw ConfigurationError(
          .invalidOverride, keys: [parts.joined(separator: ".")],
          "command line: '\(text)' \(missing(parts[place], inArray: path))")
      }
      path += "[\(index)]"
      place += 1
    }
    return path
  }

  /// Forgets what an earlier layer said about a single table where an array of tables takes its place.
  private mutating func drop(tableAt path: String) {
    guard let section = sections[path], section.count == nil else { return }
    sections[path] = nil
    let prefix = path + "."
    settings = settings.filter { !$0.key.hasPrefix(prefix) }
    sections = sections.filter { !$0.key.hasPrefix(prefix) }
  }

  /// Forgets what earlier layers said about an array (of tables or of values).
  private mutating func drop(arrayAt path: String) {
    guard sections[path]?.count != nil || settings[path] != nil else { return }
    settings[path] = nil
    sections[path] = nil
    let prefix = path + "["
    settings = settings.filter { !$0.key.hasPrefix(prefix) }
    sections = sections.filter { !$0.key.hasPrefix(prefix) }
  }
}

/// A place for messages: `run.toml:3`, `preset small, line 3` or `command line`.
func place(_ origin: ConfigurationOrigin, line: Int?) -> String {
  switch origin {
  case .default: "default"
  case .commandLine: "command line"
  case .file(let name): line.map { "\(name):\($0)" } ?? name
  case .preset(let name): line.map { "preset \(name), line \($0)" } ?? "preset \(name)"
  case .study(let part): line.map { "study \(part), line \($0)" } ?? "study \(part)"
  }
}
