// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Colours that people with any colour vision can tell apart (Okabe and Ito, 2008).
///
/// The yellow of that palette is left out: it cannot be seen on white.
public enum ChartColor: String, CaseIterable, Sendable {
  /// A strong blue.
  case blue = "#0072B2"
  /// A red that leans to orange.
  case vermilion = "#D55E00"
  /// A green that leans to blue.
  case green = "#009E73"
  /// A light purple.
  case purple = "#CC79A7"
  /// A light orange.
  case orange = "#E69F00"
  /// A light blue.
  case sky = "#56B4E9"
  /// Black.
  case black = "#000000"
}

/// What makes a thing recognisable in every chart of a page, also without colour: a colour, a dash pattern and a marker, by a number.
///
/// The first 49 differ in colour or dash, the first 98 in colour or marker.
public struct ChartLook: Equatable, Sendable {
  /// The number, 0 or above.
  public let index: Int

  /// The look with a number, 0 or above.
  public init(_ index: Int) {
    precondition(index >= 0, "a look's number is 0 or above, got \(index)")
    self.index = index
  }

  static let dashes = ["", "7 3", "2 2.5", "9 3 2 3", "4 2", "12 4", "6 2 2 2 2 2"]

  /// The colour.
  public var color: ChartColor { ChartColor.allCases[index % ChartColor.allCases.count] }
  /// The lengths of dashes and gaps, empty for a line without gaps.
  var dash: String {
    let round = index / ChartColor.allCases.count
    return Self.dashes[(index + round) % Self.dashes.count]
  }
  /// The marker.
  var marker: Marker {
    let (shapes, colors) = (Marker.Shape.allCases, ChartColor.allCases.count)
    return Marker(
      shape: shapes[(index + index / (2 * colors)) % shapes.count],
      isHollow: index / colors % 2 == 1)
  }
}

extension ChartLook {
  /// The marker in its colour as a small image for tables of a page, 14 pixels wide.
  public func sample() -> String {
    "<svg viewBox=\"0 0 14 14\" width=\"14\" height=\"14\" aria-hidden=\"true\">"
      + "<path d=\"\(marker.path(7, 7, radius: 4.5))\" \(marker.paint(color.rawValue))/></svg>"
  }
}
