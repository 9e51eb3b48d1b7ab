// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// The shape that marks a single point.
struct Marker: Equatable {
  enum Shape: CaseIterable {
    case circle, square, triangle, diamond, invertedTriangle, cross, star
  }

  var shape: Shape
  /// Whether only its outline has the colour.
  var isHollow = false

  static let circle = Marker(shape: .circle)

  /// The shape around a point as path data.
  func path(_ x: Double, _ y: Double, radius: Double) -> String {
    func point(_ dx: Double, _ dy: Double) -> String {
      "\(coordinate(x + dx * radius)) \(coordinate(y + dy * radius))"
    }
    func polygon(_ corners: [(Double, Double)]) -> String {
      "M" + corners.map { point($0.0, $0.1) }.joined(separator: "L") + "Z"
    }
    switch shape {
    case .circle:
      let r = coordinate(radius)
      return "M\(point(-1, 0))A\(r) \(r) 0 1 1 \(point(1, 0))A\(r) \(r) 0 1 1 \(point(-1, 0))Z"
    case .square: return polygon([(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)])
    case .triangle: return polygon([(0, -1.2), (1.1, 0.8), (-1.1, 0.8)])
    case .diamond: return polygon([(0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)])
    case .invertedTriangle: return polygon([(0, 1.2), (1.1, -0.8), (-1.1, -0.8)])
    case .cross:
      let (arm, half) = (1.15, 0.42)
      return polygon([
        (-half, -arm), (half, -arm), (half, -half), (arm, -half), (arm, half), (half, half),
        (half, arm),
        (-half, arm), (-half, half), (-arm, half), (-arm, -half), (-half, -half),
      ])
    case .star:
      // Five outer corners and five inner ones, from the top, clockwise.
      let (outer, inner) = (1.4, 0.62)
      let directions = [
        (0.0, -1.0), (0.588, -0.809), (0.951, -0.309), (0.951, 0.309), (0.588, 0.809), (0.0, 1.0),
        (-0.588, 0.809), (-0.951, 0.309), (-0.951, -0.309), (-0.588, -0.809),
      ]
      return polygon(
        directions.enumerated().map { index, direction in
          let length = index % 2 == 0 ? outer : inner
          return (direction.0 * length, direction.1 * length)
        })
    }
  }

  /// The attributes that give it a colour, with a rim of paper where it is full.
  func paint(_ color: String) -> String {
    isHollow
      ? "fill=\"\(Ink.paper)\" stroke=\"\(color)\" stroke-width=\"1.6\""
      : "fill=\"\(color)\" stroke=\"\(Ink.paper)\" stroke-width=\"1\""
  }

  /// Where an arrow head points.
  enum Direction { case up, right, left }

  /// An arrow head that points beyond an edge, with its tip at a place.
  static func arrow(_ x: Double, _ y: Double, _ direction: Direction = .up) -> String {
    func point(_ across: Double, _ along: Double) -> String {
      switch direction {
      case .up: "\(coordinate(x + across)) \(coordinate(y + along))"
      case .right: "\(coordinate(x - along)) \(coordinate(y + across))"
      case .left: "\(coordinate(x + along)) \(coordinate(y + across))"
      }
    }
    return "M\(point(0, 0))L\(point(5, 8))L\(point(0, 5.5))L\(point(-5, 8))Z"
  }
}
