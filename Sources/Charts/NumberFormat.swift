// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// How the numbers of one axis are written: all in the same way.
struct NumberFormat {
  private enum Form {
    case fixed(decimals: Int)
    case suffixed(divisor: Double, suffix: String, decimals: Int)
    case power(exponent: Int, decimals: Int)
  }

  private let form: Form

  /// Chooses a form.
  ///
  /// - Parameters:
  ///   - step: the smallest difference that must be seen.
  ///   - largest: the greatest size of a number.
  init(step: Double, largest: Double) {
    func decimals(_ step: Double) -> Int {
      for count in 0...12 {
        let scaled = step * pow(10, Double(count))
        if scaled > 0.5, abs(scaled - scaled.rounded()) < 1e-6 * scaled { return count }
      }
      return 12
    }
    let suffixes: [(Double, String)] = [(1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")]
    if largest >= 1e16 || largest < 1e-3 {
      let exponent = Int(log10(max(largest, 1e-300)).rounded(.down))
      form = .power(exponent: exponent, decimals: decimals(step / pow(10, Double(exponent))))
    } else if largest >= 1e5, let (divisor, suffix) = suffixes.first(where: { largest >= $0.0 }),
      decimals(step / divisor) <= 2
    {
      form = .suffixed(divisor: divisor, suffix: suffix, decimals: decimals(step / divisor))
    } else {
      form = .fixed(decimals: decimals(step))
    }
  }

  /// A number as text.
  func text(_ value: Double) -> String {
    switch form {
    case .fixed(let decimals):
      return Self.fixed(value, decimals: decimals)
    case .suffixed(let divisor, let suffix, let decimals):
      return value == 0 ? "0" : Self.fixed(value / divisor, decimals: decimals) + suffix
    case .power(let exponent, let decimals):
      if value == 0 { return "0" }
      let mantissa = Self.fixed(value / pow(10, Double(exponent)), decimals: decimals)
      return "\(mantissa)\u{00D7}10\(superscript(exponent))"
    }
  }

  /// A number with as many decimals as it needs, at most 6 unless given, and commas between thousands.
  static func plain(_ value: Double, decimals: Int = 6) -> String {
    trimmed(fixed(value, decimals: value == value.rounded() ? 0 : decimals))
  }

  /// A number with five significant digits, for reading a single value.
  static func significant(_ value: Double) -> String {
    if value == 0 { return "0" }
    guard value.isFinite else { return value.description }
    let exponent = Int(log10(abs(value)).rounded(.down))
    if value == value.rounded(), abs(value) < 1e15 { return fixed(value, decimals: 0) }
    if exponent >= 15 || exponent < -4 {
      let mantissa = trimmed(fixed(value / pow(10, Double(exponent)), decimals: 4))
      return "\(mantissa)\u{00D7}10\(superscript(exponent))"
    }
    return trimmed(fixed(value, decimals: max(0, 4 - exponent)))
  }

  /// A number with a fixed number of decimals and commas between thousands.
  static func fixed(_ value: Double, decimals: Int) -> String {
    let scaled = (abs(value) * pow(10, Double(decimals))).rounded()
    guard scaled < 9e18 else { return value.description }
    var digits = String(Int(scaled))
    if digits.count <= decimals {
      digits = String(repeating: "0", count: decimals + 1 - digits.count) + digits
    }
    let whole = digits.dropLast(decimals)
    var result = ""
    for (index, digit) in whole.enumerated() {
      if index > 0, (whole.count - index) % 3 == 0 { result += "," }
      result.append(digit)
    }
    if decimals > 0 { result += "." + digits.suffix(decimals) }
    return value < 0 && scaled != 0 ? "\u{2212}" + result : result
  }

  private static func trimmed(_ text: String) -> String {
    guard text.contains(".") else { return text }
    var result = Substring(text)
    while result.hasSuffix("0") { result = result.dropLast() }
    if result.hasSuffix(".") { result = result.dropLast() }
    return String(result)
  }
}

/// An exponent in raised digits.
func superscript(_ exponent: Int) -> String {
  let raised: [Character] = [
    "\u{2070}", "\u{00B9}", "\u{00B2}", "\u{00B3}", "\u{2074}", "\u{2075}", "\u{2076}", "\u{2077}",
    "\u{2078}", "\u{2079}",
  ]
  let digits = String(abs(exponent)).compactMap { $0.wholeNumberValue.map { raised[$0] } }
  return (exponent < 0 ? "\u{207B}" : "") + String(digits)
}
