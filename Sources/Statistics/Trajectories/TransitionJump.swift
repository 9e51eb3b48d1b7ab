// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// How far a value moves where one stage of a run follows another.
///
/// ```
/// size = median of the w values from the transition on - median of the w values before it
/// unusual = (size - median of all such differences elsewhere in the run) / (1.4826 MAD of these)
/// ```
///
/// Medians, so that one wild value does not make a jump. A value that drifts has differences everywhere: `unusual` says how many
/// (robust) standard deviations of the run's ordinary differences a transition lies away from the ordinary one.
public struct TransitionJump: Codable, Equatable, Sendable {
  /// The place of the first value that is the new stage's.
  public var place: Int
  /// In the parameter's unit.
  public var size: Double
  /// Without unit; nil where the run is too short to know what is ordinary, or nothing moves elsewhere.
  public var unusual: Double?

  /// The fewest differences elsewhere that say what is ordinary.
  static let ordinaryCount = 20

  /// The jumps of a run.
  ///
  /// - Parameters:
  ///   - values: one for each recorded step.
  ///   - places: those of the first values of new stages.
  ///   - window: how many values on either side count, w, at least 1.
  /// - Returns: one jump for each place that has so many finite values on either side.
  /// - Complexity: O(values x window log window).
  public static func all(
    _ values: [Double], at places: [Int], window: Int = 5
  ) -> [TransitionJump] {
    precondition(window >= 1, "a window of \(window) values")
    func difference(_ place: Int) -> Double? {
      guard place >= window, place + window <= values.count else { return nil }
      let after = values[place..<(place + window)]
      let before = values[(place - window)..<place]
      guard after.allSatisfy(\.isFinite), before.allSatisfy(\.isFinite) else { return nil }
      return median(Array(after)) - median(Array(before))
    }
    let jumps = places.compactMap { place in difference(place).map { (place, $0) } }
    if jumps.isEmpty { return [] }
    let elsewhere = values.indices.compactMap { place in
      places.contains { abs($0 - place) < 2 * window } ? nil : difference(place)
    }
    let ordinary = median(elsewhere)
    let spread = 1.4826 * median(elsewhere.map { abs($0 - ordinary) })
    let isKnown = elsewhere.count >= ordinaryCount && spread > 0
    return jumps.map { place, size in
      TransitionJump(
        place: place, size: size, unusual: isKnown ? (size - ordinary) / spread : nil)
    }
  }

  private static func median(_ values: [Double]) -> Double {
    if values.isEmpty { return 0 }
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}
