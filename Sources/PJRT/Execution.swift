internal import CPJRT

extension Executable {
    /// Runs the program on tensors that stay as they are, and waits for its end.
    public func execute(_ arguments: borrowing BufferList) throws(PJRTError) -> BufferList {
        try check(arguments, at: 0)
        return try run(arguments.handles, donated: 0)
    }

    /// Runs the program on the tensors of two lists, in order, that stay as they are, and waits for its end.
    public func execute(_ first: borrowing BufferList, _ second: borrowing BufferList) throws(PJRTError) -> BufferList {
        try check(first, at: 0)
        try check(second, at: first.count)
        return try run(first.handles + second.handles, donated: 0)
    }

    /// Runs the program on the tensors of three lists, in order, that stay as they are, and waits for its end.
    public func execute(
        _ first: borrowing BufferList, _ second: borrowing BufferList, _ third: borrowing BufferList
    ) throws(PJRTError) -> BufferList {
        try check(first, at: 0)
        try check(second, at: first.count)
        try check(third, at: first.count + second.count)
        return try run(first.handles + second.handles + third.handles, donated: 0)
    }

    /// Runs the program on tensors whose memory it may write its results to, and waits for its end.
    ///
    /// The tensors are gone afterwards, after an error too.
    public func execute(donating state: consuming BufferList) throws(PJRTError) -> BufferList {
        try check(state, at: 0)
        return try run(giving: state.release(), [])
    }

    /// Runs the program on tensors whose memory it may write its results to, then on tensors that stay as they are,
    /// and waits for its end.
    ///
    /// The tensors of `state` are gone afterwards, after an error too.
    public func execute(
        donating state: consuming BufferList, _ extra: borrowing BufferList
    ) throws(PJRTError) -> BufferList {
        try check(state, at: 0)
        try check(extra, at: state.count)
        return try run(giving: state.release(), extra.handles)
    }

    /// Runs the program on tensors whose memory it may write its results to, then on those of two lists that stay
    /// as they are, and waits for its end.
    ///
    /// The tensors of `state` are gone afterwards, after an error too.
    public func execute(
        donating state: consuming BufferList, _ first: borrowing BufferList, _ second: borrowing BufferList
    ) throws(PJRTError) -> BufferList {
        try check(state, at: 0)
        try check(first, at: state.count)
        try check(second, at: state.count + first.count)
        return try run(giving: state.release(), first.handles + second.handles)
    }

    private func run(giving state: [OpaquePointer?], _ extra: [OpaquePointer?]) throws(PJRTError) -> BufferList {
        defer { client.destroy(state) }
        return try run(state + extra, donated: state.count)
    }

    /// Refuses a list that does not fit the signature from an argument on.
    private func check(_ list: borrowing BufferList, at start: Int) throws(PJRTError) {
        guard list.client === client else {
            throw PJRTError(.invalidArgument, "arguments from \(start) on belong to another client than the program")
        }
        let expected = signature.arguments
        guard start + list.count <= expected.count else {
            throw PJRTError(
                .invalidArgument, "the program takes \(expected.count) arguments; \(start + list.count) were given")
        }
        for (index, type) in list.types.enumerated() where type != expected[start + index] {
            throw PJRTError(
                .invalidArgument,
                "argument \(start + index) of the program must be \(expected[start + index]); \(type) was given")
        }
    }

    /// Calls the program; the first `donated` arguments may be overwritten, and are then deleted.
    func run(_ arguments: [OpaquePointer?], donated: Int) throws(PJRTError) -> BufferList {
        guard arguments.count == argumentNumbers.count else {
            throw PJRTError(
                .invalidArgument, "the program takes \(argumentNumbers.count) arguments; \(arguments.count) were given")
        }
        for (index, argument) in arguments.enumerated() where try client.isDeleted(argument) {
            throw PJRTError(.deleted, "argument \(index) of the program has no memory any more")
        }
        var results = [OpaquePointer?](repeating: nil, count: signature.results.count)
        var done: OpaquePointer?
        do throws(PJRTError) {
            try call(arguments, donated, &results, &done)
            try client.table.await(done, of: "LoadedExecutable_Execute")
        } catch {
            client.destroy(results)
            throw error
        }
        return BufferList(client, results, signature.results)
    }

    private func call(
        _ arguments: [OpaquePointer?], _ donated: Int, _ results: inout [OpaquePointer?], _ done: inout OpaquePointer?
    ) throws(PJRTError) {
        let table = client.table
        try arguments.withUnsafeBufferPointer { (arguments) throws(PJRTError) in
            try results.withUnsafeMutableBufferPointer { (results) throws(PJRTError) in
                try argumentNumbers.withUnsafeBufferPointer { (numbers) throws(PJRTError) in
                    var options = PJRT_ExecuteOptions.make()
                    // The plugin may overwrite what the program aliases, unless it is named here.
                    let kept = numbers[donated...]
                    options.non_donatable_input_indices = UnsafeBufferPointer(rebasing: kept).baseAddress
                    options.num_non_donatable_input_indices = kept.count
                    var argumentList = arguments.baseAddress
                    var resultList = results.baseAddress
                    try withUnsafeMutablePointer(to: &options) { (options) throws(PJRTError) in
                        try withUnsafePointer(to: &argumentList) { (argumentLists) throws(PJRTError) in
                            try withUnsafePointer(to: &resultList) { (resultLists) throws(PJRTError) in
                                try withUnsafeMutablePointer(to: &done) { (done) throws(PJRTError) in
                                    var execute = PJRT_LoadedExecutable_Execute_Args.make()
                                    execute.executable = loaded
                                    execute.options = options
                                    execute.argument_lists = argumentLists
                                    execute.num_devices = 1
                                    execute.num_args = arguments.count
                                    execute.output_lists = resultLists
                                    execute.device_complete_events = done
                                    try table.call(
                                        table.api.pointee.PJRT_LoadedExecutable_Execute, "LoadedExecutable_Execute",
                                        &execute)
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
