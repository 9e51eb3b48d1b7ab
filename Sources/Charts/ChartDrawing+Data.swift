// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

extension ChartDrawing {
  /// A point in pixels.
  struct Place: Equatable {
    var x: Double
    var y: Double
  }

  /// Whether a point can be drawn.
  private func isDrawable(_ point: ChartPoint) -> Bool {
    AxisRange.isDrawable(point.x, chart.xAxis.scale)
      && AxisRange.isDrawable(point.y, chart.yAxis.scale)
  }

  private func place(_ point: ChartPoint) -> Place {
    Place(x: layout.placeX(point.x), y: layout.placeY(point.y))
  }

  /// The points of a series above the area of the data, where they are to be marked.
  func beyond(_ item: Drawn) -> [(point: ChartPoint, x: Double)] {
    guard item.series.marksBeyond, !item.isFaint else { return [] }
    return item.series.points.compactMap { point in
      guard AxisRange.isDrawable(point.x, chart.xAxis.scale),
        point.y == .infinity || (point.y.isFinite && layout.y.fraction(point.y) > 1 + 1e-9)
      else { return nil }
      let x = layout.placeX(point.x)
      return layout.isInside(x, layout.top) ? (point, x) : nil
    }
  }

  /// The points of a series that lie in the area of the data.
  func visiblePoints(_ item: Drawn) -> [(point: ChartPoint, place: Place)] {
    item.series.points.filter(isDrawable).map { ($0, place($0)) }
      .filter { layout.isInside($0.1.x, $0.1.y) }
  }

  // MARK: - Lines

  /// The pieces of a line between gaps.
  private func pieces(_ points: [ChartPoint], _ isPart: (ChartPoint) -> Bool) -> [[ChartPoint]] {
    points.split(omittingEmptySubsequences: true) { !isPart($0) }.map(Array.init)
  }

  func line(_ item: Drawn) -> [String] {
    guard item.hasLine else { return [] }
    var path = ""
    var dots: [String] = []
    for piece in pieces(item.series.points, isDrawable) {
      let places = thinned(piece.map(place))
      if places.count == 1 {
        // A point between two gaps has no line to be seen by.
        if !item.hasMarkers, layout.isInside(places[0].x, places[0].y) {
          let shape = Marker.circle.path(places[0].x, places[0].y, radius: 2.2)
          dots.append(
            "<path class=\"dot\" \(item.group) d=\"\(shape)\" fill=\"\(item.color.rawValue)\"/>")
        }
        continue
      }
      path += pathData(places)
    }
    path += risingTail(item)
    guard !path.isEmpty else { return dots }
    let style =
      item.isFaint
      ? "stroke-width=\"1\" stroke-opacity=\"0.3\""
      : "stroke-width=\"2\"" + (item.dash.isEmpty ? "" : " stroke-dasharray=\"\(item.dash)\"")
    return [
      "<path class=\"\(item.isFaint ? "faint-line" : "line")\" \(item.group) d=\"\(path)\" fill=\"none\" "
        + "stroke=\"\(item.color.rawValue)\" \(style) stroke-linejoin=\"round\"/>"
    ] + dots
  }

  private func pathData(_ places: [Place]) -> String {
    var result = ""
    for (index, place) in places.enumerated() {
      result += (index == 0 ? "M" : "L") + coordinate(place.x) + " " + coordinate(place.y)
    }
    return result
  }

  /// Leaves out points that cannot be seen: of those in one column of half a pixel, the first, the lowest, the
  /// highest and the last are kept.
  func thinned(_ places: [Place]) -> [Place] {
    guard Double(places.count) > 4 * (layout.right - layout.left) else { return places }
    var result: [Place] = []
    var start = 0
    while start < places.count {
      let column = (places[start].x * 2).rounded(.down)
      var end = start
      var lowest = start
      var highest = start
      while end < places.count, (places[end].x * 2).rounded(.down) == column {
        if places[end].y < places[lowest].y { lowest = end }
        if places[end].y > places[highest].y { highest = end }
        end += 1
      }
      for index in Set([start, lowest, highest, end - 1]).sorted() {
        result.append(places[index])
      }
      start = end
    }
    return result
  }

  // MARK: - Bands

  func band(_ item: Drawn) -> [String] {
    guard item.series.intervals == .band else { return [] }
    func hasBand(_ point: ChartPoint) -> Bool {
      guard isDrawable(point), let lower = point.lower, let upper = point.upper else {
        return false
      }
      return AxisRange.isDrawable(lower, chart.yAxis.scale)
        && AxisRange.isDrawable(upper, chart.yAxis.scale)
    }
    var path = ""
    for piece in pieces(item.series.points, hasBand) where piece.count > 1 {
      let upper = piece.map { Place(x: layout.placeX($0.x), y: layout.placeY($0.upper ?? $0.y)) }
      let lower = piece.map { Place(x: layout.placeX($0.x), y: layout.placeY($0.lower ?? $0.y)) }
      let outline = thinned(upper) + thinned(lower).reversed()
      path += pathData(outline) + "Z"
    }
    guard !path.isEmpty else { return [] }
    return [
      "<path class=\"band\" \(item.group) d=\"\(path)\" fill=\"\(item.color.rawValue)\" fill-opacity=\"0.16\"/>"
    ]
  }

  // MARK: - Markers and values

  func markers(_ item: Drawn) -> [String] {
    guard item.hasMarkers else { return [] }
    return visiblePoints(item).map { point, place in
      Self.marker(item, place, "<title>\(markupEscaped(value(item, point)))</title>")
    }
  }

  static func marker(_ item: Drawn, _ place: Place, _ content: String) -> String {
    let shape = item.marker.path(place.x, place.y, radius: 4)
    let open =
      "<path class=\"marker\" \(item.group) d=\"\(shape)\" \(item.marker.paint(item.color.rawValue))"
    return content.isEmpty ? open + "/>" : open + ">\(content)</path>"
  }

  /// Invisible discs over a line that show values under the pointer, at most about 1,200 in all; fewer in one of many panels.
  func targets(_ item: Drawn) -> [String] {
    guard item.hasLine, !item.hasMarkers, !item.isFaint else { return [] }
    let points = visiblePoints(item)
    let limit = min(120, max(12, (isPanel ? 240 : 1200) / drawn.count))
    let every = max(1, (points.count + limit - 1) / limit)
    return points.enumerated().filter {
      $0.offset % every == 0 || $0.offset == points.count - 1
    }.map { _, item2 in
      let (point, place) = item2
      return
        "<circle class=\"value\" \(item.group) cx=\"\(coordinate(place.x))\" cy=\"\(coordinate(place.y))\" "
        + "r=\"5\" fill=\"\(Ink.faint)\" fill-opacity=\"0\"><title>\(markupEscaped(value(item, point)))</title>"
        + "</circle>"
    }
  }

  /// A point in words.
  func value(_ item: Drawn, _ point: ChartPoint) -> String {
    func words(_ axis: ChartAxis, _ value: Double) -> String {
      (axis.title.isEmpty ? "" : axis.title + " ") + (axis.isFactor ? "\u{00D7}" : "")
        + NumberFormat.significant(value)
        + (axis.unit.isEmpty ? "" : " " + axis.unit)
    }
    var result = item.series.name.isEmpty ? "" : item.series.name + "\n"
    result += words(chart.xAxis, point.x) + "\n"
    result += point.y == .infinity ? "\(chart.yAxis.title): none" : words(chart.yAxis, point.y)
    if let lower = point.lower, let upper = point.upper {
      result +=
        "\n[\(NumberFormat.significant(lower)), \(NumberFormat.significant(upper))]"
    }
    if !point.note.isEmpty { result += "\n" + point.note }
    return result
  }
}
