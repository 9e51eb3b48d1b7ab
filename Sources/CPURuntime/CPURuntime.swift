// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CKernels
import COneDNN
import Foundation
public import TensorGraph

/// Executes programs on this machine's processor: memory planned ahead, a thread team, oneDNN for the products.
///
/// The same program gives the same bits for any number of threads: work is cut by shape, never by thread, and every sum
/// has one order. Environment: `ASSAY_CPU = portable | avx2 | avx512` limits the instruction set (before the first runtime).
public final class CPURuntime: Runtime {
  /// Lanes, the calling thread included.
  public let threadCount: Int
  let team: ThreadTeam
  let products: ProductCache
  let laneScratch: LaneScratch
  private var store: [String: (type: TensorType, memory: Arena)] = [:]
  private(set) var sharedArena: Arena
  private var peak = 0
  /// Whether it plans programs without memory to run them in, see ``planning(threads:)``.
  let plansOnly: Bool
  /// The work of each program that was planned, in the order of compilation; empty unless the runtime only plans.
  public private(set) var plannedWork: [PlannedWork] = []

  /// Starts the threads; nil means one for every core that is free to this process.
  ///
  /// - Throws: `RuntimeError` when `ASSAY_CPU` has an unknown value or a thread count is impossible.
  public convenience init(threads: Int? = nil) throws {
    try self.init(threads: threads, usesOneDNN: InstructionSet.select() != .portable)
  }

  /// A runtime that plans, and takes addresses in place of memory.
  ///
  /// It compiles programs as any other and counts the same bytes, so it can plan models that no memory here would hold. To run a
  /// program that it compiled is a mistake of the caller.
  ///
  /// - Parameter threads: Lanes to plan for; nil: one for every core.
  /// - Returns: The runtime.
  /// - Throws: as `init(threads:)`.
  public static func planning(threads: Int? = nil) throws -> CPURuntime {
    try CPURuntime(
      threads: threads, usesOneDNN: InstructionSet.select() != .portable, plansOnly: true)
  }

  /// With or without oneDNN; without it, plain C loops multiply.
  init(threads: Int?, usesOneDNN: Bool, plansOnly: Bool = false) throws {
    let count = threads ?? ProcessInfo.processInfo.activeProcessorCount
    guard (1...1024).contains(count) else {
      throw RuntimeError(.setting, "threads = \(count) is impossible; use 1 to 1024")
    }
    threadCount = count
    self.plansOnly = plansOnly
    team = ThreadTeam(laneCount: plansOnly ? 1 : count) { od_prepare_thread() }
    products = ProductCache(laneCount: count, usesOneDNN: usesOneDNN)
    laneScratch = LaneScratch(laneCount: count)
    sharedArena = try Arena(byteCount: 4096)
  }

  /// For example `cpu: 2 threads, avx512, oneDNN 2.6.3`.
  public var summary: String {
    "cpu: \(threadCount) thread\(threadCount == 1 ? "" : "s"), \(InstructionSet.selected.rawValue), "
      + "oneDNN \(String(cString: od_version()))"
  }

  /// Bytes of activations worth computing again.
  static let recomputationThreshold = 256 << 20

  /// Plans memory, chooses kernels and binds leaves.
  public func compile(_ program: Program) throws -> any Executable {
    // Below this, memory is no concern and time is: recomputation costs about 2 % of a step.
    let program = try program.recomputingCheapResults(minimumSaving: Self.recomputationThreshold)
    let executable = try CPUExecutable(program, runtime: self)
    if plansOnly { plannedWork.append(executable.plannedWork) }
    return executable
  }

  /// The large products of a program, exactly as its step runs them, and nothing else: what a step
  /// would take if all around them were free.
  ///
  /// Its results mean nothing.
  public func compileProducts(of program: Program) throws -> any StagedExecutable {
    try CPUExecutable(program, runtime: self, productsOnly: true)
  }

  /// The memory of a parameter or state, whatever is done with it; nil when no program has it.
  public func kept(_ label: String, for access: KeptAccess) -> UnsafeMutableRawBufferPointer? {
    memory(label)
  }

  /// The memory of a parameter or state; it stays where it is as long as the runtime lives.
  func memory(_ label: String) -> UnsafeMutableRawBufferPointer? {
    store[label].map {
      UnsafeMutableRawBufferPointer(start: $0.memory.base, count: $0.memory.byteCount)
    }
  }

  /// Bytes of every parameter and state kept between steps, by label.
  public var keptBytes: [String: Int] { store.mapValues(\.memory.byteCount) }

  /// Bytes of the arena that all programs share, as large as the largest needs.
  public var arenaBytes: Int { sharedArena.byteCount }

  /// Bytes of all tensors, at their most.
  public var peakBytes: Int { peak }

  /// Makes the memory of a kept tensor at its first use, as zeros.
  ///
  /// - Throws: `GraphError` when it has another type than in an earlier program; `RuntimeError` when memory is refused.
  func keep(_ leaf: Leaf) throws {
    if let known = store[leaf.label] {
      guard known.type == leaf.type else {
        throw GraphError(
          .structure,
          "'\(leaf.label)' is kept as \(known.type); a program cannot use it as \(leaf.type)")
      }
      return
    }
    store[leaf.label] = (
      leaf.type, try Arena(byteCount: leaf.type.byteCount, isAddressesOnly: plansOnly)
    )
    account()
  }

  /// Programs run one at a time, so they share one arena, as large as the largest needs.
  func reserveArena(_ byteCount: Int) throws {
    if byteCount > sharedArena.byteCount {
      sharedArena = try Arena(byteCount: byteCount, isAddressesOnly: plansOnly)
    }
    account()
  }

  private func account() {
    let held =
      store.values.reduce(sharedArena.byteCount) { $0 + $1.memory.byteCount } + products.heldBytes
      + laneScratch.byteCount * threadCount
    peak = max(peak, held)
  }
}

/// The instruction sets that kernels are compiled for.
public enum InstructionSet: String, CaseIterable, Sendable {
  /// Plain C, and no oneDNN.
  case portable
  /// AVX2 with FMA.
  case avx2
  /// AVX-512, with bf16 products where the processor has them.
  case avx512

  /// The set in use.
  public static var selected: InstructionSet { InstructionSet(ck_selected_instruction_set()) }

  /// The widest that the processor offers.
  public static var detected: InstructionSet { InstructionSet(ck_detected_instruction_set()) }

  /// Whether products in bfloat16 are faster than in float32 here.
  public static var hasFastBFloat16: Bool { selected == .avx512 && ck_has_fast_bf16() != 0 }

  /// Whether the processor has matrix tiles.
  public static var hasMatrixTiles: Bool { ck_has_amx_bf16() != 0 }

  private init(_ set: ck_instruction_set) {
    self = set == CK_AVX512 ? .avx512 : set == CK_AVX2 ? .avx2 : .portable
  }

  /// Applies `ASSAY_CPU`.
  ///
  /// - Throws: `RuntimeError` for a value that names no set.
  @discardableResult
  public static func select() throws -> InstructionSet {
    guard let wanted = ProcessInfo.processInfo.environment["ASSAY_CPU"], !wanted.isEmpty else {
      return selected
    }
    guard let set = InstructionSet(rawValue: wanted) else {
      throw RuntimeError(
        .setting, "ASSAY_CPU = '\(wanted)' names no instruction set; use portable, avx2 or avx512")
    }
    let level: ck_instruction_set =
      set == .avx512 ? CK_AVX512 : set == .avx2 ? CK_AVX2 : CK_PORTABLE
    let chosen = InstructionSet(ck_select_instruction_set(level))
    // oneDNN keeps its limit for the life of the process; setting it again is harmless.
    _ = od_limit_instruction_set(Int32(level.rawValue))
    return chosen
  }
}
