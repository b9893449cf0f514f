extension Unit {
    /// The file inside a unit's folder in which a unit that predicts leaves an output, by its number from 0.
    ///
    /// It is an NPY file: the rows of the first lane, in the order in which the lane names them, then those of the second, …
    public static func outputFile(_ number: Int) -> String { "outputs/\(number).npy" }

    /// The file in which such a unit leaves the names of its outputs, a JSON list.
    public static let outputNamesFile = "outputs/names.json"
}
