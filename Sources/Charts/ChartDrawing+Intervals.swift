// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

extension ChartDrawing {
  /// Bars with feet from the lower to the upper end of each interval.
  func errorBars(_ item: Drawn) -> [String] {
    guard item.series.intervals == .bars else { return [] }
    var path = ""
    for (point, place) in visiblePoints(item) {
      guard let lower = point.lower, let upper = point.upper,
        AxisRange.isDrawable(lower, chart.yAxis.scale),
        AxisRange.isDrawable(upper, chart.yAxis.scale)
      else { continue }
      let x = coordinate(place.x)
      let (left, right) = (coordinate(place.x - 3.5), coordinate(place.x + 3.5))
      let (top, bottom) = (coordinate(layout.placeY(upper)), coordinate(layout.placeY(lower)))
      path +=
        "M\(x) \(bottom)L\(x) \(top)M\(left) \(top)L\(right) \(top)M\(left) \(bottom)L\(right) \(bottom)"
    }
    guard !path.isEmpty else { return [] }
    return [
      "<path class=\"errors\" \(item.group) d=\"\(path)\" fill=\"none\" "
        + "stroke=\"\(item.color.rawValue)\" stroke-width=\"1.3\"/>"
    ]
  }

  /// A line from the last point before one that is infinite up to its arrow, so that one sees where the loss went.
  func risingTail(_ item: Drawn) -> String {
    guard item.series.marksBeyond, item.hasLine else { return "" }
    var path = ""
    for (before, after) in zip(item.series.points, item.series.points.dropFirst()) {
      for (from, to) in [(before, after), (after, before)] where to.y == .infinity {
        guard AxisRange.isDrawable(from.x, chart.xAxis.scale),
          AxisRange.isDrawable(from.y, chart.yAxis.scale),
          AxisRange.isDrawable(to.x, chart.xAxis.scale)
        else { continue }
        path += "M\(coordinate(layout.placeX(from.x))) \(coordinate(layout.placeY(from.y)))"
        path += "L\(coordinate(layout.placeX(to.x))) \(coordinate(layout.top))"
      }
    }
    return path
  }

  /// Arrows at the upper edge for what lies above it, one below the other where several meet.
  func arrows() -> [String] {
    var taken: [Int: Int] = [:]
    var lines: [String] = []
    for item in drawn {
      for (point, x) in beyond(item) {
        let column = Int((x / 6).rounded())
        let rank = [column - 1, column, column + 1].compactMap { taken[$0] }.max() ?? 0
        taken[column] = rank + 1
        // After a few there is no more room for data below.
        let y = layout.top - 3 + Double(min(rank, 6)) * 9
        lines.append(
          "<path class=\"beyond\" \(item.group) d=\"\(Marker.arrow(x, y))\" "
            + "fill=\"\(item.color.rawValue)\"><title>\(markupEscaped(value(item, point)))</title></path>"
        )
      }
    }
    return lines
  }
}
