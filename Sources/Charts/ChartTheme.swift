// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// The greys of all charts, by what they are for.
///
/// Charts name them as attributes, so that an image stands alone; a page exchanges them for those of a dark screen by its style.
enum Ink {
  static let paper = "#FFFFFF"
  static let title = "#111111"
  static let name = "#222222"
  static let axisTitle = "#333333"
  static let text = "#555555"
  static let faint = "#767676"
  static let axis = "#777777"
  static let grid = "#E2E2E2"
  static let minorGrid = "#F3F3F3"
  static let mark = "#E8E4D8"

  /// What they become on a dark screen.
  static let dark = [
    (paper, "#16191d"), (title, "#f4f4f4"), (name, "#e6e6e6"), (axisTitle, "#d6d6d6"),
    (text, "#b8bcc2"), (faint, "#8f959d"), (axis, "#8a9099"), (grid, "#333941"),
    (minorGrid, "#23282e"), (mark, "#37332a"),
  ]
}

/// Styles for pages that hold charts.
public enum ChartTheme {
  /// Rules that a chart carries itself: what is under the pointer gets a rim.
  static let ownStyle =
    ".marker:hover,.beyond:hover,.bar:hover{stroke:#111111;stroke-width:2}.value:hover{fill-opacity:.25}"

  /// Rules for a page: pointing at a line, a marker or a name makes the others of its chart pale, without a script.
  ///
  /// - Parameter count: how many looks the page uses.
  /// - Returns: CSS.
  public static func highlightStyle(count: Int) -> String {
    // One rule for each look: a selector can name what is hovered, but not compare two elements' attributes.
    (0..<max(0, count)).map { index in
      let own = "[data-look=\"\(index)\"]"
      return "svg:has(\(own):hover) [data-look]:not(\(own)){opacity:.12}"
    }.joined(separator: "\n")
  }

  /// Rules that turn charts dark, to be used inside of `@media (prefers-color-scheme: dark)` or below a class.
  ///
  /// - Parameter scope: a selector of what holds the charts, for example `figure`.
  /// - Returns: CSS.
  public static func darkStyle(scope: String) -> String {
    let colors = ChartColor.allCases.map { ($0.rawValue, $0.onDark) }
    return (Ink.dark + colors).map { light, dark in
      "\(scope) [fill=\"\(light)\"]{fill:\(dark)}\(scope) [stroke=\"\(light)\"]{stroke:\(dark)}"
    }.joined(separator: "\n") + "\n\(scope) .marker:hover{stroke:#ffffff}"
  }
}

extension ChartColor {
  /// The same hue, light enough to be seen on a dark screen.
  var onDark: String {
    switch self {
    case .blue: "#4a9ee6"
    case .vermilion: "#f0793a"
    case .green: "#1fc795"
    case .purple: "#e3a1c6"
    case .orange: "#f2b63c"
    case .sky: "#9bd6f7"
    case .black: "#f5f5f5"
    }
  }
}
