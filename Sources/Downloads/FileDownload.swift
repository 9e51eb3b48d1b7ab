// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import Foundation

/// Fetches one file over HTTP, however often it is interrupted.
///
/// Bytes go to `NAME.part`, which survives the process; the next attempt, here or in another process, asks for what is missing. The
/// file takes its name when it is whole: its size is the server's, its SHA-256 is the one that the server offers, and `check`
/// finds nothing wrong with it.
public struct FileDownload: Sendable {
  /// What was fetched.
  public struct Result: Equatable, Sendable {
    /// Bytes of the file.
    public var bytes: Int
    /// Its SHA-256, 64 hexadecimal digits.
    public var sha256: String
    /// Whether the server offered a SHA-256, which is then this one.
    public var isChecked: Bool
    /// Bytes that an earlier attempt had left.
    public var resumedBytes: Int
  }

  /// Where the file is.
  public var url: URL
  /// Where it is to lie.
  public var path: String
  /// Attempts in a row that may bring no byte before the network is given up.
  public var attempts = 5
  /// Seconds before the second such attempt; each later one waits twice as long.
  public var firstPause = 1.0
  /// Seconds without a byte after which a connection counts as cut.
  public var patience = Transfer.patience
  /// Throws when the whole file, at the given path, is not what it should be.
  public var check: @Sendable (_ path: String) throws -> Void = { _ in }
  var opener: PartialFile.Opener = PartialFile.openFile

  /// Makes a download.
  ///
  /// - Parameters:
  ///   - url: Where the file is.
  ///   - path: Where it is to lie; its folder exists.
  public init(_ url: URL, to path: String) {
    self.url = url
    self.path = path
  }

  /// Fetches.
  ///
  /// - Parameters:
  ///   - progress: Is told, a few times a second, how many bytes are there, and of how many where that is known.
  ///   - willName: Is told the result just before the file takes its name.
  /// - Returns: What was fetched.
  /// - Throws: ``DownloadError``; what has arrived stays for the next attempt, unless it is known to be wrong.
  public func run(
    progress: (Int, Int?) -> Void = { _, _ in },
    willName: (Result) throws(DownloadError) -> Void = { _ in }
  ) throws(DownloadError) -> Result {
    let part = try PartialFile(target: path, opener: opener)
    defer { part.release() }
    let resumed = part.count
    var fruitless = 0
    while true {
      let before = part.count
      let end = Transfer.fetch(url, into: part, patience: patience, progress: progress)
      if let failure = end.failure { throw failure }
      if let reason = try unfinished(end, part) {
        fruitless = part.count > before ? 0 : fruitless + 1
        guard fruitless < max(1, attempts) else {
          part.removeIfEmpty()
          throw DownloadError(
            .network,
            "cannot fetch \(url.absoluteString): \(reason). Give the command again later"
              + (part.count > 0 ? "; it goes on from byte \(part.count)." : "."))
        }
        let pause = firstPause * Double(1 << min(16, max(0, fruitless - 1)))
        Thread.sleep(forTimeInterval: max(min(pause, 60), min(end.answer.retryAfter ?? 0, 60)))
        continue
      }
      let result = try checked(part, end.answer, resumed: resumed)
      try willName(result)
      try part.finish()
      return result
    }
  }

  /// Why another attempt is needed, in words; nil when everything is there.
  private func unfinished(
    _ end: Transfer.End, _ part: PartialFile
  ) throws(DownloadError) -> String? {
    switch end.answer.status {
    case 0: return end.cut ?? "the server does not answer"
    case 200, 206:
      guard let size = end.answer.fileSize else {
        // Nobody knows the size: the end of the connection is the end of the file, if it was a regular one.
        return end.cut
      }
      if part.count < size {
        return "the connection was cut after \(part.count) of \(size) bytes"
          + (end.cut.map { " (\($0))" } ?? "")
      }
      guard part.count == size else {
        let found = part.count
        part.remove()
        throw DownloadError(
          .wrongSize,
          "\(url.absoluteString) has \(found) bytes, and the server says \(size). Give the command again; it begins anew."
        )
      }
      return nil
    case 416 where part.count > 0:
      if part.count == end.answer.fileSize { return nil }
      let found = part.count
      try part.empty()
      return
        "of the \(found) bytes that were there the server knows nothing, so they were thrown away"
    case 408, 429, 500...599: return "the server answers with status \(end.answer.status)"
    case 404, 410:
      part.removeIfEmpty()
      throw DownloadError(
        .notFound,
        "there is no \(url.absoluteString) (status \(end.answer.status)). Check the address and the name."
      )
    default:
      part.removeIfEmpty()
      throw DownloadError(
        .refused,
        "the server answers to \(url.absoluteString) with status \(end.answer.status). Check the address, and whether the file "
          + "is public.")
    }
  }

  /// Compares what is there with what the server says, and looks into it.
  private func checked(
    _ part: PartialFile, _ answer: ServerAnswer, resumed: Int
  ) throws(DownloadError) -> Result {
    let digest = try part.digest()
    if let expected = answer.sha256, expected != digest {
      part.remove()
      throw DownloadError(
        .wrongChecksum,
        "what came from \(url.absoluteString) has the SHA-256 \(digest), and the server's \(answer.sha256Header ?? "header") says "
          + "\(expected). It was removed; give the command again.")
    }
    do {
      try check(part.path)
    } catch {
      part.remove()
      throw DownloadError(
        .wrongContent,
        "what came from \(url.absoluteString) is not what it should be, and was removed: \(error)")
    }
    return Result(
      bytes: part.count, sha256: digest, isChecked: answer.sha256 != nil, resumedBytes: resumed)
  }

  /// Compares a file that is there with what the server offers, without fetching it.
  ///
  /// - Returns: The file's SHA-256, and whether the server offered one to compare with.
  /// - Throws: ``DownloadError`` `wrongSize` or `wrongChecksum` when they differ, and when the server cannot be asked.
  public func compareExisting() throws(DownloadError) -> Result {
    let end = Transfer.probe(url, patience: patience)
    let answer = end.answer
    guard answer.status == 200 else {
      throw DownloadError(
        answer.status == 0 ? .network : answer.status == 404 ? .notFound : .refused,
        "'\(path)' is there, but nothing beside it says what its checksum is, and \(url.absoluteString) does not either "
          + "(\(end.cut ?? "status \(answer.status)")). Give the command again later, or remove the file."
      )
    }
    let size = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
    if let expected = answer.fileSize, expected != size {
      throw DownloadError(
        .wrongSize,
        "'\(path)' has \(size) bytes, and \(url.absoluteString) has \(expected). Remove it and fetch it again."
      )
    }
    let digest = try FileDigest.sha256(of: path)
    if let expected = answer.sha256, expected != digest {
      throw DownloadError(
        .wrongChecksum,
        "'\(path)' has the SHA-256 \(digest), and the server says \(expected). Remove it and fetch it again."
      )
    }
    return Result(bytes: size, sha256: digest, isChecked: answer.sha256 != nil, resumedBytes: size)
  }
}
