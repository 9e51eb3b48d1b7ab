// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import TensorGraph

/// How a tensor lies on the devices of a program.
enum Sharding: Hashable {
  /// Whole on each device.
  case replicated
  /// Cut into equal parts along an axis, one for each device in order.
  case split(axis: Int)

  /// The attribute of an argument or result, for programs of several devices.
  func attribute(_ value: HLOValue, _ plan: ShardingPlan) -> [String] {
    plan.devices > 1 ? ["mhlo.sharding = \"\(text(value, plan.devices))\""] : []
  }

  /// As XLA writes it, for example `{devices=[4,1]<=[4]}`.
  func text(_ value: HLOValue, _ devices: Int) -> String {
    guard case .split(let axis) = self else { return "{replicated}" }
    let place = value.builder.axis(axis, of: value)
    let rank = value.rank + (value.isBatched ? 1 : 0)
    let tiles = (0..<rank).map { $0 == place ? "\(devices)" : "1" }.joined(separator: ",")
    return "{devices=[\(tiles)]<=[\(devices)]}"
  }
}

/// Which tensors of a program are cut, and how.
struct ShardingPlan {
  /// Devices that share a program.
  var devices = 1

  func kept(_ leaf: Leaf) -> Sharding { .replicated }

  func input(_ leaf: Leaf) -> Sharding {
    guard devices > 1, let rows = leaf.type.shape.dimensions.first, rows % devices == 0,
      leaf.type.elementType == .int32
    else { return .replicated }
    return .split(axis: 0)
  }

  func placed(_ value: HLOValue, of node: Graph.Node, in builder: HLOBuilder) -> HLOValue { value }
}
