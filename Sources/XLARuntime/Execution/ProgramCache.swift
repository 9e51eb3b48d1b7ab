// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TensorFiles

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Compiled programs on disk, so that a program is compiled once for a machine and a plugin, not once for each process.
///
/// An entry holds everything that its program depends on, text included, and is used only where all of that is equal byte for byte: the
/// name of its file, a 64-bit hash of it, merely finds it. Two programs whose names collide replace each other. What is damaged is
/// as good as absent. Nothing here can fail a run: a folder that cannot be written only makes every program compile anew.
struct ProgramCache: Sendable {
  /// A program that was found.
  struct Entry {
    /// As the plugin serialized it.
    var program: [UInt8]
    /// What compiling it took, in seconds.
    var compileSeconds: Double
  }

  /// The most bytes that all entries may take by default.
  static let defaultByteLimit = 4 << 30
  private static let suffix = ".program"
  private static let partialSuffix = ".partial"
  private static let magic = Array("ASSAYXP1".utf8)
  /// Magic, bytes of the key, bytes of the program, seconds; then a checksum of all else.
  private static let headerBytes = 32
  private static let checksumBytes = 8
  /// A partial file of this age has no writer any more, in seconds.
  private static let abandonedSeconds = 3600.0

  /// Where the entries are.
  let folder: String
  /// The most bytes that all entries may take.
  let byteLimit: Int

  /// A cache in a folder, which is made with the first entry.
  init(folder: String, byteLimit: Int = defaultByteLimit) {
    self.folder = folder
    self.byteLimit = byteLimit
  }

  /// The user's cache; nil where it is switched off or there is no home to keep it in.
  ///
  /// `ASSAY_CACHE` names a folder, or is `off`; without it, the folder is `assay` in `XDG_CACHE_HOME` or in `~/.cache`. Programs are in
  /// `programs` there. `ASSAY_CACHE_GIB` bounds their size.
  ///
  /// - Throws: A setting error when the bound is no positive number.
  static func ofUser(
    _ environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(XLAError) -> ProgramCache? {
    func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    var limit = defaultByteLimit
    if let text = value("ASSAY_CACHE_GIB") {
      guard let number = Double(text), number > 0, number < 1e6 else {
        throw XLAError(
          .setting,
          "ASSAY_CACHE_GIB is \"\(text)\": expected the most gibibytes that compiled programs may take on disk, as 4; "
            + "ASSAY_CACHE=off keeps none")
      }
      limit = Int(number * 1_073_741_824)
    }
    let folder: String
    if let named = value("ASSAY_CACHE") {
      if named == "off" { return nil }
      folder = named
    } else if let base = value("XDG_CACHE_HOME"), base.hasPrefix("/") {
      // The XDG specification wants paths that do not begin at the root ignored.
      folder = base + "/assay"
    } else if let home = value("HOME") {
      folder = home + "/.cache/assay"
    } else {
      return nil
    }
    return ProgramCache(folder: folder + "/programs", byteLimit: limit)
  }

  // MARK: - Entries

  /// The file of a key.
  func path(_ key: [UInt8]) -> String {
    var checksum = FileChecksum()
    key.withUnsafeBytes { checksum.update($0) }
    let digits = String(checksum.value, radix: 16)
    return folder + "/" + String(repeating: "0", count: 16 - digits.count) + digits + Self.suffix
  }

  /// The program of a key; nil where there is none that is whole.
  func find(_ key: [UInt8]) -> Entry? {
    let path = path(key)
    guard let data = FileManager.default.contents(atPath: path),
      let entry = Self.read(Array(data), key)
    else { return nil }
    // The time of a file tells when it was used last.
    utimes(path, nil)
    return entry
  }

  /// Keeps a program, and lets those go that were not used for longest where all take too much.
  func keep(_ entry: Entry, for key: [UInt8]) {
    let bytes = Self.bytes(entry, key)
    guard bytes.count <= byteLimit else { return }
    try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    // Foundation would write to a file of another name first, which nobody would remove after a kill.
    let partial =
      folder + "/.\(ProcessInfo.processInfo.processIdentifier)-\(UUID().uuidString)"
      + Self.partialSuffix
    if !Self.create(partial, bytes) || rename(partial, path(key)) != 0 { unlink(partial) }
    trim()
  }

  /// Writes a new file; false when not all of it could be written.
  private static func create(_ path: String, _ bytes: [UInt8]) -> Bool {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { return false }
    var written = 0
    bytes.withUnsafeBytes { bytes in
      while written < bytes.count {
        let count = write(descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written)
        if count > 0 { written += count } else if count == 0 || errno != EINTR { break }
      }
    }
    return close(descriptor) == 0 && written == bytes.count
  }

  /// Removes what a plugin refused.
  func forget(_ key: [UInt8]) { unlink(path(key)) }

  /// Other processes may do the same at the same time: a file that is gone is one less to remove.
  private func trim() {
    let files = FileManager.default
    var entries: [(path: String, used: Date, bytes: Int)] = []
    for name in (try? files.contentsOfDirectory(atPath: folder)) ?? [] {
      let path = folder + "/" + name
      guard let attributes = try? files.attributesOfItem(atPath: path),
        let bytes = attributes[.size] as? Int,
        let used = attributes[.modificationDate] as? Date
      else { continue }
      if name.hasSuffix(Self.suffix) {
        entries.append((path, used, bytes))
      } else if name.hasSuffix(Self.partialSuffix),
        used.timeIntervalSinceNow < -Self.abandonedSeconds
      {
        unlink(path)
      }
    }
    var total = entries.reduce(0) { $0 + $1.bytes }
    for entry in entries.sorted(by: { ($0.used, $0.path) < ($1.used, $1.path) })
    where total > byteLimit {
      unlink(entry.path)
      total -= entry.bytes
    }
  }

  // MARK: - Bytes

  private static func bytes(_ entry: Entry, _ key: [UInt8]) -> [UInt8] {
    var bytes = magic
    bytes.reserveCapacity(headerBytes + key.count + entry.program.count + checksumBytes)
    for word in [
      UInt64(key.count), UInt64(entry.program.count), entry.compileSeconds.bitPattern,
    ] {
      append(word, to: &bytes)
    }
    bytes += key
    bytes += entry.program
    append(checksum(bytes[...]), to: &bytes)
    return bytes
  }

  private static func read(_ bytes: [UInt8], _ key: [UInt8]) -> Entry? {
    guard bytes.count >= headerBytes + checksumBytes, bytes.starts(with: magic) else { return nil }
    let end = bytes.count - checksumBytes
    let (keyCount, programCount) = (word(bytes, 8), word(bytes, 16))
    guard keyCount == UInt64(key.count), let program = Int(exactly: programCount),
      program == end - headerBytes - key.count, program > 0,
      bytes[headerBytes..<headerBytes + key.count].elementsEqual(key),
      checksum(bytes[..<end]) == word(bytes, end)
    else { return nil }
    let seconds = Double(bitPattern: word(bytes, 24))
    return Entry(program: Array(bytes[(end - program)..<end]), compileSeconds: seconds)
  }

  private static func append(_ word: UInt64, to bytes: inout [UInt8]) {
    withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) }
  }

  private static func word(_ bytes: [UInt8], _ place: Int) -> UInt64 {
    bytes.withUnsafeBytes {
      UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: place, as: UInt64.self))
    }
  }

  private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    var checksum = FileChecksum()
    bytes.withUnsafeBytes { checksum.update($0) }
    return checksum.value
  }
}
