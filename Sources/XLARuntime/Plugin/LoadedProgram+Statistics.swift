// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPJRT

/// What one device's share of a program takes in memory, in bytes, as its compiler planned it.
struct MemoryStatistics: Hashable, Sendable {
  /// Arguments, those that are used up included.
  var arguments: Int
  /// Results, those written over arguments included.
  var outputs: Int
  /// The part of the results that is written over arguments.
  var aliased: Int
  /// What lives only while the program runs.
  var temporary: Int
  /// Machine code and constants.
  var generatedCode: Int
  /// The most that is held at once, as the compiler counts it; nil where it does not say.
  var peak: Int?

  /// Everything that has to be there while the program runs: arguments, results that overwrite none, temporaries, code.
  var total: Int { arguments + outputs - aliased + temporary + generatedCode }
}

extension LoadedProgram {
  /// The memory that the compiler planned; nil where the plugin does not tell.
  var memory: MemoryStatistics? {
    guard client.plugin.has(PJ_EXECUTABLE_GET_COMPILED_MEMORY_STATS) else { return nil }
    var arguments = pj_executable_memory_args()
    arguments.executable = compiled
    guard client.plugin.succeeds(PJ_EXECUTABLE_GET_COMPILED_MEMORY_STATS, &arguments) else {
      return nil
    }
    return MemoryStatistics(
      arguments: Int(arguments.argument_bytes), outputs: Int(arguments.output_bytes),
      aliased: Int(arguments.alias_bytes), temporary: Int(arguments.temporary_bytes),
      generatedCode: Int(arguments.generated_code_bytes),
      peak: arguments.peak_bytes > 0 ? Int(arguments.peak_bytes) : nil)
  }

  /// The compiler's estimates, as `flops` and `bytes accessed`; empty where the plugin does not tell.
  var costs: [String: Double] {
    guard client.plugin.has(PJ_EXECUTABLE_GET_COST_ANALYSIS) else { return [:] }
    var arguments = pj_executable_cost_args()
    arguments.executable = compiled
    guard client.plugin.succeeds(PJ_EXECUTABLE_GET_COST_ANALYSIS, &arguments) else { return [:] }
    var costs: [String: Double] = [:]
    for property in UnsafeBufferPointer(
      start: arguments.properties, count: arguments.num_properties)
    {
      let name = Plugin.text(property.name, property.name_size)
      switch property.type {
      case Int32(PJ_FLOAT): costs[name] = Double(property.value.float_value)
      case Int32(PJ_INT64): costs[name] = Double(property.value.int64_value)
      default: break
      }
    }
    return costs
  }

  /// The program as the compiler left it: the plugin's own form of it, and that form's name (`hlo`, `hlo_with_config` or
  /// `mlir`); nil where the plugin does not tell.
  private var optimizedProgram: (format: String, code: [UInt8])? {
    guard client.plugin.has(PJ_EXECUTABLE_OPTIMIZED_PROGRAM) else { return nil }
    var program = pj_program()
    program.struct_size = MemoryLayout.size(ofValue: program)
    var arguments = pj_optimized_program_args()
    arguments.executable = compiled
    // Asked twice: for the size, then for the bytes.
    let measured = withUnsafeMutablePointer(to: &program) { program in
      arguments.program = program
      return client.plugin.succeeds(PJ_EXECUTABLE_OPTIMIZED_PROGRAM, &arguments)
    }
    guard measured, program.code_size > 0 else { return nil }
    var code = [UInt8](repeating: 0, count: program.code_size)
    let filled = code.withUnsafeMutableBytes { bytes in
      program.code = bytes.assumingMemoryBound(to: CChar.self).baseAddress
      return withUnsafeMutablePointer(to: &program) { program in
        arguments.program = program
        return client.plugin.succeeds(PJ_EXECUTABLE_OPTIMIZED_PROGRAM, &arguments)
      }
    }
    guard filled else { return nil }
    return (Plugin.text(program.format, program.format_size), code)
  }

  /// The program as the compiler left it, read from XLA's own form; nil where the plugin does not tell, or tells in
  /// another form.
  var optimizedModule: HLOModule? {
    guard let (format, code) = optimizedProgram else { return nil }
    switch format {
    case "hlo": return HLOModule(code)
    // A message whose first field is the module and whose second is its configuration.
    case "hlo_with_config":
      return ProtobufReader(code).fields.first { $0.number == 1 }.flatMap { HLOModule($0.payload) }
    default: return nil
    }
  }

  /// The compiled program for `Client.load`; nil where the plugin cannot.
  ///
  /// `xla_cpu_pjrt` 0.0.1 can. What comes out is good only for the same release of the plugin on the same kind of
  /// machine, and `load` may refuse it: a cache compiles again then.
  func serialized() -> [UInt8]? {
    guard client.plugin.has(PJ_EXECUTABLE_SERIALIZE) else { return nil }
    var arguments = pj_executable_serialize_args()
    arguments.executable = compiled
    guard client.plugin.succeeds(PJ_EXECUTABLE_SERIALIZE, &arguments) else { return nil }
    defer { arguments.deleter?(arguments.serialized) }
    guard let start = arguments.bytes, arguments.bytes_size > 0 else { return nil }
    return Array(UnsafeRawBufferPointer(start: start, count: arguments.bytes_size))
  }
}

extension Client {
  /// Loads a program that `LoadedProgram.serialized` gave.
  ///
  /// - Throws: A compilation error when the bytes are of another release of the plugin, or damaged, or the plugin cannot.
  func load(_ serialized: [UInt8], _ options: CompileOptions = CompileOptions()) throws(XLAError)
    -> LoadedProgram
  {
    guard plugin.has(PJ_EXECUTABLE_DESERIALIZE_AND_LOAD) else {
      throw XLAError(.compilation, "\(plugin.path) cannot load compiled programs")
    }
    let compileOptions = effective(options).serialized
    var arguments = pj_deserialize_and_load_args()
    arguments.client = handle
    let failure = serialized.withUnsafeBytes { bytes in
      compileOptions.withUnsafeBytes { options -> XLAError? in
        arguments.bytes = bytes.assumingMemoryBound(to: CChar.self).baseAddress
        arguments.bytes_size = bytes.count
        arguments.compile_options = options.assumingMemoryBound(to: CChar.self).baseAddress
        arguments.compile_options_size = options.count
        do throws(XLAError) {
          try plugin.call(
            PJ_EXECUTABLE_DESERIALIZE_AND_LOAD, &arguments, .compilation, "load a compiled program")
          return nil
        } catch {
          return error
        }
      }
    }
    if let failure { throw failure }
    guard let loaded = arguments.loaded else {
      throw XLAError(.compilation, "\(plugin.path) loaded nothing and gave no reason")
    }
    return try LoadedProgram(loaded, self)
  }
}
