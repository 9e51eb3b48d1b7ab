// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// What `assay bench step` found.
struct BenchReport: Encodable {
  /// Tokens a second over the measurements.
  struct Spread: Encodable {
    let median: Double
    let minimum: Double
    let maximum: Double

    init(_ numbers: [Double]) {
      median = assay.median(numbers)
      minimum = numbers.min() ?? .nan
      maximum = numbers.max() ?? .nan
    }
  }

  /// One way to run the step.
  struct Result: Encodable {
    let name: String
    let precision: String
    let tokensPerSecond: Spread
    let peakBytes: Int?
    /// Assay's speed over this one's in the same round; the median over rounds.
    let ratio: Double?

    enum CodingKeys: String, CodingKey {
      case name, precision, ratio
      case tokensPerSecond = "tokens_per_second"
      case peakBytes = "peak_bytes"
    }
  }

  /// Assay over the fastest mode of the peer in each precision.
  struct Ratios: Encodable {
    var bestBFloat16: Double?
    var bestFloat32: Double?

    enum CodingKeys: String, CodingKey {
      case bestBFloat16 = "best_bf16"
      case bestFloat32 = "best_fp32"
    }
  }

  let shape: String
  /// Time of the large products alone over the time of a whole step.
  var productsShare = Double.nan
  var peer: String?
  var results: [Result] = []
  var ratios = Ratios()

  enum CodingKeys: String, CodingKey {
    case shape, peer, results, ratios
    case productsShare = "products_share"
  }

  init(shape: String) { self.shape = shape }

  mutating func add(
    _ name: String, _ precision: String, _ speeds: [Double], peakBytes: Int?, ratios: [Double]
  ) {
    let ratio = ratios.isEmpty ? nil : assay.median(ratios)
    results.append(
      Result(
        name: name, precision: precision, tokensPerSecond: Spread(speeds), peakBytes: peakBytes,
        ratio: ratio))
    guard let ratio else { return }
    // The smallest ratio belongs to the peer's best mode.
    if precision == "bf16" {
      self.ratios.bestBFloat16 = min(self.ratios.bestBFloat16 ?? .infinity, ratio)
    } else {
      self.ratios.bestFloat32 = min(self.ratios.bestFloat32 ?? .infinity, ratio)
    }
  }

  /// For people.
  var text: String {
    var table = Table([
      ("", .left), ("precision", .left), ("tokens/s", .right), ("spread", .right),
      ("peak memory", .right), ("assay is", .right),
    ])
    for result in results {
      let speed = result.tokensPerSecond
      table.add(
        result.name, result.precision, Numbers.short(speed.median),
        "\(Numbers.short(speed.minimum)) - \(Numbers.short(speed.maximum))",
        result.peakBytes.map(Numbers.bytes) ?? "",
        result.ratio.map { Numbers.fixed($0, 2) + "x" } ?? "")
    }
    var lines = [table.text, ""]
    if let peer { lines.append("peer: \(peer)") }
    lines.append(
      "the large products alone would take \(Numbers.fixed(productsShare * 100, 0)) % of the bf16 step"
    )
    return lines.joined(separator: "\n")
  }
}
