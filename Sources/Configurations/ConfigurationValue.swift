// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// The kinds of value that a key can have.
public enum ConfigurationKind: String, Sendable {
  /// `true` or `false`.
  case boolean
  /// A whole number of 64 bits.
  case integer
  /// A floating-point number; whole numbers are accepted.
  case number
  /// Text; also names out of a list.
  case string
  /// An array of whole numbers.
  case integers
  /// An array of numbers.
  case numbers
  /// An array of texts.
  case strings

  /// The kind with its article, for messages.
  var phrase: String {
    switch self {
    case .boolean: "true or false"
    case .integer: "an integer"
    case .number: "a number"
    case .string: "a string"
    case .integers: "an array of integers"
    case .numbers: "an array of numbers"
    case .strings: "an array of strings"
    }
  }
}

/// A value in a configuration.
public enum ConfigurationValue: Equatable, Sendable, CustomStringConvertible {
  /// `true` or `false`.
  case boolean(Bool)
  /// A whole number.
  case integer(Int)
  /// A floating-point number, possibly not finite.
  case number(Double)
  /// Text.
  case string(String)
  /// Values in order.
  case array([ConfigurationValue])

  /// The value as TOML text on one line.
  public var description: String {
    switch self {
    case .boolean(let value): String(value)
    case .integer(let value): String(value)
    case .number(let value): value.isNaN ? "nan" : String(value)
    case .string(let value): quoted(value)
    case .array(let values): "[" + values.map(\.description).joined(separator: ", ") + "]"
    }
  }

  /// What the value is, for messages.
  var phrase: String {
    switch self {
    case .boolean: "a boolean"
    case .integer: "an integer"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    }
  }

  /// The value in a form that has one spelling for each value, for hashing.
  ///
  /// Numbers are spelled by their bits; every NaN is the same.
  var canonicalText: String {
    switch self {
    case .number(let value):
      value.isNaN ? "nan" : "bits " + String(value.bitPattern, radix: 16)
    case .array(let values):
      "[" + values.map(\.canonicalText).joined(separator: ",") + "]"
    default: description
    }
  }
}

/// Text as a TOML basic string on one line.
func quoted(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": result += "\\\""
    case "\\": result += "\\\\"
    case "\n": result += "\\n"
    case "\t": result += "\\t"
    case "\r": result += "\\r"
    default:
      if scalar.value < 0x20 || scalar.value == 0x7F {
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
  }
  return result + "\""
}
