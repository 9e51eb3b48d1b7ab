// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

// Every kind of value has three accessors: with a default, required (no default), and optional.

extension ConfigurationReading {
  // MARK: - Whole numbers

  /// A whole number with a default.
  ///
  /// - Parameters:
  ///   - name: the key, relative to this section.
  ///   - fallback: the value when the key is not given; inside the range.
  ///   - range: the accepted values.
  ///   - doc: one line of documentation.
  /// - Returns: the value, always inside the range.
  public func integer(
    _ name: String, default fallback: Int, in range: ClosedRange<Int> = Int.min...Int.max,
    doc: String = ""
  ) -> Int {
    value(name, IntegerRule(range: range), .defaulted(fallback), doc) ?? fallback
  }

  /// A whole number that must be given.
  public func integer(
    _ name: String, in range: ClosedRange<Int> = Int.min...Int.max, doc: String = ""
  ) -> Int {
    value(name, IntegerRule(range: range), .required, doc)
      ?? (range.contains(0) ? 0 : range.lowerBound)
  }

  /// A whole number that may be absent.
  public func optionalInteger(
    _ name: String, in range: ClosedRange<Int> = Int.min...Int.max, doc: String = ""
  ) -> Int? {
    value(name, IntegerRule(range: range), .optional, doc)
  }

  // MARK: - Numbers

  /// A floating-point number with a default; whole numbers are accepted.
  ///
  /// - Parameters:
  ///   - name: the key, relative to this section.
  ///   - fallback: the value when the key is not given; inside the range.
  ///   - range: the accepted values; every finite number if not said otherwise.
  ///   - doc: one line of documentation.
  /// - Returns: the value, always inside the range.
  public func number(
    _ name: String, default fallback: Double, in range: NumberRange = .finite, doc: String = ""
  ) -> Double {
    value(name, NumberRule(range: range), .defaulted(fallback), doc) ?? fallback
  }

  /// A floating-point number that must be given.
  public func number(
    _ name: String, in range: NumberRange = .finite, doc: String = ""
  ) -> Double {
    value(name, NumberRule(range: range), .required, doc) ?? range.placeholder
  }

  /// A floating-point number that may be absent.
  public func optionalNumber(
    _ name: String, in range: NumberRange = .finite, doc: String = ""
  ) -> Double? {
    value(name, NumberRule(range: range), .optional, doc)
  }

  // MARK: - Booleans

  /// `true` or `false` with a default.
  public func boolean(_ name: String, default fallback: Bool, doc: String = "") -> Bool {
    value(name, BooleanRule(), .defaulted(fallback), doc) ?? fallback
  }

  /// `true` or `false`, which may be absent.
  public func optionalBoolean(_ name: String, doc: String = "") -> Bool? {
    value(name, BooleanRule(), .optional, doc)
  }

  // MARK: - Texts

  /// A text with a default.
  public func string(_ name: String, default fallback: String, doc: String = "") -> String {
    value(name, StringRule(), .defaulted(fallback), doc) ?? fallback
  }

  /// A text that must be given and not be empty.
  public func string(_ name: String, doc: String = "") -> String {
    value(name, StringRule(allowsEmpty: false), .required, doc) ?? ""
  }

  /// A text that may be absent.
  public func optionalString(_ name: String, doc: String = "") -> String? {
    value(name, StringRule(), .optional, doc)
  }

  // MARK: - Names out of a list

  /// One case of an enumeration, by its raw value, with a default.
  public func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ name: String, default fallback: Choice, doc: String = ""
  ) -> Choice {
    value(name, ChoiceRule<Choice>(), .defaulted(fallback), doc) ?? fallback
  }

  /// One case of an enumeration, by its raw value, which may be absent.
  public func optionalChoice<Choice: RawRepresentable<String> & CaseIterable>(
    _ name: String, of type: Choice.Type, doc: String = ""
  ) -> Choice? {
    value(name, ChoiceRule<Choice>(), .optional, doc)
  }

  /// One name out of a list that is only known at run time, such as a registry, with a default.
  ///
  /// - Parameters:
  ///   - name: the key, relative to this section.
  ///   - fallback: the name when the key is not given; one of the list.
  ///   - names: the accepted names.
  ///   - doc: one line of documentation.
  /// - Returns: one of the names.
  public func name(
    _ name: String, default fallback: String, among names: [String], doc: String = ""
  ) -> String {
    value(name, NameRule(names: names), .defaulted(fallback), doc) ?? fallback
  }

  /// One name out of a list that is only known at run time, which may be absent.
  public func optionalName(_ name: String, among names: [String], doc: String = "") -> String? {
    value(name, NameRule(names: names), .optional, doc)
  }

  // MARK: - Arrays

  /// An array of whole numbers with a default.
  public func integers(
    _ name: String, default fallback: [Int], in range: ClosedRange<Int> = Int.min...Int.max,
    doc: String = ""
  ) -> [Int] {
    let rule = ArrayRule(element: IntegerRule(range: range), kind: .integers)
    return value(name, rule, .defaulted(fallback), doc) ?? fallback
  }

  /// An array of numbers with a default; whole numbers are accepted.
  public func numbers(
    _ name: String, default fallback: [Double], in range: NumberRange = .finite, doc: String = ""
  ) -> [Double] {
    let rule = ArrayRule(element: NumberRule(range: range), kind: .numbers)
    return value(name, rule, .defaulted(fallback), doc) ?? fallback
  }

  /// An array of texts with a default.
  public func strings(
    _ name: String, default fallback: [String], doc: String = ""
  ) -> [String] {
    let rule = ArrayRule(element: StringRule(), kind: .strings)
    return value(name, rule, .defaulted(fallback), doc) ?? fallback
  }

  /// An array of texts that may be absent.
  public func optionalStrings(_ name: String, doc: String = "") -> [String]? {
    value(name, ArrayRule(element: StringRule(), kind: .strings), .optional, doc)
  }

  /// An array of numbers that may be absent; whole numbers are accepted.
  public func optionalNumbers(
    _ name: String, in range: NumberRange = .finite, doc: String = ""
  ) -> [Double]? {
    value(name, ArrayRule(element: NumberRule(range: range), kind: .numbers), .optional, doc)
  }

  // MARK: - The one place where values are read

  private func value<Rule: ValueRule>(
    _ name: String, _ rule: Rule, _ presence: RulePresence<Rule.Value>, _ doc: String
  ) -> Rule.Value? {
    let declared: ConfigurationKey.Presence
    switch presence {
    case .defaulted(let fallback):
      let encoded = rule.encode(fallback)
      precondition(
        (try? rule.parse(encoded)) != nil,
        "the default of \(joined(path, name)), \(encoded), is not accepted: \(rule.accepted)")
      declared = .defaulted(encoded)
    case .required: declared = .required
    case .optional: declared = .optional
    }
    let key = ConfigurationKey(
      name: joined(path, name), kind: rule.kind, presence: declared, accepted: rule.accepted,
      documentation: doc)

    guard let setting = reader.setting(for: key) else {
      switch presence {
      case .defaulted(let fallback):
        reader.record(key, rule.encode(fallback), .default)
        return fallback
      case .optional:
        reader.record(key, nil, .default)
        return nil
      case .required:
        reader.add(
          ConfigurationProblem(
            .missingKey, keys: [key.name],
            "\(key.name) is missing; give \(key.kind.phrase)"
              + (rule.accepted.isEmpty ? "" : ", one of \(rule.accepted)")
              + ", in a file or as --\(key.name)=..."))
        return nil
      }
    }
    do throws(ValueRefusal) {
      var source = setting.value
      if rule.kind == .string, let typed = setting.typed, !source.isStringOrArray {
        source = .string(typed)
      }
      let parsed = try rule.parse(source)
      reader.record(key, rule.encode(parsed), setting.origin)
      return parsed
    } catch {
      reader.add(
        ConfigurationProblem(
          error.code, keys: [key.name],
          "\(setting.place): \(key.name) = \(setting.value) \(error.reason)"))
      return nil
    }
  }
}

private enum RulePresence<Value> {
  case defaulted(Value)
  case required
  case optional
}

extension ConfigurationValue {
  fileprivate var isStringOrArray: Bool {
    switch self {
    case .string, .array: true
    default: false
    }
  }
}
