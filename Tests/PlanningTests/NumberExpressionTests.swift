import Bundles
import Foundation
import Testing

@Suite("Numbers that follow from a trial's arguments")
struct NumberExpressionTests {
    private func value(_ json: String, _ arguments: [String: Double]) throws -> Double? {
        let expression = try JSONDecoder().decode(NumberExpression.self, from: Data(json.utf8))
        let again = try JSONDecoder().decode(NumberExpression.self, from: try JSONEncoder().encode(expression))
        #expect(again == expression)
        return expression.value(arguments)
    }

    @Test("Each operation is Python's, in 64 bits")
    func operations() throws {
        let arguments = ["h": 0.3, "rate": 2.0]
        #expect(try value("\"h\"", arguments) == 0.3)
        #expect(try value("1.5", arguments) == 1.5)
        #expect(try value("[\"-\", 1.0, \"h\"]", arguments) == 1 - 0.3)
        #expect(try value("[\"+\", \"h\", \"rate\"]", arguments) == 2.3)
        #expect(try value("[\"*\", 0.5, \"h\"]", arguments) == 0.15)
        #expect(try value("[\"/\", \"h\", 10.0]", arguments) == 0.03)
        #expect(try value("[\"**\", 10.0, [\"neg\", \"rate\"]]", arguments) == 0.01)
        #expect(
            try value("[\"sqrt\", [\"/\", \"h\", [\"-\", 1.0, \"h\"]]]", arguments) == (0.3 / (1 - 0.3)).squareRoot())
        #expect(try value("[\"log\", [\"exp\", 0.0]]", arguments) == 0)
    }

    @Test("An argument that a trial does not have leaves no number, and an unknown operation is an error")
    func missing() throws {
        #expect(try value("[\"-\", 1.0, \"other\"]", ["h": 0.3]) == nil)
        #expect(throws: DecodingError.self) { try value("[\"mod\", \"h\", 2.0]", ["h": 0.3]) }
    }
}
