// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Reads JSON files whose parts are named in errors.
struct JSONObject {
  let path: String
  /// Where in the file this object stands, for messages; empty at the top.
  let place: String
  let members: [String: Any]

  /// Parses a file that must hold one object.
  static func read(_ path: String, code: DataError.Code) throws(DataError) -> JSONObject {
    let data = try FileBytes(path: path).withBytes { Data($0) }
    let parsed: Any
    do {
      parsed = try JSONSerialization.jsonObject(with: data)
    } catch {
      throw DataError(code, "'\(path)' is not valid JSON: \(error.localizedDescription)")
    }
    guard let members = parsed as? [String: Any] else {
      throw DataError(code, "'\(path)' holds JSON, but not an object at the top.")
    }
    return JSONObject(path: path, place: "", members: members)
  }

  /// The member `key` when it is of the asked type; nil when absent or null.
  func optional<Value>(_ key: String, as type: Value.Type = Value.self) -> Value? {
    members[key] as? Value
  }

  func isAbsent(_ key: String) -> Bool {
    members[key] == nil || members[key] is NSNull
  }

  func required<Value>(
    _ key: String, as type: Value.Type = Value.self
  ) throws(DataError) -> Value {
    guard let value = members[key] as? Value else {
      throw DataError(
        .malformedTokenizer,
        "'\(path)': '\(place)\(key)' is missing or not of type \(Value.self).")
    }
    return value
  }

  func object(_ key: String) -> JSONObject? {
    optional(key, as: [String: Any].self).map {
      JSONObject(path: path, place: place + key + ".", members: $0)
    }
  }

  func objects(_ key: String) -> [JSONObject] {
    (optional(key, as: [[String: Any]].self) ?? []).enumerated().map { index, members in
      JSONObject(path: path, place: "\(place)\(key)[\(index)].", members: members)
    }
  }

  /// A table from text to token ids.
  func vocabulary() throws(DataError) -> [String: Int32] {
    var vocabulary: [String: Int32] = [:]
    vocabulary.reserveCapacity(members.count)
    for (text, value) in members {
      guard let number = value as? Int, let token = Int32(exactly: number), token >= 0 else {
        throw DataError(
          .malformedTokenizer, "'\(path)': '\(place)\(text)' is not a token id: \(value).")
      }
      vocabulary[text] = token
    }
    return vocabulary
  }
}
