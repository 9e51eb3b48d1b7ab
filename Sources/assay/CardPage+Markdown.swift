// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A card as Markdown; `Docs/optimizers` holds all of them, made by `Scripts/make-docs.sh`.
extension CardPage {
  /// The page.
  var markdown: String {
    var lines = ["# \(name)", "", Self.reference(paper), "", "```", equation, "```", ""]
    var use = ["[optimizer]", "name = \"\(name)\""]
    if let rate = hyperparameters.first { use.append("\(rate.name) = \(rate.default)") }
    lines += ["```toml"] + use + ["```", ""]
    let takes = fallback.map { "hidden matrices; the others go to [\($0)](\($0).md)" } ?? "all"
    lines += Self.table(
      ["", ""],
      [
        ["state", Self.prose(stateInWords)],
        ["FLOPs", "\(flops) for each number of a 1024 x 1024 matrix"],
        ["parameters", takes], ["extra gradient evaluations", Self.prose(extraGradients)],
        ["evaluation uses", evaluates], ["schedule", schedule],
      ])
    lines += ["", "## Hyperparameters", ""]
    lines += Self.table(
      ["name", "what it is", "default", "range", "searched", "source of the default"],
      hyperparameters.map { number in
        let searched = number.search.map { $0.map(Self.number).joined(separator: ", ") }
        return [
          "`\(number.name)`", Self.prose(number.summary), Self.number(number.default), number.range,
          searched ?? "-", Self.prose(number.source),
        ]
      })
    if !options.isEmpty {
      lines += ["", "## Options", ""]
      lines += Self.table(
        ["name", "what it decides", "choices, the default first", "source of the default"],
        options.map { option in
          [
            "`\(option.name)`", Self.prose(option.summary),
            option.choices.map { "`\($0)`" }.joined(separator: ", "), Self.prose(option.source),
          ]
        })
    }
    for (title, points) in [("Deviations from the paper", deviations), ("Caveats", caveats)]
    where !points.isEmpty {
      lines += ["", "## \(title)", ""] + points.map { "- " + Self.prose($0) }
    }
    return lines.joined(separator: "\n")
  }

  /// All methods as a table with links to their pages.
  static func index(_ pages: [CardPage]) -> String {
    let rows = pages.map { page in
      [
        "[\(page.name)](\(page.name).md)", reference(page.paper), prose(page.stateInWords),
        page.flops,
        page.fallback.map { "hidden matrices; [\($0)](\($0).md) the others" } ?? "all parameters",
      ]
    }
    let lines = [
      "# Optimizers", "",
      "Each page is made from the method's card, as `assay show optimizer NAME` prints it. Which method updates which "
        + "parameter is a matter of [policies](policies.md); how to add a method: "
        + "[adding an optimizer](../adding-an-optimizer.md).",
      "",
      "State is per parameter, and FLOPs are those of one update for each number of a 1024 x 1024 matrix.",
      "",
    ]
    return (lines + table(["name", "paper", "state", "FLOPs", "takes"], rows))
      .joined(separator: "\n")
  }

  /// The state in the card's words, and in bytes where these begin with something else.
  private var stateInWords: String {
    let bytes = Int(stateBytesPerParameter.rounded())
    return state.hasPrefix("\(bytes) bytes a number")
      ? state : "\(state) (\(bytes) bytes a number of a 1024 x 1024 matrix)"
  }

  /// `Authors, title, year, https://...` as a link.
  private static func reference(_ paper: String) -> String {
    guard let comma = paper.range(of: ", https://"), !paper[comma.upperBound...].contains(" ")
    else { return prose(paper) }
    return "[\(prose(String(paper[..<comma.lowerBound])))](https://\(paper[comma.upperBound...]))"
  }

  private static func table(_ titles: [String], _ rows: [[String]]) -> [String] {
    ([titles, titles.map { _ in "---" }] + rows).map { cells in
      // In a table a bar ends a cell, even inside code.
      "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |"
    }
  }

  /// Text in which nothing but its own words shall be seen: `*`, `_`, `<` and the like stand for themselves.
  private static func prose(_ text: String) -> String {
    var result = ""
    let characters = Array(text)
    for (index, character) in characters.enumerated() {
      let before = index > 0 ? characters[index - 1] : " "
      let after = index + 1 < characters.count ? characters[index + 1] : " "
      let isSpaced = before == " " && after == " "
      let isInWord = "\(before)\(after)".allSatisfy { $0.isLetter || $0.isNumber }
      switch character {
      case "*", "~", "<": result += isSpaced ? "\(character)" : "\\\(character)"
      case "_": result += isInWord ? "_" : "\\_"
      case "`", "\\", "$": result += "\\\(character)"
      default: result.append(character)
      }
    }
    return result
  }
}
