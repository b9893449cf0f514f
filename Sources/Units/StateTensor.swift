/// What the tensors of a state are called in the files that hold states: checkpoints, starting models, adapted layers.
public enum StateTensor {
    /// The file inside a unit's folder with the leaves of adapted layers.
    public static let adaptedFile = "adapted.safetensors"

    /// A leaf's tensor: `state/0003`.
    ///
    /// - Parameters:
    ///   - group: which of several states that a file holds.
    ///   - leaf: the leaf's number in the order of the program.
    public static func name(_ group: String = "state", leaf: Int) -> String {
        let text = String(leaf)
        return "\(group)/\(String(repeating: "0", count: max(0, 4 - text.count)))\(text)"
    }
}
