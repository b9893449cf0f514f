import Foundation
import SystemPackage
import Testing

extension EndToEndTests {
    /// Data that lie on the device, as a GPU's do.
    @Suite struct ResidentTests {
        @Test(
            "Rows that the device takes from arrays that lie there make the models that rows from the host make, bit for bit"
        )
        func likeFromTheHost() async throws {
            let place = Workplace()
            try place.writeNumbers("x.npy", shape: [75, 6], stream: 1)
            try place.writeNumbers("y.npy", shape: [75, 1], stream: 2)
            try place.write(
                "experiment.yaml",
                """
                model: \(Tool.models):regression
                data: {x: x.npy, y: y.npy}
                partition: {bootstrap: 3}
                trials: {seed: {range: 2}}
                fit: {epochs: 3, batch_size: 16, validation: 0.25}
                """)
            let outcome = try await Tool.run(
                ["train", "experiment.yaml", "--devices", "cpu:1", "--output", "run", "--json"], in: place.root)
            try #require(outcome.status == 0, "\(outcome)")

            // The same unit once more, with its arrays on the device; only a plan for GPUs asks for that.
            let text = String(decoding: try place.contents("run/units/0000/unit.json"), as: UTF8.self)
            var unit = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
            let sources = try #require(unit["sources"] as? [[String: Any]])
            unit["sources"] = sources.map { $0.merging(["isResident": true]) { $1 } }
            let again = place.root.appending("again")
            try FileManager.default.createDirectory(atPath: again.string, withIntermediateDirectories: true)
            try JSONSerialization.data(withJSONObject: unit).write(
                to: URL(filePath: again.appending("unit.json").string))
            try place.contents("run/units/0000/rows.npy").write(to: URL(filePath: again.appending("rows.npy").string))
            try await Tool.runner(on: again, in: place.root)

            let events = String(decoding: try place.contents("again/events.ndjson"), as: UTF8.self)
            #expect(events.contains("gather-"), "the rows were not taken on the device: \(events)")
            let models = try place.list("again/models")
            #expect(models.count == 6)
            for model in models {
                #expect(
                    try place.contents("again/models/\(model)") == place.contents("run/models/\(model)"), "\(model)")
            }
        }
    }
}
