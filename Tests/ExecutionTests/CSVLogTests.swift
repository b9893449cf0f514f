import Testing

@testable import Execution

@Suite struct CSVLogTests {
    @Test("The file is what Keras's CSVLogger writes, with its columns in order and in Python's numbers")
    func lines() {
        var log = CSVLog(separator: ",")
        log.epochEnded(0, ["val_loss": 0.25, "loss": 1e-05, "Z": .nan])
        log.epochEnded(1, ["loss": 0.1 + 0.2, "val_loss": .infinity, "later": 3])
        #expect(log.text == "epoch,Z,loss,val_loss\r\n0,nan,1e-05,0.25\r\n1,NA,0.30000000000000004,inf\r\n")
    }

    @Test("Without validation in the first epoch every column is there for validation too, as in Keras")
    func laterValidation() {
        var log = CSVLog(separator: ";")
        log.epochEnded(0, ["loss": 2, "a;b": 1e16])
        log.epochEnded(1, ["loss": 1, "val_loss": 0.5, "a;b": -0.0])
        #expect(
            log.text == """
                epoch;"a;b";loss;"val_a;b";val_loss\r
                0;1e+16;2.0;NA;NA\r
                1;-0.0;1.0;NA;0.5\r\n
                """)
    }
}
