// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Text for the content or an attribute of an element; what XML cannot hold becomes U+FFFD.
public func markupEscaped(_ text: String) -> String {
  var result = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "&": result += "&amp;"
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "\"": result += "&quot;"
    case "'": result += "&#39;"
    case "\n": result += "&#10;"
    case "\t", "\r": result += " "
    default:
      let isForbidden = scalar.value < 0x20 || scalar.value == 0xFFFE || scalar.value == 0xFFFF
      result.unicodeScalars.append(isForbidden ? "\u{FFFD}" : scalar)
    }
  }
  return result
}

/// A coordinate in pixels with at most two decimals.
func coordinate(_ value: Double) -> String {
  precondition(value.isFinite, "a coordinate is finite, got \(value)")
  let hundredths = Int((min(max(value, -1e6), 1e6) * 100).rounded())
  let (whole, rest) = abs(hundredths).quotientAndRemainder(dividingBy: 100)
  var result = (hundredths < 0 ? "-" : "") + String(whole)
  if rest != 0 {
    result += rest < 10 ? ".0\(rest)" : rest % 10 == 0 ? ".\(rest / 10)" : ".\(rest)"
  }
  return result
}

/// The width of a text in pixels, rather too wide than too narrow for the usual sans-serif fonts.
func estimatedWidth(_ text: String, fontSize: Double) -> Double {
  var units = 0.0
  for character in text {
    switch character {
    case "i", "j", "l", "I", "t", "f", "r", ".", ",", ":", ";", "'", "|", "!", "(", ")", "[", "]",
      " ":
      units += 0.38
    case "m", "w", "M", "W", "@", "%": units += 0.92
    case "+", "=", "<", ">", "\u{2212}", "\u{00B1}", "\u{00D7}", "\u{2264}", "\u{2265}":
      units += 0.84
    case "A"..."Z": units += 0.7
    case "\u{2E80}"...: units += 1.05
    default: units += 0.61
    }
  }
  return units * fontSize
}

/// A text cut to a width, with an ellipsis if anything was cut.
func cut(_ text: String, toWidth width: Double, fontSize: Double) -> String {
  if estimatedWidth(text, fontSize: fontSize) <= width { return text }
  var result = text
  while !result.isEmpty, estimatedWidth(result + "\u{2026}", fontSize: fontSize) > width {
    result.removeLast()
  }
  return result + "\u{2026}"
}

/// A text in at most two lines, broken between words; what does not fit is cut.
func wrapped(_ text: String, toWidth width: Double, fontSize: Double) -> [String] {
  if text.isEmpty { return [] }
  if estimatedWidth(text, fontSize: fontSize) <= width { return [text] }
  var first = ""
  var rest = text[...]
  while let space = rest.firstIndex(of: " ") {
    let longer = first + rest[...space]
    if estimatedWidth(longer, fontSize: fontSize) > width { break }
    first = longer
    rest = rest[rest.index(after: space)...]
  }
  if first.isEmpty { return [cut(text, toWidth: width, fontSize: fontSize)] }
  return [String(first.dropLast()), cut(String(rest), toWidth: width, fontSize: fontSize)]
}

/// A hash of text (FNV-1a, 64 bits), for names that differ when contents differ.
func contentName(_ text: String) -> String {
  var hash: UInt64 = 0xCBF2_9CE4_8422_2325
  for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
  return String(hash, radix: 36)
}

/// An element of text.
func text(
  _ content: String, x: Double, y: Double, size: Double, fill: String,
  anchor: String = "start", weight: String = "", className: String = ""
) -> String {
  "<text"
    + (className.isEmpty ? "" : " class=\"\(className)\"")
    + " x=\"\(coordinate(x))\" y=\"\(coordinate(y))\" font-size=\"\(coordinate(size))\""
    + (weight.isEmpty ? "" : " font-weight=\"\(weight)\"")
    + (anchor == "start" ? "" : " text-anchor=\"\(anchor)\"")
    + " fill=\"\(fill)\">\(markupEscaped(content))</text>"
}

/// The fonts of all charts.
let chartFonts =
  "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', Helvetica, Arial, sans-serif"

/// Title and subtitle at the top of an image, and how far down they reach.
func chartHead(title: String, subtitle: String, width: Double) -> ([String], Double) {
  var lines: [String] = []
  var place = 10.0
  for line in wrapped(title, toWidth: (width - 32) / 1.12, fontSize: ChartLayout.titleSize) {
    place += 19
    lines.append(
      text(
        line, x: 16, y: place, size: ChartLayout.titleSize, fill: Ink.title, weight: "600",
        className: "title"))
  }
  if !subtitle.isEmpty {
    place += 19
    lines.append(
      text(
        cut(subtitle, toWidth: width - 32, fontSize: ChartLayout.textSize), x: 16, y: place,
        size: ChartLayout.textSize, fill: Ink.text, className: "subtitle"))
  }
  return (lines, place)
}

/// An image that stands alone, with a white background.
func imageOf(_ lines: [String], width: Double, height: Double, summary: String) -> String {
  let (width, height) = (coordinate(width), coordinate(height))
  let head = [
    "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(width)\" height=\"\(height)\" "
      + "viewBox=\"0 0 \(width) \(height)\" role=\"img\" aria-label=\"\(markupEscaped(summary))\" "
      + "font-family=\"\(chartFonts)\">",
    "<style>\(ChartTheme.ownStyle)</style>",
    "<rect class=\"background\" width=\"\(width)\" height=\"\(height)\" fill=\"\(Ink.paper)\"/>",
  ]
  return (head + lines).joined(separator: "\n") + "\n</svg>\n"
}
