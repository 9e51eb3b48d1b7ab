// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import TensorGraph

/// How a tensor lies on the devices of a program.
enum Sharding: Hashable {
  /// Whole on each device.
  case replicated
  /// Cut into equal parts along an axis, one for each device in order; an axis of runs counts.
  case split(axis: Int)

  /// The attribute of an argument or result, for programs of several devices.
  func attribute(_ value: HLOValue, _ plan: ShardingPlan) -> [String] {
    plan.devices > 1 ? ["mhlo.sharding = \"\(text(value, plan.devices))\""] : []
  }

  /// As XLA writes it, for example `{devices=[4,1]<=[4]}`.
  func text(_ value: HLOValue, _ devices: Int) -> String {
    guard case .split(let place) = self else { return "{replicated}" }
    let rank = value.rank + (value.isBatched ? 1 : 0)
    let tiles = (0..<rank).map { $0 == place ? "\(devices)" : "1" }.joined(separator: ",")
    return "{devices=[\(tiles)]<=[\(devices)]}"
  }
}

/// What is cut among devices that share a program.
public struct ShardingRules: Hashable, Sendable {
  /// The choices; each cuts what the one before it does, and more.
  public enum Level: String, Hashable, Sendable, CaseIterable {
    /// The batch alone: every device keeps all weights and all state (data parallelism).
    case batch
    /// The optimizer's state too (ZeRO-1; Rajbhandari et al., 2020).
    case state
    /// The weights too (FSDP; Zhao et al., 2023).
    case parameters
  }

  /// What is cut.
  public var level = Level.state
  /// Tensors with fewer values stay whole on every device: moving them costs more than keeping them.
  public var smallestCut = 1024

  /// Batch and state.
  public init() {}

  /// Bytes of a kept tensor on each of a number of devices.
  public func deviceBytes(of type: TensorType, isState: Bool, devices: Int) -> Int {
    let plan = ShardingPlan(devices: devices, rules: self)
    if case .split = plan.kept(type, isState: isState) { return type.byteCount / devices }
    return type.byteCount
  }
}

/// Which tensors of a program are cut, and how.
struct ShardingPlan {
  /// Devices that share a program.
  var devices = 1
  var rules = ShardingRules()
  /// Runs that share it.
  var runs: Int?

  /// Whether each device has its share of the runs, and nothing else is cut.
  var cutsRuns: Bool { devices > 1 && runs.map { $0 % devices == 0 } ?? false }

  func kept(_ leaf: Leaf) -> Sharding { kept(leaf.type, isState: leaf.kind == .state) }

  func kept(_ type: TensorType, isState: Bool) -> Sharding {
    if cutsRuns { return .split(axis: 0) }
    let isCut =
      switch rules.level {
      case .batch: false
      case .state: isState
      case .parameters: true
      }
    guard devices > 1, isCut, type.shape.count >= rules.smallestCut else { return .replicated }
    return split(type.shape)
  }

  func input(_ leaf: Leaf) -> Sharding {
    let isShared = leaf.type.elementType == .int32
    if cutsRuns { return isShared ? .replicated : .split(axis: 0) }
    guard devices > 1, isShared, leaf.type.shape[0] % devices == 0 else { return .replicated }
    return .split(axis: 0)
  }

  /// Scalars of all runs, and outputs.
  var numbers: Sharding { cutsRuns ? .split(axis: 0) : .replicated }

  /// Along the first axis that the devices divide: of a matrix its outputs, of an embedding its vocabulary.
  private func split(_ shape: Shape) -> Sharding {
    let axis = shape.dimensions.firstIndex { $0 % devices == 0 }
    return axis.map { .split(axis: $0 + (runs == nil ? 0 : 1)) } ?? .replicated
  }
}
