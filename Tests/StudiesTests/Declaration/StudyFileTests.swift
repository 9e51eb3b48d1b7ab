// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import RunRecords
import Testing

@testable import Studies

private let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

/// The study files that come with the package, by size.
private let files: [(file: String, size: String)] = {
  let folder = package.appendingPathComponent("Studies")
  let names =
    FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
  return names.filter { $0.hasSuffix(".toml") }.sorted().flatMap { name -> [(String, String)] in
    let sizes = (try? StudyDeclaration.sizes(file: folder.path + "/" + name)) ?? []
    return (sizes.isEmpty ? [""] : sizes).map { (name, $0) }
  }
}()

func preset(_ name: String) -> String? {
  let file = package.appendingPathComponent("Presets/\(name).toml")
  return FileManager.default.contents(atPath: file.path).map { String(decoding: $0, as: UTF8.self) }
}

@Suite struct StudyFileTests {
  @Test(arguments: files)
  func everyStudyOfThePackageIsSound(file: String, size: String) throws {
    var surroundings = StudyDeclaration.Surroundings(preset: preset)
    surroundings.requiresData = false
    let study = try StudyDeclaration(
      file: package.appendingPathComponent("Studies/\(file)").path, size: size.isEmpty ? nil : size,
      surroundings)
    #expect(study.record.arms.count >= 1)
    #expect(study.record.hash.count == 64)
  }
}
