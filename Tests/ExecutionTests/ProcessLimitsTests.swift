import Foundation
import Testing

@testable import Execution

@Suite("What the system lets a run have") struct ProcessLimitsTests {
    @Test("Limits that are far away are no problem, whatever the number of runners")
    func enough() {
        #expect(ProcessLimits(files: nil, threads: nil).problem(runners: 1000) == nil)
        #expect(ProcessLimits(files: 1024, threads: 4096).problem(runners: 64) == nil)
    }

    @Test("Too few files or threads are told before anything is begun, with the number of runners that they do for")
    func few() {
        #expect(
            ProcessLimits(files: 100, threads: nil).problem(runners: 8)
                == "a process may open 100 files here, and 8 runners need 144: raise the limit (ulimit -n), or use fewer "
                + "devices (--devices cpu:3)")
        #expect(
            ProcessLimits(files: 64, threads: nil).problem(runners: 1)
                == "a process may open 64 files here, and a runner needs 74: raise the limit (ulimit -n)")
        #expect(
            ProcessLimits(files: nil, threads: 100).problem(runners: 4)
                == "this user may start 100 more threads here, and 4 runners need 128: raise the limit (ulimit -u), or use "
                + "fewer devices (--devices cpu:2)")
        #expect(ProcessLimits(files: nil, threads: -5).problem(runners: 1)?.contains("may start 0 more") == true)
    }

    @Test("As many runners as the advice names are possible")
    func advice() {
        for files in 40..<400 {
            let limits = ProcessLimits(files: files, threads: nil)
            guard let problem = limits.problem(runners: 40), let place = problem.range(of: "cpu:") else { continue }
            let count = Int(problem[place.upperBound...].prefix { $0.isNumber }) ?? 0
            #expect(count > 0 && limits.problem(runners: count) == nil && limits.problem(runners: count + 1) != nil)
        }
    }

    @Test("Threads are counted by their processes' user")
    func threads() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "proc-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        for (process, text) in [
            "12": "Name:\tx\nUid:\t1000\t1000\t1000\t1000\nThreads:\t5\n", "13": "Uid:\t0\t0\t0\t0\nThreads:\t7\n",
            "14": "Uid:\t1000\t0\t0\t0\nThreads:\t2\n", "self": "Uid:\t1000\nThreads:\t9\n",
        ] {
            let place = folder.appending(path: process)
            try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: place.appending(path: "status"))
        }
        #expect(ProcessLimits.threads(of: 1000, in: folder.path) == 7)
        #expect(ProcessLimits.threads(of: 0, in: folder.path) == 7)
        #expect(ProcessLimits.threads(of: 5, in: folder.path) == 0)
    }
}
