// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import TextData

struct InputFilesTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    for name in [
      "b.txt", "a.txt", "c.jsonl", "d.bin", "e.md", "sub/f.txt", "sub/deep/g.swift",
      ".hidden/h.txt", ".i.txt",
    ] {
      try folder.write("x", to: name)
    }
  }

  func find(
    _ names: [String], extensions: [String] = InputFiles.defaultExtensions,
    rule: DocumentRule? = nil
  ) throws(DataError) -> [String] {
    try InputFiles(extensions: extensions, documentRule: rule).find(names.map(folder.file))
      .map { String($0.path.dropFirst(folder.path.count + 1)) }
  }

  @Test func foldersAreReadInTheOrderOfPaths() throws {
    let all = try InputFiles(extensions: InputFiles.defaultExtensions).find([folder.path])
    #expect(
      all.map { String($0.path.dropFirst(folder.path.count + 1)) }
        == ["a.txt", "b.txt", "c.jsonl", "d.bin", "sub/f.txt"])
    #expect(
      all.map(\.format) == [
        .text(.blankLines), .text(.blankLines), .jsonLines, .tokens, .text(.blankLines),
      ])
  }

  @Test func namedFilesKeepTheirOrderAndCountOnce() throws {
    #expect(try find(["b.txt", "sub", "a.txt", "b.txt"]) == ["b.txt", "sub/f.txt", "a.txt"])
  }

  @Test func otherExtensionsAreWholeFiles() throws {
    #expect(try find(["sub"], extensions: ["swift"]) == ["sub/deep/g.swift"])
    let file = try InputFiles(extensions: ["md"]).find([folder.file("e.md")])
    #expect(file.map(\.format) == [.text(.wholeFile)])
    let ruled = try InputFiles(extensions: ["txt"], documentRule: .separator("--"))
      .find([folder.file("a.txt")])
    #expect(ruled.map(\.format) == [.text(.separator("--"))])
  }

  @Test func linksToFoldersAreNotFollowed() throws {
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("sub/loop"), withDestinationPath: folder.path)
    #expect(try find(["sub"]) == ["sub/f.txt"])
  }

  @Test func whatCannotBeReadIsNamed() throws {
    func code(_ names: [String]) -> DataError.Code? {
      do {
        _ = try find(names)
        return nil
      } catch {
        return error.code
      }
    }
    #expect(code(["none.txt"]) == .unreadableFile)
    #expect(code(["e.md"]) == .unsupportedInput)
    #expect(code(["sub/deep"]) == .emptyText)
    #expect(code([]) == .emptyText)
  }
}
