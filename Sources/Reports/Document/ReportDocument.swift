// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Charts

/// A report as blocks, before it is HTML or Markdown: both say the same because both are made from this.
struct ReportDocument {
  var title: String
  /// What stands below the title: differences that were declared, the question.
  var lead: [ReportBlock]
  var sections: [ReportSection]
}

/// A part of a report with a heading.
struct ReportSection {
  /// The name of its anchor: lower-case letters, digits and hyphens.
  var name: String
  var title: String
  var blocks: [ReportBlock]
}

/// What a report is made of.
enum ReportBlock {
  case paragraph(String)
  /// A paragraph that matters most.
  case answer(String)
  case list([String])
  case heading(String)
  case table(ReportTable)
  case figure(ReportFigure)
  case code(String)
}

/// An image with words below it.
struct ReportFigure {
  /// The name of its file without ending, unique in the report.
  var name: String
  var caption: String
  var svg: String
}

/// A table.
struct ReportTable {
  /// How the text of a column is set.
  enum Alignment { case left, right }

  struct Column {
    var title: String
    var alignment = Alignment.right
  }

  /// How a cell looks, by what it says; always beside words, never instead of them.
  enum Tone: String { case plain, good, bad, alike, open, warning }

  struct Cell {
    var text: String
    var tone = Tone.plain
    /// Colour and marker of what the row is about.
    var look: ChartLook?

    init(_ text: String, tone: Tone = .plain, look: ChartLook? = nil) {
      self.text = text
      self.tone = tone
      self.look = look
    }
  }

  var caption = ""
  var columns: [Column]
  var rows: [[Cell]] = []
  /// Whether it has its own scroll bar on a screen.
  var isLong: Bool { rows.count > 40 }

  /// Starts a table; titles that begin with `<` are set to the left.
  init(caption: String = "", _ titles: [String]) {
    self.caption = caption
    columns = titles.map {
      $0.hasPrefix("<")
        ? Column(title: String($0.dropFirst()), alignment: .left) : Column(title: $0)
    }
  }

  /// Adds a row.
  mutating func add(_ cells: [Cell]) {
    precondition(cells.count == columns.count, "\(cells.count) cells in \(columns.count) columns")
    rows.append(cells)
  }

  /// Adds a row of plain texts.
  mutating func add(_ texts: [String]) { add(texts.map { Cell($0) }) }

  /// The table without columns in which no row says anything.
  var withoutEmptyColumns: ReportTable {
    var result = self
    let kept = columns.indices.filter { column in
      rows.contains { !$0[column].text.isEmpty && $0[column].text != ReportNumber.none }
    }
    result.columns = kept.map { columns[$0] }
    result.rows = rows.map { row in kept.map { row[$0] } }
    return result
  }
}
