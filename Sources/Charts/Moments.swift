// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Weighted sums over points, with distances `d` from a moving origin: what fits a straight line.
struct Moments {
  var weight = 0.0
  var d = 0.0
  var dd = 0.0
  var y = 0.0
  var dy = 0.0

  /// For each point the sums over it and the points before it, with the origin at the point.
  static func running(_ points: [ChartPoint], halfLife: Double) -> [Moments] {
    var sums = Moments()
    var origin: Double?
    return points.map { point in
      guard point.x.isFinite, point.y.isFinite else { return sums }
      if let origin { sums.move(by: point.x - origin, halfLife: halfLife) }
      origin = point.x
      sums.weight += 1
      sums.y += point.y
      return sums
    }
  }

  /// Moves the origin forward and lets the weights fade.
  private mutating func move(by step: Double, halfLife: Double) {
    dd = dd - 2 * step * d + step * step * weight
    d -= step * weight
    dy -= step * y
    let kept = exp2(-step / halfLife)
    weight *= kept
    d *= kept
    dd *= kept
    y *= kept
    dy *= kept
  }

  /// The sums over both sides of a point that each side contains once.
  func adding(mirrored other: Moments, without value: Double) -> Moments {
    Moments(
      weight: weight + other.weight - 1, d: d - other.d, dd: dd + other.dd,
      y: y + other.y - value, dy: dy - other.dy)
  }

  /// The value of the fitted line at the origin; the mean where there is no line.
  var valueAtOrigin: Double {
    let determinant = weight * dd - d * d
    guard determinant > 1e-9 * weight * dd, dd > 0 else { return y / weight }
    return (dd * y - d * dy) / determinant
  }
}
