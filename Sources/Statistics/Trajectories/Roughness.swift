// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// How much the values of a parameter jitter from step to step, whatever the line that they follow.
public enum Roughness {
  /// The root mean square of second differences.
  ///
  /// ```
  /// sqrt(mean over t of (x(t+1) - 2 x(t) + x(t-1))^2)
  /// ```
  ///
  /// A straight line has 0; white noise of deviation s has sqrt(6) s; steps of independent size s have sqrt(2) s.
  ///
  /// - Parameter courses: the values of one parameter over the same steps, one course for each value; differences over a value that
  ///   is not finite are left out.
  /// - Returns: over all courses together, in the parameter's unit; nil below three values in a row.
  public static func secondDifferences(_ courses: [[Double]]) -> Double? {
    var (sum, count) = (0.0, 0)
    for values in courses where values.count > 2 {
      for index in 1..<(values.count - 1) {
        let difference = values[index + 1] - 2 * values[index] + values[index - 1]
        if !difference.isFinite { continue }
        sum += difference * difference
        count += 1
      }
    }
    return count > 0 ? (sum / Double(count)).squareRoot() : nil
  }

  /// The places at which any value of a parameter differs from the place before: where it was updated.
  ///
  /// A parameter that is updated every second step stays as it is between, and its second differences over every step are mostly
  /// those of standing still; over its updates they are comparable with those of a parameter that moves at every step.
  ///
  /// - Parameter courses: the values of one parameter over the same steps, one course for each value.
  /// - Returns: places, rising, the first at 1 or later.
  public static func updates(_ courses: [[Double]]) -> [Int] {
    guard let count = courses.map(\.count).min(), count > 1 else { return [] }
    return (1..<count).filter { index in courses.contains { $0[index] != $0[index - 1] } }
  }

  /// The same as ``secondDifferences(_:)`` from update to update.
  ///
  /// - Parameter courses: the values of one parameter over the same steps, one course for each value.
  /// - Returns: in the parameter's unit; nil below three updates.
  public static func secondDifferencesOfUpdates(_ courses: [[Double]]) -> Double? {
    let places = updates(courses)
    return secondDifferences(courses.map { course in places.map { course[$0] } })
  }
}
