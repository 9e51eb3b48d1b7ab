// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// The shapes that mark single points.
enum Marker: CaseIterable {
  case circle, square, triangle, diamond

  /// The shape around a point as path data.
  func path(_ x: Double, _ y: Double, radius: Double) -> String {
    func point(_ dx: Double, _ dy: Double) -> String {
      "\(coordinate(x + dx * radius)) \(coordinate(y + dy * radius))"
    }
    switch self {
    case .circle:
      let r = coordinate(radius)
      return "M\(point(-1, 0))A\(r) \(r) 0 1 1 \(point(1, 0))A\(r) \(r) 0 1 1 \(point(-1, 0))Z"
    case .square:
      return "M\(point(-0.9, -0.9))L\(point(0.9, -0.9))L\(point(0.9, 0.9))L\(point(-0.9, 0.9))Z"
    case .triangle:
      return "M\(point(0, -1.2))L\(point(1.1, 0.8))L\(point(-1.1, 0.8))Z"
    case .diamond:
      return "M\(point(0, -1.3))L\(point(1.3, 0))L\(point(0, 1.3))L\(point(-1.3, 0))Z"
    }
  }
}
