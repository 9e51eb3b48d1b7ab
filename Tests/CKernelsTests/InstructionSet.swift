// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CKernels
import Testing

/// An instruction set this machine can run.
enum InstructionSet: UInt32, CaseIterable, Sendable, CustomStringConvertible {
  case portable = 0
  case avx2 = 1
  case avx512 = 2

  static var available: [InstructionSet] {
    allCases.filter { $0.rawValue <= ck_detected_instruction_set().rawValue }
  }

  var description: String {
    switch self {
    case .portable: "portable"
    case .avx2: "AVX2"
    case .avx512: "AVX-512"
    }
  }

  /// Runs `body` with the kernels of this set selected; the detected set is selected again afterwards.
  func run<Result>(_ body: () throws -> Result) rethrows -> Result {
    ck_select_instruction_set(ck_instruction_set(rawValue: rawValue))
    defer { ck_select_instruction_set(ck_detected_instruction_set()) }
    return try body()
  }
}

/// All kernel tests.
///
/// The selected instruction set is global, so they run one after the other.
@Suite(.serialized)
struct KernelTests {
  @Test("selecting clamps to what the CPU offers, and the detected set is the default")
  func selection() {
    let detected = ck_detected_instruction_set()
    #expect(ck_selected_instruction_set() == detected)
    for set in InstructionSet.allCases {
      let selected = ck_select_instruction_set(ck_instruction_set(rawValue: set.rawValue))
      #expect(selected.rawValue == min(set.rawValue, detected.rawValue))
      #expect(ck_selected_instruction_set() == selected)
    }
    ck_select_instruction_set(detected)
    #expect(ck_has_amx_bf16() == 0 || ck_has_fast_bf16() == 1)
  }
}
