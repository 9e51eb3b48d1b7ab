// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import CPJRT
import Foundation
import Synchronization
import TensorGraph
import Testing

@testable import XLARuntime

/// A folder that vanishes with this object.
final class CacheFolder {
  let path = FileManager.default.temporaryDirectory.path + "/assay-cache-\(UUID().uuidString)"
  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The files in it, sorted.
  var files: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
  }
  func full(_ name: String) -> String { path + "/" + name }
}

@Suite("The cache of compiled programs")
struct ProgramCacheTests {
  private let folder = CacheFolder()

  private func entry(_ byte: UInt8, _ count: Int = 1000) -> ProgramCache.Entry {
    ProgramCache.Entry(program: [UInt8](repeating: byte, count: count), compileSeconds: 1.5)
  }
  private func key(_ text: String) -> [UInt8] { Array(text.utf8) }

  @Test("What was kept is found, with what compiling took, and nothing else is")
  func finding() {
    let cache = ProgramCache(folder: folder.path)
    #expect(cache.find(key("a")) == nil)
    cache.keep(entry(7), for: key("a"))
    let found = cache.find(key("a"))
    #expect(found?.program == entry(7).program)
    #expect(found?.compileSeconds == 1.5)
    #expect(cache.find(key("b")) == nil)
    #expect(folder.files.count == 1)
  }

  @Test("A file of another key under the same name, as a collision would leave it, is no answer")
  func collision() throws {
    let cache = ProgramCache(folder: folder.path)
    cache.keep(entry(7), for: key("other"))
    try FileManager.default.moveItem(
      atPath: cache.path(key("other")), toPath: cache.path(key("mine.")))
    #expect(cache.find(key("mine.")) == nil)
    cache.keep(entry(8), for: key("mine."))
    #expect(cache.find(key("mine."))?.program == entry(8).program)
  }

  @Test("A bit that turned anywhere in a file, or a file cut short, makes it absent")
  func damage() throws {
    let cache = ProgramCache(folder: folder.path)
    cache.keep(entry(7, 50), for: key("a"))
    let path = cache.path(key("a"))
    let whole = try #require(FileManager.default.contents(atPath: path))
    for place in whole.indices {
      var bytes = whole
      bytes[place] ^= 4
      try bytes.write(to: URL(fileURLWithPath: path))
      #expect(cache.find(key("a")) == nil, "byte \(place)")
    }
    for count in [0, 1, 31, 40, whole.count - 1] {
      try whole.prefix(count).write(to: URL(fileURLWithPath: path))
      #expect(cache.find(key("a")) == nil, "\(count) bytes")
    }
    try whole.write(to: URL(fileURLWithPath: path))
    #expect(cache.find(key("a")) != nil)
  }

  @Test("Where all take too much, those go that were not used for longest")
  func bound() throws {
    let cache = ProgramCache(folder: folder.path, byteLimit: 3500)
    for (age, name) in ["a", "b", "c"].enumerated() {
      cache.keep(entry(UInt8(age)), for: key(name))
      let time = Date(timeIntervalSinceNow: Double(age) * 10 - 1000)
      try FileManager.default.setAttributes(
        [.modificationDate: time], ofItemAtPath: cache.path(key(name)))
    }
    // The oldest is used, and so the second goes.
    #expect(cache.find(key("a")) != nil)
    cache.keep(entry(9), for: key("d"))
    #expect(["a", "b", "c", "d"].filter { cache.find(key($0)) != nil } == ["a", "c", "d"])
    cache.keep(entry(9, 5000), for: key("too large"))
    #expect(cache.find(key("too large")) == nil)
    #expect(cache.find(key("a")) != nil)
  }

  @Test("What a writer that was killed left goes, after an hour")
  func partials() throws {
    let cache = ProgramCache(folder: folder.path)
    cache.keep(entry(1), for: key("a"))
    for (name, age) in [(".1-old.partial", 4000.0), (".2-new.partial", 10)] {
      #expect(FileManager.default.createFile(atPath: folder.full(name), contents: Data([1])))
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSinceNow: -age)], ofItemAtPath: folder.full(name))
    }
    cache.keep(entry(1), for: key("b"))
    #expect(folder.files.filter { $0.hasSuffix(".partial") } == [".2-new.partial"])
  }

  @Test(
    "Where an entry cannot take its place, nothing of it is left, and room is made all the same")
  func failedWrite() throws {
    let cache = ProgramCache(folder: folder.path)
    // A folder in the place of the entry.
    try FileManager.default.createDirectory(
      atPath: cache.path(key("a")), withIntermediateDirectories: true)
    let abandoned = folder.full(".1-old.partial")
    #expect(FileManager.default.createFile(atPath: abandoned, contents: Data([1])))
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -4000)], ofItemAtPath: abandoned)
    cache.keep(entry(1), for: key("a"))
    #expect(folder.files.count == 1)
    #expect(cache.find(key("a")) == nil)
  }

  @Test("A folder that cannot be written keeps nothing and is no error")
  func unwritable() throws {
    // A file where a folder should be: not even the superuser can write into it.
    #expect(FileManager.default.createFile(atPath: folder.path, contents: Data()))
    let cache = ProgramCache(folder: folder.path + "/programs")
    cache.keep(entry(1), for: key("a"))
    #expect(cache.find(key("a")) == nil)
  }

  @Test("The environment names the folder, switches the cache off, and bounds it")
  func environment() throws {
    func folder(_ environment: [String: String]) throws -> String? {
      try ProgramCache.ofUser(environment)?.folder
    }
    #expect(try folder(["HOME": "/h"]) == "/h/.cache/assay/programs")
    #expect(try folder(["HOME": "/h", "XDG_CACHE_HOME": "/x"]) == "/x/assay/programs")
    #expect(try folder(["HOME": "/h", "XDG_CACHE_HOME": "x"]) == "/h/.cache/assay/programs")
    #expect(try folder(["HOME": "/h", "ASSAY_CACHE": "/c"]) == "/c/programs")
    #expect(try folder(["HOME": "/h", "ASSAY_CACHE": ""]) == "/h/.cache/assay/programs")
    #expect(try folder(["HOME": "/h", "ASSAY_CACHE": "off"]) == nil)
    #expect(try folder([:]) == nil)
    #expect(try ProgramCache.ofUser(["HOME": "/h"])?.byteLimit == 4 << 30)
    let half = try ProgramCache.ofUser(["HOME": "/h", "ASSAY_CACHE_GIB": "0.5"])
    #expect(half?.byteLimit == 1 << 29)
    for wrong in ["0", "-1", "much", "nan"] {
      let error = #expect(throws: XLAError.self) {
        _ = try ProgramCache.ofUser(["HOME": "/h", "ASSAY_CACHE_GIB": wrong])
      }
      #expect(error?.code == .setting)
      #expect(error?.message.contains("\"\(wrong)\"") == true)
    }
  }

  @Test("Two CPUs with different features are told apart, and the order of cores does not matter")
  func processors() {
    let one =
      "processor\t: 0\nmodel name\t: A\nflags\t\t: sse avx\n\nprocessor\t: 1\nmodel name\t: A\nflags\t\t: sse avx\n"
    let same = "processor : 1\nflags : sse avx\nmodel name : A\ncpu MHz : 2000\n"
    let other = "processor : 0\nflags : sse avx avx512f\nmodel name : A\n"
    #expect(ProgramKey.processor(inCPUInfo: one) == ProgramKey.processor(inCPUInfo: same))
    #expect(ProgramKey.processor(inCPUInfo: one) != ProgramKey.processor(inCPUInfo: other))
    #expect(!ProgramKey.processor.isEmpty)
  }
}

@Suite("Programs from the cache", .enabled(if: PluginUnderTest.isPresent), .serialized)
struct CachedProgramTests {
  static let client = Shared { try PluginUnderTest.client() }
  private let folder = CacheFolder()

  private func runtime(devices: Int = 1) throws -> XLARuntime {
    var sharding = ShardingRules()
    sharding.level = .parameters
    sharding.smallestCut = 1
    return try XLARuntime(
      client: Self.client.value(), devices: devices, sharding: sharding,
      cache: ProgramCache(folder: folder.path))
  }

  /// Whether each program of a runtime came from the cache.
  private func origins(_ runtime: XLARuntime) -> [Bool] { runtime.compilations.map(\.isFromCache) }

  @Test(
    "A program that is loaded gives the bits of the one that was compiled", arguments: [1, 2, 4])
  func hit(_ devices: Int) throws {
    let first = try runtime(devices: devices)
    let compiled = try SmallProgram.bits(first, SmallProgram.make())
    let second = try runtime(devices: devices)
    let loaded = try SmallProgram.bits(second, SmallProgram.make())
    #expect(origins(first) == [false])
    #expect(origins(second) == [true])
    #expect(compiled == loaded)
    #expect(first.peakBytes == second.peakBytes)
    let (miss, hit) = (
      try #require(first.compilations.first), try #require(second.compilations.first)
    )
    #expect(miss.seconds > 0 && hit.seconds > 0)
    #expect(hit.compileSeconds == miss.compileSeconds)
  }

  @Test("Another program and another number of devices are compiled for themselves")
  func misses() throws {
    _ = try runtime().compile(SmallProgram.make())
    let other = try runtime()
    _ = try other.compile(SmallProgram.make(power: 3))
    #expect(origins(other) == [false])
    let two = try runtime(devices: 2)
    _ = try two.compile(SmallProgram.make())
    #expect(origins(two) == [false])
    #expect(folder.files.count == 3)
  }

  @Test("Another option, plugin file, CPU or version makes another key")
  func keys() throws {
    let client = try Self.client.value()
    let key = ProgramKey(client, [:])
    #expect(key == ProgramKey(client, [:]))
    #expect(key.processor == ProgramKey.processor && key.processors != nil)
    #expect(key.attributes.contains { $0.hasPrefix("stablehlo_current_version") })
    #expect(key.file.first?.isNumber == true && !key.file.hasPrefix("0 "))
    func change<Value>(_ path: WritableKeyPath<ProgramKey, Value>, _ value: Value) -> ProgramKey {
      var other = key
      other[keyPath: path] = value
      return other
    }
    let others = [
      change(\.platform, "x"), change(\.version, "x"), change(\.interface, "0.1"),
      change(\.file, "x"), change(\.attributes, ["x"]), change(\.devices, ["x"]),
      change(\.variables, ["NPROC": "1"]), change(\.flagsFile, Data()),
      change(\.flagsFile, Data([1])), change(\.processor, "x"), change(\.processors, 0),
    ]
    var options = CompileOptions()
    var keys = ([key] + others).map { $0.bytes("text", options.serialized) }
    options.overrides = ["xla_cpu_enable_fast_math": .flag(true)]
    keys.append(key.bytes("text", options.serialized))
    keys.append(key.bytes("texts", CompileOptions().serialized))
    #expect(Set(keys).count == others.count + 3)
  }

  @Test("What XLA reads of the environment, and of the file that it may name, is in the key")
  func environment() throws {
    let client = try Self.client.value()
    let flags = "--xla_cpu_enable_fast_math=true"
    for name in ["XLA_FLAGS", "LIBTPU_INIT_ARGS", "NPROC"] {
      #expect(ProgramKey(client, [name: flags]).variables == [name: flags])
    }
    #expect(ProgramKey(client, ["HOME": "/", "XLA_FLAGS": " \(flags)"]).flagsFile == nil)
    try FileManager.default.createDirectory(
      atPath: folder.path, withIntermediateDirectories: true)
    let file = folder.full("flags")
    var keys: Set<ProgramKey> = []
    for text in [flags, "--xla_cpu_enable_fast_math=false"] {
      try Data(text.utf8).write(to: URL(fileURLWithPath: file))
      keys.insert(ProgramKey(client, ["XLA_FLAGS": file]))
    }
    #expect(keys.count == 2)
  }

  @Test(
    "Where memory does not suffice to load an entry, that is the error, and the entry stays",
    arguments: [(8, XLAError.Code.memory), (14, .device)])
  func unloadable(code: Int, kind: XLAError.Code) throws {
    let compiled = try runtime()
    _ = try compiled.compile(SmallProgram.make())
    let plugin = try Plugin(
      api: UnloadingPlugin.table(code), path: try #require(PluginUnderTest.path))
    let cache = ProgramCache(folder: folder.path)
    let failing = try XLARuntime(client: Client(plugin), cache: cache)
    let files = folder.files
    let error = #expect(throws: XLAError.self) { _ = try failing.compile(SmallProgram.make()) }
    #expect(error?.code == kind)
    #expect(error?.message.hasPrefix("cannot load a compiled program: no room") == true)
    #expect(folder.files == files)
    let again = try runtime()
    _ = try again.compile(SmallProgram.make())
    #expect(origins(again) == [true])
  }

  @Test("A damaged entry, and a whole one that the plugin refuses, are compiled anew and replaced")
  func replaced() throws {
    let first = try runtime()
    let compiled = try SmallProgram.bits(first, SmallProgram.make())
    let file = folder.full(try #require(folder.files.first))
    var bytes = try #require(FileManager.default.contents(atPath: file))
    bytes[bytes.count / 2] ^= 1
    try bytes.write(to: URL(fileURLWithPath: file))
    let second = try runtime()
    #expect(try SmallProgram.bits(second, SmallProgram.make()) == compiled)
    #expect(origins(second) == [false])
    let third = try runtime()
    #expect(try SmallProgram.bits(third, SmallProgram.make()) == compiled)
    #expect(origins(third) == [true])

    // Foreign: its checksum is right, and the plugin cannot read it.
    let client = try Self.client.value()
    let text = try XLARuntime.stableHLO(of: SmallProgram.make(), for: "xla:cpu")
    let key = ProgramKey(client).bytes(
      text, client.effective(CompileOptions(partitions: 1)).serialized)
    let cache = ProgramCache(folder: folder.path)
    #expect(cache.find(key) != nil)
    cache.keep(
      ProgramCache.Entry(program: Array("nothing".utf8), compileSeconds: 1), for: key)
    let fourth = try runtime()
    #expect(try SmallProgram.bits(fourth, SmallProgram.make()) == compiled)
    #expect(origins(fourth) == [false])
    let fifth = try runtime()
    _ = try fifth.compile(SmallProgram.make())
    #expect(origins(fifth) == [true])
  }

  @Test("Runs that share a program find it too")
  func batched() throws {
    let cache = ProgramCache(folder: folder.path)
    for expected in [false, true] {
      let group = try RunGroup(client: Self.client.value(), count: 1, cache: cache)
      let runtime = try #require(group.runtime(0) as? XLARuntime)
      _ = try runtime.compile(SmallProgram.make())
      #expect(origins(runtime) == [expected])
      group.leave(0)
    }
  }
}

/// The plugin's own table, except that it loads no program: whatever is asked for ends with an error of a code.
private enum UnloadingPlugin {
  private static let real = Atomic<UInt>(0)
  private static let code = Atomic<Int>(0)
  /// The error, as the pointer that stands for it.
  private static var mark: OpaquePointer? { OpaquePointer(bitPattern: 8) }
  private static var api: UnsafePointer<pj_api>? {
    UnsafePointer(bitPattern: real.load(ordering: .relaxed))
  }

  private static let load: pj_failing_function = { _ in mark }
  private static let message: pj_plain_function = { arguments in
    guard let pointer = arguments?.assumingMemoryBound(to: pj_error_message_args.self) else {
      return
    }
    guard pointer.pointee.error == mark else {
      return pj_call_plain(api, PJ_ERROR_MESSAGE, pointer)
    }
    let text: StaticString = "no room"
    pointer.pointee.message = UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
    pointer.pointee.message_size = text.utf8CodeUnitCount
  }
  private static let readCode: pj_failing_function = { arguments in
    guard let pointer = arguments?.assumingMemoryBound(to: pj_error_get_code_args.self) else {
      return nil
    }
    guard pointer.pointee.error == mark else { return pj_call(api, PJ_ERROR_GET_CODE, pointer) }
    pointer.pointee.code = Int32(code.load(ordering: .relaxed))
    return nil
  }
  private static let destroy: pj_plain_function = { arguments in
    guard let pointer = arguments?.assumingMemoryBound(to: pj_error_destroy_args.self),
      pointer.pointee.error != mark
    else { return }
    pj_call_plain(api, PJ_ERROR_DESTROY, pointer)
  }

  /// The table; never freed.
  static func table(_ number: Int) throws -> UnsafePointer<pj_api> {
    let api = try #require(pj_get_api(pj_open(PluginUnderTest.path)))
    real.store(UInt(bitPattern: api), ordering: .relaxed)
    code.store(number, ordering: .relaxed)
    return HandmadeTable.make(minor: api.pointee.minor_version) { slot in
      switch slot {
      case PJ_EXECUTABLE_DESERIALIZE_AND_LOAD: unsafeBitCast(load, to: pj_function.self)
      case PJ_ERROR_MESSAGE: unsafeBitCast(message, to: pj_function.self)
      case PJ_ERROR_GET_CODE: unsafeBitCast(readCode, to: pj_function.self)
      case PJ_ERROR_DESTROY: unsafeBitCast(destroy, to: pj_function.self)
      default:
        withUnsafeBytes(of: api.pointee.functions) {
          $0.bindMemory(to: pj_function?.self)[Int(slot.rawValue)]
        }
      }
    }
  }
}
