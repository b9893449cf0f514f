import Files
import Foundation
import SystemPackage
import Testing

@testable import TensorFiles

/// Small files that NumPy wrote.
enum Fixtures {
    /// Two deflated arrays.
    ///
    /// `numpy.savez_compressed(f, a=arange(40, dtype='f4').reshape(10, 4), b=ones((3, 2), '>i2'))`
    static func deflated() throws -> [UInt8] {
        try bytes(
            """
            UEsDBC0AAAAIAAAAIQAkSClW//////////8FABQAYS5ucHkBABAAIAEAAAAAAACoAAAAAAAAAJ3IoQ8BcRjG8dcmmAmCIAi/9mO7wHbJbM4F
            jSmCxM2dCeZud6aY7aJoU8SLoiiKoiheFEXRlz/Bs/fzbO9z6A97g1FG1rLRrhdNQ91UujUztaH0zA9XobMc+6Hrffeus4g89mjuBB5/tVE3
            lFkz1Fb9m7z8Ercpi0OMBFekkI5IEQp1WBhgggAxdtjjiAQnnHHBFTfc8UCKJ154Q2yRLHIooIgSyqjYH1BLAwQtAAAACAAAACEAMOpmjP//
            ////////BQAUAGIubnB5AQAQAIwAAAAAAAAASgAAAAAAAACb7BfqGxDJyFDGUK2eklqcXKRupaBul2mkrqOgnpZfVFKUmBefX5SSChJ3S8wp
            TgWKF2ckFqQC+RrGOgpGmjoKtQpkAy4GRgQEAFBLAQItAy0AAAAIAAAAIQAkSClWqAAAACABAAAFAAAAAAAAAAAAAACAAQAAAABhLm5weVBL
            AQItAy0AAAAIAAAAIQAw6maMSgAAAIwAAAAFAAAAAAAAAAAAAACAAd8AAABiLm5weVBLBQYAAAAAAgACAGYAAABgAQAAAAA=
            """)
    }

    /// Two stored arrays with data descriptors and zip64 fields, as NumPy writes them to a pipe.
    ///
    /// `numpy.savez(pipe, a=arange(12, dtype='f4').reshape(3, 4), b=asfortranarray(ones((3, 2), 'f2')))`
    static func streamed() throws -> [UInt8] {
        try bytes(
            """
            UEsDBC0ACAAAAAAAIQAAAAAA//////////8FABQAYS5ucHkBABAAAAAAAAAAAAAAAAAAAAAAAJNOVU1QWQEAdgB7J2Rlc2NyJzogJzxmNCcs
            ICdmb3J0cmFuX29yZGVyJzogRmFsc2UsICdzaGFwZSc6ICgzLCA0KSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg
            ICAgICAgICAgICAgICAgICAgICAKAAAAAAAAgD8AAABAAABAQAAAgEAAAKBAAADAQAAA4EAAAABBAAAQQQAAIEEAADBBUEsHCC1vIiawAAAA
            AAAAALAAAAAAAAAAUEsDBC0ACAAAAAAAIQAAAAAA//////////8FABQAYi5ucHkBABAAAAAAAAAAAAAAAAAAAAAAAJNOVU1QWQEAdgB7J2Rl
            c2NyJzogJzxmMicsICdmb3J0cmFuX29yZGVyJzogVHJ1ZSwgJ3NoYXBlJzogKDMsIDIpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAg
            ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAKADwAPAA8ADwAPAA8UEsHCFMGXo2MAAAAAAAAAIwAAAAAAAAAUEsBAi0DLQAIAAAA
            AAAhAC1vIiawAAAAsAAAAAUAAAAAAAAAAAAAAIABAAAAAGEubnB5UEsBAi0DLQAIAAAAAAAhAFMGXo2MAAAAjAAAAAUAAAAAAAAAAAAAAIAB
            /wAAAGIubnB5UEsFBgAAAAACAAIAZgAAANoBAAAAAA==
            """)
    }

    /// An archive of two small arrays in 64-bit fields throughout.
    static func long() throws -> [UInt8] {
        let scratch = try Scratch()
        let path = scratch.path.appending("a.npz")
        let array = OwnedBytes(try NPY.header(dtype: .int32, shape: [2, 2]) + [UInt8](repeating: 5, count: 16))
        try StoredArchive.write(
            [("a.npy", array.bytes), ("b.npy", array.bytes)], to: path, durable: false, always64: true)
        return try MappedFile(path).withBytes { Array($0) }
    }

    private static func bytes(_ base64: String) throws -> [UInt8] {
        Array(try #require(Data(base64Encoded: base64, options: .ignoreUnknownCharacters)))
    }
}
