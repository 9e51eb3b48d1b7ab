// Copyright (c) 2026 The Assay Authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Dashboard
import Foundation

/// `assay dashboard`.
struct DashboardCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dashboard", abstract: "Serves a web page that shows how a study stands.",
    discussion: """
      The page has the leaderboard, curves, and the trials that run now with progress and time left, and updates itself, while \
      'assay compare' runs and after. It is served to this machine only, reads the records of the study, and writes nothing. Ctrl-C ends it.
      """)

  @Argument(help: "The folder of a study.")
  var folder: String

  @Option(help: ArgumentHelp("The port on 127.0.0.1; 0: any that is free.", valueName: "number"))
  var port: UInt16 = 8042

  func run() throws {
    let (folder, port) = (folder, port)
    // The parser is not asynchronous, and a page has nothing else to wait for.
    let done = DispatchSemaphore(value: 0)
    let outcome = Outcome()
    Task.detached {
      do {
        let server = try await DashboardServer(folder: folder, port: port)
        try await server.run { address in
          Console.data(address)
          Console.say("open \(address) in a browser; Ctrl-C ends the page, not the study")
        }
      } catch {
        outcome.error = error
      }
      done.signal()
    }
    done.wait()
    if let error = outcome.error { throw error }
  }

  /// How the server ended; written before the semaphore is signalled, read after.
  private final class Outcome: @unchecked Sendable {
    var error: (any Error)?
  }
}
