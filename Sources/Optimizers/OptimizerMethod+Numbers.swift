// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

extension OptimizerMethod {
  /// A hyperparameter in force at an update; the card's default where none is given.
  func number(_ name: String, of hyperparameters: [String: Double]) -> Double {
    guard let number = hyperparameters[name] ?? Self.card.defaults[name] else {
      preconditionFailure(
        "'\(name)' is not on the card of \(Self.card.name); it has \(Self.card.keys)")
    }
    return number
  }
}

/// Adafactor's rising decay 1 - t^-exponent, which is 0 at the first update, and its complement t^-exponent.
func risingDecayScalars(_ exponent: Double, _ t: Int) -> (factor: Double, complement: Double) {
  let complement = pow(Double(t), -exponent)
  return (1 - complement, complement)
}
