// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// Every method by name.
///
/// A new method is one file and one line here.
public enum OptimizerRegistry {
  /// All methods.
  public static let methods: [any OptimizerMethod.Type] = [
    AdamW.self,
    NAdamW.self,
    AdEMAMix.self,
    ADOPT.self,
    MARSAdamW.self,
    AdamMini.self,
    LAMB.self,
    Adafactor2018.self,
    AdafactorAdam.self,
    AdafactorBV.self,
    Lion.self,
    Signum.self,
    SophiaG.self,
    SGD.self,
    Adalayer.self,
    AdalayerStar.self,
    AdalayerFrozen.self,
    ScheduleFreeAdamW.self,
    ScheduleFreeSGD.self,
    Prodigy.self,
    SOAP.self,
    Muon.self,
    NorMuon.self,
  ]

  /// The method of a configuration that names none.
  public static let standard: any OptimizerMethod.Type = AdamW.self

  /// All names, in order.
  public static var names: [String] { methods.map { $0.card.name } }

  /// The method of a name.
  ///
  /// - Throws: ``OptimizerError`` with code `unknownMethod`, naming the nearest method.
  public static func method(named name: String) throws(OptimizerError) -> any OptimizerMethod.Type {
    guard let method = methods.first(where: { $0.card.name == name }) else {
      throw OptimizerError(
        .unknownMethod, name: name,
        "unknown optimizer '\(name)';\(suggestion(for: name, among: names)) known: "
          + names.joined(separator: ", "))
    }
    return method
  }
}

/// ` did you mean 'x'?` for the candidate with the fewest edits, if it is near; else nothing.
func suggestion(for name: String, among candidates: [String]) -> String {
  let distances = candidates.map { ($0, editDistance(Array(name.lowercased()), Array($0))) }
  guard let (best, distance) = distances.min(by: { $0.1 < $1.1 }),
    distance <= max(2, best.count / 3)
  else { return "" }
  return " did you mean '\(best)'?"
}

private func editDistance(_ a: [Character], _ b: [Character]) -> Int {
  var previous = Array(0...b.count)
  for (i, x) in a.enumerated() {
    var current = [i + 1]
    for (j, y) in b.enumerated() {
      current.append(
        min(previous[j + 1] + 1, current[j] + 1, previous[j] + (x == y ? 0 : 1)))
    }
    previous = current
  }
  return previous[b.count]
}
