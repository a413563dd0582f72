namespace SafeLlama.Model;

/// <summary>The order of rows within a head of q and k.</summary>
/// <remarks>
/// A checkpoint pairs feature i with i + d/2 for rotation, llama.cpp pairs 2i with 2i + 1. So in GGUF row 2i + s of a
/// head is row s · d/2 + i of the checkpoint, for weights, biases and the B of an adapter alike.
/// </remarks>
internal static class HeadPermutation
{
    /// <summary>The checkpoint's row for a row of the file.</summary>
    public static int CheckpointRow(int fileRow, int headDim) =>
        fileRow / headDim * headDim + (fileRow % headDim % 2 * headDim / 2) + (fileRow % headDim / 2);

    /// <summary>Puts whole heads from the checkpoint's order into the file's.</summary>
    /// <param name="rows">Rows of so many elements, one after another.</param>
    public static T[] ToFile<T>(ReadOnlySpan<T> rows, int columns, int headDim)
    {
        var moved = new T[rows.Length];
        for (var row = 0; row < rows.Length / columns; row++)
        {
            rows.Slice(CheckpointRow(row, headDim) * columns, columns).CopyTo(moved.AsSpan(row * columns));
        }

        return moved;
    }
}
