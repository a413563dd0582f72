namespace SafeLlama.Common;

/// <summary>Where one tensor stands in a GGUF file.</summary>
/// <param name="Dimensions">Outermost first, as a shape has them; the file stores them the other way round.</param>
/// <param name="Offset">Bytes from the start of the file.</param>
public sealed record GgufTensor(
    string Name, IReadOnlyList<int> Dimensions, GgufType Type, long Offset, long ByteCount)
{
    /// <summary>The dimensions as text: <c>[512, 64]</c>.</summary>
    public string Shape => $"[{string.Join(", ", Dimensions)}]";
}
