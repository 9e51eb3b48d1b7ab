// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Finds the plugin that `[machine] device` asks for.
enum PluginChoice {
  /// A family of plugins that has a name of its own.
  private struct Family {
    var name: String
    /// What its clients call their platform.
    var platforms: [String]
    /// The variable that names a file of this family.
    var variable: String
    /// Python packages that bring the plugin, newest first, and the file in each.
    var packages: [(package: String, file: String)]
    /// What to install, as the user types it.
    var installation: String
  }

  private static let families = [
    Family(
      name: "cpu", platforms: ["cpu"], variable: "ASSAY_XLA_CPU_PLUGIN",
      packages: [("xla_plugins.xla_cpu_pjrt", "xla_cpu_pjrt.so")],
      installation: "pip install xla-cpu-pjrt"),
    Family(
      name: "cuda", platforms: ["cuda", "gpu"], variable: "ASSAY_XLA_CUDA_PLUGIN",
      packages: [
        ("jax_plugins.xla_cuda13", "xla_cuda_plugin.so"),
        ("jax_plugins.xla_cuda12", "xla_cuda_plugin.so"),
      ],
      installation: "pip install 'jax[cuda13]'"),
  ]

  /// The variable that names a file for every family that has no variable of its own set.
  static let generalVariable = "ASSAY_XLA_PLUGIN"

  /// The plugin's file.
  ///
  /// A file named by the device comes first, then the environment (`ASSAY_XLA_CPU_PLUGIN`, `ASSAY_XLA_CUDA_PLUGIN`,
  /// `ASSAY_XLA_PLUGIN`), then the packages of the Python that the user's `PATH` finds.
  ///
  /// - Parameters:
  ///   - device: `xla:cpu`, `xla:cuda` or `xla:FILE.so`.
  ///   - environment: The user's environment.
  /// - Returns: A file that exists; whether it is a plugin shows when it is opened.
  /// - Throws: A setting error for another device, a plugin error when there is none, with what to install.
  static func path(
    for device: String, environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(XLAError) -> String {
    guard device.hasPrefix("xla:"), device.count > 4 else {
      throw XLAError(
        .setting, "device \"\(device)\" is no device of XLA: write xla:cpu, xla:cuda or xla:FILE.so"
      )
    }
    let name = String(device.dropFirst(4))
    guard let family = family(of: device) else {
      guard name.contains("/") || name.hasSuffix(".so") || name.hasSuffix(".dylib") else {
        throw XLAError(
          .setting,
          "device \"\(device)\" is not known: write xla:cpu, xla:cuda, or xla:FILE with the plugin's file, as xla:./plugin.so"
        )
      }
      try LibraryFile.check(name)
      return name
    }
    for variable in [family.variable, generalVariable] {
      guard let file = environment[variable], !file.isEmpty else { continue }
      guard FileManager.default.fileExists(atPath: file) else {
        throw XLAError(.plugin, "\(variable) names \(file), and there is no such file")
      }
      return file
    }
    if let file = installed(family, environment) { return file }
    throw XLAError(
      .plugin,
      "no XLA plugin for \(device): the Python on the PATH has none of "
        + family.packages.map(\.package).joined(separator: ", ")
        + ". Install one (\(family.installation)), or name its file: \(family.variable)=FILE, or device = \"xla:FILE.so\""
    )
  }

  private static func family(of device: String) -> Family? {
    families.first { "xla:" + $0.name == device }
  }

  /// Compares a client's platform with its device: the general variable names one file for every device.
  ///
  /// - Parameters:
  ///   - platform: What the client calls its platform.
  ///   - path: The plugin's file.
  ///   - device: As in `path(for:)`; a file may be of any platform.
  ///   - environment: The user's environment.
  /// - Throws: A setting error where they differ, with who named the plugin.
  static func check(
    _ platform: String, of path: String, for device: String,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(XLAError) {
    guard let family = family(of: device), !family.platforms.contains(platform.lowercased()) else {
      return
    }
    let variable = [family.variable, generalVariable].first { environment[$0]?.isEmpty == false }
    throw XLAError(
      .setting,
      "device \"\(device)\" is of platform \(family.name), and \(variable.map { "\($0) names " } ?? "")\(path), whose platform is "
        + "\(platform): name a plugin for \(family.name) in \(family.variable), or write device = \"xla:\(path)\" to use this one"
    )
  }

  /// The family's file in the Python that the `PATH` finds; nil where there is no Python, or no such package in it.
  ///
  /// Python only looks the packages up: importing them would start JAX.
  private static func installed(_ family: Family, _ environment: [String: String]) -> String? {
    let script = """
      from importlib import util
      from os import path
      from sys import argv, exit
      for argument in argv[1:]:
          package, file = argument.split(":")
          try:
              found = util.find_spec(package)
          except ImportError:
              continue
          for place in (found.submodule_search_locations or []) if found else []:
              if path.exists(path.join(place, file)):
                  print(path.abspath(path.join(place, file)))
                  exit(0)
      """
    for folder in (environment["PATH"] ?? "").split(separator: ":") {
      let python = folder + "/python3"
      guard FileManager.default.isExecutableFile(atPath: String(python)) else { continue }
      let process = Process()
      process.executableURL = URL(fileURLWithPath: String(python))
      process.arguments = ["-c", script] + family.packages.map { "\($0.package):\($0.file)" }
      process.environment = environment
      process.standardInput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      let output = Pipe()
      process.standardOutput = output
      guard (try? process.run()) != nil else { return nil }
      let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      let file = text.trimmingCharacters(in: .whitespacesAndNewlines)
      return process.terminationStatus == 0 && !file.isEmpty ? file : nil
    }
    return nil
  }
}

extension Plugin {
  /// True for the CUDA plugin, which shows in its file's name (`xla_cuda_plugin.so`).
  var isCUDA: Bool { (path as NSString).lastPathComponent.contains("cuda") }

  /// Flags without which the plugin's compiler does not find its own files.
  ///
  /// The CUDA plugin finds NVIDIA's libraries by itself when their packages lie beside it (`nvidia/cu13/lib`, its RPATH);
  /// but `libdevice` and `ptxas` it looks for in `xla_gpu_cuda_data_dir` only. `CUDA_ROOT` comes first, as in JAX.
  var neededOverrides: [String: OptionValue] {
    guard isCUDA else { return [:] }
    if let root = ProcessInfo.processInfo.environment["CUDA_ROOT"], !root.isEmpty {
      return ["xla_gpu_cuda_data_dir": .text(root)]
    }
    let packages = URL(fileURLWithPath: path).resolvingSymlinksInPath()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    for place in ["nvidia/cu13", "nvidia/cuda_nvcc"] {
      let folder = packages.appendingPathComponent(place).path
      if FileManager.default.fileExists(atPath: folder + "/nvvm/libdevice") {
        return ["xla_gpu_cuda_data_dir": .text(folder)]
      }
    }
    return [:]
  }
}
