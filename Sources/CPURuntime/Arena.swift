// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Page-aligned memory straight from the system, in large pages where it offers them; zero at first.
final class Arena {
  /// Where it starts.
  let base: UnsafeMutableRawPointer
  /// Bytes.
  let byteCount: Int

  /// MADV_HUGEPAGE, which the Linux headers keep out of Swift.
  private static let hugePageAdvice: Int32 = 14

  /// Maps memory; nothing is touched until it is used.
  ///
  /// - Parameters:
  ///   - byteCount: Bytes.
  ///   - isAddressesOnly: Takes addresses without memory behind them: for planning what no machine needs to have. To read or
  ///     write there ends the process.
  /// - Throws: `RuntimeError.memory` when the system refuses.
  init(byteCount: Int, isAddressesOnly: Bool = false) throws(RuntimeError) {
    let size = max(byteCount, 1)
    #if canImport(Darwin)
      let flags = MAP_PRIVATE | MAP_ANON
    #else
      let flags = MAP_PRIVATE | MAP_ANONYMOUS | (isAddressesOnly ? MAP_NORESERVE : 0)
    #endif
    let access = isAddressesOnly ? PROT_NONE : PROT_READ | PROT_WRITE
    let address = mmap(nil, size, access, flags, -1, 0)
    guard let address, address != MAP_FAILED else {
      throw RuntimeError(
        .memory,
        "the system refused \(size / 1_048_576) MiB of memory; use a smaller model or micro-batch")
    }
    #if os(Linux)
      if size >= 4 << 20, !isAddressesOnly { madvise(address, size, Self.hugePageAdvice) }
    #endif
    base = address
    self.byteCount = size
  }

  deinit { munmap(base, byteCount) }
}
