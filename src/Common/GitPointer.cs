namespace SafeLlama.Common;

/// <summary>The few lines of text that Git LFS leaves in place of a large file that was not fetched.</summary>
public static class GitPointer
{
    private static ReadOnlySpan<byte> Start => "version https://git-lfs.github.com/spec/"u8;

    /// <summary>Refuses a file that is a pointer.</summary>
    /// <param name="path">The file.</param>
    /// <param name="content">Its bytes, or the first hundred of them.</param>
    /// <exception cref="SafeLlamaException">The content is a pointer.</exception>
    public static void Refuse(string path, ReadOnlySpan<byte> content)
    {
        if (content.StartsWith(Start))
        {
            throw SafeLlamaException.InvalidData(
                $"{path}: is a Git LFS pointer, a few lines of text in the place of the file. Fetch the file with "
                + "git lfs pull, or download it.");
        }
    }
}
