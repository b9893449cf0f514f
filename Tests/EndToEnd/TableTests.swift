import Foundation
import SystemPackage
import Testing

extension EndToEndTests {
    /// Tables become arrays once, and train as arrays would.
    @Suite struct TableTests {
        private static let visits = """
            store,age,city,day,note,spent,importance
            north,31,Łódź,2026-01-05,"good, very good",10.5,1
            south,42,Aachen,2026-01-06,bad,7,2
            north,,Łódź,2026-02-01,"two
            lines",3,1
            south,57,Aachen,2026-03-31,Good!,8.25,1
            north,23,Bergen,2026-04-01,fine,1,1
            south,64,Bergen,2026-04-02,bad,2,0.5

            """

        private static let experiment = """
            model:
              layers: [{Dense: {units: 1}}]
              compile: {optimizer: sgd, loss: mse}
            data:
              table: visits.csv
              features:
                age: number
                city: {one_hot: {unknown: own}}
                day: {date: [month, weekday]}
                note: {bag_of_words: {words: 4}}
              target: spent
              weight: importance
              missing: {age: mean}
            partition: {by: store}
            fit: {epochs: 2, batch_size: 2, validation: {table: later.csv}}

            """

        @Test(
            "A CSV file with texts, dates and missing values trains, one model a group; the second run reads no table")
        func visits() async throws {
            let place = Workplace()
            try place.write("visits.csv", Self.visits)
            try place.write("later.csv", Self.visits.replacing("Bergen", with: "Oslo"))
            try place.write("experiment.yaml", Self.experiment)
            let first = try await Tool.run(["train", "experiment.yaml", "--output", "a"], in: place.root)
            try #require(first.status == 0, "\(first)")
            #expect("\(first)".contains("preparing visits.csv"))
            let trials = try await Tool.run(["results", "a", "--json"], in: place.root).json([TrialObject].self)
            #expect(trials.map(\.rows) == [3, 3])
            let kept = String(decoding: try place.contents("a/partitions/partitions.json"), as: UTF8.self)
            #expect(kept.contains("\"value\" : 27"), "the mean age of the visits of the north")
            #expect(trials.allSatisfy { ($0.metrics["val_loss"] ?? nil) != nil })
            let second = try await Tool.run(["train", "experiment.yaml", "--output", "b"], in: place.root)
            try #require(second.status == 0, "\(second)")
            #expect(!"\(second)".contains("preparing"))
        }

        @Test("A wrong row ends the run before training, and is named with file, line and column")
        func wrongRow() async throws {
            let place = Workplace()
            try place.write("visits.csv", Self.visits.replacing("64,Bergen", with: "sixty,Bergen"))
            try place.write("later.csv", Self.visits)
            try place.write("experiment.yaml", Self.experiment)
            let outcome = try await Tool.run(["train", "experiment.yaml", "--output", "a"], in: place.root)
            #expect(outcome.status == 2)
            #expect(
                outcome.errors.contains(
                    "experiment.yaml:5:10: data.table: visits.csv:8, column 2 ('age'): 'sixty' is no number"),
                "\(outcome)")
            #expect(!place.exists("a"))
            try place.write("visits.csv", Self.visits)
            let missing = try await Tool.run(
                ["plan", "experiment.yaml", "--set", "data.missing=error"], in: place.root)
            #expect(
                missing.errors.contains("visits.csv:4, column 2 ('age'): the value is missing: say what stands for it"),
                "\(missing)")
        }

        @Test("A folder of images trains, its subfolders the classes; a new image is noticed")
        func images() async throws {
            let place = Workplace()
            func image(_ name: String, _ gray: UInt8) throws {
                let path = URL(filePath: place.path(name).string)
                try FileManager.default.createDirectory(
                    at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
                try (Data("P5 4 2 255\n".utf8) + Data(repeating: gray, count: 8)).write(to: path)
            }
            for number in 0..<4 {
                try image("train/dark/\(number).ppm", UInt8(number))
                try image("train/light/\(number).ppm", UInt8(250 + number))
            }
            try image("later/light/0.ppm", 240)
            try place.write(
                "experiment.yaml",
                """
                model:
                  layers: [{Rescaling: {scale: 0.00392}}, Flatten, {Dense: {units: 2, activation: softmax}}]
                  compile: {optimizer: sgd, loss: sparse_categorical_crossentropy}
                data: {images: train, size: [2, 2], color: grayscale}
                fit: {epochs: 1, batch_size: 4, validation: {images: later}}

                """)
            let first = try await Tool.run(["train", "experiment.yaml", "--output", "a"], in: place.root)
            try #require(first.status == 0, "\(first)")
            #expect("\(first)".contains("preparing the 8 images of train"))
            try image("train/light/4.ppm", 255)
            let second = try await Tool.run(["train", "experiment.yaml", "--output", "b"], in: place.root)
            try #require(second.status == 0, "\(second)")
            let trials = try await Tool.run(["results", "b", "--json"], in: place.root).json([TrialObject].self)
            #expect(trials.map(\.rows) == [9])
            #expect(trials.allSatisfy { ($0.metrics["val_loss"] ?? nil) != nil })
            try image("later/gray/0.ppm", 100)
            let third = try await Tool.run(["plan", "experiment.yaml"], in: place.root)
            #expect(
                third.errors.contains("the class 'gray' of later is none of those to train on: dark, light"), "\(third)"
            )
        }

        @Test("scikit-learn's tables train as the arrays that they hold do")
        func tables() async throws {
            let place = Workplace()
            let sizes = try await Tool.python(
                "tables.py", [place.root.string], in: place.root, as: [String: [Int]].self)
            #expect(
                sizes == [
                    "digits": [1797, 64], "diabetes": [442, 10], "wine": [178, 13], "breast_cancer": [569, 30],
                ])
            for name in sizes.keys.sorted() {
                let isRegression = name == "diabetes"
                let units = isRegression ? 1 : 10
                let loss = isRegression ? "mse" : "sparse_categorical_crossentropy"
                let last = isRegression ? "linear" : "softmax"
                let model = """
                    model:
                      layers: [BatchNormalization, {Dense: {units: \(units), activation: \(last)}}]
                      compile: {optimizer: sgd, loss: \(loss)}
                    partition: {folds: 3\(isRegression ? "" : ", stratify: y")}
                    fit: {epochs: 2}
                    """
                let target = name == "digits" ? "{target: ordinal}" : "target"
                try place.write("table.yaml", model + "\ndata: {table: \(name).csv, target: \(target)}\n")
                try place.write("arrays.yaml", model + "\ndata: {x: \(name)-x.npy, y: \(name)-y.npy}\n")
                var metrics: [[[String: Double?]]] = []
                for kind in ["table", "arrays"] {
                    let run = "\(name)-\(kind)"
                    let outcome = try await Tool.run(["train", "\(kind).yaml", "--output", run], in: place.root)
                    try #require(outcome.status == 0, "\(outcome)")
                    let trials = try await Tool.run(["results", run, "--json"], in: place.root).json([TrialObject].self)
                    metrics.append(trials.map(\.metrics))
                }
                #expect(metrics[0] == metrics[1], "\(name)")
                #expect(metrics[0].count == 3)
            }
        }
    }
}
