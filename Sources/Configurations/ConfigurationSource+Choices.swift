// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

extension ConfigurationSource {
  /// Takes one of several alternatives that a text gives, as in `[size.pilot]` and `[size.paper]`, and forgets the others.
  ///
  /// What the alternative says is laid over the rest of the text: its keys replace keys, its sections add to sections, and its
  /// arrays of tables are appended, but for a table that is called like an earlier one, which is laid over that.
  ///
  /// - Parameters:
  ///   - name: the alternative; nil: none.
  ///   - section: the section that holds all of them.
  ///   - nameKeys: what tables of arrays are called by, the first that is given.
  public mutating func choose(
    _ name: String?, from section: String, nameKeys: [String] = ["name"]
  ) {
    let all = section + "."
    var chosenSettings: [(path: String, setting: Setting)] = []
    var chosenSections: [(path: String, section: Section)] = []
    if let name {
      let prefix = all + name + "."
      for (key, setting) in settings where key.hasPrefix(prefix) {
        chosenSettings.append((String(key.dropFirst(prefix.count)), setting))
      }
      for (key, section) in sections where key.hasPrefix(prefix) {
        chosenSections.append((String(key.dropFirst(prefix.count)), section))
      }
    }
    settings = settings.filter { !$0.key.hasPrefix(all) }
    sections = sections.filter { $0.key != section && !$0.key.hasPrefix(all) }
    let numbers = placesOfTables(chosenSettings, chosenSections, nameKeys)
    for (path, section) in chosenSections.sorted(by: { $0.path < $1.path }) {
      let place = Self.renumbered(path, numbers)
      settings[place] = nil
      var section = section
      if section.count != nil, let places = numbers[place] {
        section.count = max(sections[place]?.count ?? 0, (places.max() ?? -1) + 1)
      }
      sections[place] = section
    }
    for (path, setting) in chosenSettings {
      let place = Self.renumbered(path, numbers)
      sections[place] = nil
      for below in [place + ".", place + "["] {
        settings = settings.filter { !$0.key.hasPrefix(below) }
        sections = sections.filter { !$0.key.hasPrefix(below) }
      }
      settings[place] = setting
    }
  }

  /// Where the tables of the alternative's arrays go, by the name of the array.
  private func placesOfTables(
    _ chosen: [(path: String, setting: Setting)],
    _ chosenSections: [(path: String, section: Section)], _ nameKeys: [String]
  ) -> [String: [Int]] {
    let values = Dictionary(chosen.map { ($0.path, $0.setting.value) }, uniquingKeysWith: { $1 })
    var places: [String: [Int]] = [:]
    for (array, section) in chosenSections {
      guard let count = section.count, components(of: array).count == 1 else { continue }
      let before = sections[array]?.count ?? 0
      let known = (0..<before).map { index in
        nameKeys.lazy.compactMap { settings["\(array)[\(index)].\($0)"]?.value }.first
      }
      var next = before
      places[array] = (0..<count).map { index in
        let name = nameKeys.lazy.compactMap { values["\(array)[\(index)].\($0)"] }.first
        if let name, let same = known.firstIndex(of: name) { return same }
        next += 1
        return next - 1
      }
    }
    return places
  }

  private static func renumbered(_ path: String, _ places: [String: [Int]]) -> String {
    var parts = components(of: path)
    let (name, index) = indexed(parts[0])
    guard let index, let number = places[name]?[index] else { return path }
    parts[0] = "\(name)[\(number)]"
    return parts.joined(separator: ".")
  }
}
