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

  /// What a step takes beside its time, as far as it is known.
  struct Needs {
    /// On a device, what its compiler planned for one, or what the device counted; else the peak of a process.
    var peakBytes: Int?
    /// What lives only while the step runs, on one device.
    var temporaryBytes: Int?
    /// Seconds that compiling took, nothing read from a cache.
    var compileSeconds: Double?
  }

  /// One way to run the step.
  struct Result: Encodable {
    let name: String
    let precision: String
    let tokensPerSecond: Spread
    let peakBytes: Int?
    let temporaryBytes: Int?
    let compileSeconds: Double?
    /// Assay's speed over this one's in the same round; the median over rounds.
    let ratio: Double?
    /// Assay's best speed over this one's best.
    let ratioOfBest: Double?

    enum CodingKeys: String, CodingKey {
      case name, precision, ratio
      case tokensPerSecond = "tokens_per_second"
      case peakBytes = "peak_bytes"
      case temporaryBytes = "temporary_bytes"
      case compileSeconds = "compile_seconds"
      case ratioOfBest = "ratio_of_best"
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
  /// As in `machine.device`; nil: this machine's processor through Assay's own runtime.
  var device: String?
  /// Parts of the batch whose gradients are added up.
  var microBatches = 1
  /// What runs Assay's step.
  var runtime: String?
  /// Time of the large products alone over the time of a whole step.
  var productsShare: Double?
  var peer: String?
  var results: [Result] = []
  var ratios = Ratios()

  enum CodingKeys: String, CodingKey {
    case shape, device, runtime, peer, results, ratios
    case microBatches = "micro_batches"
    case productsShare = "products_share"
  }

  init(shape: String) { self.shape = shape }

  /// Adds Assay itself.
  mutating func add(_ name: String, _ precision: String, _ speeds: [Double], _ needs: Needs) {
    results.append(
      Result(
        name: name, precision: precision, tokensPerSecond: Spread(speeds),
        peakBytes: needs.peakBytes, temporaryBytes: needs.temporaryBytes,
        compileSeconds: needs.compileSeconds, ratio: nil, ratioOfBest: nil))
  }

  /// Adds what Assay took turns with.
  mutating func add(
    _ name: String, _ precision: String, _ pairs: [(ours: Double, theirs: Double)], _ needs: Needs,
    isPeer: Bool = true
  ) {
    let theirs = Spread(pairs.map(\.theirs))
    let ratio = assay.median(pairs.map { $0.ours / $0.theirs })
    results.append(
      Result(
        name: name, precision: precision, tokensPerSecond: theirs, peakBytes: needs.peakBytes,
        temporaryBytes: needs.temporaryBytes, compileSeconds: needs.compileSeconds, ratio: ratio,
        ratioOfBest: Spread(pairs.map(\.ours)).maximum / theirs.maximum))
    guard isPeer else { return }
    // The smallest ratio belongs to the peer's best mode.
    if precision == "bf16" {
      ratios.bestBFloat16 = min(ratios.bestBFloat16 ?? .infinity, ratio)
    } else {
      ratios.bestFloat32 = min(ratios.bestFloat32 ?? .infinity, ratio)
    }
  }

  /// For people.
  var text: String {
    var columns: [(title: String, alignment: Table.Alignment, cell: (Result) -> String)] = [
      ("", .left, { $0.name }), ("precision", .left, { $0.precision }),
      ("tokens/s", .right, { Numbers.short($0.tokensPerSecond.median) }),
      (
        "spread", .right,
        {
          "\(Numbers.short($0.tokensPerSecond.minimum)) - \(Numbers.short($0.tokensPerSecond.maximum))"
        }
      ),
      ("peak memory", .right, { $0.peakBytes.map(Numbers.bytes) ?? "" }),
      ("temporary", .right, { $0.temporaryBytes.map(Numbers.bytes) ?? "" }),
      (
        "compiled in", .right,
        { $0.compileSeconds.map { Numbers.fixed($0, 2) + " s" } ?? "" }
      ),
      ("assay is", .right, { $0.ratio.map { Numbers.fixed($0, 2) + "x" } ?? "" }),
      ("best to best", .right, { $0.ratioOfBest.map { Numbers.fixed($0, 2) + "x" } ?? "" }),
    ]
    columns.removeAll { column in
      column.title != "" && results.allSatisfy { column.cell($0).isEmpty }
    }
    var table = Table(columns.map { ($0.title, $0.alignment) })
    for result in results { table.add(columns.map { $0.cell(result) }) }
    var lines = [table.text, ""]
    if let runtime { lines.append("runtime: \(runtime)") }
    if let peer { lines.append("peer: \(peer)") }
    if let productsShare {
      lines.append(
        "the large products alone would take \(Numbers.fixed(productsShare * 100, 0)) % of the bf16 step"
      )
    }
    return lines.joined(separator: "\n")
  }
}
