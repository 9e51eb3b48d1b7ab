// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Numbers as a report writes them: with as many digits as they deserve.
enum ReportNumber {
  /// What stands where there is no number.
  static let none = "\u{2013}"

  /// Digits after the point at which an uncertainty has one digit that counts, two when it begins with 1.
  ///
  /// 0.0063 asks for 3, 0.013 for 3, 0.4 for 1; without an uncertainty above 0 it is 4.
  static func decimals(for uncertainty: Double?) -> Int {
    guard let uncertainty, uncertainty.isFinite, uncertainty > 0 else { return 4 }
    let exponent = Int(log10(uncertainty).rounded(.down))
    // 0.0096 rounds to 0.010: its first digit is that after rounding.
    let first = (uncertainty / pow(10, Double(exponent))).rounded()
    let extra = first == 1 ? 1 : 0
    return min(max(extra - exponent, 0), 6)
  }

  /// A number with a fixed number of digits after the point.
  static func fixed(_ value: Double, _ decimals: Int) -> String {
    guard value.isFinite else { return unusual(value) }
    guard abs(value) < 1e15 else { return significant(value, 3) }
    let text = String(format: "%.\(decimals)f", value)
    // No negative zero.
    guard text.hasPrefix("-") else { return text }
    return text.contains { $0 != "-" && $0 != "0" && $0 != "." }
      ? "\u{2212}" + text.dropFirst() : String(text.dropFirst())
  }

  /// A difference: always with its sign.
  static func signed(_ value: Double, _ decimals: Int) -> String {
    let text = fixed(value, decimals)
    return value > 0 && text.contains { ("1"..."9").contains($0) } ? "+" + text : text
  }

  /// A number with so many digits that count; very large and very small ones as powers of ten.
  static func significant(_ value: Double, _ digits: Int = 4) -> String {
    guard value.isFinite else { return unusual(value) }
    if value == 0 { return "0" }
    let exponent = Int(log10(abs(value)).rounded(.down))
    let sign = value < 0 ? "\u{2212}" : ""
    if exponent < -3 || exponent > 6 {
      var (mantissa, power) = (abs(value) / pow(10, Double(exponent)), exponent)
      if (mantissa * pow(10, Double(digits - 1))).rounded() >= pow(10, Double(digits)) {
        (mantissa, power) = (mantissa / 10, power + 1)
      }
      return sign + trimmed(String(format: "%.\(digits - 1)f", mantissa)) + "e\(power)"
    }
    return sign + trimmed(String(format: "%.\(max(0, digits - 1 - exponent))f", abs(value)))
  }

  /// The value of a knob: three digits, as one would write it into a configuration.
  static func knob(_ value: Double) -> String { significant(value, 3) }

  /// An integer with its thousands apart.
  static func count(_ value: Int) -> String {
    var text = ""
    for (place, digit) in String(abs(value)).reversed().enumerated() {
      if place > 0, place % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return (value < 0 ? "\u{2212}" : "") + String(text.reversed())
  }

  /// A large number with three digits and k, M, G, T: 163k, 1.24M.
  static func short(_ value: Double) -> String {
    guard value.isFinite else { return unusual(value) }
    var (scaled, unit) = (value, "")
    for larger in ["k", "M", "G", "T", "P", "E"] where abs(scaled) >= 999.5 {
      (scaled, unit) = (scaled / 1000, larger)
    }
    guard unit != "E" || abs(scaled) < 999.5 else { return significant(value, 3) }
    return (unit.isEmpty ? significant(scaled, 3) : trimmed(digits3(scaled))) + unit
  }

  private static func digits3(_ value: Double) -> String {
    String(format: "%.\(abs(value) >= 99.95 ? 0 : abs(value) >= 9.995 ? 1 : 2)f", value)
  }

  /// Bytes in the unit that fits: 812 B, 4.4 MB.
  static func bytes(_ value: Double) -> String {
    guard value.isFinite else { return unusual(value) }
    var (scaled, unit) = (value, 0)
    let units = ["B", "kB", "MB", "GB", "TB", "PB"]
    while abs(scaled) >= 999.5, unit < units.count - 1 {
      (scaled, unit) = (scaled / 1000, unit + 1)
    }
    return significant(scaled, 3) + " " + units[unit]
  }

  /// A time in the two units that fit: 0.42 s, 9 s, 1 min 05 s, 2 h 10 min.
  static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, abs(seconds) < 1e12 else { return unusual(seconds) }
    if abs(seconds) < 9.5 { return significant(seconds, 2) + " s" }
    let whole = Int(seconds.rounded())
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return "\(whole / 60) min \(two(whole % 60)) s" }
    if whole < 48 * 3600 { return "\(whole / 3600) h \(two(whole % 3600 / 60)) min" }
    return "\(whole / 86_400) d \(whole % 86_400 / 3600) h"
  }

  /// A probability: 0.034, 0.00021, < 1e-6.
  static func probability(_ value: Double) -> String {
    guard value.isFinite else { return none }
    return value < 1e-6 ? "< 1e-6" : significant(value, 2)
  }

  /// A factor with three digits: 1.23x, 0.816x.
  static func factor(_ value: Double) -> String {
    guard value.isFinite, abs(value) < 1e6 else { return significant(value, 3) }
    return fixed(value, abs(value) >= 9.995 ? 1 : abs(value) >= 0.9995 ? 2 : 3) + "\u{00D7}"
  }

  /// A share in percent.
  static func percent(_ share: Double) -> String {
    share.isFinite ? significant(share * 100, 3) + " %" : none
  }

  /// A time of day, in UTC: 2026-01-31 14:05 UTC.
  static func time(_ date: Date) -> String {
    let seconds = date.timeIntervalSince1970
    guard seconds.isFinite, abs(seconds) < 1e11 else { return none }
    let text = Date(timeIntervalSince1970: seconds.rounded(.down)).ISO8601Format()
    return text.prefix(10) + " " + text.dropFirst(11).prefix(5) + " UTC"
  }

  private static func unusual(_ value: Double) -> String {
    value.isNaN ? "NaN" : value > 0 ? "\u{221E}" : "\u{2212}\u{221E}"
  }

  private static func trimmed(_ text: String) -> String {
    guard text.contains(".") else { return text }
    var result = Substring(text)
    while result.hasSuffix("0") { result = result.dropLast() }
    if result.hasSuffix(".") { result = result.dropLast() }
    return String(result)
  }
}
