// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// A report as Markdown with tables; its images are files beside it.
struct MarkdownPage {
  let document: ReportDocument
  /// The folder of the images, relative to the file.
  let figureFolder: String

  var text: String {
    var parts = ["# " + Self.escaped(document.title)]
    parts += document.lead.map(block)
    for section in document.sections {
      parts.append("## " + Self.escaped(section.title))
      parts += section.blocks.map(block)
    }
    return parts.joined(separator: "\n\n") + "\n"
  }

  private func block(_ block: ReportBlock) -> String {
    switch block {
    case .paragraph(let text): return Self.paragraph(text)
    case .answer(let text): return "> " + Self.paragraph(text)
    case .list(let items): return items.map { "- " + Self.paragraph($0) }.joined(separator: "\n")
    case .heading(let text): return "### " + Self.escaped(text)
    case .figure(let figure):
      return "![\(Self.escaped(figure.caption.isEmpty ? figure.name : figure.caption))]"
        + "(\(figureFolder)/\(figure.name).svg)"
    case .code(let text):
      // A fence longer than any inside.
      var fence = "```"
      while text.contains(fence) { fence += "`" }
      return "\(fence)\n\(text)\n\(fence)"
    case .table(let table): return self.table(table)
    }
  }

  private func table(_ table: ReportTable) -> String {
    func row(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }
    var lines = table.caption.isEmpty ? [] : [Self.paragraph(table.caption), ""]
    lines.append(row(table.columns.map { Self.escaped($0.title) }))
    lines.append(row(table.columns.map { $0.alignment == .left ? ":---" : "---:" }))
    lines += table.rows.map { row($0.map { Self.escaped($0.text) }) }
    return lines.joined(separator: "\n")
  }

  /// A line of text that is no heading, list or quotation by chance.
  private static func paragraph(_ text: String) -> String {
    let result = escaped(text)
    if let first = result.first, "#+-=~".contains(first) { return "\\" + result }
    let digits = result.prefix { ("0"..."9").contains($0) }
    guard !digits.isEmpty, let next = result.dropFirst(digits.count).first, ".)".contains(next)
    else {
      return result
    }
    return digits + "\\" + result.dropFirst(digits.count)
  }

  /// Text in which nothing is markup.
  static func escaped(_ text: String) -> String {
    var result = ""
    let characters = Array(text)
    func isWord(_ index: Int) -> Bool {
      characters.indices.contains(index)
        && (characters[index].isLetter || characters[index].isNumber)
    }
    for (index, character) in characters.enumerated() {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\\", "`", "*", "[", "]", "|", "$", "~": result += "\\\(character)"
      // Inside of a word an underscore is a letter.
      case "_": result += isWord(index - 1) && isWord(index + 1) ? "_" : "\\_"
      case "\n", "\r", "\r\n", "\t": result += " "
      default: result.append(character)
      }
    }
    return result
  }
}
