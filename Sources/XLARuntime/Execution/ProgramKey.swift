// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPJRT
import Foundation

/// Everything that the result of compiling a program depends on, as text.
enum ProgramKey {
  /// Variables by which XLA is told how to compile, and for how many threads.
  private static let variables = ["XLA_FLAGS", "NPROC"]

  /// The key of a program.
  ///
  /// - Parameters:
  ///   - text: the program.
  ///   - options: as the plugin gets them, serialized.
  ///   - machine: the client's part of the key.
  /// - Returns: all of them together.
  static func bytes(_ text: String, _ options: [UInt8], _ machine: String) -> [UInt8] {
    let digits = options.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    return Array("\(machine)options: \(digits)\n\n\(text)".utf8)
  }

  /// What is the same for all programs of a client: the plugin's file and version, the devices, and for a CPU its own features.
  ///
  /// A program for one CPU may use instructions that another lacks. It is also compiled for a number of threads.
  static func machine(
    _ client: Client, _ environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> String {
    let plugin = client.plugin
    var lines = [
      "platform: \(client.platform)", "version: \(client.platformVersion)",
      "interface: \(plugin.interfaceVersion.major).\(plugin.interfaceVersion.minor)",
      "file: \(file(plugin.path))",
    ]
    lines += plugin.attributes.map { "attribute: \($0)" }
    lines += client.devices.map { "device: \($0.kind)" }
    lines += variables.map { "\($0): \(environment[$0] ?? "")" }
    if client.platform == "cpu" {
      lines.append("processor: \(processor)")
      lines.append("processors: \(ProcessInfo.processInfo.activeProcessorCount)")
    }
    // A line's end inside a value must not look like the next line's beginning.
    return lines.map { $0.replacingOccurrences(of: "\n", with: " ") + "\n" }.joined()
  }

  /// Size and time of change of a file, symbolic links followed.
  private static func file(_ path: String) -> String {
    let real = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    let attributes = try? FileManager.default.attributesOfItem(atPath: real)
    let size = attributes?[.size] as? Int ?? 0
    let changed = (attributes?[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
    return "\(size) bytes of \(changed)"
  }

  /// The CPU's name and features, as the system lists them.
  static let processor: String = {
    #if os(Linux)
      let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
      return processor(inCPUInfo: text)
    #else
      var count = 0
      let name = "machdep.cpu.brand_string"
      sysctlbyname(name, nil, &count, nil, 0)
      var bytes = [UInt8](repeating: 0, count: count)
      sysctlbyname(name, &bytes, &count, nil, 0)
      return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    #endif
  }()

  /// The lines of `/proc/cpuinfo` that tell what a CPU is and can do: on x86-64 and on arm64.
  static func processor(inCPUInfo text: String) -> String {
    let wanted = [
      "vendor_id", "cpu family", "model", "model name", "stepping", "flags", "CPU implementer",
      "CPU architecture", "CPU variant", "CPU part", "CPU revision", "Features",
    ]
    var found: Set<String> = []
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2 else { continue }
      let name = parts[0].trimmingCharacters(in: .whitespaces)
      guard wanted.contains(name) else { continue }
      found.insert("\(name) \(parts[1].trimmingCharacters(in: .whitespaces))")
    }
    return found.sorted().joined(separator: ", ")
  }
}

extension Plugin {
  /// What the plugin says about itself, as `stablehlo_current_version [1, 13, 0]`, sorted; empty where it says nothing.
  var attributes: [String] {
    guard has(PJ_PLUGIN_ATTRIBUTES) else { return [] }
    var arguments = pj_plugin_attributes_args()
    guard succeeds(PJ_PLUGIN_ATTRIBUTES, &arguments) else { return [] }
    let values = UnsafeBufferPointer(start: arguments.attributes, count: arguments.num_attributes)
    return values.map { value in
      let name = Plugin.text(value.name, value.name_size)
      switch value.type {
      case Int32(PJ_STRING):
        return "\(name) \(Plugin.text(value.value.string_value, value.value_size))"
      case Int32(PJ_INT64): return "\(name) \(value.value.int64_value)"
      case Int32(PJ_INT64_LIST):
        let list = UnsafeBufferPointer(
          start: value.value.int64_array_value, count: value.value_size)
        return "\(name) \(Array(list))"
      case Int32(PJ_FLOAT): return "\(name) \(value.value.float_value)"
      case Int32(PJ_BOOL): return "\(name) \(value.value.bool_value)"
      default: return name
      }
    }.sorted()
  }
}
