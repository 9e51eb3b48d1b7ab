// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

public import Comparison
import FlyingFox
import FlyingSocks
import Foundation
import RunRecords

/// A local web page over a study's folder, served to this machine only.
///
///     /             the page: one document without anything from elsewhere
///     /state.json   progress, running trials, leaderboards
///     /charts.json  the drawings
///
/// It reads records and nothing else, and writes nothing, so it can be started and ended while trials run. Requests that name another
/// host are refused: a page from elsewhere whose name was made to point here cannot read the study.
public final class DashboardServer: Sendable {
  /// Analyses the study in a folder.
  public typealias Analyse = @Sendable (_ folder: String) throws -> StudyAnalysis

  private let server: HTTPServer
  private let watch: StudyWatch

  /// Prepares a server; nothing is listened to yet.
  ///
  /// - Parameters:
  ///   - folder: The study's folder.
  ///   - port: The port on 127.0.0.1; 0: any that is free.
  ///   - analyse: Makes the analysis whenever records have changed.
  /// - Throws: ``DashboardError`` `noStudy`.
  public init(
    folder: String, port: UInt16, analyse: @escaping Analyse = DashboardServer.analysis(of:)
  ) async throws(DashboardError) {
    guard StudyFolder.isStudy(folder) else {
      throw DashboardError(
        .noStudy,
        "'\(folder)' holds no study (no \(StudyFolder.FileName.record)); name the folder that 'assay compare' made"
      )
    }
    let watch = StudyWatch(folder: folder, analyse: analyse)
    self.watch = watch
    let address: sockaddr_in
    do {
      address = try .inet(ip4: "127.0.0.1", port: port)
    } catch {
      throw DashboardError(.server, "127.0.0.1 is no address here: \(error)")
    }
    // Nothing in here takes long: what does is done ahead of requests.
    server = HTTPServer(address: address, timeout: 30, logger: .disabled)
    await server.appendRoute("*") { request in await Self.respond(request, watch) }
  }

  /// The analysis that reports are made of.
  ///
  /// Arms that differ without having said so are shown too, and marked: the page is for looking on, the refusal is for the comparison. Seals
  /// are left to reports.
  ///
  /// - Parameter folder: The study's folder.
  /// - Returns: What is known now.
  /// - Throws: What reading and analysing throw.
  @Sendable public static func analysis(of folder: String) throws -> StudyAnalysis {
    try StudyAnalysis(
      StudyResults(folder: folder, checksSeals: false), command: "", allowsUnequal: true)
  }

  /// Serves until the task is cancelled.
  ///
  /// - Parameter ready: Is told the address of the page once it can be asked for.
  /// - Throws: ``DashboardError`` `port` when another program listens there.
  public func run(ready: @escaping @Sendable (String) -> Void) async throws(DashboardError) {
    do {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await self.server.run() }
        group.addTask {
          try await self.server.waitUntilListening(timeout: 10)
          if case .ip4(_, let port) = await self.server.listeningAddress {
            ready("http://127.0.0.1:\(port)/")
          }
          await self.watch.keepUp()
        }
        // Whichever ends first: the watch never does unless it is cancelled.
        try await group.next()
        group.cancelAll()
      }
    } catch is CancellationError {
      return
    } catch let error as SocketError {
      throw Self.failure(error)
    } catch {
      throw DashboardError(.server, "the server ended: \(error)")
    }
  }

  private static func failure(_ error: SocketError) -> DashboardError {
    if case .failed(_, let number, _) = error {
      switch number {
      case EADDRINUSE:
        return DashboardError(
          .port,
          "the port is taken by another program, perhaps another dashboard; choose another with --port, or --port 0 for any that is free"
        )
      case EACCES:
        return DashboardError(
          .port, "this port needs more rights; choose one above 1023 with --port")
      default: break
      }
    }
    return DashboardError(.server, "the server ended: \(error.localizedDescription)")
  }

  // MARK: - Answers

  private static func respond(_ request: HTTPRequest, _ watch: StudyWatch) async -> HTTPResponse {
    guard isOurs(request.headers[.host]) else {
      return response(.forbidden, "text/plain", Data("this page is for this machine only\n".utf8))
    }
    guard request.method == .GET || request.method == .HEAD else {
      return response(.methodNotAllowed, "text/plain", Data("only GET is answered\n".utf8))
    }
    switch request.path {
    case "/": return response(.ok, "text/html", Data(DashboardPage.html.utf8))
    case "/state.json": return response(.ok, "application/json", await watch.state())
    case "/charts.json": return response(.ok, "application/json", await watch.charts())
    default: return response(.notFound, "text/plain", Data("there is no such page\n".utf8))
    }
  }

  /// Whether a request was meant for this machine by its own name.
  static func isOurs(_ host: String?) -> Bool {
    guard let host else { return false }
    let name = host.split(separator: ":", maxSplits: 1).first.map(String.init) ?? ""
    return name == "127.0.0.1" || name == "localhost"
  }

  private static func response(
    _ status: HTTPStatusCode, _ type: String, _ body: Data
  ) -> HTTPResponse {
    HTTPResponse(
      statusCode: status,
      headers: [
        .contentType: type + "; charset=utf-8", HTTPHeader("Cache-Control"): "no-store",
        HTTPHeader("X-Content-Type-Options"): "nosniff",
        HTTPHeader("Referrer-Policy"): "no-referrer",
        // Nothing from elsewhere, and nobody may frame it.
        HTTPHeader("Content-Security-Policy"):
          "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:; "
          + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      ], body: body)
  }
}
