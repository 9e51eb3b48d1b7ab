// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CKernels
import TensorGraph

extension Elementwise.Function {
  /// The step of a region that computes it.
  var opcode: ck_opcode {
    switch self {
    case .negate: CK_NEGATE
    case .absolute: CK_ABSOLUTE
    case .sign: CK_SIGN
    case .square: CK_SQUARE
    case .squareRoot: CK_SQUARE_ROOT
    case .reciprocal: CK_RECIPROCAL
    case .reciprocalSquareRoot: CK_RECIPROCAL_SQUARE_ROOT
    case .exp: CK_EXP
    case .log: CK_LOG
    case .tanh: CK_TANH
    case .sigmoid: CK_SIGMOID
    case .erf: CK_ERF
    case .relu: CK_RELU
    case .gelu: CK_GELU
    case .geluDerivative: CK_GELU_DERIVATIVE
    case .silu: CK_SILU
    case .siluDerivative: CK_SILU_DERIVATIVE
    case .floor: CK_FLOOR
    case .isFinite: CK_IS_FINITE
    case .roundToBFloat16: CK_ROUND_TO_BF16
    case .roundToE4M3: CK_ROUND_TO_E4M3
    case .roundToE5M2: CK_ROUND_TO_E5M2
    case .sine: CK_SINE
    case .cosine: CK_COSINE
    case .add: CK_ADD
    case .subtract: CK_SUBTRACT
    case .multiply: CK_MULTIPLY
    case .divide: CK_DIVIDE
    case .maximum: CK_MAXIMUM
    case .minimum: CK_MINIMUM
    case .power: CK_POWER
    case .less: CK_LESS
    case .lessOrEqual: CK_LESS_OR_EQUAL
    case .equal: CK_EQUAL
    case .select: CK_SELECT
    }
  }
}
