// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// How values are laid out along an axis.
public enum ChartScale: Equatable, Sendable {
  /// Equal differences have equal lengths.
  case linear
  /// Equal ratios have equal lengths; values that are not positive are left out.
  case logarithmic
  /// Like `logarithmic`, with a place of its own for 0 below the smallest value above it: a knob that is turned off.
  case logarithmicFromZero
  /// Equal ratios of 1 - x have equal lengths, for decay rates such as momentum; values from 1 on are left out.
  case complement

  /// Where a value lies, in units of which only differences matter; not finite where the axis cannot hold it.
  func position(of value: Double) -> Double {
    switch self {
    case .linear: value
    case .logarithmic, .logarithmicFromZero: log10(value)
    case .complement: -log1p(-value) / M_LN10
    }
  }
}

/// An axis of a chart.
public struct ChartAxis: Equatable, Sendable {
  /// What is measured, for example `Loss`.
  public var title: String
  /// The unit, for example `nats per token`; empty for none.
  public var unit: String
  /// How values are laid out.
  public var scale: ChartScale
  /// The values at both ends, beyond which nothing is drawn.
  ///
  /// Without them the ends are taken from the data.
  public var limits: ClosedRange<Double>?
  /// Whether values are factors of something, written x0.1, x1, x10.
  public var isFactor: Bool

  /// Describes an axis.
  public init(
    title: String, unit: String = "", scale: ChartScale = .linear,
    limits: ClosedRange<Double>? = nil, isFactor: Bool = false
  ) {
    self.title = title
    self.unit = unit
    self.scale = scale
    self.limits = limits
    self.isFactor = isFactor
  }

  /// The title with its unit.
  var fullTitle: String { unit.isEmpty ? title : "\(title) (\(unit))" }
}
