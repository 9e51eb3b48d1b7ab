// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

/// How a compiled program came to be.
public struct Compilation: Hashable, Sendable {
  /// Whether it was compiled earlier, for this machine and this plugin, and only read from disk now.
  public let isFromCache: Bool
  /// Seconds that compiling took now, or reading and loading.
  public let seconds: Double
  /// Seconds that compiling took when it was done; as `seconds` where that was now.
  public let compileSeconds: Double
}

/// Compiles programs of a client, or finds them in a cache.
final class ProgramCompiler {
  let client: Client
  private let cache: ProgramCache?
  private lazy var machine = ProgramKey(client)

  /// Takes a cache; nil: everything is compiled anew.
  ///
  /// Processes that form one client together compile together, and one that found its part on disk would leave the others waiting: there,
  /// nothing is cached.
  init(_ client: Client, cache: ProgramCache?) {
    self.client = client
    self.cache = client.globalDeviceCount > client.devices.count ? nil : cache
  }

  /// A program and how it came to be.
  ///
  /// - Parameters:
  ///   - text: StableHLO.
  ///   - options: of the compiler.
  ///   - outputCount: results of the program; what was loaded with another number is not the program.
  /// - Returns: the program, ready to run, and how it came to be.
  /// - Throws: What compiling it throws.
  func load(
    _ text: String, _ options: CompileOptions, outputCount: Int
  ) throws(XLAError) -> (LoadedProgram, Compilation) {
    let clock = ContinuousClock()
    let start = clock.now
    let key = cache.map { _ in machine.bytes(text, client.effective(options).serialized) }
    if let cache, let key, let entry = cache.find(key) {
      do throws(XLAError) {
        let loaded = try client.load(entry.program, options)
        if loaded.outputCount == outputCount {
          return (
            loaded,
            Compilation(
              isFromCache: true, seconds: (clock.now - start) / .seconds(1),
              compileSeconds: entry.compileSeconds)
          )
        }
      } catch {
        // Want of memory and a lost device say nothing about the entry, and compiling would not help.
        guard error.code == .compilation else { throw error }
      }
      cache.forget(key)
    }
    let begin = clock.now
    let loaded = try client.compile(text, options)
    let seconds = (clock.now - begin) / .seconds(1)
    if let cache, let key, let program = loaded.serialized() {
      cache.keep(ProgramCache.Entry(program: program, compileSeconds: seconds), for: key)
    }
    return (
      loaded, Compilation(isFromCache: false, seconds: seconds, compileSeconds: seconds)
    )
  }
}
