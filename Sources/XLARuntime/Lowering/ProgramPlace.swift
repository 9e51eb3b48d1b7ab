// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

/// A line of a program's text, and the part of the graph that it was written for.
struct ProgramPlace: Equatable {
  /// The parts of a text.
  enum Part: Equatable {
    /// A node of the graph, by its number.
    case node(Int)
    /// The arguments, and the module around them.
    case arguments
    /// What is returned, and whether assignments are carried out.
    case results
  }

  let part: Part
  /// The line's number, from 1.
  let line: Int
  /// The line.
  let code: String

  /// The remark before the lines of a node.
  static func remark(_ index: Int, _ name: String) -> String { "node \(index): \(name)" }
  /// The remark before the lines of the results.
  static let resultsRemark = "results"

  /// The places that a compiler's words name, in their order, each part once.
  ///
  /// Errors about the text name a line (`-:12:5: error: ...`); later ones may name a value of it (`%v17`) or the target of a custom call.
  static func named(in message: String, of text: String) -> [ProgramPlace] {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    var numbers = message.matches(of: #/(?:^|[\s"(])-"?:(\d+):\d+/#).compactMap { Int($0.1) }
    if numbers.isEmpty {
      numbers = message.matches(of: #/%[vcwnb]\d+\b/#).compactMap { name in
        lines.firstIndex { $0.hasPrefix("\(name.0) =") || $0.hasPrefix("\(name.0):") }.map {
          $0 + 1
        }
      }
    }
    if numbers.isEmpty {
      numbers = message.matches(of: #/custom call to ([\w.$]+)/#).compactMap { target in
        lines.firstIndex { $0.contains("custom_call @\(target.1)(") }.map { $0 + 1 }
      }
    }
    var places: [ProgramPlace] = []
    for number in numbers where lines.indices.contains(number - 1) {
      let place = ProgramPlace(
        part: part(of: number, lines), line: number, code: String(lines[number - 1]))
      if !places.contains(where: { $0.part == place.part }) { places.append(place) }
    }
    return places
  }

  private static func part(of number: Int, _ lines: [Substring]) -> Part {
    for line in lines[..<number].reversed() {
      if line == "// \(resultsRemark)" { return .results }
      guard line.hasPrefix("// node "), let digits = line.dropFirst(8).split(separator: ":").first,
        let index = Int(digits)
      else { continue }
      return .node(index)
    }
    return .arguments
  }

  /// For a message: the operation, its place in the graph and its types, and the line.
  func description(_ graph: Graph) -> String {
    let shown = code.count > 200 ? code.prefix(200) + "..." : code[...]
    let location =
      switch part {
      case .node(let index) where graph.nodes.indices.contains(index): graph.line(index)
      case .node(let index): "node \(index)"
      case .arguments: "the program's arguments"
      case .results: "the program's results"
      }
    return "\(location); line \(line) of its text: \(shown)"
  }
}

extension Graph {
  /// A node on one line: its number, operation, operands by the numbers of their nodes, and types.
  func line(_ index: Int) -> String {
    let node = nodes[index]
    let inputs = node.inputs.map { input in
      let result = nodes[input.node].results.count > 1 ? ".\(input.result)" : ""
      return "\(input.node)\(result): \(type(of: input))"
    }
    let results = node.results.map { "\($0)" }.joined(separator: ", ")
    return "node \(index), \(node.operation.name)(\(inputs.joined(separator: ", "))) -> \(results)"
  }
}

extension XLAError {
  /// The same refusal of a program, with the operations that it is about.
  func located(in text: String, of graph: Graph) -> XLAError {
    guard code == .compilation else { return self }
    let places = ProgramPlace.named(in: message, of: text)
    guard !places.isEmpty else {
      return XLAError(code, "\(message)\nThe compiler names no operation.")
    }
    let list = places.map { "\n  \($0.description(graph))" }.joined()
    return XLAError(code, "\(message)\nThe place in the graph:\(list)")
  }
}
