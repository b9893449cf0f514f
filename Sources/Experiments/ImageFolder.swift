/// A folder of images, whose subfolders are the classes.
public struct ImageFolder: Sendable, Equatable, Codable {
    /// The folder, absolute or relative to the experiment file's.
    public var folder: String
    /// The height and width that images are brought to; `nil` where all have the same.
    public var size: Size?
    /// What a pixel is.
    public var color: Color
    /// How images of other proportions are brought to the size.
    public var resize: Resize

    /// A folder of images.
    public init(folder: String, size: Size? = nil, color: Color = .rgb, resize: Resize = .stretch) {
        self.folder = folder
        self.size = size
        self.color = color
        self.resize = resize
    }

    /// Pixels high and wide.
    public struct Size: Sendable, Equatable, Codable {
        /// Pixels from top to bottom.
        public var height: Int
        /// Pixels from left to right.
        public var width: Int

        /// A size.
        public init(height: Int, width: Int) {
            self.height = height
            self.width = width
        }
    }

    /// What a pixel is.
    public enum Color: String, Sendable, Equatable, Codable, CaseIterable {
        case rgb, grayscale, rgba
    }

    /// How images of other proportions are brought to the size.
    public enum Resize: String, Sendable, Equatable, Codable, CaseIterable {
        /// Their proportions change.
        case stretch
        /// What stands out is cut off.
        case crop
        /// Black fills the rest.
        case pad
    }
}
