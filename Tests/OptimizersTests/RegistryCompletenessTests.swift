// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Optimizers
import Testing

/// What a method needs besides its file and its line in the registry; see `Docs/adding-an-optimizer.md`.
@Suite struct RegistryCompletenessTests {
  private static let package = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// The methods of which there is a golden trajectory.
  private static func goldenMethods() throws -> Set<String> {
    struct Manifest: Decodable {
      struct Case: Decodable { let method: String }
      let cases: [Case]
    }
    let data = try Data(
      contentsOf: package.appendingPathComponent("Tests/Fixtures/optimizers/cases.json"))
    return Set(try JSONDecoder().decode(Manifest.self, from: data).cases.map(\.method))
  }

  /// What is missing, each with the place where it goes.
  private func missing(_ name: String, caveats: [String]) throws -> [String] {
    var missing: [String] = []
    if OptimizerReferences.all[name] == nil {
      missing.append(
        "no reference in Double: add one to Tests/OptimizersTests/References and to OptimizerReferences.all"
      )
    }
    let isExcused = caveats.contains { $0.lowercased().contains("no golden trajectory") }
    if try Self.goldenMethods().contains(name) == isExcused {
      missing.append(
        isExcused
          ? "the card says that there is no golden trajectory, but there is: remove the caveat"
          : "no golden trajectory: add a case to Scripts/fixtures/optimizer_cases and run Scripts/fixtures/optimizers.py, "
            + "or say on the card why there is no golden trajectory")
    }
    let page = "Docs/optimizers/\(name).md"
    if !FileManager.default.fileExists(atPath: Self.package.appendingPathComponent(page).path) {
      missing.append("no page \(page): run Scripts/make-docs.sh")
    }
    let readme = try String(
      contentsOf: Self.package.appendingPathComponent("README.md"), encoding: .utf8)
    if !readme.contains("(\(page))") {
      missing.append("README.md does not lead to \(page): add it to the list of methods")
    }
    return missing
  }

  @Test(
    "Every method has a reference, a golden trajectory or a reason for none, and a page",
    arguments: OptimizerRegistry.names)
  func complete(_ name: String) throws {
    let card = try OptimizerRegistry.method(named: name).card
    let missing = try missing(name, caveats: card.caveats)
    #expect(missing.isEmpty, "\(name): \(missing.joined(separator: "; "))")
  }

  @Test("What a new method lacks is named with its place")
  func incomplete() throws {
    #expect(!OptimizerRegistry.names.contains("new"))
    let places = [
      "Tests/OptimizersTests/References", "Scripts/fixtures", "Docs/optimizers/new.md", "README.md",
    ]
    let all = try missing("new", caveats: [])
    #expect(all.count == 4)
    for (text, place) in zip(all, places) { #expect(text.contains(place)) }
    #expect(try missing("new", caveats: ["There is no golden trajectory: it is new."]).count == 3)
  }

  @Test("No reference and no page is left of a method that is not registered")
  func leftovers() throws {
    let registered = Set(OptimizerRegistry.names)
    #expect(Set(OptimizerReferences.all.keys).subtracting(registered).isEmpty)
    #expect(try Self.goldenMethods().subtracting(registered).isEmpty)
    let files = try FileManager.default.contentsOfDirectory(
      atPath: Self.package.appendingPathComponent("Docs/optimizers").path)
    let pages = Set(files.filter { $0.hasSuffix(".md") }.map { String($0.dropLast(3)) })
    #expect(pages.subtracting(registered) == ["README", "policies"])
  }
}
