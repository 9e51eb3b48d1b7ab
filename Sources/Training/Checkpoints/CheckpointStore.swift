// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import Configurations
import Foundation
import TensorFiles

/// The checkpoints of a run: folders `step-00000100`, each there as a whole or not at all.
///
/// A folder holds `tensors.safetensors` (weights and optimizer state), `configuration.json` (the resolved configuration) and
/// `manifest.json`. It is written under a temporary name, brought to the disk, and then renamed.
public struct CheckpointStore: Sendable {
  /// A checkpoint whose manifest and tensors have been found whole.
  public struct Checkpoint: Sendable {
    /// The folder.
    public let folder: String
    /// What it belongs to.
    public let manifest: CheckpointManifest

    /// The file of weights and state.
    public var tensorPath: String { folder + "/" + CheckpointStore.tensorFile }

    /// The configuration it was written with.
    ///
    /// - Throws: `ConfigurationError` or a file error when the record is damaged.
    public func configuration() throws -> ResolvedConfiguration {
      try ResolvedConfiguration(
        json: CheckpointStore.read(folder + "/" + CheckpointStore.configurationFile))
    }

    /// Reads weights and state into a runtime's memory.
    ///
    /// - Throws: ``TrainingError`` when a tensor is missing or has another shape.
    public func load(into tensors: KeptTensors) throws {
      try tensors.load(TensorFile(path: tensorPath), allOfThem: manifest.isComplete)
    }
  }

  static let tensorFile = "tensors.safetensors"
  static let configurationFile = "configuration.json"
  static let manifestFile = "manifest.json"
  private static let partialPrefix = ".partial-"

  /// The folder `checkpoints` of a run.
  public let folder: String

  /// The checkpoints in a folder, which need not exist yet.
  public init(folder: String) { self.folder = folder }

  // MARK: - Writing

  /// Writes a checkpoint and then deletes all complete ones but the newest.
  ///
  /// - Parameters:
  ///   - tensors: weights and state.
  ///   - labels: which of them; nil: all. A checkpoint without all cannot be gone on from, so that older ones stay.
  ///   - configuration: the run's.
  ///   - keep: how many stay.
  ///   - manifest: makes the manifest, given size and checksum of the tensor file.
  /// - Returns: the checkpoint's folder.
  /// - Throws: `TensorFileError` or ``TrainingError`` when the disk is full or read-only; older checkpoints stay.
  public func save(
    _ tensors: KeptTensors, only labels: Set<String>? = nil, configuration: ResolvedConfiguration,
    keep: Int,
    manifest: (_ bytes: Int, _ checksum: String) -> CheckpointManifest
  ) throws -> String {
    let files = FileManager.default
    let partial = folder + "/" + Self.partialPrefix + "checkpoint"
    try Self.attempt("write", partial) {
      if files.fileExists(atPath: partial) { try files.removeItem(atPath: partial) }
      try files.createDirectory(atPath: partial, withIntermediateDirectories: true)
    }
    do {
      let written = try TensorFileWriter.write(
        tensors.written(only: labels), to: partial + "/" + Self.tensorFile)
      var record = manifest(written.byteCount, written.checksum)
      record.isComplete = labels == nil
      try DurableFile.write(configuration.json, to: partial + "/" + Self.configurationFile)
      try DurableFile.write(record.encoded(), to: partial + "/" + Self.manifestFile)
      let target = folder + "/" + Self.name(record.progress.step)
      try Self.attempt("write", target) {
        if files.fileExists(atPath: target) { try files.removeItem(atPath: target) }
        try files.moveItem(atPath: partial, toPath: target)
      }
      try DurableFile.synchronize(folder: folder)
      if record.isComplete { try removeOld(keep: keep, newest: record.progress.step) }
      return target
    } catch {
      try? files.removeItem(atPath: partial)
      throw error
    }
  }

  /// Deletes what a killed process left half-written; only for who holds the run's lock.
  ///
  /// - Throws: ``TrainingError`` when the folder is read-only.
  public func removeRemains() throws {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    for name in names where name.hasPrefix(Self.partialPrefix) {
      let path = folder + "/" + name
      try Self.attempt("delete", path) { try FileManager.default.removeItem(atPath: path) }
    }
  }

  private func removeOld(keep: Int, newest: Int) throws {
    try remove(steps().filter { $0 <= newest }.dropFirst(keep))
  }

  /// Deletes checkpoints.
  ///
  /// - Parameter steps: whose; they must be there.
  /// - Throws: ``TrainingError`` when the folder is read-only.
  public func remove(_ steps: some Sequence<Int>) throws {
    for step in steps {
      let path = folder + "/" + Self.name(step)
      try Self.attempt("delete", path) { try FileManager.default.removeItem(atPath: path) }
    }
  }

  // MARK: - Reading

  /// The steps that have a folder, newest first.
  public func steps() -> [Int] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.compactMap { name in
      name.hasPrefix("step-") ? Int(name.dropFirst("step-".count)) : nil
    }.sorted(by: >)
  }

  /// The newest checkpoint that is whole and can be gone on from; nil when there is none at all.
  ///
  /// - Parameter report: is told about each damaged one that is passed over.
  /// - Returns: the checkpoint, checked but not loaded.
  /// - Throws: ``TrainingError`` when checkpoints exist but every one is damaged.
  public func newest(report: (String) -> Void) throws -> Checkpoint? {
    let all = steps()
    var last: (any Error)?
    for step in all {
      do {
        let found = try checkpoint(step: step)
        if found.manifest.isComplete { return found }
      } catch {
        last = error
        report("checkpoint of step \(step) cannot be used: \(error)")
      }
    }
    if let last {
      throw TrainingError(
        .checkpoint,
        "none of the \(all.count) checkpoints in \(folder) can be used (the oldest: \(last)); "
          + "restore one, or delete the folder to start again")
    }
    return nil
  }

  /// The checkpoint of a step, checked.
  ///
  /// - Throws: ``TrainingError`` or `TensorFileError` when anything about it is not as it was written.
  public func checkpoint(step: Int) throws -> Checkpoint {
    let path = folder + "/" + Self.name(step)
    let manifest = try CheckpointManifest(
      Self.read(path + "/" + Self.manifestFile), path: path + "/" + Self.manifestFile)
    guard manifest.progress.step == step else {
      throw TrainingError(
        .checkpoint, "\(path) holds step \(manifest.progress.step); it must have been renamed")
    }
    let tensors = path + "/" + Self.tensorFile
    let checksum = try FileChecksum.ofFile(tensors).hexadecimal
    guard checksum == manifest.tensorChecksum else {
      throw TrainingError(
        .checkpoint,
        "\(tensors) is truncated or altered: its checksum is \(checksum), not \(manifest.tensorChecksum)"
      )
    }
    return Checkpoint(folder: path, manifest: manifest)
  }

  static func name(_ step: Int) -> String {
    let digits = String(step)
    return "step-" + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
  }

  private static func read(_ path: String) throws -> Data {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw TrainingError(.checkpoint, "\(path) is missing or cannot be read")
    }
    return data
  }

  private static func attempt(_ verb: String, _ path: String, _ body: () throws -> Void) throws {
    do { try body() } catch {
      throw TrainingError(.file, "cannot \(verb) \(path): \(error.localizedDescription)")
    }
  }
}
