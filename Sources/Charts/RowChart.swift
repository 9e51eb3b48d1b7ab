// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A chart with a line for each thing: its name at the left, values along horizontal axes, words at the right; as an SVG image.
///
/// With estimates and a margin around 0 it is a forest plot, with bars it shows costs, with dots every single seed.
public struct RowChart: Equatable, Sendable {
  /// What stands in one cell: a row's values on one axis.
  ///
  /// What lies beyond the axis, infinity among it, is an arrow at its edge.
  public struct Cell: Equatable, Sendable {
    /// Single values, each with words for the pointer.
    public struct Dot: Equatable, Sendable {
      /// The value.
      public var value: Double
      /// What it is, under the pointer.
      public var note: String

      /// Creates a dot.
      public init(_ value: Double, note: String = "") {
        self.value = value
        self.note = note
      }
    }

    /// Single values, drawn as small circles.
    public var dots: [Dot]
    /// The value that stands for all, drawn as the row's marker.
    public var estimate: Double?
    /// The lower end of its interval.
    public var lower: Double?
    /// The upper end of its interval.
    public var upper: Double?
    /// The length of a bar from 0, or from the left end of a logarithmic axis.
    public var bar: Double?
    /// Words at the end of the bar or, without one, under the pointer.
    public var note: String

    /// Creates a cell.
    public init(
      dots: [Dot] = [], estimate: Double? = nil, lower: Double? = nil, upper: Double? = nil,
      bar: Double? = nil, note: String = ""
    ) {
      self.dots = dots
      self.estimate = estimate
      self.lower = lower
      self.upper = upper
      self.bar = bar
      self.note = note
    }
  }

  /// A thing.
  public struct Row: Equatable, Sendable {
    /// Its name.
    public var name: String
    /// Its colour and marker; `nil` makes it a heading of those below it.
    public var look: ChartLook?
    /// Its values, one cell for each axis.
    public var cells: [Cell]
    /// Words at the right, one for each of the chart's headings.
    public var words: [String]

    /// Describes a thing.
    public init(name: String, look: ChartLook, cells: [Cell], words: [String] = []) {
      self.name = name
      self.look = look
      self.cells = cells
      self.words = words
    }

    /// A heading.
    public init(heading: String) {
      name = heading
      look = nil
      cells = []
      words = []
    }
  }

  /// A horizontal axis with what is marked on it.
  public struct Scale: Equatable, Sendable {
    /// The axis.
    public var axis: ChartAxis
    /// Values and ranges behind the data, for example a margin around 0.
    public var marks: [ChartMark]

    /// Describes a horizontal axis.
    public init(_ axis: ChartAxis, marks: [ChartMark] = []) {
      self.axis = axis
      self.marks = marks
    }
  }

  /// The title; empty for none.
  public var title: String
  /// A line below the title; empty for none.
  public var subtitle: String
  /// The horizontal axes from left to right.
  public var scales: [Scale]
  /// The titles of the words at the right.
  public var headings: [String]
  /// The rows from top to bottom.
  public var rows: [Row]

  /// Describes a chart; every row that is no heading has a cell for each axis and a word for each heading.
  public init(
    title: String, subtitle: String = "", scales: [Scale], headings: [String] = [], rows: [Row]
  ) {
    self.title = title
    self.subtitle = subtitle
    self.scales = scales
    self.headings = headings
    self.rows = rows
  }

  /// The chart as SVG 1.1 text; its height follows from the number of rows.
  ///
  /// - Parameter width: in pixels, at least 320.
  /// - Returns: one `svg` element with a white background.
  public func svg(width: Int = 860) -> String {
    precondition(
      width >= 320
        && rows.allSatisfy {
          $0.look == nil || ($0.cells.count == scales.count && $0.words.count == headings.count)
        },
      "a chart is at least 320 wide, not \(width), and its rows have \(scales.count) cells and \(headings.count) words"
    )
    return RowChartDrawing(self, width: Double(width)).svg()
  }
}
