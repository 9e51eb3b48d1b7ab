// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// The shapes that an optimum is read from; one alone carries its own error of form, see ``OptimumFit``.
public enum CurveShape: String, Codable, CaseIterable, Sendable {
  /// The parabola through the best point and its two neighbours.
  case quadratic3 = "quadratic-3"
  /// The least-squares parabola over five points around the best.
  case quadratic5 = "quadratic-5"
  /// The least-squares cubic over five points around the best.
  case cubic5 = "cubic-5"
  /// Akima's interpolation (1970), left and right of the best point.
  case akima
}

/// Minima of fitted curves over one grid of positions; everything that depends on the grid alone is computed once.
struct CurveShapes {
  let positions: [Double]
  let shapes: [CurveShape]
  /// Least squares for each five-point window, by its first index: degree 2 and degree 3.
  private let quadratics: [LocalPolynomial]
  private let cubics: [LocalPolynomial]

  /// - Parameter positions: Ascending, at least three.
  init(positions: [Double]) {
    self.positions = positions
    let windows = positions.count >= 5 ? 0...(positions.count - 5) : nil
    quadratics = windows?.map { LocalPolynomial(positions[$0..<($0 + 5)], degree: 2) } ?? []
    cubics = windows?.map { LocalPolynomial(positions[$0..<($0 + 5)], degree: 3) } ?? []
    shapes = positions.count >= 5 ? CurveShape.allCases : [.quadratic3]
  }

  /// Position and height of the minimum near the lowest of `losses`, one for each of `shapes`.
  func minima(_ losses: [Double]) -> [(position: Double, loss: Double)] {
    let best = lowestIndex(losses)
    return shapes.map { shape in
      switch shape {
      case .quadratic3: parabola(losses, best)
      case .quadratic5: quadratics[fiveAround(best)].minimum(losses, first: fiveAround(best))
      case .cubic5: cubics[fiveAround(best)].minimum(losses, first: fiveAround(best))
      case .akima: akima(losses, best)
      }
    }
  }

  private func fiveAround(_ best: Int) -> Int { min(max(best - 2, 0), positions.count - 5) }

  /// The vertex of the parabola through three points, if it opens upwards and lies between them; else the lowest point.
  private func parabola(_ losses: [Double], _ best: Int) -> (position: Double, loss: Double) {
    let first = min(max(best - 1, 0), positions.count - 3)
    let (x0, x1, x2) = (positions[first], positions[first + 1], positions[first + 2])
    let (y0, y1, y2) = (losses[first], losses[first + 1], losses[first + 2])
    let slope0 = (y1 - y0) / (x1 - x0)
    let slope1 = (y2 - y1) / (x2 - x1)
    let curvature = (slope1 - slope0) / (x2 - x0)
    guard curvature > 0 else { return (positions[best], losses[best]) }
    // y = y0 + slope0 (x - x0) + curvature (x - x0)(x - x1)
    let vertex = min(max((x0 + x1 - slope0 / curvature) / 2, x0), x2)
    return (vertex, y0 + (vertex - x0) * (slope0 + curvature * (vertex - x1)))
  }

  /// The lowest point of Akima's piecewise cubic on the two segments that meet at the best grid point.
  private func akima(_ losses: [Double], _ best: Int) -> (position: Double, loss: Double) {
    let tangents = akimaTangents(losses)
    var lowest = (position: positions[best], loss: losses[best])
    for left in [best - 1, best] where left >= 0 && left + 1 < positions.count {
      let width = positions[left + 1] - positions[left]
      let rise = (losses[left + 1] - losses[left]) / width
      // y = y0 + t (b + t (c + t d)) with t from 0 to the width.
      let b = tangents[left]
      let c = (3 * rise - 2 * b - tangents[left + 1]) / width
      let d = (b + tangents[left + 1] - 2 * rise) / (width * width)
      for t in stationaryPoints(b, c, d) where t > 0 && t < width {
        let loss = losses[left] + t * (b + t * (c + t * d))
        if loss < lowest.loss { lowest = (positions[left] + t, loss) }
      }
    }
    return lowest
  }

  /// Akima's tangents: means of the slopes on either side, weighted by how little the slopes beyond them change.
  private func akimaTangents(_ losses: [Double]) -> [Double] {
    let n = positions.count
    // Two slopes are extrapolated beyond each end, so slope i of the grid stands at i + 2.
    var slopes = [Double](repeating: 0, count: n + 3)
    for i in 0..<(n - 1) {
      slopes[i + 2] = (losses[i + 1] - losses[i]) / (positions[i + 1] - positions[i])
    }
    slopes[1] = 2 * slopes[2] - slopes[3]
    slopes[0] = 2 * slopes[1] - slopes[2]
    slopes[n + 1] = 2 * slopes[n] - slopes[n - 1]
    slopes[n + 2] = 2 * slopes[n + 1] - slopes[n]
    var changes = [Double](repeating: 0, count: n + 2)
    for i in 0..<(n + 2) { changes[i] = abs(slopes[i + 1] - slopes[i]) }
    var largest = 0.0
    for i in 0..<n { largest = max(largest, changes[i] + changes[i + 2]) }
    return (0..<n).map { i in
      let weight = changes[i] + changes[i + 2]
      // Straight on both sides up to rounding: the plain mean of the two outer slopes.
      guard weight > 1e-9 * largest else { return (slopes[i] + slopes[i + 3]) / 2 }
      return (changes[i + 2] * slopes[i + 1] + changes[i] * slopes[i + 2]) / weight
    }
  }
}

/// Real roots of b + 2 c t + 3 d t^2.
func stationaryPoints(_ b: Double, _ c: Double, _ d: Double) -> [Double] {
  if d == 0 { return c == 0 ? [] : [-b / (2 * c)] }
  let discriminant = c * c - 3 * b * d
  guard discriminant >= 0 else { return [] }
  // The form without cancellation: the product of the roots is b / (3 d).
  let q = -(c + (c < 0 ? -1 : 1) * discriminant.squareRoot())
  return q == 0 ? [0] : [q / (3 * d), b / q]
}

/// A least-squares polynomial over five positions.
struct LocalPolynomial {
  private let middle: Double
  private let halfWidth: Double
  /// Coefficients of 1, u, u^2, u^3 as weights of the five losses; u = (position - middle) / half-width.
  private let weights: [[Double]]

  init(_ window: ArraySlice<Double>, degree: Int) {
    let points = Array(window)
    let middle = (points[0] + points[points.count - 1]) / 2
    let halfWidth = (points[points.count - 1] - points[0]) / 2
    self.middle = middle
    self.halfWidth = halfWidth
    let u = points.map { ($0 - middle) / halfWidth }
    // Monomials made orthonormal over the points (Gram-Schmidt, twice for accuracy), with what they are made of.
    var basis: [(values: [Double], coefficients: [Double])] = []
    for power in 0...degree {
      var values = u.map { x in (0..<power).reduce(1.0) { product, _ in product * x } }
      var coefficients = [Double](repeating: 0, count: 4)
      coefficients[power] = 1
      for _ in 0..<2 {
        for other in basis {
          let overlap = zip(values, other.values).reduce(0) { $0 + $1.0 * $1.1 }
          for i in values.indices { values[i] -= overlap * other.values[i] }
          for i in 0..<4 { coefficients[i] -= overlap * other.coefficients[i] }
        }
      }
      let length = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
      basis.append((values.map { $0 / length }, coefficients.map { $0 / length }))
    }
    weights = (0..<4).map { power in
      u.indices.map { point in
        basis.reduce(0) { $0 + $1.coefficients[power] * $1.values[point] }
      }
    }
  }

  /// The lowest point of the fit within its window.
  func minimum(_ losses: [Double], first: Int) -> (position: Double, loss: Double) {
    // Around the first loss, so that a small basin on a high loss keeps its digits.
    let origin = losses[first]
    var c = (0.0, 0.0, 0.0, 0.0)
    for point in 0..<5 {
      let loss = losses[first + point] - origin
      c.0 += weights[0][point] * loss
      c.1 += weights[1][point] * loss
      c.2 += weights[2][point] * loss
      c.3 += weights[3][point] * loss
    }
    func height(_ u: Double) -> Double { c.0 + u * (c.1 + u * (c.2 + u * c.3)) }
    var lowest = height(-1) <= height(1) ? -1.0 : 1.0
    for u in stationaryPoints(c.1, c.2, c.3) where abs(u) < 1 && height(u) < height(lowest) {
      lowest = u
    }
    return (middle + halfWidth * lowest, origin + height(lowest))
  }
}
