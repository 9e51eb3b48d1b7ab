// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Why a value is refused: a clause that follows `key = value`.
struct ValueRefusal: Error {
  var code: ConfigurationProblem.Code
  var reason: String
}

/// How a kind of value is read, checked and written.
protocol ValueRule {
  associatedtype Value
  var kind: ConfigurationKind { get }
  /// The accepted values in words, empty when all of the kind are.
  var accepted: String { get }
  func parse(_ value: ConfigurationValue) throws(ValueRefusal) -> Value
  func encode(_ value: Value) -> ConfigurationValue
}

extension ValueRule {
  func wrongType(_ value: ConfigurationValue, hint: String = "") -> ValueRefusal {
    ValueRefusal(
      code: .wrongType, reason: "is \(value.phrase), expected \(kind.phrase)" + hint)
  }
}

struct IntegerRule: ValueRule {
  var range: ClosedRange<Int>
  let kind = ConfigurationKind.integer

  var accepted: String {
    switch (range.lowerBound, range.upperBound) {
    case (Int.min, Int.max): ""
    case (let lower, Int.max): "\(lower) or more"
    case (Int.min, let upper): "\(upper) or less"
    case (let lower, let upper): "\(lower)...\(upper)"
    }
  }

  func parse(_ value: ConfigurationValue) throws(ValueRefusal) -> Int {
    guard case .integer(let integer) = value else {
      if case .number(let number) = value, let whole = Int(exactly: number) {
        throw wrongType(value, hint: "; write \(whole)")
      }
      throw wrongType(value)
    }
    guard range.contains(integer) else {
      throw ValueRefusal(code: .outOfRange, reason: "is out of range; give \(accepted)")
    }
    return integer
  }

  func encode(_ value: Int) -> ConfigurationValue { .integer(value) }
}

struct NumberRule: ValueRule {
  var range: NumberRange
  let kind = ConfigurationKind.number
  var accepted: String { range == .finite ? "" : range.description }

  func parse(_ value: ConfigurationValue) throws(ValueRefusal) -> Double {
    let number: Double
    switch value {
    case .number(let given): number = given
    case .integer(let given): number = Double(given)
    default: throw wrongType(value)
    }
    guard range.contains(number) else {
      throw ValueRefusal(code: .outOfRange, reason: "is out of range; accepted are \(range)")
    }
    return number
  }

  func encode(_ value: Double) -> ConfigurationValue { .number(value) }
}

struct BooleanRule: ValueRule {
  let kind = ConfigurationKind.boolean
  let accepted = ""

  func parse(_ value: ConfigurationValue) throws(ValueRefusal) -> Bool {
    guard case .boolean(let boolean) = value else { throw wrongType(value) }
    return boolean
  }

  func encode(_ value: Bool) -> ConfigurationValue { .boolean(value) }
}

struct StringRule: ValueRule {
  var allowsEmpty = true
  let kind = ConfigurationKind.string
  let accepted = ""

  func parse(_ value: ConfigurationValue) throws(ValueRefusal) -> String {
    guard case .string(let string) = value else { throw wrongType(value) }
    guard allowsEmpty || !string.isEmpty else {
      throw ValueRefusal(code: .outOfRange, reason: "is empty; give a text")
    }
    return string
  }

  func encode(_ value: String) -> ConfigurationValue { .string(value) }
}

struct NameRule: ValueRule {
  var names: [String]
  let kind = ConfigurationKind.string
  var accepted: String { names.joined(separator: ", ") }

  func parse(_ value: ConfigurationValue) throws(ValueRefusal) -> String {
    guard case .string(let string) = value else {
      throw wrongType(value, hint: ", one of \(accepted)")
    }
    guard names.contains(string) else {
      throw ValueRefusal(
        code: .unknownName,
        reason: "is not one of \(accepted)." + suggestion(nearest(to: string, among: names)))
    }
    return string
  }

  func encode(_ value: String) -> ConfigurationValue { .string(value) }
}

struct ChoiceRule<Choice: RawRepresentable<String> & CaseIterable>: ValueRule {
  private var names: NameRule { NameRule(names: Choice.allCases.map(\.rawValue)) }
  let kind = ConfigurationKind.string
  var accepted: String { names.accepted }

  func parse(_ value: ConfigurationValue) throws(ValueRefusal) -> Choice {
    let name = try names.parse(value)
    guard let choice = Choice(rawValue: name) else {
      throw ValueRefusal(code: .unknownName, reason: "is not one of \(accepted)")
    }
    return choice
  }

  func encode(_ value: Choice) -> ConfigurationValue { .string(value.rawValue) }
}

struct ArrayRule<Element: ValueRule>: ValueRule {
  var element: Element
  var kind: ConfigurationKind
  var accepted: String { element.accepted.isEmpty ? "" : "each \(element.accepted)" }

  func parse(_ value: ConfigurationValue) throws(ValueRefusal) -> [Element.Value] {
    guard case .array(let values) = value else {
      throw wrongType(value, hint: "; write [\(value)]")
    }
    var result: [Element.Value] = []
    for (index, value) in values.enumerated() {
      do throws(ValueRefusal) {
        result.append(try element.parse(value))
      } catch {
        throw ValueRefusal(
          code: error.code,
          reason: "holds a wrong value: number \(index + 1), \(value), \(error.reason)")
      }
    }
    return result
  }

  func encode(_ value: [Element.Value]) -> ConfigurationValue {
    .array(value.map(element.encode))
  }
}
