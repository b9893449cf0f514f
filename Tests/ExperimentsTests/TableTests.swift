import Experiments
import Testing

private let table = """
    model: models.py:build
    data:
      table: [visits-1.csv, visits-2.csv]
      separator: ";"
      features:
        - age
        - city: {one_hot: {categories: [a, b], unknown: own}}
        - {shop: ordinal, code: {hashing: {bins: 8, output: index}}}
        - note: {bag_of_words: {words: 50, weight: binary}}
        - day: {date: {parts: [month, weekday], format: "%d.%m.%Y"}}
      target: {bought: ordinal}
      weight: importance
      missing: {age: median, note: {value: ""}, otherwise: drop}
      missing_values: ["?"]
    partition: {by: shop}
    fit: {validation: {table: later.parquet}, sample_weight: null}

    """

@Test func everyKeyOfATableArrives() throws {
    let experiment = try Experiment(yaml: table, file: "e.yaml")
    #expect(
        experiment.data
            == DataDescription(
                table: TableDescription(
                    files: ["visits-1.csv", "visits-2.csv"], separator: ";",
                    x: [
                        TableDescription.Array(
                            name: "x",
                            columns: [
                                TableDescription.Column(name: "age"),
                                TableDescription.Column(
                                    name: "city", encoding: .oneHot(categories: ["a", "b"], unknown: .own)),
                                TableDescription.Column(
                                    name: "shop", encoding: .ordinal(categories: nil, unknown: .error)),
                                TableDescription.Column(name: "code", encoding: .hashing(bins: 8, oneHot: false)),
                                TableDescription.Column(name: "note", encoding: .bagOfWords(words: 50, binary: true)),
                                TableDescription.Column(
                                    name: "day", encoding: .date(parts: ["month", "weekday"], format: "%d.%m.%Y")),
                            ])
                    ],
                    y: [
                        TableDescription.Array(
                            name: "y",
                            columns: [
                                TableDescription.Column(
                                    name: "bought", encoding: .ordinal(categories: nil, unknown: .error))
                            ])
                    ],
                    weight: "importance",
                    missing: TableDescription.Missing(
                        all: .drop, columns: ["age": .median, "note": .value(.string(""))]),
                    missingMarkers: ["?"])))
    #expect(experiment.columnsUsed == ["shop"])
    #expect(experiment.fit.validation == .data(DataDescription(table: TableDescription(files: ["later.parquet"]))))
}

@Test func inputsByNameAreArraysOfTheirOwn() throws {
    let yaml = "model: m.py:build\ndata: {table: t.tsv, x: {numbers: [a, b], city: {city: ordinal}}, target: [u, v]}\n"
    let table = try #require(try Experiment(yaml: yaml, file: "e.yaml").data.table)
    #expect(table.x.map(\.name) == ["numbers", "city"])
    #expect(table.x.map { $0.columns?.map(\.name) } == [["a", "b"], ["city"]])
    #expect(table.y[0].columns?.map(\.name) == ["u", "v"])
    #expect(
        try Experiment(yaml: "model: m.py:build\ndata: {table: t.csv}\n", file: "e.yaml").data.table?.x[0].columns
            == nil)
}

@Test(arguments: [
    ("table: t.xls", "'t.xls' is no table; accepted: FILE.csv"),
    ("table: t.csv, features: {a: onehot}", "data.features.a: no encoding is called 'onehot'; accepted: bag_of_words"),
    ("table: t.csv, features: {a: onehot}", "(did you mean 'one_hot'?)"),
    ("table: t.csv, features: {a: hashing}", "data.features.a.bins: is missing: how many bins there are"),
    ("table: t.csv, features: {a: {hashing: {bins: 0}}}", "must be from 1 to 16777216, found 0"),
    ("table: t.csv, features: {a: {date: [mnth]}}", "'mnth' is no part of a date"),
    ("table: t.csv, features: {a: {one_hot: {unknown: skip}}}", "unknown choice 'skip'; accepted: error, own"),
    ("table: t.csv, features: [a], x: {b: c}", "data.x: 'features' says the same: leave one out"),
    ("table: t.csv, separator: ab", "data.separator: must be one character, found 'ab'"),
    ("table: t.csv, missing: mea", "'mea' is no rule; as a text that stands for missing values: {value: mea}"),
    ("table: t.csv, missing: {a: [1]}", "data.missing.a: must be a number or a text"),
    ("table: t.csv, y: {u: [a, a]}", "the column 'a' is given twice"),
    ("table: t.csv, sample_weight: w", "data.sample_weight: unknown key 'sample_weight'; accepted: features"),
])
func aMistakeInATableIsFoundBeforeItIsOpened(data: String, message: String) throws {
    let error = #expect(throws: ExperimentError.self) {
        try Experiment(yaml: "model: m.py:build\ndata: {\(data)}\n", file: "e.yaml")
    }
    #expect(error?.description.contains(message) == true, "\(error?.description ?? "none")")
}

@Test func aTableToValidateOnNeedsOneToTrainOn() throws {
    let yaml = "model: m.py:build\ndata: {x: x.npy, y: y.npy}\nfit: {validation: {table: t.csv}}\n"
    let error = #expect(throws: ExperimentError.self) { try Experiment(yaml: yaml, file: "e.yaml") }
    #expect(error?.description.hasPrefix("e.yaml:3:27: fit.validation.table: is encoded as the table") == true)
}
