// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// XLA's own form of a program after all of its passes, as far as it is read: the operations of its instructions.
///
/// Field numbers are those of openxla/xla, xla/service/hlo.proto.
struct HLOModule {
  /// How often each operation occurs in all computations, as `["all-reduce": 2]`.
  private(set) var operationCounts: [String: Int] = [:]

  /// Reads a serialized `HloModuleProto`; nil when the bytes hold no instruction.
  init?(_ bytes: some Sequence<UInt8>) {
    for computation in ProtobufReader(bytes).fields where computation.number == 3 {
      for instruction in ProtobufReader(computation.payload).fields where instruction.number == 2 {
        for field in ProtobufReader(instruction.payload).fields where field.number == 2 {
          operationCounts[field.text, default: 0] += 1
        }
      }
    }
    if operationCounts.isEmpty { return nil }
  }
}
