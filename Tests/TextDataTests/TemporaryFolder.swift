// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A folder for one test, removed with it.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "/assay-textdata-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }

  @discardableResult
  func write(_ text: String, to name: String) throws -> String {
    try write(Array(text.utf8), to: name)
  }

  @discardableResult
  func write(_ bytes: [UInt8], to name: String) throws -> String {
    let path = file(name)
    try FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return path
  }

  func read(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: file(name))))
  }

  /// Names in the folder, hidden ones too, sorted.
  func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).sorted()
  }
}

/// Files of `Tests/Fixtures/TextData`, written by `Scripts/fixtures/gpt2_tokenizer.py`.
enum Fixture {
  static func path(_ name: String, file: String = #filePath) -> String {
    URL(fileURLWithPath: file).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Fixtures/TextData/" + name).path
  }

  static func decode<Value: Decodable>(_ name: String, as type: Value.Type) throws -> Value {
    try JSONDecoder().decode(type, from: Data(contentsOf: URL(fileURLWithPath: path(name))))
  }
}

/// A text, how it splits, and what tiktoken makes of it with a small and with GPT-2's vocabulary.
struct AwkwardText: Decodable, Sendable {
  var text: String
  /// Bytes of each piece.
  var pieces: [Int]
  var small: [Int32]
  var gpt2: [Int32]

  static func all() throws -> [AwkwardText] {
    try Fixture.decode("awkward.json", as: [AwkwardText].self)
  }
}

/// Texts and the merges that an independent trainer learned from them.
struct SmallVocabulary: Decodable {
  var training: [String]
  var merges: [[Int32]]

  static func read() throws -> SmallVocabulary {
    try Fixture.decode("small_bpe.json", as: SmallVocabulary.self)
  }
}
