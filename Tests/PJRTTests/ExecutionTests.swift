import Testing

@testable import PJRT

@Suite(.enabled(if: TestPlugin.isThere))
struct ExecutionTests {
    @Test("StableHLO text compiles and computes")
    func addition() throws {
        let client = try TestPlugin.client
        let program = try client.compile(mlir: Programs.add, signature: Programs.addSignature)
        let arguments = try client.list([1, 2, 3, 4], [10, 20, 30, 40])
        for _ in 0..<3 {
            let results = try program.execute(arguments)
            #expect(results.count == 1)
            #expect(try results.array(0) == [Float(11), 22, 33, 44])
        }
    }

    @Test("Arguments may come in several lists")
    func severalLists() throws {
        let client = try TestPlugin.client
        let program = try client.compile(mlir: Programs.add, signature: Programs.addSignature)
        let results = try program.execute(client.list([1, 2, 3, 4]), client.list([1, 1, 1, 1]), client.list())
        #expect(try results.array(0) == [Float(2), 3, 4, 5])
        let others = try program.execute(
            donating: client.list(), client.list([1, 2, 3, 4]), client.list([1, 1, 1, 1]))
        #expect(try others.array(0) == [Float(2), 3, 4, 5])
    }

    @Test("A state that is given away is updated in its own memory")
    func donation() throws {
        let client = try TestPlugin.client
        let program = try client.compile(mlir: Programs.addInPlace, signature: Programs.addSignature)
        #expect(program.memory.aliased == 16)
        let one = try client.list([1, 1, 1, 1])
        var state = try client.list([1, 2, 3, 4])
        let address = try state.withUnsafeBytes(0) { Int(bitPattern: $0.baseAddress) }
        for _ in 0..<10 { state = try program.execute(donating: state, one) }
        #expect(try state.array(0) == [Float(11), 12, 13, 14])
        #expect(try state.withUnsafeBytes(0) { Int(bitPattern: $0.baseAddress) } == address)
    }

    @Test("A state that is not given away stays, even for a program that could write over it")
    func borrowing() throws {
        let client = try TestPlugin.client
        let program = try client.compile(mlir: Programs.addInPlace, signature: Programs.addSignature)
        let arguments = try client.list([1, 2, 3, 4], [1, 1, 1, 1])
        _ = try program.execute(arguments)
        #expect(try !arguments.isDeleted(0))
        #expect(try arguments.array(0) == [Float(1), 2, 3, 4])
    }

    @Test("A buffer whose memory was given away is refused, not read")
    func reuseAfterDonation() throws {
        let client = try TestPlugin.client
        let program = try client.compile(mlir: Programs.addInPlace, signature: Programs.addSignature)
        let arguments = try client.list([1, 2, 3, 4], [1, 1, 1, 1])
        _ = try program.run(arguments.handles, donated: 1)
        #expect(try arguments.isDeleted(0))
        #expect(try !arguments.isDeleted(1))
        var codes: [PJRTError.Code] = []
        do throws(PJRTError) { _ = try program.execute(arguments) } catch { codes.append(error.code) }
        do throws(PJRTError) { _ = try arguments.array(0, as: Float.self) } catch { codes.append(error.code) }
        do { _ = try arguments.withUnsafeBytes(0) { $0.count } } catch let error as PJRTError {
            codes.append(error.code)
        }
        #expect(codes == [.deleted, .deleted, .deleted])
    }

    @Test("A wrong number, shape or element type of arguments is refused before the plugin computes nonsense")
    func wrongArguments() throws {
        let client = try TestPlugin.client
        let program = try client.compile(mlir: Programs.add, signature: Programs.addSignature)
        func refusal(_ list: borrowing BufferList) -> PJRTError.Code? {
            do throws(PJRTError) {
                _ = try program.execute(list)
                return nil
            } catch {
                return error.code
            }
        }
        #expect(try refusal(client.list([1, 2, 3, 4])) == .invalidArgument)
        #expect(try refusal(client.list([1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4])) == .invalidArgument)
        var sameSize = try client.list([1, 2, 3, 4])
        sameSize.append(try client.buffer([Int32(1), 2, 3, 4]))
        #expect(refusal(sameSize) == .invalidArgument)
        sameSize.replace(at: 1, with: try client.buffer([Float(1), 2, 3, 4], shape: [2, 2]))
        #expect(refusal(sameSize) == .invalidArgument)
        sameSize.replace(at: 1, with: try client.buffer([Float(1), 2, 3, 4]))
        #expect(refusal(sameSize) == nil)
        let other = try TestPlugin.newClient()
        #expect(try refusal(other.list([1, 2, 3, 4], [1, 2, 3, 4])) == .invalidArgument)
        #expect(code { _ = try client.buffer([Float(1)], on: other.devices[0]) } == .invalidArgument)
    }

    @Test("A signature that is not the program's is refused when it is compiled")
    func wrongSignature() throws {
        let client = try TestPlugin.client
        let vector = Programs.vector
        let wrong = [
            Signature(arguments: [vector, vector], results: []),
            Signature(arguments: [vector, vector], results: [TensorType(.int32, [4])]),
            Signature(arguments: [vector, vector], results: [TensorType(.float32, [2, 2])]),
            Signature(arguments: [vector], results: [vector]),
        ]
        for signature in wrong {
            #expect(code { _ = try client.compile(mlir: Programs.add, signature: signature) } == .invalidArgument)
        }
    }

    @Test("A program that is no program is an error")
    func garbage() throws {
        let client = try TestPlugin.client
        let nothing = Signature(arguments: [], results: [])
        let error = #expect(throws: PJRTError.self) { try client.compile(mlir: "garbage", signature: nothing) }
        guard case .plugin = error?.code else {
            Issue.record("the plugin did not report the error")
            return
        }
        #expect(error?.message.isEmpty == false)
        #expect(code { _ = try client.compile(mlir: "", signature: nothing) } == .invalidArgument)
    }

    @Test("An error while a program runs reaches the caller")
    func errorOfExecution() throws {
        let client = try TestPlugin.client
        let huge = TensorType(.float32, [1 << 42])
        let program = try client.compile(
            mlir: """
                func.func public @main(%x: tensor<f32>) -> \(huge.mlirName) {
                  %y = stablehlo.broadcast_in_dim %x, dims = [] : (tensor<f32>) -> \(huge.mlirName)
                  return %y : \(huge.mlirName)
                }
                """, signature: Signature(arguments: [TensorType(.float32)], results: [huge]))
        var list = BufferList(client)
        list.append(try client.buffer([Float(1)], shape: []))
        var found: PJRTError.Code?
        do throws(PJRTError) { _ = try program.execute(list) } catch { found = error.code }
        #expect(found == .plugin(.resourceExhausted))
        #expect(program.memory.total > 1 << 44)
    }

    @Test("The memory that a call needs is known beforehand")
    func memory() throws {
        let program = try TestPlugin.client.compile(mlir: Programs.add, signature: Programs.addSignature)
        #expect(program.memory.arguments == 32)
        #expect(program.memory.outputs == 16)
        #expect(program.memory.aliased == 0)
        #expect(program.memory.total >= 48)
    }

    @Test("Compiler options reach the compiler, and unknown ones are errors")
    func compileOptions() throws {
        let client = try TestPlugin.client
        let good = CompileOptions(
            device: 0,
            overrides: ["xla_cpu_multi_thread_eigen": .bool(false), "xla_backend_optimization_level": .int(1)])
        let program = try client.compile(mlir: Programs.add, signature: Programs.addSignature, options: good)
        #expect(try program.execute(client.list([1, 2, 3, 4], [1, 1, 1, 1])).array(0) == [Float(2), 3, 4, 5])
        let bad = CompileOptions(overrides: ["xla_no_such_option": .bool(true)])
        #expect(throws: PJRTError.self) {
            try client.compile(mlir: Programs.add, signature: Programs.addSignature, options: bad)
        }
    }

    @Test("Programs and buffers outlive the variable that held their client")
    func lifetimes() throws {
        var client: Client? = try TestPlugin.newClient()
        let program = try client?.compile(mlir: Programs.add, signature: Programs.addSignature)
        let arguments = try client!.list([1, 2, 3, 4], [1, 1, 1, 1])
        weak let watched = client
        client = nil
        let results = try #require(program).execute(arguments)
        #expect(watched != nil)
        #expect(try results.array(0) == [Float(2), 3, 4, 5])
    }
}
