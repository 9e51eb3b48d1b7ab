// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

/// The orthogonal factor of a matrix, approximately, by products alone.
///
/// For U = P S Q' the result is near P Q': an odd polynomial that pulls singular values towards 1 acts on the matrix, for it
/// acts on each of them.
///
///     X = U / (||U|| + 1e-7)                          quintic
///     X = U / (1.02 ||U|| + 1e-6)                     Polar Express
///     five times:  A = X'X;  X = a X + X (b A + c A A)
///
/// Where U is wider than tall it is turned before and the result turned back, so that A is always the smaller square, and
/// no right operand is transposed, which multiplies fastest. Batches of matrices `[B, M, N]` are treated entry by entry.
struct NewtonSchulz {
  /// The polynomials.
  enum Coefficients: String, CaseIterable {
    /// One polynomial five times, steepest at 0; singular values from 3e-3 end up in [0.68, 1.21].
    ///
    /// Jordan et al., *Muon*, 2024, https://kellerjordan.github.io/posts/muon/.
    case quintic
    /// Five polynomials, each the best for the interval that the one before leaves.
    ///
    /// Amsel et al., *The Polar Express*, 2025, https://arxiv.org/abs/2505.16932, for singular values from 1e-3, with the safety
    /// factor 1.02; they end up in [0.859, 1.141].
    case polarExpress = "polar-express"

    /// a, b, c of each iteration.
    var iterations: [(a: Float, b: Float, c: Float)] {
      switch self {
      case .quintic: Array(repeating: (3.4445, -4.7750, 2.0315), count: 5)
      case .polarExpress:
        [
          (8.156554524902461, -22.48329292557795, 15.878769915207462),
          (4.042929935166739, -2.808917465908714, 0.5000178451051316),
          (3.8916678022926607, -2.772484153217685, 0.5060648178503393),
          (3.285753657755655, -2.3681294933425376, 0.46449024233003106),
          (2.3465413258596377, -1.7097828382687081, 0.42323551169305323),
        ]
      }
    }

    /// What the norm is multiplied by, and what is added to it.
    var normalization: (factor: Float, floor: Float) {
      switch self {
      case .quintic: (1, 1e-7)
      case .polarExpress: (1.02, 1e-6)
      }
    }
  }

  /// The polynomials.
  let coefficients: Coefficients
  /// The element type of the products; nil: the run's.
  let precision: ElementType?

  /// Reads the choices of the options `coefficients` and `precision`.
  init(coefficients: String, precision: String) {
    guard let known = Coefficients(rawValue: coefficients) else {
      preconditionFailure("no coefficients '\(coefficients)'")
    }
    self.coefficients = known
    self.precision = ["fp32": .float32, "bf16": .bfloat16][precision]
  }

  /// The option `precision`.
  static let precisionOption = OptimizerCard.Option(
    "precision", choices: ["auto", "fp32", "bf16"],
    source: "Jordan et al., 2024: bf16; auto multiplies as the run does",
    summary: "element type of the products; sums are always fp32")

  /// The orthogonal factor of a matrix, or of each of a batch, in the type of the products.
  func orthogonalized(_ u: Tensor, _ scalars: Scalars) -> Tensor {
    let type = precision ?? scalars.productType
    let (rows, columns) = (u.shape.dimensions.suffix(2).first ?? 1, u.shape.columns)
    let batch = u.shape.count / (rows * columns)
    let isWide = rows < columns
    let scaled = normalized(u, batch: batch).cast(to: type).reshaped(u.shape)
    var x = isWide ? scaled.transposed() : scaled
    for (a, b, c) in coefficients.iterations {
      let gram = x.exactProduct(x, transposeLeft: true, isSymmetric: true)
      let polynomial = gram.exactProduct(
        gram, isSymmetric: true, factor: c, addend: gram, addendFactor: b)
      x = x.exactProduct(polynomial, addend: x, addendFactor: a)
    }
    return isWide ? x.transposed() : x
  }

  /// Divided by the Frobenius norm: no singular value is larger than 1.
  private func normalized(_ u: Tensor, batch: Int) -> Tensor {
    let (factor, floor) = coefficients.normalization
    if batch == 1 { return u / (squareRoot(square(u).sum()) * factor + floor) }
    let entries = u.reshaped([batch, u.shape.count / batch])
    return entries / (squareRoot(square(entries).sum(.columns)) * factor + floor)
  }
}

/// How large a step is made of an orthogonal matrix.
enum StepScale: String {
  /// The same change of a layer's output, in root mean square, whatever its sizes: sqrt(max(1, m / n)).
  case spectral
  /// The root mean square of AdamW's usual steps: 0.2 sqrt(max(m, n)).
  case matchRMS = "match-rms"
  /// 1.
  case none

  /// The factor for a matrix `[m, n]`.
  func factor(_ m: Int, _ n: Int) -> Float {
    let (m, n) = (Double(m), Double(n))
    return switch self {
    case .spectral: Float(max(1, m / n).squareRoot())
    case .matchRMS: Float(0.2 * max(m, n).squareRoot())
    case .none: 1
    }
  }

  /// The option `scale`, its standard choice first.
  static func option(_ choices: [StepScale], source: String) -> OptimizerCard.Option {
    .init(
      "scale", choices: choices.map(\.rawValue), source: source,
      summary: "factor of the step of a matrix [m, n]: spectral sqrt(max(1, m / n)), match-rms "
        + "0.2 sqrt(max(m, n)) (Liu et al., 2025, https://arxiv.org/abs/2502.16982), none 1")
  }

  /// The choice of an option.
  init(_ choice: String) {
    guard let known = StepScale(rawValue: choice) else {
      preconditionFailure("no scale '\(choice)'")
    }
    self = known
  }
}
