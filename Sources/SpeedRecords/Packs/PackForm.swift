// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What a pack may name and hold: a pack comes from somebody else, so nothing of it may reach outside its folder or stop the program.
extension PackManifest {
  /// What is wrong with the names, paths and numbers; nil when nothing is.
  var problem: String? {
    let parts = sets + exchangeSets
    for part in parts {
      if let problem = Self.problem(ofName: part.name) { return problem }
    }
    let paths = files.map(\.path) + parts.flatMap { $0.sources.compactMap(\.path) }
    if let stranger = paths.first(where: { !Self.isInside($0) }) {
      return "names '\(stranger)', which lies outside the pack or is no plain path"
    }
    if let file = files.first(where: { $0.bytes < 0 }) {
      return "says that '\(file.path)' has \(file.bytes) bytes"
    }
    for part in parts {
      var set = RunSet(name: part.name, runs: part.sources.compactMap(\.number))
      (set.printed, set.printedSteps) = (part.printed, part.printedSteps)
      set.registration = part.registration
      if let problem = set.problem { return "says of '\(part.name)' that \(problem)" }
    }
    for set in analysis.sets {
      if let problem = set.problem { return "says of '\(set.name)' that \(problem)" }
    }
    if let step, !RunSet.stepRange.contains(step) { return "compares runs at step \(step)" }
    if case .given(let rate, _) = exchange, !rate.isFinite {
      return "says that 100 steps are worth \(rate)"
    }
    return rules.problem.map { "says that \($0)" }
  }

  /// What is wrong with the name of a set, which is the name of a folder too.
  static func problem(ofName name: String) -> String? {
    let isPlain =
      !name.isEmpty && !name.hasPrefix(".") && !name.contains("/") && !name.contains("..")
      && name.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    return isPlain
      ? nil
      : "calls a set '\(name)'; a name has no '/', no '..', no '.' at its beginning and no control characters"
  }

  private static func isInside(_ path: String) -> Bool {
    let names = path.split(separator: "/", omittingEmptySubsequences: false)
    return names.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
      && path.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
  }
}

extension RecordPack {
  /// Refuses links and whatever else is no file and no folder, below the pack and its replications.
  ///
  /// - Throws: ``SpeedRecordError`` with code `damaged-pack`.
  static func requirePlainFiles(_ path: String) throws(SpeedRecordError) {
    let root = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    let manager = FileManager.default
    let list = manager.enumerator(atPath: root)
    while let name = list?.nextObject() as? String {
      let type = (try? manager.attributesOfItem(atPath: root + "/" + name))?[.type]
      let known = type as? FileAttributeType
      guard known == .typeRegular || known == .typeDirectory || known == nil else {
        throw SpeedRecordError(
          .damagedPack,
          "\(path)/\(name) is a link or no file; a pack holds plain files and folders only: do not use it"
        )
      }
    }
  }
}

extension RunSet {
  /// Runs that a set may have been planned with or count.
  static let countRange = 1...1_000_000
  /// Steps that a run may have.
  static let stepRange = 0...1_000_000_000_000
  /// Digits after the point.
  private static let decimalRange = 0...100

  /// What is wrong with the numbers of the set, in words; nil when nothing is.
  var problem: String? {
    for run in runs {
      for steps in [run.steps, run.plannedSteps] {
        if let steps, !Self.stepRange.contains(steps) { return "\(run.name) has \(steps) steps" }
      }
      if let digits = run.lossDecimals, !Self.decimalRange.contains(digits) {
        return "the loss of \(run.name) has \(digits) digits"
      }
    }
    if let printedSteps, !Self.stepRange.contains(printedSteps) {
      return "a run has \(printedSteps) steps"
    }
    if let count = registration?.runs, !Self.countRange.contains(count) {
      return "\(count) runs were planned"
    }
    guard let printed else { return nil }
    if !Self.countRange.contains(printed.count) { return "n is \(printed.count)" }
    for moments in [printed.loss, printed.seconds] {
      guard let moments else { continue }
      for digits in [moments.meanDecimals, moments.deviationDecimals]
      where !Self.decimalRange.contains(digits) {
        return "a number has \(digits) digits"
      }
      if let deviation = moments.deviation, !(deviation >= 0) {
        return "a deviation is \(deviation)"
      }
    }
    return nil
  }
}

extension RecordRules {
  /// What is wrong with the numbers of the rules, in words; nil when nothing is.
  var problem: String? {
    for (name, value) in [("level", level), ("confidence", confidence), ("power", power)]
    where !(value > 0 && value < 1) {
      return "the \(name) is \(value)"
    }
    guard power > level, power > 1 - confidence else { return "the power is \(power)" }
    for (name, value) in [("threshold", threshold), ("deviation", deviation)] {
      if let value, !(value > 0 && value.isFinite) { return "the \(name) is \(value)" }
    }
    if let target, !target.isFinite { return "the target is \(target)" }
    if let count = plannedRuns.values.first(where: { !RunSet.countRange.contains($0) }) {
      return "\(count) runs were planned"
    }
    return nil
  }
}
