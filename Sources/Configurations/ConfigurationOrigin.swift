// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Where a value comes from.
public enum ConfigurationOrigin: Equatable, Sendable, CustomStringConvertible {
  /// The default of the key.
  case `default`
  /// A preset of this name.
  case preset(String)
  /// A file with this name.
  case file(String)
  /// A part of a study, for example `quickstart.toml, arm lion`.
  case study(String)
  /// An override on the command line.
  case commandLine

  /// `default`, `preset NAME`, `file NAME`, `study PART` or `command line`.
  public var description: String {
    switch self {
    case .default: "default"
    case .preset(let name): "preset \(name)"
    case .file(let name): "file \(name)"
    case .study(let part): "study \(part)"
    case .commandLine: "command line"
    }
  }

  /// Reads the text that ``description`` gives; `nil` for any other text.
  public init?(_ text: String) {
    if text == "default" {
      self = .default
    } else if text == "command line" {
      self = .commandLine
    } else if text.hasPrefix("preset ") {
      self = .preset(String(text.dropFirst("preset ".count)))
    } else if text.hasPrefix("file ") {
      self = .file(String(text.dropFirst("file ".count)))
    } else if text.hasPrefix("study ") {
      self = .study(String(text.dropFirst("study ".count)))
    } else {
      return nil
    }
  }
}
