// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A folder for one test, removed afterwards, with what most tests need: text, a data set, a configuration.
final class Workspace {
  /// The folder.
  let folder: URL

  /// Makes an empty one.
  init() throws {
    folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("assay-command-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  // MARK: - Files

  /// The path of a name in it.
  func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  /// Writes a file and returns its path.
  @discardableResult
  func write(_ text: String, to name: String) throws -> String {
    try write(Data(text.utf8), to: name)
  }

  /// Writes a file and returns its path.
  @discardableResult
  func write(_ data: Data, to name: String) throws -> String {
    let url = folder.appendingPathComponent(name)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try data.write(to: url)
    return url.path
  }

  /// The bytes of a file.
  func read(_ name: String) throws -> Data {
    try Data(contentsOf: folder.appendingPathComponent(name))
  }

  /// Whether there is something of that name.
  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

  /// Names of what lies in a folder, in order.
  func list(_ name: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path(name)).sorted()
  }

  /// Changes the bytes of a file.
  func alter(_ name: String, _ change: (inout Data) -> Void) throws {
    var data = try read(name)
    change(&data)
    try data.write(to: folder.appendingPathComponent(name))
  }

  // MARK: - What most tests need

  /// Some forty thousand bytes of words in paragraphs, always the same.
  static let text: String = {
    let words = ["the", "loss", "of", "a", "model", "falls", "when", "its", "step", "is", "small"]
    var state: UInt32 = 1
    var text = ""
    for _ in 0..<200 {
      for _ in 0..<40 {
        state = state &* 1_664_525 &+ 1_013_904_223
        text += words[Int(state >> 16) % words.count] + " "
      }
      text += "\n\n"
    }
    return text
  }()

  /// Prepares the text as bytes in `data`.
  func prepareData() throws {
    try write(Self.text, to: "text.txt")
    let result = try run("data", "prepare", "text.txt", "--tokenizer", "bytes", "-o", "data")
    guard result.code == 0 else { throw Failed(result) }
  }

  /// Writes `config.toml`: a model of some twenty thousand numbers, 128 tokens a step, no evaluation in between.
  func writeConfiguration(steps: Int, checkpointEvery: Int = 0) throws {
    try write(
      """
      [data]
      path = "data"

      [model]
      width = 16
      heads = 2
      layers = 1
      context_length = 32

      [training]
      steps = \(steps)
      batch_tokens = 128

      [evaluation]
      every = 0
      tokens = 1024

      [checkpoint]
      every = \(checkpointEvery)
      """, to: "config.toml")
  }

  /// Runs `assay` here.
  func run(_ arguments: String...) throws -> Command.Result {
    try Command.run(arguments, in: folder)
  }

  /// Starts `assay` here.
  func start(_ arguments: String...) throws -> Running {
    try Running([Command.executable()] + arguments, in: folder)
  }

  /// Something that had to work for the test to make sense.
  struct Failed: Error, CustomStringConvertible {
    let description: String
    init(_ result: Command.Result) { description = result.description }
  }
}

extension Workspace {
  /// The tensors of the only checkpoint, or the newest, of a run.
  func weights(of run: String) throws -> Data {
    let names = try list(run + "/checkpoints")
    guard let newest = names.last else { return Data() }
    return try read("\(run)/checkpoints/\(newest)/tensors.safetensors")
  }

  /// The losses of a run, as they stand in its metrics: step, and the text of the number.
  func losses(of run: String) throws -> [String] {
    let lines = String(decoding: try read(run + "/metrics.jsonl"), as: UTF8.self)
    return try lines.split(separator: "\n").compactMap { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      guard let object, let step = object["step"], let loss = object["loss"] else { return nil }
      return "\(step): \(loss)"
    }
  }
}
