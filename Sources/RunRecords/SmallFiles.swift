// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Reads a whole small file.
func readFile(_ path: String) throws(RunRecordError) -> Data {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { throw .system("be read", path, errno: errno) }
  defer { close(descriptor) }
  var result = Data()
  var buffer = [UInt8](repeating: 0, count: 1 << 16)
  while true {
    let count = read(descriptor, &buffer, buffer.count)
    if count < 0 {
      if errno == EINTR { continue }
      throw .system("be read", path, errno: errno)
    }
    if count == 0 { return result }
    result.append(contentsOf: buffer[..<count])
  }
}

/// What the name of a file that is being written ends with.
let partialSuffix = ".partial"

/// Replaces a small file as a whole: after a crash it is the old one or the new one.
func writeFileAtomically(_ data: Data, to path: String) throws(RunRecordError) {
  let partial = path + partialSuffix
  let descriptor = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
  guard descriptor >= 0 else { throw .system("be written", path, errno: errno) }
  do throws(RunRecordError) {
    defer { close(descriptor) }
    try writeAll([UInt8](data), to: descriptor, path: path)
    guard fsync(descriptor) == 0 else {
      throw .system("be brought to the disk", path, errno: errno)
    }
  } catch {
    unlink(partial)
    throw error
  }
  guard rename(partial, path) == 0 else {
    let number = errno
    unlink(partial)
    throw .system("take its place", path, errno: number)
  }
  try synchronize(folder: parent(of: path))
}

/// Writes all bytes, however often the system takes only some.
func writeAll(_ bytes: [UInt8], to descriptor: Int32, path: String) throws(RunRecordError) {
  var start = 0
  while start < bytes.count {
    let written = bytes.withUnsafeBytes { memory in
      write(descriptor, memory.baseAddress.map { $0 + start }, memory.count - start)
    }
    if written < 0 {
      if errno == EINTR { continue }
      throw .system("be written", path, errno: errno)
    }
    start += written
  }
}

/// Brings the entries of a folder to the disk, so that a rename survives a power failure.
func synchronize(folder: String) throws(RunRecordError) {
  let descriptor = open(folder, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { throw .system("be opened", folder, errno: errno) }
  defer { close(descriptor) }
  // Some file systems cannot do this for folders and say EINVAL; there is nothing better to do there.
  guard fsync(descriptor) == 0 || errno == EINVAL else {
    throw .system("be brought to the disk", folder, errno: errno)
  }
}

/// The folder a path lies in.
func parent(of path: String) -> String {
  guard let slash = path.lastIndex(of: "/") else { return "." }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}

/// JSON as all small files have it: sorted keys, ISO 8601 dates, texts for numbers that are not finite.
func jsonData(_ value: some Encodable, path: String) throws(RunRecordError) -> Data {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
  encoder.dateEncodingStrategy = .iso8601
  encoder.nonConformingFloatEncodingStrategy = .convertToString(
    positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
  do {
    return try encoder.encode(value) + Data("\n".utf8)
  } catch {
    throw RunRecordError(.systemFailure, "\(path): cannot be put into JSON: \(error)")
  }
}

/// Reads what ``jsonData(_:path:)`` made.
func jsonValue<Value: Decodable>(
  _ type: Value.Type, from data: Data, path: String
) throws(RunRecordError) -> Value {
  let decoder = JSONDecoder()
  decoder.dateDecodingStrategy = .iso8601
  decoder.nonConformingFloatDecodingStrategy = .convertFromString(
    positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
  do {
    return try decoder.decode(type, from: data)
  } catch {
    throw RunRecordError(.damaged, "\(path): is not what was written: \(error)")
  }
}
