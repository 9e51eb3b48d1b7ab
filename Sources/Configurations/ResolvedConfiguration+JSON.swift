// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import Foundation

extension ResolvedConfiguration {
  /// The version of the JSON form.
  private static let format = 1

  /// The configuration as JSON; ``init(json:)`` reads it.
  public var json: Data {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      return try encoder.encode(self)
    }
  }

  /// Reads a configuration from JSON.
  ///
  /// - Parameter data: what ``json`` gave.
  /// - Throws: ``ConfigurationError`` when it is not such a text or was altered.
  public init(json data: Data) throws(ConfigurationError) {
    do {
      self = try JSONDecoder().decode(ResolvedConfiguration.self, from: data)
    } catch let error as ConfigurationError {
      throw error
    } catch {
      throw ConfigurationError(
        .damagedRecord, "the stored configuration is not readable JSON: \(error)")
    }
  }
}

extension ResolvedConfiguration: Codable {
  private enum CodingKeys: String, CodingKey { case format, hash, entries }

  /// Reads a configuration and checks that it was not altered.
  ///
  /// - Parameter decoder: where to read from.
  /// - Throws: ``ConfigurationError`` when the format is unknown or the hash does not fit; a decoding error.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let format = try container.decode(Int.self, forKey: .format)
    guard format == Self.format else {
      throw ConfigurationError(
        .damagedRecord,
        "the stored configuration has format \(format); this version reads \(Self.format)")
    }
    self.init(entries: try container.decode([Entry].self, forKey: .entries))
    let stored = try container.decode(String.self, forKey: .hash)
    guard stored == contentHash() else {
      throw ConfigurationError(
        .damagedRecord,
        "the stored configuration was altered: its hash says \(stored), its values \(contentHash())"
      )
    }
  }

  /// Writes entries, and the hash of their content.
  ///
  /// - Parameter encoder: where to write to.
  /// - Throws: an encoding error.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(Self.format, forKey: .format)
    try container.encode(contentHash(), forKey: .hash)
    try container.encode(entries, forKey: .entries)
  }
}

extension ResolvedConfiguration.Entry: Codable {
  private enum CodingKeys: String, CodingKey { case key, kind, value, origin }

  /// Reads an entry.
  ///
  /// - Parameter decoder: where to read from.
  /// - Throws: a decoding error.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let kindName = try container.decode(String.self, forKey: .kind)
    let originText = try container.decode(String.self, forKey: .origin)
    guard let kind = ConfigurationKind(rawValue: kindName) else {
      throw DecodingError.dataCorruptedError(
        forKey: .kind, in: container, debugDescription: "unknown kind \(kindName)")
    }
    guard let origin = ConfigurationOrigin(originText) else {
      throw DecodingError.dataCorruptedError(
        forKey: .origin, in: container, debugDescription: "unknown origin \(originText)")
    }
    self.key = try container.decode(String.self, forKey: .key)
    self.kind = kind
    self.origin = origin
    func decodeNumber(_ text: NumberText) -> ConfigurationValue { .number(text.value) }
    guard container.contains(.value), try !container.decodeNil(forKey: .value) else {
      self.value = nil
      return
    }
    switch kind {
    case .boolean: value = .boolean(try container.decode(Bool.self, forKey: .value))
    case .integer: value = .integer(try container.decode(Int.self, forKey: .value))
    case .number: value = decodeNumber(try container.decode(NumberText.self, forKey: .value))
    case .string: value = .string(try container.decode(String.self, forKey: .value))
    case .integers:
      value = .array(try container.decode([Int].self, forKey: .value).map { .integer($0) })
    case .numbers:
      value = .array(try container.decode([NumberText].self, forKey: .value).map(decodeNumber))
    case .strings:
      value = .array(try container.decode([String].self, forKey: .value).map { .string($0) })
    }
  }

  /// Writes an entry; numbers that are not finite are written as texts.
  ///
  /// - Parameter encoder: where to write to.
  /// - Throws: an encoding error.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(key, forKey: .key)
    try container.encode(kind.rawValue, forKey: .kind)
    try container.encode(origin.description, forKey: .origin)
    if let value {
      try container.encode(ValueText(value: value), forKey: .value)
    } else {
      try container.encodeNil(forKey: .value)
    }
  }
}

/// A number that is a text in JSON when it is not finite.
private struct NumberText: Decodable {
  var value: Double

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let number = try? container.decode(Double.self) {
      value = number
      return
    }
    let text = try container.decode(String.self)
    guard let number = Double(text), !number.isFinite else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "'\(text)' is not a number")
    }
    value = number
  }
}

private struct ValueText: Encodable {
  var value: ConfigurationValue

  func encode(to encoder: any Encoder) throws {
    switch value {
    case .array(let values):
      var container = encoder.unkeyedContainer()
      for value in values { try container.encode(ValueText(value: value)) }
      return
    default: break
    }
    var container = encoder.singleValueContainer()
    switch value {
    case .boolean(let boolean): try container.encode(boolean)
    case .integer(let integer): try container.encode(integer)
    case .number(let number):
      if number.isFinite {
        try container.encode(number)
      } else {
        try container.encode(value.description)
      }
    case .string(let string): try container.encode(string)
    case .array: break
    }
  }
}
