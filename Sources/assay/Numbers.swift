// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Numbers as people read them.
enum Numbers {
  /// A number with this many digits after the point.
  static func fixed(_ number: Double, _ digits: Int) -> String {
    String(format: "%.\(digits)f", number)
  }

  /// A small number: 3.2e-07.
  static func scientific(_ number: Double) -> String { String(format: "%.1e", number) }

  /// A number with three digits that count, and k, M, G ...: 4.41k, 163k, 1.24M.
  static func short(_ number: Double) -> String {
    guard number.isFinite else { return "\(number)" }
    var (scaled, unit) = (number, "")
    for larger in ["k", "M", "G", "T", "P", "E", "Z"] where abs(scaled) >= 999.5 {
      (scaled, unit) = (scaled / 1000, larger)
    }
    if unit.isEmpty, scaled == scaled.rounded() { return fixed(scaled, 0) }
    let digits = abs(scaled) >= 99.95 ? 0 : abs(scaled) >= 9.995 ? 1 : 2
    return fixed(scaled, digits) + unit
  }

  /// An integer with its thousands apart: 1,638,400.
  static func grouped(_ number: Int) -> String {
    var text = ""
    for (position, digit) in String(abs(number)).reversed().enumerated() {
      if position > 0, position % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return (number < 0 ? "-" : "") + String(text.reversed())
  }

  /// Bytes in the unit that fits: 812 B, 4.4 MB.
  static func bytes(_ count: Int) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"]
    var (scaled, unit) = (Double(count), 0)
    while scaled >= 999.5, unit < units.count - 1 { (scaled, unit) = (scaled / 1000, unit + 1) }
    return unit == 0 ? "\(count) B" : "\(fixed(scaled, scaled < 9.95 ? 1 : 0)) \(units[unit])"
  }

  /// A time that may be short: 0.24 s, 3.1 s, and from 10 s on as ``duration(_:)``.
  static func seconds(_ seconds: Double) -> String {
    seconds < 9.95 && seconds >= 0
      ? fixed(seconds, seconds < 0.995 ? 2 : 1) + " s" : duration(seconds)
  }

  /// A time in the two units that fit: 9 s, 1 min 05 s, 2 h 10 min, 3 d 04 h, 12 years.
  static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds < 1e18 else { return "?" }
    let whole = Int(seconds.rounded())
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return "\(whole / 60) min \(two(whole % 60)) s" }
    if whole < 48 * 3600 { return "\(whole / 3600) h \(two(whole % 3600 / 60)) min" }
    let days = whole / 86_400
    if days < 730 { return "\(days) d \(two(whole % 86_400 / 3600)) h" }
    return "\(grouped(days / 365)) years"
  }
}
