// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import Comparison
import Configurations
import Foundation
public import RunRecords
public import Training

/// A study file, read and checked as a whole before anything runs: the record of the study, and the configuration of each trial.
///
/// A trial's configuration is made of layers, the later replacing keys of the earlier: the base, `[common]`, its variant, its arm,
/// and what the protocol sets. An arm that names its method starts from that method's card: the numbers that the base gives for
/// a method of its own stay behind, so that no arm inherits another's.
public struct StudyDeclaration: Sendable {
  /// What the study is, with its hash.
  public let record: StudyRecord
  /// The path of the study's folder.
  public let folder: String
  /// The file's text.
  public let text: String

  /// How many trials choose each arm's hyperparameters, in the words of its contract.
  let tuning: [ArmInVariant: String]

  private let cells: [ArmInVariant: StudyCell]
  private let fileName: String

  /// Where presets come from, and what is known about the machine.
  public struct Surroundings {
    /// The TOML of the preset of a name; nil when the name is a path.
    public var preset: (String) throws -> String?
    /// The steps a second of an arm, where the budget is in seconds: of so many.
    public var stepsPerSecond:
      ((ArmInVariant, TrainingConfiguration, _ seconds: Double) throws -> Double)?
    /// Whether the data sets have to be there; a plan can do without.
    public var requiresData = true
    /// The revision of the code.
    public var revision = "unknown"
    /// The command that runs the study; nil: made from the file's name.
    public var command: String?

    /// Nothing but presets.
    public init(preset: @escaping (String) throws -> String?) { self.preset = preset }
  }

  /// Reads a study.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - size: which of the file's sizes; nil: its `default_size`.
  ///   - overrides: keys of the study on top of the file, `seeds.reporting=3`.
  ///   - surroundings: presets and the machine.
  /// - Throws: `ConfigurationError` with everything that is wrong with the study and the configurations of its arms; `ComparisonError`
  ///   when the arms would run under conditions that differ and none of them declares it.
  public init(
    file path: String, size: String? = nil, overrides: [String] = [], _ surroundings: Surroundings
  ) throws {
    var source = try ConfigurationSource(file: path)
    text = String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    let size = try Self.choose(size, in: &source, path)
    try source.add(overrides: overrides)
    let reader = ConfigurationReader(source)
    if source.has("default_size") { _ = reader.anyValue("default_size") }
    let file = URL(fileURLWithPath: path)
    fileName = file.lastPathComponent
    let draft = StudyReader(
      reader: reader, fileName: file.deletingPathExtension().lastPathComponent
    ).read()
    var problems: [ConfigurationProblem] = []
    do throws(ConfigurationError) { _ = try reader.finish() } catch { problems = error.problems }

    let base = try draft.base.isEmpty ? nil : Self.base(draft.base, beside: path, surroundings)
    let check = StudyCheck(draft: draft, base: base, fileName: path, surroundings: surroundings)
    let result = check.run()
    problems += result.problems.filter { !problems.contains($0) }
    guard problems.isEmpty else { throw ConfigurationError(problems) }
    cells = result.cells
    folder = draft.folder
    record = try RecordBuilder(draft: draft, cells: result.cells, axes: result.axes).record(
      revision: surroundings.revision,
      command: surroundings.command
        ?? commandLine(
          ["assay", "compare", path] + (size.map { ["--size", $0] } ?? [])
            + overrides.flatMap { ["--set", $0] }))
    tuning = try TuningAxes.efforts(record)
    try ContractForecast(fileName: fileName, record: record, cells: cells, tuning: tuning).check()
  }

  // MARK: - Sizes

  /// The sizes that a study file offers, sorted; none when it has one size only.
  ///
  /// - Throws: `ConfigurationError` when the file cannot be read or is not TOML.
  public static func sizes(file path: String) throws -> [String] {
    try ConfigurationSource(file: path).sectionNames(in: "size")
  }

  private static func choose(
    _ size: String?, in source: inout ConfigurationSource, _ path: String
  ) throws -> String? {
    let all = source.sectionNames(in: "size")
    let list = all.joined(separator: ", ")
    var standard: String?
    if case .string(let name) = source.value(of: "default_size") { standard = name }
    guard let size = size ?? standard else {
      guard all.isEmpty else {
        throw ConfigurationError(
          .missingKey, keys: ["size"],
          "\(path): the study has sizes \(list); choose one with --size, or write default_size = \"\(all[0])\""
        )
      }
      return nil
    }
    guard all.contains(size) else {
      throw ConfigurationError(
        .unknownName, keys: ["size"],
        all.isEmpty
          ? "\(path): the study has no sizes; leave out --size \(size)"
          : "\(path): there is no size '\(size)'"
            + (nearest(to: size, among: all).map { "; did you mean '\($0)'?" }
              ?? "; the sizes are \(list)"))
    }
    source.choose(size, from: "size", nameKeys: ["name", "optimizer.name"])
    return size
  }

  private static func base(
    _ name: String, beside path: String, _ surroundings: Surroundings
  ) throws -> (label: String, text: String) {
    let isPath = name.contains("/") || name.hasSuffix(".toml")
    if !isPath, let text = try surroundings.preset(name) { return ("preset \(name)", text) }
    // Not as NSString: that traps for a path of one letter (6.3, Linux).
    let folder =
      path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? ""
    let file = name.hasPrefix("/") || folder.isEmpty ? name : folder + "/" + name
    // Adding it says what is wrong with a file that is not there.
    var source = ConfigurationSource()
    try source.add(file: file)
    let data = FileManager.default.contents(atPath: file) ?? Data()
    return ("file \(file)", String(decoding: data, as: UTF8.self))
  }

  // MARK: - Trials

  /// The texts that a trial's configuration is made of, the base first.
  ///
  /// - Parameters:
  ///   - point: a trial of this study.
  ///   - isAudit: whether it repeats a stopped trial to the end: then no rule certifies a divergence.
  /// - Returns: what a child process can read without the study's file or presets.
  /// - Throws: `ConfigurationError` when the values do not fit the arm.
  public func layers(
    for point: TrialPoint, isAudit: Bool = false
  ) throws -> [TrialRequest.Layer] {
    cell(of: point).layers + [try trialLayer(point, isAudit: isAudit)]
  }

  /// What the protocol sets.
  private func trialLayer(_ point: TrialPoint, isAudit: Bool) throws -> TrialRequest.Layer {
    TrialRequest.Layer(
      label: "study \(fileName), trial",
      text: cell(of: point).protocolText(
        knobs: point.knobs, seed: point.seed, steps: try steps(for: point),
        divergenceMargin: isAudit ? nil : record.stopping.divergenceMargin))
  }

  /// A trial's configuration, checked.
  ///
  /// - Throws: `ConfigurationError` when the values do not fit the arm.
  public func configuration(
    for point: TrialPoint, isAudit: Bool = false
  ) throws -> TrainingConfiguration {
    try cell(of: point).configuration(with: trialLayer(point, isAudit: isAudit))
  }

  /// The name of a trial's folder: variant, arm and the first twelve digits of the hash of every key that can change numbers.
  ///
  /// An audit repeats a trial of the same name, so its own ends in `.audit`.
  ///
  /// - Throws: `ConfigurationError` when the values do not fit the arm.
  public func identity(of point: TrialPoint, isAudit: Bool = false) throws -> String {
    guard cells[ArmInVariant(arm: point.arm, variant: point.variant)] != nil else {
      throw ConfigurationError(
        .contradiction, keys: ["arm"],
        "the study has no arm '\(point.arm)' in a variant '\(point.variant)'")
    }
    let hash = try configuration(for: point, isAudit: isAudit).identity.prefix(12)
    return "\(point.variant).\(point.arm).\(hash)" + (isAudit ? ".audit" : "")
  }

  /// The steps of a trial: what the budget pays for with its values, times its horizon.
  ///
  /// - Throws: `ConfigurationError` when the values do not fit the arm or the budget.
  public func steps(for point: TrialPoint) throws -> Int {
    let cell = cell(of: point)
    let full = try cell.steps(with: point.knobs, fileName: fileName)
    return max(1, Int((Double(full) * point.horizon).rounded()))
  }

  private func cell(of point: TrialPoint) -> StudyCell {
    let name = ArmInVariant(arm: point.arm, variant: point.variant)
    guard let cell = cells[name] else { preconditionFailure("the study has no arm \(name)") }
    return cell
  }
}
