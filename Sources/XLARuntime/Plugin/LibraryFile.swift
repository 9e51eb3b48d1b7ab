// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What can be said about a plugin's file before the system's loader sees it, whose own words help nobody.
enum LibraryFile {
  /// Processors by their number in an ELF header (System V ABI, `e_machine`).
  private static let machines: [UInt16: String] = [
    62: "x86-64", 183: "arm64", 3: "x86 (32 bit)", 40: "arm (32 bit)", 243: "riscv",
  ]

  #if arch(x86_64)
    /// This processor's number.
    private static let own: UInt16 = 62
  #elseif arch(arm64)
    /// This processor's number.
    private static let own: UInt16 = 183
  #else
    /// This processor's number.
    private static let own: UInt16 = 0
  #endif

  /// Throws when there is no such file, it is no shared library of this system, or it is one for another processor.
  static func check(_ path: String) throws(XLAError) {
    var isDirectory = ObjCBool(false)
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory),
      !isDirectory.boolValue
    else {
      throw XLAError(
        .plugin, "there is no file \(path): a PJRT plugin is a shared library, as xla_cpu_pjrt.so")
    }
    #if os(Linux)
      guard let file = FileHandle(forReadingAtPath: path) else {
        throw XLAError(.plugin, "\(path) cannot be read")
      }
      let header = [UInt8]((try? file.read(upToCount: 20)) ?? Data())
      try? file.close()
      guard header.count == 20, header.starts(with: [0x7f, 0x45, 0x4c, 0x46]) else {
        throw XLAError(
          .plugin, "\(path) is not a shared library: it does not begin as an ELF file does")
      }
      let littleEndian = header[5] == 1
      let machine =
        littleEndian
        ? UInt16(header[18]) | UInt16(header[19]) << 8
        : UInt16(header[19]) | UInt16(header[18]) << 8
      guard own == 0 || machine == own else {
        let theirs = machines[machine] ?? "machine number \(machine)"
        throw XLAError(
          .plugin,
          "\(path) is a library for another processor: \(theirs), and this is \(machines[own] ?? "another"). "
            + "Install the plugin's package for this machine")
      }
    #endif
  }
}
