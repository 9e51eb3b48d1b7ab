// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A mark on an axis.
struct Tick: Equatable {
  var value: Double
  /// The text, or `nil` for a small mark between others.
  var label: String?
}

/// The range an axis shows and the marks on it.
struct AxisRange: Equatable {
  var lower: Double
  var upper: Double
  var scale: ChartScale
  var ticks: [Tick]

  /// The place of a value between the lower end, 0, and the upper end, 1.
  func fraction(_ value: Double) -> Double {
    if scale == .logarithmicFromZero, value == 0 { return 0 }
    let start = scale.position(of: lower)
    return (scale.position(of: value) - start) / (scale.position(of: upper) - start)
  }

  /// Whether a value can be drawn at all, inside or outside of the range.
  static func isDrawable(_ value: Double, _ scale: ChartScale) -> Bool {
    switch scale {
    case .linear: abs(value) <= 1e100
    case .logarithmic: value >= 1e-100 && value <= 1e100
    case .logarithmicFromZero: value == 0 || isDrawable(value, .logarithmic)
    // Nearer to 1 there are no more numbers to tell apart.
    case .complement: value >= -1e100 && value <= 1 - 1e-12
    }
  }

  /// Chooses a range and marks.
  ///
  /// - Parameters:
  ///   - axis: gives scale and limits.
  ///   - values: the data, all drawable.
  ///   - count: how many marks there is room for.
  ///   - isWidened: whether the range of the data gets a margin, or is widened to the next marks.
  init(_ axis: ChartAxis, values: [Double], count: Int, isWidened: Bool) {
    if axis.scale == .logarithmicFromZero {
      var plain = axis
      plain.scale = .logarithmic
      self = AxisRange(
        plain, values: values.filter { $0 > 0 }, count: count, isWidened: isWidened)
      addZero(values)
      return
    }
    scale = axis.scale
    var isFixed = false
    if let limits = axis.limits, Self.isDrawable(limits.lowerBound, axis.scale),
      Self.isDrawable(limits.upperBound, axis.scale), limits.lowerBound < limits.upperBound
    {
      (lower, upper) = (limits.lowerBound, limits.upperBound)
      isFixed = true
    } else if let least = values.min(), let most = values.max() {
      (lower, upper) = (least, most)
    } else {
      // Nothing to show: marks would pretend that there is.
      (lower, upper) = axis.scale == .logarithmic ? (1, 10) : (0, 0.9)
      ticks = []
      return
    }
    ticks = []
    let enough = (upper - lower) > max(abs(lower), abs(upper)) * 1e-12
    if !enough {
      // A single value: put it in the middle.
      if scale == .logarithmic {
        (lower, upper) = (lower / 2, upper * 2)
      } else if scale == .complement {
        (lower, upper) = (1 - 2 * (1 - lower), 1 - (1 - upper) / 2)
      } else {
        let margin = lower == 0 ? 1 : abs(lower) * 0.1
        (lower, upper) = (lower - margin, upper + margin)
      }
    }
    let widens = isWidened && !isFixed
    switch scale {
    case .linear: useLinearTicks(count: count, isWidened: widens)
    case .logarithmic, .logarithmicFromZero: useLogarithmicTicks(count: count, isWidened: widens)
    case .complement: useComplementTicks(count: count)
    }
    if axis.isFactor {
      ticks = ticks.map { tick in
        Tick(value: tick.value, label: tick.label.map { "\u{00D7}" + $0 })
      }
    }
  }

  // MARK: - With a place for zero

  private mutating func addZero(_ values: [Double]) {
    let positive = values.filter { $0 > 0 }.sorted()
    scale = .logarithmicFromZero
    guard values.contains(0) else { return }
    guard let least = positive.first else {
      ticks = [Tick(value: 0, label: "0")]
      return
    }
    // As far below the smallest value as that is below the next one, within reason.
    let next = positive.first { $0 > least * 1.0001 } ?? least * 3
    lower = min(least, lower) / min(max(next / least, 2), 10)
    ticks = [Tick(value: 0, label: "0")] + ticks
  }

  // MARK: - Near one

  private mutating func useComplementTicks(count: Int) {
    let slack = 1e-9
    var candidates = [0.0, 0.9, 0.5, 0.99, 0.8, 0.95, 0.98, -1, -9, 0.7]
    for nines in 3...11 { candidates.append(1 - pow(10, -Double(nines))) }
    for nines in 3...11 { candidates += [2.0, 5].map { 1 - $0 * pow(10, -Double(nines)) } }
    var chosen: [(value: Double, place: Double)] = []
    for value in candidates {
      let place = fraction(value)
      guard place >= -slack, place <= 1 + slack,
        chosen.allSatisfy({ abs($0.place - place) * Double(count) > 0.62 })
      else { continue }
      chosen.append((value, place))
    }
    ticks = chosen.sorted { $0.place < $1.place }.map {
      Tick(value: $0.value, label: NumberFormat.plain($0.value, decimals: 11))
    }
  }

  // MARK: - Linear

  private mutating func useLinearTicks(count: Int, isWidened: Bool) {
    let step = Self.niceStep((upper - lower) / Double(max(1, count)))
    let slack = 1e-9
    if isWidened {
      // To the next mark where that costs little room, else by a margin.
      let room = upper - lower
      let below = (lower / step + slack).rounded(.down) * step
      let above = (upper / step - slack).rounded(.up) * step
      lower = lower - below <= 0.08 * room ? below : lower - 0.04 * room
      upper = above - upper <= 0.08 * room ? above : upper + 0.04 * room
    }
    let first = (lower / step - slack).rounded(.up)
    let last = (upper / step + slack).rounded(.down)
    let values = stride(from: first, through: last, by: 1).map { $0 * step }
    let format = NumberFormat(step: step, largest: max(abs(lower), abs(upper)))
    ticks = values.map { Tick(value: $0, label: format.text($0)) }
  }

  /// The smallest of 1, 2, 2.5, 5 times a power of ten that is not below a length.
  static func niceStep(_ length: Double) -> Double {
    let power = pow(10, log10(length).rounded(.down))
    let factor = [1, 2, 2.5, 5, 10].first { $0 * power >= length * (1 - 1e-9) } ?? 10
    return factor * power
  }

  // MARK: - Logarithmic

  private mutating func useLogarithmicTicks(count: Int, isWidened: Bool) {
    let slack = 1e-9
    if isWidened, log10(upper / lower) > 1.5 {
      lower = pow(10, (log10(lower) + slack).rounded(.down))
      upper = pow(10, (log10(upper) - slack).rounded(.up))
    } else if isWidened {
      let margin = pow(upper / lower, 0.05)
      (lower, upper) = (lower / margin, upper * margin)
    }
    let first = Int((log10(lower) - slack).rounded(.down))
    let last = Int((log10(upper) + slack).rounded(.up))
    func isInside(_ value: Double) -> Bool {
      value >= lower * (1 - slack) && value <= upper * (1 + slack)
    }
    let decades = (first...last).map { pow(10, Double($0)) }.filter(isInside)
    if decades.count >= 3 || (decades.count == 2 && count <= 3) {
      let every = max(1, (decades.count + count - 1) / max(1, count))
      let isPlain = lower >= 0.00099 && upper <= 1_000_001
      ticks = (first...last).flatMap { exponent in
        let value = pow(10, Double(exponent))
        let isLabelled = (exponent - first) % every == 0
        let text = isPlain ? NumberFormat.plain(value) : "10" + superscript(exponent)
        let minor = every == 1 ? (2...9).map { Tick(value: value * Double($0), label: nil) } : []
        return [Tick(value: value, label: isLabelled ? text : nil)] + minor
      }.filter { isInside($0.value) }
      return
    }
    let usual = (first...last).flatMap { exponent in
      [1.0, 2, 5].map { $0 * pow(10, Double(exponent)) }
    }.filter(isInside)
    if usual.count >= 3 {
      let format = NumberFormat(step: usual[0], largest: upper)
      ticks = usual.map { Tick(value: $0, label: format.text($0)) }
    } else {
      // Less than about a decade: marks at equal differences say more.
      useLinearTicks(count: count, isWidened: false)
      ticks.removeAll { $0.value <= 0 }
    }
  }
}
