import Experiments
import Testing

@testable import Planning

@Suite("Which trials may share a program")
struct ProgramShareTests {
    private func trials(_ parameters: [[String: ParameterValue]]) -> [Trial] {
        parameters.enumerated().map { index, parameters in
            Trial(
                index: index, name: "\(index)", seed: 0, parameters: parameters, partition: 0, partitionLabel: "all")
        }
    }

    private func indices(_ shares: [ProgramShare]) -> [[Int]] { shares.map { $0.trials.map(\.index) } }

    @Test("Numbers with a point do not split a program; whole numbers and words do")
    func numbers() {
        let shares = ProgramShare.divide(
            trials([
                ["dropout": 0.1, "units": 8, "activation": "relu"], ["dropout": 0.2, "units": 8, "activation": "relu"],
                ["dropout": 0.1, "units": 16, "activation": "relu"],
                ["dropout": 0.4, "units": 8, "activation": "tanh"],
            ]))
        #expect(indices(shares) == [[0, 1], [2], [3]])
        #expect(shares[0].arguments == ["units": 8, "activation": "relu"])
        #expect(shares[0].numbers == ["dropout": [0.1, 0.2]])
        // What does not differ within a program is an argument like any other.
        #expect(shares[1].arguments == ["dropout": 0.1, "units": 16, "activation": "relu"])
        #expect(shares[1].numbers.isEmpty)
    }

    @Test("Zero and null stand apart, and a whole number among others with a point does not")
    func nothing() {
        let shares = ProgramShare.divide(
            trials([["decay": 0], ["decay": 0.5], ["decay": 1], ["decay": .null], ["decay": 0.0], ["decay": 0]]))
        #expect(indices(shares) == [[0, 5], [1, 2], [3], [4]])
        #expect(shares[1].numbers == ["decay": [0.5, 1]])
        #expect(shares[2].arguments == ["decay": .null])
    }

    @Test("A learning rate is a number even if all trials have the same, until it is baked in")
    func learningRate() {
        let same = trials([["learning_rate": 0.1], ["learning_rate": 0.1]])
        #expect(ProgramShare.divide(same).map(\.numbers) == [["learning_rate": [0.1]]])
        #expect(ProgramShare.divide(same)[0].arguments.isEmpty)
        let baked = ProgramShare.divide(
            trials([["learning_rate": 0.1, "rate": 0.5], ["learning_rate": 0.2, "rate": 0.5]]),
            baked: ["learning_rate"])
        #expect(baked.map(\.arguments) == [["learning_rate": 0.1, "rate": 0.5], ["learning_rate": 0.2, "rate": 0.5]])
        #expect(baked.allSatisfy { $0.numbers.isEmpty })
    }

    @Test("A trial that lacks a number has the model's own value, and never that of another trial")
    func lacking() {
        for name in ["dropout", "learning_rate"] {
            let shares = ProgramShare.divide(trials([[:], [name: 0.1], [:], [name: 0.2], ["units": 8]]))
            #expect(indices(shares) == [[0, 2], [1, 3], [4]])
            #expect(shares[0].arguments.isEmpty && shares[0].numbers.isEmpty)
            #expect(shares[1].arguments.isEmpty && shares[1].numbers == [name: [0.1, 0.2]])
        }
        let one = ProgramShare.divide(trials([["seed": 1], ["seed": 2, "dropout": 0.5]]))
        #expect(one.map(\.arguments) == [[:], ["dropout": 0.5]])
    }

    @Test("What is baked in splits, and the other numbers stay inputs")
    func baked() {
        let shares = ProgramShare.divide(
            trials([["a": 0.1, "b": 0.1], ["a": 0.2, "b": 0.1], ["a": 0.1, "b": 0.2], ["a": 0.2, "b": 0.3]]),
            baked: ["a"])
        #expect(indices(shares) == [[0, 2], [1, 3]])
        #expect(shares.map(\.arguments) == [["a": 0.1], ["a": 0.2]])
        #expect(shares.map(\.numbers) == [["b": [0.1, 0.2]], ["b": [0.1, 0.3]]])
    }

    @Test("Every trial is in one program, and settings of fit split none")
    func settings() {
        let shares = ProgramShare.divide(
            trials([["validation_split": 0.1, "seed": 1], ["validation_split": 0.2, "seed": 2], [:]]))
        #expect(indices(shares) == [[0, 1, 2]])
        #expect(shares[0].numbers.isEmpty)
    }
}
