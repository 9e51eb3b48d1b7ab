// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Charts
import Foundation

/// A report as one HTML file that needs nothing else: style and images are inside, and nothing is a script.
struct HTMLPage {
  let document: ReportDocument
  /// JSON for programs, kept in the page but not shown.
  let data: String
  /// How many looks the charts use.
  let lookCount: Int

  var text: String {
    var lines = [
      "<!DOCTYPE html>", "<html lang=\"en\">", "<head>", "<meta charset=\"utf-8\" />",
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" />",
      "<meta name=\"color-scheme\" content=\"light dark\" />",
      "<title>\(markupEscaped(document.title))</title>",
      "<style>\n\(PageStyle.css(lookCount: lookCount))\n</style>", "</head>", "<body>",
      "<header>", "<h1>\(markupEscaped(document.title))</h1>",
    ]
    lines += document.lead.map(block)
    lines.append("</header>")
    lines.append("<nav aria-label=\"Contents\"><ul>")
    for section in document.sections {
      lines.append("<li><a href=\"#\(section.name)\">\(markupEscaped(section.title))</a></li>")
    }
    lines += ["</ul></nav>", "<main>"]
    for section in document.sections {
      lines.append("<section id=\"\(section.name)\">")
      lines.append("<h2>\(markupEscaped(section.title))</h2>")
      lines += section.blocks.map(block)
      lines.append("</section>")
    }
    lines.append("</main>")
    // A browser ends such an element at "</", and other readers look for "&": JSON can write both otherwise.
    lines.append(
      "<script type=\"application/json\" id=\"analysis\">"
        + data.replacing("<", with: "\\u003c").replacing("&", with: "\\u0026") + "</script>")
    return lines.joined(separator: "\n") + "\n</body>\n</html>\n"
  }

  private func block(_ block: ReportBlock) -> String {
    switch block {
    case .paragraph(let text): return "<p>\(markupEscaped(text))</p>"
    case .answer(let text): return "<p class=\"answer\">\(markupEscaped(text))</p>"
    case .list(let items):
      return "<ul>" + items.map { "<li>\(markupEscaped($0))</li>" }.joined(separator: "\n")
        + "</ul>"
    case .heading(let text): return "<h3>\(markupEscaped(text))</h3>"
    case .code(let text): return "<pre><code>\(markupEscaped(text))</code></pre>"
    case .figure(let figure):
      return "<figure id=\"figure-\(figure.name)\"><div class=\"image\">"
        + inline(figure.svg)
        + "</div>"
        + (figure.caption.isEmpty
          ? "" : "<figcaption>\(markupEscaped(figure.caption))</figcaption>")
        + "</figure>"
    case .table(let table): return self.table(table)
    }
  }

  /// An image as part of the page, whose parser knows SVG without its name space; the page has the style of all.
  private func inline(_ svg: String) -> String {
    var text = svg.replacing(" xmlns=\"http://www.w3.org/2000/svg\"", with: "")
    if let start = text.range(of: "<style>"), let end = text.range(of: "</style>\n") {
      text.removeSubrange(start.lowerBound..<end.upperBound)
    }
    return text
  }

  private func table(_ table: ReportTable) -> String {
    var lines: [String] = []
    // Above the table and not in it, so that it is as wide as the page.
    if !table.caption.isEmpty {
      lines.append("<p class=\"caption\">\(markupEscaped(table.caption))</p>")
    }
    lines.append("<div class=\"\(table.isLong ? "table long" : "table")\" tabindex=\"0\"><table>")
    let alignments = table.columns.map { $0.alignment == .left ? " class=\"left\"" : "" }
    lines.append(
      "<thead><tr>"
        + zip(table.columns, alignments).map {
          "<th scope=\"col\"\($1)>\(markupEscaped($0.title))</th>"
        }
        .joined() + "</tr></thead><tbody>")
    for row in table.rows {
      var line = "<tr>"
      for (index, cell) in row.enumerated() {
        var classes = table.columns[index].alignment == .left ? ["left"] : []
        if cell.text.count > 32 { classes.append("words") }
        if cell.tone != .plain { classes.append(cell.tone.rawValue) }
        line += classes.isEmpty ? "<td>" : "<td class=\"\(classes.joined(separator: " "))\">"
        line += (cell.look.map { $0.sample() } ?? "") + markupEscaped(cell.text) + "</td>"
      }
      lines.append(line + "</tr>")
    }
    return lines.joined(separator: "\n") + "</tbody></table></div>"
  }
}
