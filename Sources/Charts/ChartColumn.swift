// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Charts one below the other, as one SVG image: small multiples over the same horizontal axis.
public struct ChartColumn: Equatable, Sendable {
  /// The charts from top to bottom.
  public var charts: [LineChart]

  /// Puts charts into a column.
  public init(_ charts: [LineChart]) {
    self.charts = charts
  }

  /// The column as SVG 1.1 text.
  ///
  /// - Parameters:
  ///   - width: of all charts, in pixels, at least 240.
  ///   - heights: of each chart, in pixels, at least 160 each.
  /// - Returns: one `svg` element with a white background.
  public func svg(width: Int = 760, heights: [Int]) -> String {
    precondition(
      heights.count == charts.count && width >= 240 && heights.allSatisfy { $0 >= 160 },
      "\(charts.count) charts of at least 240 x 160 need as many heights, not \(width) x \(heights)"
    )
    let height = heights.reduce(0, +)
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(width)\" height=\"\(height)\" "
        + "viewBox=\"0 0 \(width) \(height)\">",
      "<rect width=\"\(width)\" height=\"\(height)\" fill=\"\(Ink.paper)\"/>",
    ]
    // The same margin for all, so that what is above one another happens at the same time.
    let drawings = zip(charts, heights).map { chart, height in
      ChartDrawing(chart, width: Double(width), height: Double(height))
    }
    let margin = drawings.map(\.layout.left).max() ?? 0
    var top = 0
    for (chart, height) in zip(charts, heights) {
      lines.append("<g transform=\"translate(0 \(top))\">")
      lines.append(
        ChartDrawing(
          chart, width: Double(width), height: Double(height), frame: ChartFrame(margin: margin)
        ).image())
      lines.append("</g>")
      top += height
    }
    return lines.joined(separator: "\n") + "\n</svg>\n"
  }
}
