// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

// Keys are dotted paths as TOML spells them, with an index behind an array of tables:
// `model.width`, `optimizer.rule[0].roles`, `names."with space".x`.

/// A component of a path, in quotes unless it is a bare TOML key.
func pathComponent(_ name: String) -> String {
  isBareKey(name) ? name : quoted(name)
}

/// Whether a name can be a TOML key without quotes.
func isBareKey(_ name: String) -> Bool {
  !name.isEmpty
    && name.utf8.allSatisfy {
      (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
        || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
    }
}

/// A path below another; the empty path is the root.
func joined(_ prefix: String, _ component: String) -> String {
  prefix.isEmpty ? component : prefix + "." + component
}

/// The components of a path; dots inside quotes do not separate.
func components(of path: String) -> [String] {
  var result: [String] = []
  var current = ""
  var inQuotes = false
  var escaped = false
  for character in path {
    if inQuotes {
      current.append(character)
      if escaped {
        escaped = false
      } else if character == "\\" {
        escaped = true
      } else if character == "\"" {
        inQuotes = false
      }
    } else if character == "." {
      result.append(current)
      current = ""
    } else {
      if character == "\"" { inQuotes = true }
      current.append(character)
    }
  }
  result.append(current)
  return result
}

/// The section of a key and its last component.
func split(_ key: String) -> (section: String, leaf: String) {
  let parts = components(of: key)
  return (parts.dropLast().joined(separator: "."), parts[parts.count - 1])
}

/// A component without its index, and the index, as in `rule[3]`.
func indexed(_ component: String) -> (name: String, index: Int?) {
  guard component.hasSuffix("]"), let open = component.lastIndex(of: "["),
    let index = Int(component[component.index(after: open)...].dropLast())
  else { return (component, nil) }
  return (String(component[..<open]), index)
}
