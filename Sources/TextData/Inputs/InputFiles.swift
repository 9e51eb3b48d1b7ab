// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A file to prepare, and how to read it.
struct InputFile: Hashable, Sendable {
  enum Format: Hashable, Sendable {
    case text(DocumentRule)
    case jsonLines
    case tokens
  }

  var path: String
  var format: Format
}

/// Finds the files that the user's inputs stand for.
struct InputFiles {
  /// Extensions that are read, without the dot.
  var extensions: [String]
  /// The rule for plain text; nil means the rule of the extension.
  var documentRule: DocumentRule?

  static let defaultExtensions = ["txt", "jsonl", "bin"]

  /// The files of the inputs: a file stands for itself; a folder for the files in it and in its
  /// subfolders with a known extension, in the order of their paths (compared byte by byte).
  ///
  /// Hidden files and folders (a name that begins with a dot) and links to folders are passed over. A
  /// file that is named twice is read once.
  ///
  /// - Parameter inputs: Paths of files and folders.
  /// - Returns: At least one file.
  /// - Throws: ``DataError`` `unreadableFile`, `unsupportedInput` or `emptyText`.
  func find(_ inputs: [String]) throws(DataError) -> [InputFile] {
    var files: [InputFile] = []
    var seen: Set<String> = []
    for input in inputs {
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: input, isDirectory: &isFolder) else {
        throw DataError(
          .unreadableFile, "cannot read '\(input)': no such file or folder. Check the path.")
      }
      if isFolder.boolValue {
        var found: [String] = []
        try collect(input, into: &found)
        guard !found.isEmpty else {
          throw DataError(
            .emptyText,
            "the folder '\(input)' has no file with the extension \(extensionList). "
              + "Name other extensions, or another folder.")
        }
        found.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        for path in found where seen.insert(path).inserted {
          if let format = format(of: path) { files.append(InputFile(path: path, format: format)) }
        }
      } else {
        guard let format = format(of: input) else {
          throw DataError(
            .unsupportedInput,
            "'\(input)' has none of the extensions \(extensionList). Add its extension to the list to "
              + "read it as text.")
        }
        if seen.insert(input).inserted { files.append(InputFile(path: input, format: format)) }
      }
    }
    guard !files.isEmpty else {
      throw DataError(.emptyText, "there is no input. Name a file or folder.")
    }
    return files
  }

  private var extensionList: String {
    extensions.map { "'.\($0)'" }.joined(separator: ", ")
  }

  private func format(of path: String) -> InputFile.Format? {
    let name = (path as NSString).pathExtension
    guard extensions.contains(name) else { return nil }
    switch name {
    case "jsonl": return .jsonLines
    case "bin": return .tokens
    case "txt": return .text(documentRule ?? .blankLines)
    default: return .text(documentRule ?? .wholeFile)
    }
  }

  private func collect(_ folder: String, into found: inout [String]) throws(DataError) {
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: folder)
    } catch {
      throw DataError(
        .unreadableFile, "cannot read the folder '\(folder)': \(error.localizedDescription)")
    }
    for name in names where !name.hasPrefix(".") {
      let path = folder.hasSuffix("/") ? folder + name : folder + "/" + name
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { continue }
      if !isFolder.boolValue {
        if format(of: path) != nil { found.append(path) }
      } else if (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) == nil {
        try collect(path, into: &found)
      }
    }
  }
}
