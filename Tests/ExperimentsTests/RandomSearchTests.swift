import Testing

@testable import Experiments

@Suite("A random search")
struct RandomSearchTests {
    private func trials(_ search: String, seed: Int = 0) throws -> [[String: ParameterValue]] {
        let experiment = try Experiment(
            yaml: "model: m.py:build\ndata: {x: x.npy, y: y.npy}\ntrials: \(search)\nseed: \(seed)\n", file: "e.yaml")
        return try experiment.trials(partitions: ["all"]).map(\.parameters)
    }

    private let search =
        "learning_rate: {log_uniform: [1e-4, 1e-1]}, dropout: {uniform: [0.1, 0.5]}, units: [16, 32], seed: {range: 3}"

    @Test("Every value lies within its bounds, and the values fill them")
    func bounds() throws {
        let drawn = try trials("{random: 400, \(search)}")
        #expect(drawn.count == 400)
        let rates = drawn.compactMap { $0["learning_rate"]?.double }
        let dropouts = drawn.compactMap { $0["dropout"]?.double }
        #expect(rates.count == 400 && rates.allSatisfy { (1e-4...1e-1).contains($0) })
        #expect(dropouts.count == 400 && dropouts.allSatisfy { (0.1...0.5).contains($0) })
        // A third of the rates in each power of ten, a quarter of the dropouts in each tenth.
        for decade in [1e-4, 1e-3, 1e-2] {
            #expect((90...180).contains(rates.count { $0 >= decade && $0 < decade * 10 }))
        }
        #expect((70...130).contains(dropouts.count { $0 < 0.2 }))
        #expect(Set(drawn.compactMap { $0["units"] }) == [16, 32])
        #expect(Set(drawn.compactMap { $0["seed"] }) == [0, 1, 2])
    }

    @Test("The same seed draws the same, a longer search begins with a shorter one, another seed draws others")
    func repeated() throws {
        let ten = try trials("{random: 10, \(search)}")
        #expect(try trials("{random: 10, \(search)}") == ten)
        #expect(Array(try trials("{random: 50, \(search)}").prefix(10)) == ten)
        #expect(try trials("{random: 10, \(search)}", seed: 1) != ten)
        // A hyperparameter that comes after the others leaves them as they are.
        let more = try trials("{random: 10, \(search), l2: {uniform: [0.0, 1.0]}}")
        #expect(more.map { $0.filter { $0.key != "l2" } } == ten)
    }

    @Test("Numbers have six digits, as a person would write them")
    func digits() throws {
        for parameters in try trials("{random: 100, a: {log_uniform: [1e-9, 1e9]}, b: {uniform: [-2.0, 2.0]}}") {
            for value in parameters.values {
                let mantissa = value.json.split(separator: "e")[0].filter { $0.isNumber }
                let significant = mantissa.drop { $0 == "0" }.reversed().drop { $0 == "0" }
                #expect(significant.count <= 6, "\(value)")
            }
        }
    }
}
