namespace SafeLlama.Lab;

/// <summary>What tells that a file was written since it was read.</summary>
/// <param name="Bytes">Its length; −1 where there is no file.</param>
internal readonly record struct FileState(long Bytes, DateTime Written)
{
    public static FileState Of(string path) =>
        new FileInfo(path) is { Exists: true } file ? new(file.Length, file.LastWriteTimeUtc) : new(-1, default);
}
