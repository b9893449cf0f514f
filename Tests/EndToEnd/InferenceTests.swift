import Foundation
import SystemPackage
import Testing

extension EndToEndTests {
    /// `pronghorn predict` and `evaluate`: what they give is what Keras gives for the same models and rows.
    @Suite struct InferenceTests {
        /// A run of two trials for each of three stores, and new rows of four, the last batch a partial one.
        static let stores = Task {
            let place = Workplace()
            try place.writeNumbers("x.npy", shape: [90, 6], stream: 1)
            try place.writeNumbers("y.npy", shape: [90, 1], stream: 2)
            try place.writeClasses("store.npy", rows: 90, classes: 3)
            try place.writeNumbers("new_x.npy", shape: [75, 6], stream: 3)
            try place.writeNumbers("new_y.npy", shape: [75, 1], stream: 4)
            try place.writeClasses("new_store.npy", rows: 75, classes: 4)
            try place.writeNumbers("narrow.npy", shape: [75, 5], stream: 5)
            try place.write(
                "experiment.yaml",
                """
                model: \(Tool.models):regression
                data: {x: x.npy, y: y.npy, store: store.npy}
                partition: {by: store}
                trials: {seed: {range: 2}}
                fit: {epochs: 2, batch_size: 16}
                """)
            try await train(place)
            return place
        }

        static func train(_ place: Workplace, status: Int = 0, variables: [String: String] = [:]) async throws {
            let outcome = try await Tool.run(
                ["train", "experiment.yaml", "--devices", "cpu:1", "--output", "run"], in: place.root,
                variables: variables)
            try #require(outcome.status == status, "\(outcome)")
            let results = try await Tool.run(["results", "run", "--json"], in: place.root)
            try place.write("results.json", results.output)
        }

        static func predict(
            _ arguments: [String], in place: Workplace, variables: [String: String] = [:]
        ) async throws -> Outcome {
            try await Tool.run(
                ["predict", "run", "--devices", "cpu:2", "--json"] + arguments, in: place.root, variables: variables)
        }

        /// What `predict --json` prints.
        struct Summary: Decodable {
            var files: [String]
            var trials: [Int]
            var rows: Int
            var unknown: [String]
        }

        /// How far the greatest difference from Keras is.
        struct Comparison: Decodable {
            var difference: Double
            var values: Int
        }

        /// Holds what was written to what Keras gives; `job` says what was.
        static func compare(_ job: String, values: Int, in place: Workplace) async throws {
            let name = "job-\(UUID().uuidString).json"
            try place.write(name, #"{"results": "results.json", "run": "run", \#(job)}"#)
            let found = try await Tool.python("predictions.py", [name], in: place.root, as: Comparison.self)
            #expect(found.difference < 1e-5 && found.values == values, "\(job): \(found)")
        }

        @Test("Each row is for the models of its store, and rows of an unknown store are listed and have no value")
        func byGroup() async throws {
            let place = try await Self.stores.value
            let data = ["--data", "{x: new_x.npy, store: new_store.npy}", "--by"]
            let refused = try await Self.predict(data + ["--average", "--output", "refused.npy"], in: place)
            #expect(refused.status == 2 && refused.errors.contains("group 3, which"), "\(refused)")
            #expect(!place.exists("refused.npy"))
            let many = try await Self.predict(data + ["--unknown", "nan", "--output", "refused.npy"], in: place)
            #expect(many.status == 2 && many.errors.contains("--average"), "\(many)")
            #expect(!place.exists("refused.npy"))

            let outcome = try await Self.predict(
                data + ["--average", "--unknown", "nan", "--output", "mean.npy"], in: place)
            #expect(outcome.status == 0, "\(outcome)")
            let summary = try outcome.json(Summary.self)
            #expect(summary.trials == [0, 1, 2, 3, 4, 5] && summary.rows == 75 && summary.unknown == ["3"])
            try await Self.compare(
                #""x": "new_x.npy", "predicted": "mean.npy", "trials": [0, 1, 2, 3, 4, 5], "groups": "new_store.npy""#,
                values: 75, in: place)

            let best = try await Self.predict(
                data + ["--best", "loss", "--unknown", "nan", "--output", "best.npy"], in: place)
            #expect(best.status == 0, "\(best)")
            let trials = try best.json(Summary.self).trials
            #expect(trials.count == 3)
            try await Self.compare(
                #""x": "new_x.npy", "predicted": "best.npy", "trials": \#(trials), "groups": "new_store.npy""#,
                values: 75, in: place)
            #expect(try place.list("").filter { $0.hasPrefix(".") } == [], "a folder of units was left behind")
        }

        @Test("Several trials have an axis of their own, or become their mean, in batches of any size")
        func each() async throws {
            let place = try await Self.stores.value
            let outcome = try await Self.predict(
                ["--data", "{x: new_x.npy}", "--trials", "4", "1", "--batch-size", "20", "--output", "each.npy"],
                in: place)
            #expect(outcome.status == 0, "\(outcome)")
            #expect(try outcome.json(Summary.self).trials == [1, 4])
            try await Self.compare(
                #""x": "new_x.npy", "predicted": "each.npy", "trials": [1, 4], "batch_size": 20"#, values: 150,
                in: place)
            let mean = try await Self.predict(
                ["--data", "{x: new_x.npy}", "--average", "--output", "average.npy"], in: place)
            #expect(mean.status == 0, "\(mean)")
            try await Self.compare(
                #""x": "new_x.npy", "predicted": "average.npy", "trials": [0, 1, 2, 3, 4, 5], "average": true"#,
                values: 75, in: place)

            let again = try await Self.predict(["--data", "{x: new_x.npy}", "--output", "each.npy"], in: place)
            #expect(again.status == 2 && again.errors.contains("--force"), "\(again)")
        }

        @Test("Evaluating gives what Model.evaluate gives, on new rows and on each store's own")
        func evaluate() async throws {
            let place = try await Self.stores.value
            let all = try await Tool.run(
                ["evaluate", "run", "--data", "{x: new_x.npy, y: new_y.npy}", "--json"], in: place.root)
            #expect(all.status == 0, "\(all)")
            try place.write("all.json", all.output)
            try await Self.compare(
                #""x": "new_x.npy", "y": "new_y.npy", "evaluated": "all.json""#, values: 6, in: place)
            let own = try await Tool.run(["evaluate", "run", "--by", "--json"], in: place.root)
            #expect(own.status == 0, "\(own)")
            try place.write("own.json", own.output)
            try await Self.compare(
                #""x": "x.npy", "y": "y.npy", "groups": "store.npy", "evaluated": "own.json""#, values: 6, in: place)
            let table = try await Tool.run(["evaluate", "run", "--by", "--format", "csv"], in: place.root)
            #expect(table.output.split(separator: "\n").first == "trial,group,rows,loss", "\(table)")
            #expect(table.output.split(separator: "\n").count == 7)
        }

        @Test("Out of fold each model sees missing values as its own partition filled them")
        func outOfFoldWithFills() async throws {
            let place = Workplace()
            var numbers: [Float] = []
            var table = "a,b,c,d,e,f,target\n"
            for row in 0..<40 {
                for column in 0..<6 {
                    let isMissing = column < 2 && (row + 3 * column) % 7 == 0
                    let number = isMissing ? Float.nan : Float((row * 7 + column * 13) % 23) / 11
                    numbers.append(number)
                    table += isMissing ? "," : "\(number),"
                }
                table += "\(row % 5)\n"
            }
            try place.write("t.csv", table)
            try place.writeNumbers("x.npy", shape: [40, 6], numbers)
            try place.write(
                "experiment.yaml",
                """
                model: \(Tool.models):regression
                data: {table: t.csv, target: target, missing: mean}
                partition: {folds: 3}
                fit: {epochs: 2, batch_size: 16}
                """)
            try await Self.train(place)
            let outcome = try await Self.predict(["--out-of-fold", "--output", "oof.npy"], in: place)
            #expect(outcome.status == 0, "\(outcome)")
            let found = try await Tool.python(
                "out_of_fold.py", ["run", "x.npy", "oof.npy", "0", "1", "2"], in: place.root, as: Comparison.self)
            #expect(found.difference < 1e-5 && found.values == 40, "\(found)")
        }

        @Test("Predictions out of fold are refused where the rows are not any more what they were")
        func outOfFoldOfOtherRows() async throws {
            let place = Workplace()
            try place.regression(rows: 40, seeds: 1, further: "partition: {folds: 2}")
            try await Self.train(place)
            try place.writeNumbers("x.npy", shape: [40, 6], stream: 9)
            let changed = try await Self.predict(["--out-of-fold", "--output", "oof.npy"], in: place)
            #expect(changed.status == 2 && changed.errors.contains("x.npy, on which trial 0 was trained"), "\(changed)")
        }

        @Test("A Parquet file holds the same numbers, with the trial, the row and the group of each")
        func parquet() async throws {
            let place = try await Self.stores.value
            let data = ["--data", "{x: new_x.npy, store: new_store.npy}", "--by", "--average", "--unknown", "nan"]
            for file in ["grouped.npy", "grouped.parquet"] {
                let outcome = try await Self.predict(data + ["--output", file], in: place)
                #expect(outcome.status == 0, "\(outcome)")
            }
            for file in ["apart.npy", "apart.parquet"] {
                let outcome = try await Self.predict(["--data", "{x: new_x.npy}", "--output", file], in: place)
                #expect(outcome.status == 0, "\(outcome)")
            }
            let found = try await Tool.python(
                "parquet_predictions.py", ["grouped", "apart", "new_store.npy"], in: place.root, as: [String].self)
            #expect(found == ["row", "store", "output", "trial", "row", "output"])
        }

        @Test(
            "Each row is for the models that it was held out from, and rows that all trials or none have seen have no value",
            arguments: [
                ("{folds: 3, test: {last: 0.2}}", [] as [String], [0, 1], "[[0, 2, 4], [1, 3, 5]]", 150),
                ("{bootstrap: 3}", ["--average"], [0, 1, 2, 3, 4, 5], "[[0, 1, 2, 3, 4, 5]]", 75),
            ])
        func heldOut(
            partition: String, arguments: [String], trials: [Int], columns: String, values: Int
        ) async throws {
            let place = Workplace()
            try place.writeNumbers("x.npy", shape: [75, 6], stream: 1)
            try place.writeNumbers("y.npy", shape: [75, 1], stream: 2)
            try place.write(
                "experiment.yaml",
                """
                model: \(Tool.models):regression
                data: {x: x.npy, y: y.npy}
                partition: \(partition)
                trials: {seed: {range: 2}}
                fit: {epochs: 2, batch_size: 16}
                """)
            try await Self.train(place)
            let outcome = try await Self.predict(
                ["--out-of-fold", "--output", "held-out.npy"] + arguments, in: place)
            #expect(outcome.status == 0, "\(outcome)")
            #expect(outcome.errors.contains("were held out from no chosen trial: they have no value"), "\(outcome)")
            #expect(try outcome.json(Summary.self).trials == trials)
            try await Self.compare(
                #""x": "x.npy", "predicted": "held-out.npy", "held_out": true, "trials": \#(columns)"#, values: values,
                in: place)
            let table = try await Self.predict(
                ["--out-of-fold", "--output", "held-out.parquet"] + arguments, in: place)
            #expect(table.status == 0, "\(table)")
        }

        @Test(
            "What cannot be meant is refused with status 2 and says what would do, and nothing is written",
            arguments: [
                (["--data", "{x: narrow.npy}"], "(5,) float32, but the models take 'x' of (6,) float32"),
                (["--data", "{x: {first: new_x.npy}}"], "the models take 'x'"),
                (["--data", "{x: absent.npy}"], "absent.npy"),
                (["--data", "{x: new_x.csv}"], "is a table: give it as data.table"),
                (["--data", "{x: new_x.npy}", "--by"], "no column 'store'"),
                (["--data", "{x: new_x.npy}", "--trials", "17"], "there is no trial 17"),
                (["--data", "{x: new_x.npy}", "--best", "auc"], "no metric 'auc'"),
                (["--data", "{x: new_x.npy}", "--trials", "1", "--best", "loss"], "--best"),
                (["--out-of-fold", "--by"], "leave out --data and --by"),
                (["--out-of-fold"], "trial 0 has no rows of the data that it was validated on"),
            ])
        func refused(arguments: [String], words: String) async throws {
            let place = try await Self.stores.value
            let outcome = try await Self.predict(arguments + ["--output", "never.npy"], in: place)
            #expect(outcome.status == 2 && outcome.errors.contains(words), "\(outcome)")
            #expect(!place.exists("never.npy"))
        }

        @Test("Models of parts of a group are no group's, and asking for a group's is told why")
        func within() async throws {
            let place = Workplace()
            try place.writeNumbers("x.npy", shape: [60, 6], stream: 1)
            try place.writeNumbers("y.npy", shape: [60, 1], stream: 2)
            try place.writeClasses("store.npy", rows: 60, classes: 2)
            try place.write(
                "experiment.yaml",
                """
                model: \(Tool.models):regression
                data: {x: x.npy, y: y.npy, store: store.npy}
                partition: {by: store, within: {folds: 2}}
                """)
            try await Self.train(place)
            let outcome = try await Self.predict(["--by", "--output", "p.npy"], in: place)
            #expect(outcome.status == 2 && outcome.errors.contains("`within`"), "\(outcome)")
        }

        @Test("Several inputs and outputs by name, batch statistics and layers that draw predict as in Keras")
        func heads() async throws {
            let place = Workplace()
            try place.writeNumbers("a.npy", shape: [45, 6], stream: 1)
            try place.writeNumbers("b.npy", shape: [45, 2], stream: 2)
            try place.writeNumbers("level.npy", shape: [45, 1], stream: 3)
            try place.writeClasses("kind.npy", rows: 45, classes: 3)
            try place.write(
                "experiment.yaml",
                """
                model: \(Tool.models):two_heads
                data: {x: {a: a.npy, b: b.npy}, y: {level: level.npy, kind: kind.npy}}
                trials: {seed: {range: 2}}
                fit: {epochs: 2, batch_size: 16}
                """)
            try await Self.train(place)
            let outcome = try await Self.predict(["--output", "p.npy"], in: place)
            #expect(outcome.status == 0, "\(outcome)")
            #expect(try place.list("").filter { $0.hasPrefix("p.") } == ["p.kind.npy", "p.level.npy"])
            for (output, width) in [("kind", 3), ("level", 1)] {
                try await Self.compare(
                    #""x": {"a": "a.npy", "b": "b.npy"}, "predicted": "p.\#(output).npy", "output": "\#(output)", "trials": [0, 1]"#,
                    values: 2 * 45 * width, in: place)
            }
        }

        @Test("A convolutional model, whose lanes are looped over, predicts and is evaluated as in Keras")
        func convolutional() async throws {
            let place = Workplace()
            try place.writeNumbers("x.npy", shape: [40, 8, 8, 1], stream: 1)
            try place.writeClasses("y.npy", rows: 40, classes: 3)
            try place.write(
                "experiment.yaml",
                """
                model: \(Tool.models):convolutional
                data: {x: x.npy, y: y.npy}
                trials: {seed: {range: 3}}
                fit: {epochs: 1, batch_size: 16}
                """)
            try await Self.train(place)
            let outcome = try await Self.predict(["--output", "p.npy"], in: place)
            #expect(outcome.status == 0, "\(outcome)")
            try await Self.compare(
                #""x": "x.npy", "predicted": "p.npy", "trials": [0, 1, 2]"#, values: 3 * 40 * 3, in: place)
            let evaluated = try await Tool.run(["evaluate", "run", "--json"], in: place.root)
            #expect(evaluated.status == 0, "\(evaluated)")
            try place.write("e.json", evaluated.output)
            try await Self.compare(#""x": "x.npy", "y": "y.npy", "evaluated": "e.json""#, values: 6, in: place)
        }

        @Test("Models of both engines predict together, and a trial that failed is told and left out")
        func engines() async throws {
            let place = try FitEngineTests.place(model: "regression", trials: "{units: [4, 8, -1]}", epochs: 2)
            try await Self.train(place, status: 1)
            let outcome = try await Self.predict(["--output", "p.npy"], in: place)
            #expect(outcome.status == 0 && outcome.errors.contains("1 trial is left out"), "\(outcome)")
            #expect(try outcome.json(Summary.self).trials == [0, 1])
            try await Self.compare(#""x": "x.npy", "predicted": "p.npy", "trials": [0, 1]"#, values: 128, in: place)
            let named = try await Self.predict(["--trials", "2", "--output", "q.npy"], in: place)
            #expect(named.status == 2 && named.errors.contains("trial 2 has no model: failed"), "\(named)")
            let evaluated = try await Tool.run(["evaluate", "run", "--json"], in: place.root)
            #expect(evaluated.status == 0, "\(evaluated)")
            try place.write("e.json", evaluated.output)
            try await Self.compare(#""x": "x.npy", "y": "y.npy", "evaluated": "e.json""#, values: 4, in: place)
        }

        @Test("Models whose program is gone from the cache are loaded by Keras, and predict the same")
        func withoutProgram() async throws {
            let place = Workplace()
            try place.regression(rows: 40, seeds: 2)
            let cache = ["PRONGHORN_CACHE": place.path("cache").string]
            try await Self.train(place, variables: cache)
            try FileManager.default.removeItem(atPath: place.path("cache/programs").string)
            let outcome = try await Self.predict(["--output", "p.npy"], in: place, variables: cache)
            #expect(outcome.status == 0 && outcome.errors.contains("gone from the cache"), "\(outcome)")
            try await Self.compare(#""x": "x.npy", "predicted": "p.npy", "trials": [0, 1]"#, values: 80, in: place)
        }
    }
}
