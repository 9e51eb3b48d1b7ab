// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPJRT
import Foundation

/// What the results of compiling depend on beside program and options: the plugin, the devices, the environment, and for a CPU
/// its own features.
///
/// A program for one CPU may use instructions that another lacks. It is also compiled for a number of threads.
struct ProgramKey: Hashable {
  var platform: String
  var version: String
  var interface: String
  /// The plugin's file: its size and time of change.
  var file: String
  /// What the plugin says about itself.
  var attributes: [String]
  /// The kind of each device of this process.
  var devices: [String]
  /// The variables by which XLA is told how to compile, and for how many threads.
  var variables: [String: String]
  /// The bytes of the file that `XLA_FLAGS` names instead of flags; nil where it names none.
  var flagsFile: Data?
  /// The CPU's features; nil where programs run elsewhere.
  var processor: String?
  /// The number of CPUs.
  var processors: Int?

  /// Of a client.
  init(
    _ client: Client, _ environment: [String: String] = ProcessInfo.processInfo.environment
  ) {
    let plugin = client.plugin
    platform = client.platform
    version = client.platformVersion
    interface = "\(plugin.interfaceVersion.major).\(plugin.interfaceVersion.minor)"
    file = Self.file(plugin.path)
    attributes = plugin.attributes
    devices = client.devices.map(\.kind)
    let names = ["XLA_FLAGS", "LIBTPU_INIT_ARGS", "NPROC"]
    variables = environment.filter { names.contains($0.key) }
    // XLA's own rule: what does not begin with a dash, after white space, is the name of a file.
    if let flags = environment["XLA_FLAGS"], let first = flags.first(where: { !$0.isWhitespace }),
      first != "-"
    {
      flagsFile = FileManager.default.contents(atPath: flags) ?? Data()
    }
    if platform == "cpu" {
      processor = Self.processor
      processors = ProcessInfo.processInfo.activeProcessorCount
    }
  }

  /// The key of a program.
  ///
  /// - Parameters:
  ///   - text: the program.
  ///   - options: as the plugin gets them, serialized.
  /// - Returns: all that it depends on.
  func bytes(_ text: String, _ options: [UInt8]) -> [UInt8] {
    let digits = options.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    return Array("\(self.text)options: \(digits)\n\n\(text)".utf8)
  }

  private var text: String {
    var lines = [
      "platform: \(platform)", "version: \(version)", "interface: \(interface)", "file: \(file)",
    ]
    lines += attributes.map { "attribute: \($0)" }
    lines += devices.map { "device: \($0)" }
    lines += variables.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
    if let flagsFile { lines.append("flags: \(flagsFile.base64EncodedString())") }
    if let processor { lines.append("processor: \(processor)") }
    if let processors { lines.append("processors: \(processors)") }
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
