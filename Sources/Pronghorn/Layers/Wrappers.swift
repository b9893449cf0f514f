/// A recurrent layer over the steps and over the steps backwards.
public struct Bidirectional: KerasLayer {
    public let layer: Layer

    /// A layer in both directions; `merge` says how both ends are put together: `concat`, `sum`, `mul` or `ave`.
    public init(_ inner: some KerasLayer, merge: String? = nil, backward: (any KerasLayer)? = nil) {
        layer = Layer(
            "Bidirectional",
            typed: ["layer": inner.layer, "merge_mode": merge, "backward_layer": backward?.layer])
    }
}

/// A layer on each step by itself: inputs [rows, steps, …].
public struct TimeDistributed: KerasLayer {
    public let layer: Layer

    public init(_ inner: some KerasLayer) {
        layer = Layer("TimeDistributed", typed: ["layer": inner.layer])
    }
}
