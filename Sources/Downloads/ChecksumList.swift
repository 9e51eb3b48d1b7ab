// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The checksums of the files of a folder, in the file `SHA256SUMS` beside them, as `sha256sum --check SHA256SUMS` reads it.
public struct ChecksumList: Equatable, Sendable {
  /// Name of the list.
  public static let fileName = "SHA256SUMS"

  /// 64 lower-case hexadecimal digits by the name of a file.
  public var digests: [String: String] = [:]

  /// An empty list.
  public init() {}

  static func isDigest(_ text: String) -> Bool {
    text.utf8.count == 64
      && text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
  }

  /// Whether a name is one of a file in the folder itself.
  private static func isName(_ name: String) -> Bool {
    !name.contains("/") && !name.contains("..") && name != "."
      && name.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
  }

  /// Reads the list of a folder; a folder without one has an empty list.
  ///
  /// - Parameter folder: The folder.
  /// - Throws: ``DownloadError`` `wrongContent` for a line that is not a checksum and the name of a file beside the list.
  public init(folder: String) throws(DownloadError) {
    let path = folder + "/" + Self.fileName
    guard let data = FileManager.default.contents(atPath: path) else { return }
    let lines = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline)
    for (number, line) in lines.enumerated() {
      let digest = line.prefix(64).lowercased()
      let rest = line.dropFirst(64)
      // Two spaces, or a space and an asterisk, stand before the name.
      guard Self.isDigest(digest), rest.hasPrefix("  ") || rest.hasPrefix(" *"), rest.count > 2
      else {
        throw DownloadError(
          .wrongContent,
          "'\(path)' line \(number + 1) is not a SHA-256 and a name: '\(line)'. Remove the line; the file will be compared with "
            + "the server's again.")
      }
      let name = String(rest.dropFirst(2))
      guard Self.isName(name) else {
        throw DownloadError(
          .wrongContent,
          "'\(path)' line \(number + 1) names '\(name)', which is no file beside it. Remove the line."
        )
      }
      digests[name] = digest
    }
  }

  /// Writes the list, atomically, sorted by name.
  ///
  /// - Parameter folder: The folder.
  /// - Throws: ``DownloadError`` `notWritable`.
  public func write(folder: String) throws(DownloadError) {
    let path = folder + "/" + Self.fileName
    let text = digests.sorted { $0.key < $1.key }.map { "\($0.value)  \($0.key)\n" }.joined()
    do {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw DownloadError(
        .notWritable, "cannot write '\(path)': \(error.localizedDescription).")
    }
  }

  /// The files of the list that are not there.
  ///
  /// - Parameter folder: The folder.
  /// - Returns: Their names, sorted.
  public func missing(folder: String) -> [String] {
    digests.keys.filter { !FileManager.default.fileExists(atPath: folder + "/" + $0) }.sorted()
  }

  /// Reads every file of the list and compares.
  ///
  /// - Parameters:
  ///   - folder: The folder.
  ///   - progress: Is told each name before it is read.
  /// - Returns: How many files there are that agree; those that are not there are passed over.
  /// - Throws: ``DownloadError`` `wrongChecksum` for the first that does not agree.
  public func verify(
    folder: String, progress: (String) -> Void = { _ in }
  ) throws(DownloadError) -> Int {
    var count = 0
    for (name, digest) in digests.sorted(by: { $0.key < $1.key }) {
      let path = folder + "/" + name
      guard FileManager.default.fileExists(atPath: path) else { continue }
      progress(name)
      let found = try FileDigest.sha256(of: path)
      guard found == digest else {
        throw DownloadError(
          .wrongChecksum,
          "'\(path)' is damaged: its SHA-256 is \(found), and \(Self.fileName) says \(digest). Remove it and fetch it again."
        )
      }
      count += 1
    }
    return count
  }
}
