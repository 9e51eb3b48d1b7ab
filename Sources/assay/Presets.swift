// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Configurations
import Foundation

/// The configurations that come with the package, in its folder `Presets`.
struct Presets {
  /// A preset as it is stored.
  struct Preset {
    /// The file's name without `.toml`.
    let name: String
    /// TOML.
    let text: String

    /// The first comment of the file, as one sentence.
    var summary: String {
      text.split(separator: "\n").lazy
        .filter { $0.hasPrefix("# ") && !$0.contains("Copyright") && !$0.contains("SPDX") }
        .first.map { String($0.dropFirst(2)) } ?? ""
    }
  }

  /// All presets by name; none when the folder is not there.
  static func all() -> [Preset] {
    guard let folder = folder(),
      let names = try? FileManager.default.contentsOfDirectory(atPath: folder)
    else { return [] }
    return names.filter { $0.hasSuffix(".toml") }.sorted().compactMap { file in
      guard let data = FileManager.default.contents(atPath: folder + "/" + file) else { return nil }
      return Preset(name: String(file.dropLast(5)), text: String(decoding: data, as: UTF8.self))
    }
  }

  /// The preset of a name; nil when the text is a path.
  ///
  /// - Throws: `ConfigurationError` when it can only be the name of a preset and none has it.
  static func find(_ name: String) throws(ConfigurationError) -> Preset? {
    let isPath =
      name.contains("/") || name.contains(".") || FileManager.default.fileExists(atPath: name)
    guard !isPath else { return nil }
    let presets = all()
    if let preset = presets.first(where: { $0.name == name }) { return preset }
    let near =
      nearest(to: name, among: presets.map(\.name)).map { "; did you mean '\($0)'?" } ?? ";"
    throw ConfigurationError(
      .unreadableFile,
      "'\(name)' is neither a file nor a preset\(near) see 'assay list presets'")
  }

  /// `Presets` beside the working directory, or beside the package the executable was built in.
  private static func folder() -> String? {
    var candidates = [FileManager.default.currentDirectoryPath]
    var url = Bundle.main.executableURL?.resolvingSymlinksInPath().deletingLastPathComponent()
    while let folder = url, folder.path != "/" {
      candidates.append(folder.path)
      url = folder.deletingLastPathComponent()
    }
    return candidates.map { $0 + "/Presets" }.first { folder in
      FileManager.default.fileExists(atPath: folder + "/quickstart.toml")
    }
  }
}
