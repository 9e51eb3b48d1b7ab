// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

/// Makes a cut tensor whole on each device.
///
/// A process can read only what its own devices hold. All processes run this together, and each reads the result from a device of its own.
struct GatherProgram: Hashable {
  /// Of the whole tensor.
  let type: TensorType
  /// How it is cut.
  let sharding: Sharding
  /// Of all processes.
  let devices: Int

  /// The module, in StableHLO: the partitioner adds the exchange between the two annotations.
  var text: String {
    let builder = HLOBuilder()
    let value = builder.fresh(type.shape.dimensions, type.element, false)
    let whole = Sharding.replicated.text(value, devices)
    return """
      module @gather attributes {mhlo.num_partitions = \(devices) : i32, mhlo.num_replicas = 1 : i32} {
      func.func public @main(\(value.name): \(value.type) {mhlo.sharding = "\(sharding.text(value, devices))"}) \
      -> (\(value.type) {mhlo.sharding = "\(whole)"}) {
      return \(value.name) : \(value.type)
      }
      }

      """
  }
}
