/// The experiment file as a run's folder keeps it: what the run was begun with in comments, then the file's own text.
struct ExperimentText {
    /// What the experiment's paths are relative to; nil in what an older version wrote.
    var folder: String?
    /// How many devices there were.
    var devices: Int?
    /// The values of `--set`, in their order.
    var settings: [String] = []
    /// The experiment file's own text.
    var yaml: String

    private static let setting = "# begun with --set "
    private static let place = "# begun in "
    private static let count = "# begun on devices: "

    init(_ text: String) {
        var rest = Substring(text)
        while rest.hasPrefix("# begun ") {
            let line = rest.prefix { $0 != "\n" }
            if line.hasPrefix(Self.setting) {
                settings.append(String(line.dropFirst(Self.setting.count)))
            } else if line.hasPrefix(Self.place) {
                folder = String(line.dropFirst(Self.place.count))
            } else if line.hasPrefix(Self.count) {
                devices = Int(line.dropFirst(Self.count.count))
            } else {
                break
            }
            rest = rest.dropFirst(line.count + 1)
        }
        yaml = String(rest)
    }

    /// The whole text, by which the run can be described again.
    var text: String {
        (folder.map { "\(Self.place)\($0)\n" } ?? "") + (devices.map { "\(Self.count)\($0)\n" } ?? "")
            + settings.map { "\(Self.setting)\($0)\n" }.joined() + yaml
    }
}
