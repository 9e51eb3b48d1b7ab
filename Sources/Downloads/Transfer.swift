// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// One request, whose body goes to a partial file as it arrives.
///
/// Sendable because everything that changes is behind a lock, but for the partial file, which belongs to the queue of the session
/// until the transfer has ended.
final class Transfer: NSObject, URLSessionDataDelegate, @unchecked Sendable {
  /// How a transfer ended.
  struct End: Sendable {
    /// What the server said; status 0 when it said nothing.
    var answer: ServerAnswer
    /// Why the body did not arrive to its end: ours.
    var failure: DownloadError?
    /// Why the body did not arrive to its end: the network's, in words.
    var cut: String?
  }

  /// Seconds without a byte after which a connection counts as cut.
  static let patience = 60.0

  private let part: PartialFile?
  private let lock = NSLock()
  private let ended = DispatchSemaphore(value: 0)
  private var answer = ServerAnswer()
  private var failure: DownloadError?
  private var cut: String?
  private var isTaken = false
  private var received = 0

  private init(_ part: PartialFile?) { self.part = part }

  /// Asks for what is missing of a file and appends it.
  ///
  /// The partial file is emptied first when the server sends the whole file all the same: it does not know ranges, or has
  /// another version by now.
  ///
  /// - Parameters:
  ///   - url: Where the file is.
  ///   - part: What has arrived.
  ///   - patience: Seconds without a byte after which the connection counts as cut.
  ///   - progress: Is told the number of bytes of the file that are there, a few times a second, on the calling thread.
  /// - Returns: How it ended.
  static func fetch(
    _ url: URL, into part: PartialFile, patience: Double, progress: (Int, Int?) -> Void
  ) -> End {
    var request = URLRequest(url: url)
    if part.count > 0 {
      request.setValue("bytes=\(part.count)-", forHTTPHeaderField: "Range")
      if let version = part.version { request.setValue(version, forHTTPHeaderField: "If-Range") }
    }
    return Transfer(part).run(request, patience: patience, progress: progress)
  }

  /// Asks what the server says about a file, without the file.
  ///
  /// - Returns: How it ended.
  static func probe(_ url: URL, patience: Double) -> End {
    var request = URLRequest(url: url)
    request.httpMethod = "HEAD"
    return Transfer(nil).run(request, patience: patience) { _, _ in }
  }

  private func run(
    _ original: URLRequest, patience: Double, progress: (Int, Int?) -> Void
  ) -> End {
    var request = original
    // The bytes of the file, not a compressed form of them.
    request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
    let configuration = URLSessionConfiguration.ephemeral
    configuration.timeoutIntervalForRequest = patience
    configuration.timeoutIntervalForResource = 7 * 24 * 3600
    configuration.urlCache = nil
    configuration.requestCachePolicy = .reloadIgnoringLocalCacheData
    let queue = OperationQueue()
    queue.maxConcurrentOperationCount = 1
    let session = URLSession(configuration: configuration, delegate: self, delegateQueue: queue)
    let before = part?.count ?? 0
    session.dataTask(with: request).resume()
    while ended.wait(timeout: .now() + .milliseconds(200)) == .timedOut {
      let (count, size) = lock.withLock { (received, answer.fileSize) }
      // Before the answer nobody knows whether what is there counts.
      progress(max(count, size == nil ? before : count), size)
    }
    session.finishTasksAndInvalidate()
    return lock.withLock { End(answer: answer, failure: failure, cut: cut) }
  }

  /// Gives up, for a reason of ours.
  private func stop(_ task: URLSessionTask, _ error: DownloadError) {
    lock.withLock { failure = failure ?? error }
    task.cancel()
  }

  // MARK: - URLSessionDataDelegate

  func urlSession(
    _ session: URLSession, task: URLSessionTask,
    willPerformHTTPRedirection response: HTTPURLResponse, newRequest: URLRequest,
    completionHandler: @escaping (URLRequest?) -> Void
  ) {
    lock.withLock { answer.take(redirection: response) }
    var request = newRequest
    for header in ["Range", "If-Range", "Accept-Encoding"] {
      request.setValue(
        task.originalRequest?.value(forHTTPHeaderField: header), forHTTPHeaderField: header)
    }
    // Encrypted stays encrypted.
    let isWeaker =
      task.originalRequest?.url?.scheme?.lowercased() == "https"
      && request.url?.scheme?.lowercased() != "https"
    completionHandler(isWeaker ? nil : request)
  }

  func urlSession(
    _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
    completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
  ) {
    guard let response = response as? HTTPURLResponse else { return completionHandler(.cancel) }
    let answer = lock.withLock {
      self.answer.take(response)
      return self.answer
    }
    guard let part, answer.status == 200 || answer.status == 206 else {
      return completionHandler(part == nil ? .allow : .cancel)
    }
    do throws(DownloadError) {
      if response.mimeType == "text/html" {
        // A network that wants a password, say; what has arrived is not thrown away for it.
        throw DownloadError(
          .refused,
          "\(response.url?.absoluteString ?? "the server") answers with a web page, not with a file. Look at the address, and at "
            + "what the network asks for.")
      }
      if answer.status == 200 {
        try part.empty()
      } else if answer.firstByte != part.count {
        throw DownloadError(
          .refused,
          "\(response.url?.absoluteString ?? "the server") was asked for the bytes from \(part.count) on and sent others. Remove "
            + "'\(part.path)' and give the command again.")
      }
      let missing = (answer.fileSize ?? 0) - part.count
      if let free = part.freeBytes, missing > free {
        throw DownloadError(
          .diskFull,
          "'\(part.target)' needs \(missing) more bytes, and there are \(free) where it is to lie. Free some space and give the "
            + "command again.")
      }
      part.version = answer.version
      lock.withLock {
        isTaken = true
        received = part.count
      }
      completionHandler(.allow)
    } catch {
      lock.withLock { failure = error }
      completionHandler(.cancel)
    }
  }

  func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
    guard let part, lock.withLock({ isTaken && failure == nil }) else { return }
    do throws(DownloadError) {
      try part.append(data)
      lock.withLock { received = part.count }
    } catch {
      stop(dataTask, error)
    }
  }

  func urlSession(
    _ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?
  ) {
    lock.withLock { cut = error?.localizedDescription }
    ended.signal()
  }
}
